import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { runKeys } from "../helpers/bin.js";
import { readKeys } from "../helpers/keystores.js";

/** A disk that fails to sync a directory, the times that FAIL_SYNC counts. */
const hook = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const real = fs.fsync;
let count = 0;
fs.fsync = function (fd, callback) {
  if (!fs.fstatSync(fd).isDirectory()) return real(fd, callback);
  count += 1;
  if (process.env.FAIL_SYNC.split(",").includes(String(count))) {
    const error = Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO", syscall: "fsync" });
    return void process.nextTick(callback, error);
  }
  return real(fd, callback);
};
syncBuiltinESMExports();
`;

describe("a file that was replaced, on a disk that fails to sync its directory", () => {
  let folder = "";
  let file = "";
  const old = "a-token-that-was-there-before";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "keyhold-sync-"));
    file = join(folder, "keys.yaml");
    writeFileSync(join(folder, "hook.mjs"), hook);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    // With a log already, the first directory that is synced is synced for the keystore.
    writeFileSync(`${file}.audit.jsonl`, "", { mode: 0o600 });
    writeFileSync(file, `api_keys:\n  "${digestOf(old)}":\n    id: alice\n`, { mode: 0o600 });
  });

  function failing(args: readonly string[]): ReturnType<typeof runKeys> {
    const hookUrl = pathToFileURL(join(folder, "hook.mjs")).href;
    const env = { NODE_OPTIONS: `--import=${hookUrl}`, FAIL_SYNC: "1" };
    return runKeys([...args, "--yes"], { cwd: folder, env });
  }

  it.each([
    ["create", ["create", "--id", "bob"]],
    ["rotate", ["rotate", "--id", "alice"]],
  ])(
    "leaves no key in service whose token %s did not show, and the old one is",
    async (_, args) => {
      const { exitCode, stdout } = await failing(args);
      expect(exitCode).toBe(1);
      expect(stdout).toBe("");
      expect([...readKeys(file).live.keys()]).toEqual([digestOf(old)]);
    },
  );

  it("says that a revocation may not last", async () => {
    const { exitCode, stderr } = await failing(["revoke", "--id", "alice"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("may not survive a power cut");
    expect(readFileSync(file, "utf8")).toContain("api_keys: {}");
  });
});
