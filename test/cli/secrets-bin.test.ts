import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { runKeys, startKeys } from "../helpers/bin.js";
import {
  mintedTokensIn,
  mintToken,
  namesIn,
  temporaryDirectory,
  tokenOf,
} from "../helpers/keystores.js";
import { describeWith, runs } from "../helpers/requires.js";
import {
  plantSecrets,
  strangerDigest,
  tellsOf,
  troubledKeystores,
} from "./support/planted-secrets.js";

/*
 * secrets.test.ts tries every command on every keystore in this process; here is what only shows of
 * a process: what it prints when it starts and ends, its command line, its files, its children.
 */

const FILE = "keys.yaml";

describe("the built bin", () => {
  const secrets = plantSecrets();
  const digest = strangerDigest();
  const keystores = troubledKeystores(secrets, digest);

  it.each(Object.keys(keystores))("is silent on a keystore with %s", async (name) => {
    const cwd = temporaryDirectory();
    fs.writeFileSync(join(cwd, FILE), keystores[name] ?? "", { mode: 0o600 });
    const args = ["revoke", "--yes", digest.slice(0, 12), "--json"];
    const { exitCode, stdout, stderr } = await runKeys(args, { cwd });
    expect([0, 3, 4]).toContain(exitCode);
    secrets.expectNoneIn(stdout + stderr, args.join(" "));
    expect(stdout + stderr).not.toMatch(/\n\s+at |node:internal/);
    expect(namesIn(cwd)).toEqual([FILE]);
  });

  it("keeps what it reads from stdin to itself", async () => {
    const cwd = temporaryDirectory();
    const token = secrets.at("stdin");
    const calls = [
      ["hash"],
      ["create", "--id", "a", "--token-stdin"],
      ["identify"],
      ["create", "--id", "b", "--token-stdin"],
    ];
    for (const args of calls) {
      for (const input of [`${token}\n`, `${token} \n`, `\u0000${token}`]) {
        const { stdout, stderr } = await runKeys(args, { cwd, input });
        secrets.expectNoneIn(stdout + stderr, args.join(" "));
        for (const file of fs.readdirSync(cwd)) {
          secrets.expectNoneIn(fs.readFileSync(join(cwd, file), "utf8"), file);
        }
      }
    }
  });

  it("serves without telling who came with what", async () => {
    const cwd = temporaryDirectory();
    const token = tokenOf((await runKeys(["create", "--id", "alice"], { cwd })).stdout);
    const server = startKeys(["serve", "--port", "0"], { cwd });
    let said = "";
    server.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    server.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await expect.poll(() => /http:\/\/\S+/.exec(said)?.[0], { timeout: 20_000 }).toBeDefined();
    const [url = ""] = /http:\/\/[^\s"]+/.exec(said) ?? [];
    const strangers = [secrets.at("stranger"), secrets.at("other stranger"), `${token}x`];
    for (const bearer of [token, ...strangers]) {
      const headers = { authorization: `Bearer ${bearer}` };
      const { status } = await fetch(`${url}/verify`, { headers });
      expect(status).toBe(bearer === token ? 200 : 401);
      await fetch(`${url}/${bearer}?token=${bearer}`, { headers: { "x-api-key": bearer } });
    }
    server.kill("SIGTERM");
    const { stdout, stderr } = await server.ended;
    const everything = said + stdout + stderr;
    expect(everything).not.toContain(token.slice(0, -1));
    secrets.expectNoneIn(everything, "the server's log");
  });
});

describeWith(
  {
    needs: "/proc",
    why: "command lines and environments are read there",
    available: () => fs.existsSync("/proc/self/cmdline"),
  },
  "what other users can see of a process",
  () => {
    /** Command line and environment of a process, again and again until it ends. */
    async function watch(pid: number | undefined, ended: Promise<unknown>): Promise<string> {
      const seen = new Set<string>();
      const over = new AbortController();
      void ended.finally(() => {
        over.abort();
      });
      while (!over.signal.aborted) {
        for (const name of ["cmdline", "environ", "comm"]) {
          try {
            seen.add(fs.readFileSync(`/proc/${pid ?? 0}/${name}`, "latin1"));
          } catch {
            // It is about to end.
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return [...seen].join("\n");
    }

    it.each([
      ["create", "--id", "alice"],
      ["create", "--id", "alice", "--token-stdin"],
      ["identify"],
      ["hash"],
      ["rotate", "--id", "old", "--yes"],
    ])("keys %s: no token", async (...args) => {
      const cwd = temporaryDirectory();
      const input = mintToken();
      fs.writeFileSync(join(cwd, FILE), `api_keys:\n  "${strangerDigest()}":\n    id: old\n`);
      const child = startKeys(args, { cwd, input });
      const seen = await watch(child.pid, child.ended);
      const { stdout } = await child.ended;
      expect(seen).toContain("keys.cjs");
      expect([input, ...mintedTokensIn(stdout)].filter((token) => tellsOf(token, seen))).toEqual(
        [],
      );
    });
  },
);

describeWith(
  {
    needs: "git",
    why: "a secret is looked for in its history",
    available: runs("git", "--version"),
  },
  "a raw key in git's history",
  () => {
    it("is told of, and is no argument of git", async () => {
      const cwd = temporaryDirectory();
      const raw = mintToken();
      const admin = mintToken();
      fs.writeFileSync(join(cwd, FILE), `api_key: ${raw}\nadmin_api_key: ${admin}\n`, {
        mode: 0o600,
      });
      const git = (...args: readonly string[]): void => {
        const name = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
        expect(spawnSync("git", [...name, ...args], { cwd, stdio: "ignore" }).status).toBe(0);
      };
      git("init", "-q");
      git("add", FILE);
      git("commit", "-qm", "secrets");
      // A git of our own, that writes down how it was called.
      const tools = temporaryDirectory();
      const log = join(tools, "log");
      const real = spawnSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).stdout.trim();
      const script = `#!/bin/sh\n{ echo "$@"; env; } >>'${log}'\nexec '${real}' "$@"\n`;
      fs.writeFileSync(join(tools, "git"), script, { mode: 0o755 });
      const env = { PATH: `${tools}:${process.env["PATH"] ?? ""}` };
      const { exitCode, stdout, stderr } = await runKeys(["migrate", "--yes"], { cwd, env });
      expect(exitCode, stderr).toBe(0);
      expect(stderr).toContain("git history");
      const calls = fs.readFileSync(log, "utf8");
      expect(calls).not.toBe("");
      for (const text of [calls, stdout, stderr, fs.readFileSync(join(cwd, FILE), "utf8")]) {
        expect(mintedTokensIn(text)).toEqual([]);
      }
      expect(fs.readFileSync(join(cwd, FILE), "utf8")).toContain(digestOf(raw));
    });
  },
);
