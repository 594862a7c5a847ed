import { mkdirSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { runKeys, type RunResult } from "../helpers/bin.js";
import { mount, mountRights } from "../helpers/machine.js";
import { describeWith } from "../helpers/requires.js";
import { keystoreFile, keystoreText } from "./files.js";
import { startServe } from "./served.js";
import { ask } from "./sockets.js";

const SYSTEM = "a-system-token-that-only-tests-use";
const ADMIN = "an-admin-token-that-only-tests-use";
const NEW = "a-new-token-that-only-tests-use";

async function check(text: string, ...args: string[]): Promise<[number | undefined, string]> {
  const path = await keystoreFile(text);
  const token = join(dirname(path), "system-token");
  await writeFile(token, `${SYSTEM}\n`, { mode: 0o600 });
  const named = args.map((arg) => (arg === "SYSTEM" ? token : arg));
  const run = ["serve", "--file", path, "--check", ...named];
  const { exitCode, stderr } = await runKeys(run, { cwd: dirname(path) });
  return [exitCode, stderr];
}

describe("a start", () => {
  it("without any keys takes --allow-unauthenticated, and a loopback address or a socket", async () => {
    const none = "# nothing yet\n";
    expect((await check(none))[0]).toBe(3);
    expect((await check(none, "--allow-empty"))[0]).toBe(3);
    const [exit, said] = await check(none, "--allow-unauthenticated");
    expect([exit, said]).toEqual([0, expect.stringContaining("anonymous")]);
    expect((await check(none, "--allow-unauthenticated", "--socket", "s"))[0]).toBe(0);
    expect((await check(none, "--allow-unauthenticated", "--host", "0.0.0.0"))[0]).toBe(3);
    const some = keystoreText({ a: "alice" });
    expect((await check(some, "--allow-unauthenticated", "--host", "0.0.0.0"))[0]).toBe(0);
  });

  it("judges a name by the address that it stands for", async () => {
    const none = "# nothing yet\n";
    expect((await check(none, "--allow-unauthenticated", "--host", "localhost"))[0]).toBe(0);
    expect((await check(none, "--allow-unauthenticated", "--host", "nobody.invalid"))[0]).toBe(3);
  });

  it("says in readiness that requests may pass without a credential", async () => {
    const path = await keystoreFile(keystoreText({ a: "alice" }));
    const { url } = await startServe(path, ["--allow-unauthenticated", "--workers", "2"]);
    const { body } = await ask(`${url}/readyz`);
    expect(JSON.parse(body)).toMatchObject({ degraded: ["unauthenticated-allowed"] });
  });

  it("refuses ids and keys that a mode of the server has taken", async () => {
    const system = keystoreText({ a: "system" });
    expect((await check(system))[0]).toBe(0);
    const [exit, said] = await check(system, "--system-token-file", "SYSTEM");
    expect([exit, said]).toEqual([3, expect.stringContaining("id-reserved")]);
    const anonymous = keystoreText({ a: "anonymous" });
    expect((await check(anonymous, "--allow-unauthenticated"))[0]).toBe(3);
    const key = await check(keystoreText({ [SYSTEM]: "bob" }), "--system-token-file", "SYSTEM");
    expect(key).toEqual([3, expect.stringContaining("system-key-in-keystore")]);
  });

  it("refuses a system token that others can read, or that is weak or missing", async () => {
    const path = await keystoreFile(keystoreText({ a: "alice" }));
    const cwd = dirname(path);
    const tried = async (text: string | undefined, mode: number): Promise<[number?, string?]> => {
      const file = join(cwd, `t${String(Math.random())}`);
      if (text !== undefined) await writeFile(file, text, { mode });
      const args = ["serve", "--file", path, "--check", "--json", "--system-token-file", file];
      const { exitCode, stdout, stderr } = await runKeys(args, { cwd });
      expect(stderr).not.toContain(text ?? "\0");
      return [exitCode ?? -1, /"code":"([a-z-]+)"/.exec(stdout.replaceAll(" ", ""))?.[1] ?? ""];
    };
    expect(await tried(SYSTEM, 0o640)).toEqual([1, "token-file-exposed"]);
    expect(await tried("short-token", 0o600)).toEqual([2, "token-weak"]);
    expect(await tried("two words of a system token", 0o600)).toEqual([2, "token-malformed"]);
    expect(await tried(undefined, 0o600)).toEqual([4, "file-not-found"]);
    expect(await tried(SYSTEM, 0o600)).toEqual([0, ""]);
  });
});

describe("the admin interface, with workers", () => {
  it("answers when every worker has the change", async () => {
    const text = keystoreText({ a: "alice" });
    const path = await keystoreFile(`${text}admin_api_key_sha256: "${digestOf(ADMIN)}"\n`);
    const { url } = await startServe(path, ["--workers", "3"]);
    const change = (method: string, body?: string): ReturnType<typeof ask> =>
      ask(`${url}/admin/keys/${digestOf(NEW)}`, {
        method,
        headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body }),
      });
    const seen = async (): Promise<number[]> => {
      const asked = Array.from({ length: 12 }, () =>
        ask(`${url}/verify`, { headers: { "x-api-key": NEW } }),
      );
      return [...new Set((await Promise.all(asked)).map(({ status }) => status ?? 0))];
    };
    expect(await seen()).toEqual([401]);
    expect((await change("PUT", '{"id":"carol"}')).status).toBe(200);
    expect(await seen()).toEqual([200]);
    expect((await change("DELETE")).status).toBe(200);
    expect(await seen()).toEqual([401]);
    expect((await change("PUT", '{"id":"carol"}')).status).toBe(409);
  });
});

describeWith(mountRights, "a keystore that is itself a mount point", () => {
  it("is warned of at the start", async () => {
    const path = await keystoreFile(keystoreText({ a: "alice" }));
    const target = join(dirname(path), "mounted.yaml");
    writeFileSync(target, "");
    mount(target, "--bind", path);
    const args = ["serve", "--check", "--file"];
    const cwd = dirname(path);
    expect((await runKeys([...args, target], { cwd })).stderr).toContain("mount point");
    expect((await runKeys([...args, path], { cwd })).stderr).not.toContain("mount point");
    mkdirSync(join(cwd, "other"));
    mount(join(cwd, "other"), "--bind", cwd);
    const inside = await runKeys([...args, join(cwd, "other", "keys.yaml")], { cwd });
    expect(inside.stderr).not.toContain("mount point");
  });
});

describeWith(mountRights, "an audit log that can't be written", () => {
  it("is warned of where the server may have something to record", async () => {
    const path = await keystoreFile(keystoreText({ a: "alice" }));
    const cwd = dirname(path);
    const start = async (...args: string[]): Promise<string> =>
      (await runKeys(["serve", "--check", "--file", path, ...args], { cwd })).stderr;
    expect(await start("--sweep")).not.toContain("audit log");
    mount(cwd, "--bind", "-o", "ro", cwd);
    expect(await start("--sweep")).toContain("--audit-file");
    expect(await start()).not.toContain("audit log");
    expect(await start("--sweep", "--audit-file", join(tmpdir(), "audit.jsonl"))).not.toContain(
      "audit log",
    );
  });
});

describeWith(mountRights, "a start where names stand for other addresses", () => {
  async function start(hosts: string, ...args: readonly string[]): Promise<RunResult> {
    const path = await keystoreFile("# nothing yet\n");
    const cwd = dirname(path);
    await writeFile(join(cwd, "hosts"), hosts);
    const script = 'mount --bind hosts /etc/hosts && exec "$0" "$@"';
    const run = ["serve", "--file", path, "--allow-unauthenticated", ...args];
    return runKeys(run, { cwd, through: ["unshare", "--mount", "sh", "-c", script] });
  }

  it("takes no localhost for loopback that is none, and any name that is", async () => {
    const elsewhere = "0.0.0.0 localhost\n";
    expect((await start(elsewhere, "--check", "--host", "localhost")).exitCode).toBe(3);
    const named = "127.0.0.5 keys.test\n";
    expect((await start(named, "--check", "--host", "keys.test")).exitCode).toBe(0);
  });
});
