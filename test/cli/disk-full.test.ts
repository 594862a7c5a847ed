import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { runKeys, type RunResult } from "../helpers/bin.js";
import {
  keysOf,
  readKeys,
  serviceConfiguration,
  temporaryDirectory,
  tokenOf,
} from "../helpers/keystores.js";
import { fill, mountRights, mountSmall } from "../helpers/machine.js";
import { describeWith } from "../helpers/requires.js";

const FILE = "keys.yaml";

/** Several pages long: a new version needs more than a lock does. */
const text = serviceConfiguration(100);
const digests = [...keysOf(text).live.keys()];

const COMMANDS: readonly (readonly string[])[] = [
  ["create", "--id", "new"],
  ["create", "--id", "new", "--json"],
  ["rotate", "--yes", digests[0] ?? ""],
  ["revoke", "--yes", digests[0] ?? ""],
  ["set", digests[0] ?? "", "--label", "x"],
];

/** A small file system with a keystore, and so many pages free beside it. */
function diskWith(freePages: number): string {
  const cwd = temporaryDirectory();
  mountSmall(cwd, 64);
  fs.writeFileSync(join(cwd, FILE), text);
  fill(cwd, freePages);
  return cwd;
}

/** Refused with a clear line, and nothing is otherwise than before. */
function expectNothingDone(cwd: string, args: readonly string[], result: RunResult): void {
  const { exitCode, stdout, stderr } = result;
  expect(exitCode, stderr).toBe(1);
  expect(stderr).toMatch(/^keys: error: .*no space is left on the device\nhint: .*space.*\n$/);
  if (args.includes("--json")) {
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "file-unwritable" } });
  } else {
    expect(stdout).toBe("");
  }
  expect(fs.readFileSync(join(cwd, FILE), "utf8")).toBe(text);
  expect(fs.readdirSync(cwd).sort()).toEqual(["filler", FILE]);
}

describeWith(mountRights, "on a full disk", () => {
  it.each(COMMANDS)("keys %s can't make its lock, and says so", async (...args) => {
    const cwd = diskWith(0);
    const result = await runKeys(args, { cwd });
    expectNothingDone(cwd, args, result);
    expect(result.stderr).toContain("cannot make a lock");
  });

  it.each(COMMANDS)("keys %s can't write the new version, and says so", async (...args) => {
    const cwd = diskWith(2);
    const result = await runKeys(args, { cwd });
    expectNothingDone(cwd, args, result);
    expect(result.stderr).toContain("cannot write");
  });

  it("keys create and init make no new file", async () => {
    const cwd = temporaryDirectory();
    mountSmall(cwd, 4);
    fill(cwd, 0);
    for (const args of [["create", "--id", "new"], ["init"]]) {
      const { exitCode, stdout, stderr } = await runKeys(args, { cwd });
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
      expect(stderr).toContain("no space is left");
      expect(fs.readdirSync(cwd)).toEqual(["filler"]);
    }
  });

  it("keys create works again when there is space", async () => {
    const cwd = diskWith(0);
    expect((await runKeys(["create", "--id", "new"], { cwd })).exitCode).toBe(1);
    fs.rmSync(join(cwd, "filler"));
    const { exitCode, stdout } = await runKeys(["create", "--id", "new"], { cwd });
    expect(exitCode).toBe(0);
    expect(readKeys(join(cwd, FILE)).live.has(digestOf(tokenOf(stdout)))).toBe(true);
  });

  it("keys list and validate need no space", async () => {
    const cwd = diskWith(0);
    for (const args of [["list"], ["validate"]]) {
      expect((await runKeys(args, { cwd })).exitCode).toBe(0);
    }
  });
});

describeWith(mountRights, "on a disk without room for another file", () => {
  it("keys create says so, and leaves all as it was", async () => {
    const cwd = temporaryDirectory();
    // The root directory is one, the keystore the other.
    mountSmall(cwd, 64, "mode=755,nr_inodes=2");
    fs.writeFileSync(join(cwd, FILE), text);
    const { exitCode, stdout, stderr } = await runKeys(["create", "--id", "new"], { cwd });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("no space is left");
    expect(fs.readFileSync(join(cwd, FILE), "utf8")).toBe(text);
    expect(fs.readdirSync(cwd)).toEqual([FILE]);
  });
});

describeWith(mountRights, "on a read-only file system", () => {
  it.each(COMMANDS)("keys %s says so", async (...args) => {
    const cwd = diskWith(8);
    expect(spawnSync("mount", ["-o", "remount,ro", cwd]).status).toBe(0);
    const { exitCode, stderr } = await runKeys(args, { cwd });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("read-only");
    expect(fs.readFileSync(join(cwd, FILE), "utf8")).toBe(text);
  });
});
