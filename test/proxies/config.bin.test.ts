import * as fs from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { runKeys } from "../helpers/bin.js";
import { mintToken } from "../helpers/keystores.js";
import { describeWith } from "../helpers/requires.js";
import { bearer, send } from "./client.js";
import { makeKeys } from "./keys.js";
import { CADDY, HAPROXY, NGINX, openStage, type Stage } from "./proxy.js";
import { startUpstream } from "./upstream.js";

const PROXIES = ["nginx", "caddy", "traefik", "envoy", "haproxy"];

function staged(text = makeKeys().text): Stage {
  const stage = openStage(text);
  onTestFinished(() => stage.close());
  return stage;
}

async function config(
  stage: Stage,
  ...args: readonly string[]
): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  return runKeys(["config", ...args, "--file", stage.keystore], { cwd: stage.directory });
}

describe("config", () => {
  it.each(PROXIES)("prints %s's command as the first comment, as JSON too", async (proxy) => {
    const stage = staged();
    const { exitCode, stdout } = await config(stage, proxy);
    expect(exitCode).toBe(0);
    expect(stdout.split("\n", 1)[0]).toMatch(new RegExp(`^# .*${proxy} `));
    const json = await config(stage, proxy, "--json");
    expect(JSON.parse(json.stdout)).toEqual({ proxy, config: stdout });
    const snippet = await config(stage, proxy, "--snippet");
    expect(snippet.exitCode).toBe(0);
    expect(snippet.stdout.length).toBeLessThan(stdout.length);
    expect(fs.readdirSync(stage.directory)).toEqual(["keys.yaml"]);
  });

  it.each(["nginx", "caddy", "traefik", "envoy"])(
    "says in %s's how the server believes the proxy",
    async (proxy) => {
      const stage = staged();
      for (const [server, told] of [
        ["http://127.0.0.1:8787", "--trusted-proxy 127.0.0.1"],
        ["http://[::1]:8787", "--trusted-proxy ::1"],
        ["http://localhost:8787", "--trusted-proxy 127.0.0.1 --trusted-proxy ::1"],
        ["https://keys.example:8787", "--trusted-proxy and the address"],
        ...(proxy === "traefik" ? [] : [["unix:/run/keys.sock", "--trusted-proxy unix"] as const]),
      ] as const) {
        for (const more of [[], ["--snippet"]]) {
          const { stdout } = await config(stage, proxy, "--server", server, ...more);
          const comments = stdout.split("\n").filter((line) => line.startsWith("# keys serve "));
          expect(comments, server).toEqual([expect.stringContaining(told)]);
        }
      }
    },
  );

  it("is a usage error without a proxy or with another, and suggests the near one", async () => {
    const stage = staged();
    for (const [args, hint] of [
      [[], "nginx, caddy"],
      [["apache"], "nginx, caddy"],
      [["ngnix"], "did you mean nginx?"],
      [["haproxi"], "did you mean haproxy?"],
    ] as const) {
      const { exitCode, stderr } = await config(stage, ...args);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(hint);
    }
  });

  it.each([
    ["--listen", ["0", "65536", "x", "80;", "1.2.3.4", "999.1.1.1:80", "::1:80", ""]],
    [
      "--server",
      [
        "127.0.0.1:8787",
        "ftp://a",
        "http://a/b",
        "http://a?b",
        "http://a#b",
        "http://user:pass@a",
        "http://a;b",
        "http://a{b}",
        "http://$host",
        "http://a'b",
        "http://a:0",
        "unix:/a b",
        "unix:/a;b",
        "unix:",
        "http://a\nb",
        "",
      ],
    ],
    ["--upstream", ["http://a/b", "unix:/a}b", "javascript:alert(1)"]],
    ["--scope", ["", "*", "apps:*", "a  b", 'a"b', "a\\b", "a\nb", "ö"]],
    ["--workspace", ["", "*", "a\tb"]],
    [
      "--user-header",
      [
        ...["", "X Y", "X:Y", "X_Y", "Authorization", "x-api-key", "X-Auth-Id", "Host"],
        ...["X-Impersonate", "X-Keys-Expires"],
      ],
    ],
  ])("refuses a %s that could mean something else", async (option, values) => {
    const stage = staged();
    for (const [index, value] of values.entries()) {
      const proxy = PROXIES[index % PROXIES.length] ?? "nginx";
      const { exitCode, stdout } = await config(stage, proxy, option, value);
      expect([exitCode, stdout], `${proxy} ${option} ${value}`).toEqual([2, ""]);
    }
  });

  it("gives options that are haproxy's to no other", async () => {
    const stage = staged();
    expect((await config(stage, "nginx", "--map", "a.map")).exitCode).toBe(2);
    expect((await config(stage, "caddy", "--keep")).exitCode).toBe(2);
    expect((await config(stage, "haproxy", "--keep")).exitCode).toBe(2);
    expect((await config(stage, "traefik", "--server", "unix:/a")).exitCode).toBe(2);
  });
});

describe("config haproxy --map", () => {
  it("writes a map of the keys in service, 0600, and warns of what it can't do", async () => {
    const keys = makeKeys();
    const stage = staged(keys.text);
    const map = path.join(stage.directory, "keys.map");
    fs.writeFileSync(map, "", { mode: 0o644 });
    const { exitCode, stderr } = await config(stage, "haproxy", "--map", "keys.map");
    expect(exitCode).toBe(0);
    expect(stderr).toContain("rate limits");
    const text = fs.readFileSync(map, "utf8");
    expect(fs.statSync(map).mode & 0o777).toBe(0o600);
    for (const [name, token] of Object.entries(keys)) {
      if (name === "text") continue;
      const isGone = ["expired", "revoked", "unknown"].includes(name);
      expect(text.includes(digestOf(token as string)), name).toBe(!isGone);
      expect(text).not.toContain(token);
    }
    // Again, over its own.
    expect((await config(stage, "haproxy", "--map", "keys.map")).exitCode).toBe(0);
    expect(fs.readdirSync(stage.directory).sort()).toEqual(["keys.map", "keys.yaml"]);
  });

  it("overwrites nothing else, the keystore least of all", async () => {
    const stage = staged();
    const before = fs.readFileSync(stage.keystore, "utf8");
    const other = path.join(stage.directory, "other.txt");
    fs.writeFileSync(other, "dear diary\n");
    fs.symlinkSync("keys.yaml", path.join(stage.directory, "link.map"));
    for (const name of ["keys.yaml", "./keys.yaml", "link.map", "other.txt"]) {
      expect((await config(stage, "haproxy", "--map", name)).exitCode, name).toBe(1);
    }
    expect(fs.readFileSync(stage.keystore, "utf8")).toBe(before);
    expect(fs.readFileSync(other, "utf8")).toBe("dear diary\n");
    expect((await config(stage, "haproxy", "--map", "a b.map")).exitCode).toBe(2);
  });

  it("writes nothing with --dry-run, and nothing from a keystore that is not valid", async () => {
    const stage = staged();
    expect((await config(stage, "haproxy", "--map", "a.map", "--dry-run")).exitCode).toBe(0);
    fs.writeFileSync(stage.keystore, "api_keys: [\n");
    expect((await config(stage, "haproxy", "--map", "a.map")).exitCode).toBe(3);
    fs.rmSync(stage.keystore);
    expect((await config(stage, "haproxy", "--map", "a.map")).exitCode).toBe(4);
    expect(fs.readdirSync(stage.directory)).toEqual([]);
  });

  it("lets nobody in by the map of an emptied keystore", async () => {
    const stage = staged("api_keys: {}\n");
    expect((await config(stage, "haproxy", "--map", "a.map")).exitCode).toBe(0);
    expect(fs.readFileSync(path.join(stage.directory, "a.map"), "utf8")).not.toMatch(
      /^[0-9a-f]{64} /m,
    );
  });
});

// Every character that a scope may hold.
const NASTY = "a!#$%&'()+,-./0:;<=>?@A[]^_`{|}~";

for (const program of [NGINX, CADDY, HAPROXY]) {
  describeWith(program.requirement, `${program.name} with a scope of every character`, () => {
    it("asks for exactly that scope", async () => {
      const [good, wild, bad] = [mintToken(), mintToken(), mintToken()];
      const row = (token: string, scope: string): string =>
        `  "${digestOf(token)}":\n    id: x\n    scopes: ${JSON.stringify(scope)}\n`;
      const prefix = NASTY.slice(0, NASTY.indexOf(":") + 1);
      const stage = staged(
        `api_keys:\n${row(good, NASTY)}${row(wild, `${prefix}*`)}${row(bad, NASTY.slice(0, -1))}`,
      );
      const upstream = await startUpstream();
      onTestFinished(() => upstream.close());
      const server =
        program === HAPROXY ? ["--map", "m.map"] : ["--server", (await stage.serve()).url];
      const { port } = await stage.proxy(
        program,
        ...[...server, "--upstream", upstream.url, "--scope", NASTY],
      );
      const ask = async (token: string): Promise<number | undefined> =>
        (await send(port, { lines: [bearer(token)] })).status;
      expect([await ask(good), await ask(wild), await ask(bad)]).toEqual([200, 200, 403]);
    });
  });
}
