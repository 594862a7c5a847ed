import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { binEnv, binPath, nodePath, runKeys, startKeys } from "../helpers/bin.js";
import { describeWith } from "../helpers/requires.js";
import { create, listAll } from "./support/key-record.js";
import { makeWorld } from "./support/memory-io.js";

/** Runs a shell line in which `$KEYS` is the bin. */
function shell(
  cwd: string,
  line: string,
): { status: number | null; stdout: string; stderr: string } {
  const env = binEnv({ KEYS: `${nodePath} ${binPath}` });
  return spawnSync("/bin/sh", ["-c", line], { cwd, env, encoding: "utf8" });
}

describe("the built bin", () => {
  it("gives the token and nothing else to a shell's $( )", () => {
    const world = makeWorld();
    const { status, stdout } = shell(
      world.directory,
      'TOKEN=$($KEYS create --id alice) && printf "[%s]" "$TOKEN" && printf "%s" "$TOKEN" | $KEYS identify --json',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\[key_[0-9A-Za-z]{49}\]\{.*"valid":true/);
  });

  it.each([
    ["closed", ">&-"],
    ["the null device", "> /dev/null"],
  ])("makes no key where stdout is %s", (_, redirection) => {
    const world = makeWorld();
    const { status, stderr } = shell(world.directory, `$KEYS create --id a ${redirection}`);
    expect(status).toBe(1);
    expect(stderr).toContain("--token-file");
    expect(readdirSync(world.directory)).toEqual([]);
  });

  it("retires a key whose token no reader took", async () => {
    const world = makeWorld();
    const { stderr } = shell(
      world.directory,
      "trap '' PIPE; mkfifo f; exec 3<>f; exec 4>f; exec 3<&-; $KEYS create --id a >&4; echo status $? >&2",
    );
    expect(stderr).toContain("status 1");
    expect(await listAll(world)).toMatchObject([{ state: "revoked" }]);
  });

  it("is quiet when a reader of data goes away", async () => {
    const world = makeWorld();
    await create(world, "--id", "a");
    const { status, stderr } = shell(
      world.directory,
      "trap '' PIPE; mkfifo f; exec 3<>f; exec 4>f; exec 3<&-; $KEYS list >&4",
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "is interrupted by %s while it waits for stdin, exit 130",
    async (name) => {
      const world = makeWorld();
      // A pipe that nobody writes to.
      const child = spawn(nodePath, [binPath, "hash"], { cwd: world.directory, env: binEnv() });
      const ended = once(child, "exit");
      await untilItListens(child.pid ?? 0);
      child.kill(name);
      expect(await ended).toEqual([130, null]);
    },
  );

  it("keeps the world's promise when it is interrupted at any moment", async () => {
    const world = makeWorld();
    let undone = 0;
    for (let round = 0; round < 12; round += 1) {
      const running = startKeys(["create", "--id", `a${round}`], { cwd: world.directory });
      setTimeout(
        () => {
          running.kill("SIGINT");
        },
        5 + round * 25,
      );
      const { exitCode, signal, stdout } = await running.ended;
      const text = existsSync(path.join(world.directory, "keys.yaml")) ? world.read() : "";
      const isStored = text.includes(`id: a${round}\n`);
      expect(stdout !== "").toBe(isStored);
      if (!isStored) undone += 1;
      // Before Node runs anything of ours, and after it is all done, a signal ends it as any process.
      if (signal === undefined) expect(exitCode).toBe(isStored ? 0 : 130);
      else expect(signal).toBe("SIGINT");
    }
    expect(undone).toBeGreaterThan(0);
  });

  it("reads a token from a file on stdin, with CRLF", async () => {
    const world = makeWorld();
    const options = { cwd: world.directory, input: "a-token-of-20-characters\r\n" };
    const { exitCode, stdout } = await runKeys(["hash"], options);
    expect(exitCode).toBe(0);
    const plain = { cwd: world.directory, input: "a-token-of-20-characters" };
    expect(stdout).toBe((await runKeys(["hash"], plain)).stdout);
  });

  it("loads no more than a command needs", () => {
    const world = makeWorld();
    const packages = (args: string): readonly string[] => {
      const node = `NODE_DEBUG=esm,module ${nodePath} ${binPath} ${args}`;
      const seen = shell(world.directory, `printf x | ${node} 2>&1`).stdout;
      // Node itself may be from a package: CI installs the others so.
      const ours = seen.replaceAll(/[^\s"']*node_modules\/node-[a-z]+-[a-z0-9]+\b/g, "");
      return [...new Set(ours.match(/node_modules\/(?:@[a-z]+\/)?[a-z0-9-]+/g))];
    };
    expect(packages("--version")).toEqual([]);
    expect(packages("hash")).toEqual([]);
    expect(packages("--help")).toEqual(["node_modules/commander"]);
    expect(packages("create --id a")).toEqual([]);
    expect(packages("list")).toEqual([]);
    expect(packages("validate")).toEqual([]);
    // What a diff hides is told by the library's lexer.
    expect(packages("revoke --all --dry-run")).toEqual(["node_modules/yaml"]);
    expect(packages("revoke --all --yes")).toEqual([]);
    world.write("keys.yaml", "settings: &settings { a: b }\n");
    expect(packages("validate")).toEqual(["node_modules/yaml"]);
    expect(packages("create --id a")).toEqual(["node_modules/yaml"]);
  });
});

const full = {
  needs: "/dev/full",
  why: "a disk without space",
  available: () => existsSync("/dev/full"),
};

describeWith(full, "the built bin on a full device", () => {
  it("retires the key whose token did not fit", async () => {
    const world = makeWorld();
    const { status, stderr } = shell(world.directory, "$KEYS create --id a > /dev/full");
    expect(status).toBe(1);
    expect(stderr).toContain("ENOSPC");
    expect(await listAll(world)).toMatchObject([{ state: "revoked" }]);
  });
});

/** Resolves once a process has a handler for SIGHUP; Node itself has none. */
async function untilItListens(pid: number): Promise<void> {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return delay(2000);
  for (;;) {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(status, "utf8"))?.[1] ?? "0";
    if ((BigInt(`0x${caught}`) & 1n) === 1n) return;
    await delay(10);
  }
}
