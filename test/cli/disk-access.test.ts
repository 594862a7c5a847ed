import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { runKeys } from "../helpers/bin.js";
import {
  keysOf,
  namesIn,
  readKeys,
  serviceConfiguration,
  temporaryDirectory,
  tokenOf,
} from "../helpers/keystores.js";
import {
  asOrdinaryUser,
  mount,
  mountRights,
  ordinaryUser,
  rootRights,
} from "../helpers/machine.js";
import { describeWith } from "../helpers/requires.js";

const FILE = "keys.yaml";
const text = serviceConfiguration(3);
const digest = [...keysOf(text).live.keys()][0] ?? "";

const WRITING: readonly (readonly string[])[] = [
  ["create", "--id", "new"],
  ["rotate", "--yes", digest],
  ["revoke", "--yes", digest],
];
const READING: readonly (readonly string[])[] = [["list"], ["validate"], ["show", digest]];

/** A directory with a keystore of ours. */
function directoryWith(content: string): string {
  const cwd = temporaryDirectory();
  fs.writeFileSync(join(cwd, FILE), content, { mode: 0o600 });
  return cwd;
}

/** Refuses with exit 1 and a clear line; the keystore and what lies beside it stay as they are. */
async function expectRefusal(
  args: readonly string[],
  cwd: string,
  says: RegExp,
  through: readonly string[] = asOrdinaryUser,
): Promise<void> {
  const path = join(cwd, FILE);
  const seen = (): unknown => {
    const { ino, mode, uid, gid, mtimeMs, size } = fs.statSync(path);
    return { names: namesIn(cwd), ino, mode, uid, gid, mtimeMs, size };
  };
  const before = seen();
  const { exitCode, stdout, stderr } = await runKeys(args, { cwd, through });
  expect(exitCode, stderr).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(says);
  // The error, and perhaps a hint.
  expect(stderr).toMatch(/^keys: error: [^\n]+\n(?:hint: [^\n]+\n)?$/);
  expect(seen()).toEqual(before);
}

describeWith(ordinaryUser, "a directory that can't be written", () => {
  it.each(WRITING)("is told by keys %s", async (...args) => {
    const cwd = directoryWith(text);
    fs.chmodSync(cwd, 0o555);
    await expectRefusal(args, cwd, /permission denied\nhint: .*directory/);
    fs.chmodSync(cwd, 0o755);
    expect(fs.readFileSync(join(cwd, FILE), "utf8")).toBe(text);
  });

  it("gets no keystore", async () => {
    const cwd = temporaryDirectory();
    fs.chmodSync(cwd, 0o555);
    for (const args of [["create", "--id", "new"], ["init"]]) {
      const result = await runKeys(args, { cwd, through: asOrdinaryUser });
      expect(result).toMatchObject({ exitCode: 1, stdout: "" });
      expect(result.stderr).toContain("permission denied");
    }
    expect(fs.readdirSync(cwd)).toEqual([]);
  });

  it("does not hinder reading", async () => {
    const cwd = directoryWith(text);
    fs.chmodSync(cwd, 0o555);
    for (const args of READING) {
      expect((await runKeys(args, { cwd, through: asOrdinaryUser })).exitCode).toBe(0);
    }
  });
});

describeWith(ordinaryUser, "a file that can't be read", () => {
  it.each([...WRITING, ...READING])("is told by keys %s", async (...args) => {
    const cwd = directoryWith(text);
    fs.chmodSync(join(cwd, FILE), 0o000);
    await expectRefusal(args, cwd, /cannot read .*permission denied/);
  });
});

describeWith(ordinaryUser, "a file that its owner made read-only", () => {
  it.each(WRITING)("is not replaced by keys %s", async (...args) => {
    const cwd = directoryWith(text);
    fs.chmodSync(join(cwd, FILE), 0o400);
    await expectRefusal(args, cwd, /read-only/);
    expect(fs.readFileSync(join(cwd, FILE), "utf8")).toBe(text);
  });
});

describeWith(rootRights, "a file of another user", () => {
  it.each(WRITING)("is not taken over by keys %s", async (...args) => {
    const cwd = directoryWith(text);
    fs.chownSync(join(cwd, FILE), 1234, 5678);
    fs.chmodSync(join(cwd, FILE), 0o666);
    await expectRefusal(args, cwd, /owned by another .*\nhint: run as the owner/);
    expect(fs.readFileSync(join(cwd, FILE), "utf8")).toBe(text);
  });

  it("keeps owner, group and mode when root changes it", async () => {
    const cwd = directoryWith(text);
    fs.chownSync(join(cwd, FILE), 1234, 5678);
    fs.chmodSync(join(cwd, FILE), 0o640);
    for (const args of WRITING.slice(0, 2)) {
      expect((await runKeys(args, { cwd })).exitCode).toBe(0);
      const { uid, gid, mode } = fs.statSync(join(cwd, FILE));
      expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 1234, gid: 5678, mode: 0o640 });
    }
    expect(fs.readFileSync(join(cwd, FILE), "utf8")).not.toBe(text);
    expect(namesIn(cwd)).toEqual([FILE]);
  });
});

describe("a path that is a directory", () => {
  it.each([...WRITING, ...READING])("is told by keys %s", async (...args) => {
    const cwd = temporaryDirectory();
    fs.mkdirSync(join(cwd, FILE));
    await expectRefusal(args, cwd, /is a directory/, []);
    expect(fs.readdirSync(join(cwd, FILE))).toEqual([]);
  });
});

describeWith(mountRights, "a keystore that is itself a mount point", () => {
  it.each(WRITING)("is left alone by keys %s, with a hint", async (...args) => {
    const cwd = directoryWith("");
    const outside = join(temporaryDirectory(), "outside.yaml");
    fs.writeFileSync(outside, text);
    mount(join(cwd, FILE), "--bind", outside);
    await expectRefusal(args, cwd, /mount point\nhint: mount the directory/, []);
    expect(fs.readFileSync(outside, "utf8")).toBe(text);
  });

  it("is read like any other", async () => {
    const cwd = directoryWith("");
    const outside = join(temporaryDirectory(), "outside.yaml");
    fs.writeFileSync(outside, text);
    mount(join(cwd, FILE), "--bind", outside);
    for (const args of READING) expect((await runKeys(args, { cwd })).exitCode).toBe(0);
  });
});

describe("a keystore behind a symbolic link", () => {
  it("is changed where it is, and the link stays", async () => {
    const cwd = temporaryDirectory();
    fs.mkdirSync(join(cwd, "real"));
    fs.writeFileSync(join(cwd, "real/service.yaml"), text, { mode: 0o640 });
    fs.symlinkSync("real/service.yaml", join(cwd, "middle"));
    fs.symlinkSync(join(cwd, "middle"), join(cwd, FILE));
    for (const args of WRITING.slice(0, 2)) {
      expect((await runKeys(args, { cwd })).exitCode).toBe(0);
    }
    expect(fs.readFileSync(join(cwd, "real/service.yaml"), "utf8")).not.toBe(text);
    expect(fs.readlinkSync(join(cwd, FILE))).toBe(join(cwd, "middle"));
    expect(fs.readlinkSync(join(cwd, "middle"))).toBe("real/service.yaml");
    expect(fs.statSync(join(cwd, FILE)).mode & 0o7777).toBe(0o640);
    expect(namesIn(cwd)).toEqual([FILE, "middle", "real"]);
    expect(namesIn(join(cwd, "real"))).toEqual(["service.yaml"]);
  });

  it("is made where the link points", async () => {
    const cwd = temporaryDirectory();
    fs.mkdirSync(join(cwd, "real"));
    fs.symlinkSync("real/service.yaml", join(cwd, FILE));
    const { stdout } = await runKeys(["create", "--id", "new"], { cwd });
    expect(fs.lstatSync(join(cwd, FILE)).isSymbolicLink()).toBe(true);
    const { live } = readKeys(join(cwd, "real/service.yaml"));
    expect([...live.keys()]).toEqual([digestOf(tokenOf(stdout))]);
  });
});

describe("the mode of a file", () => {
  it.each(["create --id new", "init"])("is 0600 when keys %s makes it", async (command) => {
    const cwd = temporaryDirectory();
    const through = ["sh", "-c", 'umask 0; exec "$@"', "sh"];
    const { exitCode } = await runKeys(command.split(" "), { cwd, through });
    expect(exitCode).toBe(0);
    expect(fs.statSync(join(cwd, FILE)).mode & 0o7777).toBe(0o600);
  });

  it.each(["0600", "0640", "0644", "0660"])("stays %s when it is changed", async (octal) => {
    const mode = Number.parseInt(octal, 8);
    const cwd = directoryWith(text);
    fs.chmodSync(join(cwd, FILE), mode);
    const { exitCode } = await runKeys(["create", "--id", "new"], { cwd });
    expect(exitCode).toBe(0);
    expect(fs.statSync(join(cwd, FILE)).mode & 0o7777).toBe(mode);
  });
});
