import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isKeysError, type KeysError } from "../../src/errors.js";
import { removeStaleTemps, writeAtomic } from "../../src/file/atomic.js";
import { FileHandle } from "../../src/file/disk.js";
import { isSame, MAX_FILE_BYTES, readSnapshot, resolveTarget } from "../../src/file/snapshot.js";
import { buildChildModules } from "../helpers/child-modules.js";
import { describeWith, runs } from "../helpers/requires.js";

let dir: string;
let path: string;

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "keyhold-atomic-")));
  path = join(dir, "keys.yaml");
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true });
});

async function failure(promise: Promise<unknown>): Promise<KeysError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isKeysError(error)) throw new Error(`no KeysError: ${String(error)}`);
  return error;
}

const modeOf = (name: string): number => fs.statSync(name).mode & 0o7777;

/** Replaces the file as the callers do: with a snapshot just taken. */
async function replace(
  name: string,
  text: string,
  beforeRename?: () => Promise<void>,
): Promise<void> {
  await writeAtomic(name, Buffer.from(text), { snapshot: await readSnapshot(name), beforeRename });
}

describe("resolveTarget", () => {
  it("gives a plain file, or one to be made, its real path", async () => {
    expect(await resolveTarget(path)).toBe(path);
    fs.writeFileSync(path, "");
    expect(await resolveTarget(path)).toBe(path);
    expect(await resolveTarget(relative(process.cwd(), path))).toBe(path);
  });

  it("follows links, of files and directories, to the file", async () => {
    fs.mkdirSync(join(dir, "a/b"), { recursive: true });
    fs.writeFileSync(join(dir, "a/keys.yaml"), "");
    fs.symlinkSync("a/b", join(dir, "to-b"));
    // Read as text, `to-b/..` would be `dir` itself.
    fs.symlinkSync("to-b/../keys.yaml", join(dir, "one"));
    fs.symlinkSync(join(dir, "one"), join(dir, "two"));
    expect(await resolveTarget(join(dir, "two"))).toBe(join(dir, "a/keys.yaml"));
    expect(await resolveTarget(`${dir}/to-b/../keys.yaml`)).toBe(join(dir, "a/keys.yaml"));
  });

  it("follows a dangling link to where the file would be", async () => {
    fs.mkdirSync(join(dir, "a"));
    fs.symlinkSync("a/keys.yaml", join(dir, "one"));
    fs.symlinkSync("one", join(dir, "two"));
    expect(await resolveTarget(join(dir, "two"))).toBe(join(dir, "a/keys.yaml"));
  });

  it("refuses a loop of links", async () => {
    fs.symlinkSync("two", join(dir, "one"));
    fs.symlinkSync("one", join(dir, "two"));
    expect((await failure(resolveTarget(join(dir, "one")))).code).toBe("file-unreadable");
  });

  it("refuses a directory, also behind a link", async () => {
    fs.symlinkSync("..", join(dir, "up"));
    expect((await failure(resolveTarget(dir))).code).toBe("file-is-directory");
    expect((await failure(resolveTarget(join(dir, "up")))).code).toBe("file-is-directory");
    expect((await failure(resolveTarget("/"))).code).toBe("file-is-directory");
  });

  it("names a directory that is missing", async () => {
    const error = await failure(resolveTarget(join(dir, "missing/keys.yaml")));
    expect(error.code).toBe("file-not-found");
    expect(error.message).toContain(join(dir, "missing"));
  });

  it("refuses what is no directory on the way, and no file at the end", async () => {
    fs.writeFileSync(path, "");
    expect((await failure(resolveTarget(`${path}/keys.yaml`))).code).toBe("file-unreadable");
    expect((await failure(resolveTarget("/dev/null"))).code).toBe("file-unreadable");
    expect(spawnSync("mkfifo", [join(dir, "pipe")]).status).toBe(0);
    expect((await failure(resolveTarget(join(dir, "pipe")))).code).toBe("file-unreadable");
  });
});

describe("readSnapshot", () => {
  it("gives the bytes and what tells them from another version's", async () => {
    fs.writeFileSync(path, "a: ä\r\n");
    fs.chmodSync(path, 0o640);
    const stats = fs.statSync(path, { bigint: true });
    expect(await readSnapshot(path)).toEqual({
      dev: stats.dev,
      ino: stats.ino,
      size: 7n,
      mtimeNs: stats.mtimeNs,
      mode: 0o640,
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      tooLarge: false,
      bytes: Buffer.from("a: ä\r\n"),
    });
  });

  it("gives undefined for a missing file, and refuses what is none", async () => {
    expect(await readSnapshot(path)).toBeUndefined();
    expect((await failure(readSnapshot(dir))).code).toBe("file-is-directory");
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    expect((await failure(readSnapshot(path))).code).toBe("file-unreadable");
  });

  it("does not read a file over the limit", async () => {
    fs.writeFileSync(path, "");
    fs.truncateSync(path, MAX_FILE_BYTES + 1);
    const snapshot = await readSnapshot(path);
    expect(snapshot).toMatchObject({ tooLarge: true, bytes: undefined });
    expect(await isSame(path, snapshot)).toBe(true);
    fs.truncateSync(path, MAX_FILE_BYTES + 2);
    expect(await isSame(path, snapshot)).toBe(false);
  });

  it("gives up on a file that never stands still", async () => {
    fs.writeFileSync(path, Buffer.alloc(4_000_000));
    const reading = failure(readSnapshot(path));
    let n = 0;
    const touching = setInterval(() => {
      fs.utimesSync(path, (n += 1), 1);
      fs.utimesSync(path, n, n);
    }, 0);
    expect((await reading).code).toBe("file-changing");
    clearInterval(touching);
  });
});

describe("isSame", () => {
  it("holds while nothing changes", async () => {
    expect(await isSame(path, undefined)).toBe(true);
    fs.writeFileSync(path, "one");
    expect(await isSame(path, await readSnapshot(path))).toBe(true);
  });

  it.each<[string, () => void]>([
    ["appeared", () => undefined],
    [
      "went",
      () => {
        fs.rmSync(path);
      },
    ],
    [
      "has another inode",
      () => {
        fs.copyFileSync(path, `${path}2`);
        fs.utimesSync(`${path}2`, 5, 5);
        fs.renameSync(`${path}2`, path);
      },
    ],
    [
      "has another time",
      () => {
        fs.utimesSync(path, 5, 6);
      },
    ],
    [
      "has another size",
      () => {
        fs.writeFileSync(path, "three");
        fs.utimesSync(path, 5, 5);
      },
    ],
    [
      "has other bytes",
      () => {
        fs.writeFileSync(path, "two");
        fs.utimesSync(path, 5, 5);
      },
    ],
    [
      "has another mode",
      () => {
        fs.chmodSync(path, 0o600);
      },
    ],
    [
      "has become a link",
      () => {
        fs.renameSync(path, `${path}2`);
        fs.symlinkSync("keys.yaml2", path);
      },
    ],
    [
      "has become a directory",
      () => {
        fs.rmSync(path);
        fs.mkdirSync(path);
      },
    ],
  ])("notices that the file %s", async (what, change) => {
    fs.writeFileSync(path, "one");
    fs.chmodSync(path, 0o644);
    fs.utimesSync(path, 5, 5);
    const snapshot = what === "appeared" ? undefined : await readSnapshot(path);
    change();
    expect(await isSame(path, snapshot)).toBe(false);
  });
});

describe("writeAtomic", () => {
  it("makes a new file that only its owner can read, whatever the umask", async () => {
    const umask = process.umask(0);
    try {
      await replace(path, "new");
    } finally {
      process.umask(umask);
    }
    expect(fs.readFileSync(path, "utf8")).toBe("new");
    expect(modeOf(path)).toBe(0o600);
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });

  it.each([0o600, 0o640, 0o664, 0o666, 0o755])("keeps the mode %o", async (mode) => {
    fs.writeFileSync(path, "old");
    fs.chmodSync(path, mode);
    await replace(path, "new");
    expect(fs.readFileSync(path, "utf8")).toBe("new");
    expect(modeOf(path)).toBe(mode);
  });

  it("writes many octets whole, and none", async () => {
    const bytes = Buffer.alloc(20_000_000, "0123456789abcdef!");
    await writeAtomic(path, bytes, { snapshot: undefined });
    expect(fs.readFileSync(path).equals(bytes)).toBe(true);
    await replace(path, "");
    expect(fs.readFileSync(path, "utf8")).toBe("");
  });

  it("has all on the disk, under a name of its own, before it asks for leave", async () => {
    fs.writeFileSync(path, "old");
    fs.chmodSync(path, 0o640);
    await replace(path, "new", () => {
      expect(fs.readFileSync(path, "utf8")).toBe("old");
      const temp = fs.readdirSync(dir).find((name) => name !== "keys.yaml") ?? "";
      expect(temp).toMatch(/^\.keys\.yaml\.[0-9a-f]{16}\.tmp$/);
      expect(fs.readFileSync(join(dir, temp), "utf8")).toBe("new");
      expect(modeOf(join(dir, temp))).toBe(0o640);
      return Promise.resolve();
    });
  });

  it("syncs the new file before the rename, the directory after", async () => {
    fs.writeFileSync(path, "old");
    const synced: string[] = [];
    const spy = vi.spyOn(FileHandle.prototype, "sync").mockImplementation(async function (
      this: FileHandle,
    ) {
      const what = (await this.stat()).isDirectory() ? "directory" : "file";
      synced.push(`${what} while ${fs.readFileSync(path, "utf8")}`);
    });
    try {
      await replace(path, "new");
    } finally {
      spy.mockRestore();
    }
    expect(synced).toEqual(["file while old", "directory while new"]);
  });

  it("changes nothing when it does not get leave", async () => {
    fs.writeFileSync(path, "old");
    const refusal = new Error("no");
    await expect(replace(path, "new", () => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(fs.readFileSync(path, "utf8")).toBe("old");
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });

  it("never writes in place: who has the old file open keeps the old content", async () => {
    fs.writeFileSync(path, "old");
    const reader = fs.openSync(path, "r");
    await replace(path, "new");
    expect(fs.readFileSync(reader, "utf8")).toBe("old");
    fs.closeSync(reader);
  });

  it("says that its temporary file was taken", async () => {
    const taken = replace(path, "new", () => removeStaleTemps(path));
    expect((await failure(taken)).code).toBe("file-changing");
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it("gives a directory in the way as what could not be written", async () => {
    fs.mkdirSync(path);
    const error = await failure(writeAtomic(path, Buffer.from("x"), { snapshot: undefined }));
    expect(error.code).toBe("file-unwritable");
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });
});

describe("removeStaleTemps", () => {
  it("removes the temporary files of this file, and no others", async () => {
    const random = "0123456789abcdef";
    const others = [
      ".keys.yaml.tmp",
      ".keys.yaml.backup.tmp",
      `.other.yaml.${random}.tmp`,
      "keys.yaml",
    ];
    for (const name of [...others, `.keys.yaml.${random}.tmp`])
      fs.writeFileSync(join(dir, name), "");
    fs.mkdirSync(join(dir, `.keys.yaml.${random.replace("0", "1")}.tmp`));
    await removeStaleTemps(path);
    expect(fs.readdirSync(dir).sort()).toEqual(
      [...others, ".keys.yaml.1123456789abcdef.tmp"].sort(),
    );
    await removeStaleTemps(join(dir, "missing/keys.yaml"));
  });
});

/** Has another user write the file: `done`, or the error's code and hint. */
function writeAs(uid: number, gid: number): string {
  const build = buildChildModules(["file/atomic"]);
  try {
    const [atomic, snapshot] = ["atomic", "snapshot"].map(
      (name) => pathToFileURL(join(build, `file/${name}.js`)).href,
    );
    const script = `
      import { readSnapshot } from ${JSON.stringify(snapshot)};
      import { writeAtomic } from ${JSON.stringify(atomic)};
      const path = process.argv[1];
      try {
        await writeAtomic(path, Buffer.from("new"), { snapshot: await readSnapshot(path) });
        console.log("done");
      } catch (error) {
        console.log(error.code + "|" + error.message + "|" + error.hint);
      }`;
    const args = ["--input-type=module", "-e", script, path];
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      uid,
      gid,
      cwd: "/",
      encoding: "utf8",
    });
    return (stdout + stderr).trimEnd();
  } finally {
    fs.rmSync(build, { recursive: true });
  }
}

describeWith(
  { needs: "root", why: "owners are changed", available: () => process.getuid?.() === 0 },
  "writeAtomic and owners",
  () => {
    const nobody = 65_534;

    it("keeps owner, group and mode, as root", async () => {
      fs.writeFileSync(path, "old");
      fs.chownSync(path, 1234, 5678);
      fs.chmodSync(path, 0o6640);
      await replace(path, "new", () => {
        const temp = fs.readdirSync(dir).find((name) => name !== "keys.yaml") ?? "";
        expect(fs.statSync(join(dir, temp))).toMatchObject({ uid: 1234, gid: 5678 });
        return Promise.resolve();
      });
      expect(fs.statSync(path)).toMatchObject({ uid: 1234, gid: 5678 });
      expect(modeOf(path)).toBe(0o6640);
    });

    it("refuses another's file rather than take it over", () => {
      fs.chmodSync(dir, 0o777);
      fs.writeFileSync(path, "old");
      fs.chmodSync(path, 0o666);
      const [code, message, hint] = writeAs(nobody, nobody).split("|");
      expect(code).toBe("file-unwritable");
      expect(message).toContain("owned by another");
      expect(hint).toContain("run as the owner");
      expect(fs.readFileSync(path, "utf8")).toBe("old");
      expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
    });

    it("refuses a file that its owner made read-only", () => {
      fs.chownSync(dir, nobody, nobody);
      fs.writeFileSync(path, "old");
      fs.chownSync(path, nobody, nobody);
      fs.chmodSync(path, 0o400);
      expect(writeAs(nobody, nobody)).toMatch(/^file-unwritable\|.*read-only/);
      expect(fs.readFileSync(path, "utf8")).toBe("old");
      fs.chmodSync(path, 0o600);
      expect(writeAs(nobody, nobody)).toBe("done");
      expect(fs.readFileSync(path, "utf8")).toBe("new");
    });

    it("says of a directory that can't be written what to do", () => {
      fs.chmodSync(dir, 0o755);
      fs.writeFileSync(path, "old");
      fs.chownSync(path, nobody, nobody);
      expect(writeAs(nobody, nobody)).toMatch(/^file-unwritable\|.*permission denied\|.*directory/);
      expect(fs.readFileSync(path, "utf8")).toBe("old");
      fs.chmodSync(path, 0o000);
      expect(writeAs(nobody, nobody)).toMatch(/^file-unreadable\|/);
    });
  },
);

describeWith(
  {
    needs: "a right to mount",
    why: "mount points, full and read-only file systems are made",
    available: runs("unshare", "--mount", "true"),
  },
  "writeAtomic and mounts",
  () => {
    function mount(...args: string[]): void {
      const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
      expect(status, stderr).toBe(0);
    }

    it("leaves a file that is itself a mount point as it is", async () => {
      fs.writeFileSync(`${path}.outside`, "old");
      fs.writeFileSync(path, "");
      mount("--bind", `${path}.outside`, path);
      try {
        const error = await failure(replace(path, "new"));
        expect(error.code).toBe("mount-point");
        expect(error.hint).toContain("mount the directory");
        expect(fs.readFileSync(path, "utf8")).toBe("old");
        expect(fs.readdirSync(dir).sort()).toEqual(["keys.yaml", "keys.yaml.outside"]);
      } finally {
        spawnSync("umount", [path]);
      }
    });

    it("leaves the old file whole on a full disk", async () => {
      mount("-t", "tmpfs", "-o", "size=64k,mode=755", "none", dir);
      try {
        fs.writeFileSync(path, "old");
        const error = await failure(replace(path, "x".repeat(100_000)));
        expect(error.code).toBe("file-unwritable");
        expect(error.message).toContain("no space");
        expect(fs.readFileSync(path, "utf8")).toBe("old");
        expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
      } finally {
        spawnSync("umount", [dir]);
      }
    });

    it("says that a file system is read-only", async () => {
      mount("-t", "tmpfs", "-o", "size=64k,mode=755", "none", dir);
      try {
        fs.writeFileSync(path, "old");
        mount("-o", "remount,ro", dir);
        const error = await failure(replace(path, "new"));
        expect(error.code).toBe("file-unwritable");
        expect(error.message).toContain("read-only");
        expect(error.hint).toBeDefined();
      } finally {
        spawnSync("umount", [dir]);
      }
    });
  },
);
