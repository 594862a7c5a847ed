import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemCode } from "../../src/errors.js";
import * as disk from "../../src/file/disk.js";

let folder = "";
let path = "";

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "keyhold-disk-")));
  path = join(folder, "file");
  return () => {
    fs.rmSync(folder, { recursive: true });
  };
});

/** The system's code for what rejects; what throws at once fails the test. */
async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => "nothing",
    (error: unknown) => systemCode(error),
  );
}

describe.each(["threads of Node", "this thread"])("calls that %s waits for", (who) => {
  let turns = 0;
  let counting: NodeJS.Immediate;
  beforeAll(() => {
    disk.waitForDisk(who === "this thread");
    const count = (): void => {
      turns += 1;
      counting = setImmediate(count).unref();
    };
    counting = setImmediate(count).unref();
  });
  afterAll(() => {
    clearImmediate(counting);
  });

  it("write, read and tell of a file", async () => {
    const file = await disk.open(path, "wx+", 0o640);
    await file.writeFile("héllo");
    await file.writeFile(Buffer.from(" world"));
    await file.sync();
    await file.chmod(0o600);
    await file.utimes(new Date(1000), new Date(2000));
    const buffer = Buffer.alloc(64);
    expect(await file.read(buffer, 1, 63, 0)).toEqual({ bytesRead: 12 });
    expect(buffer.toString("utf8", 1, 13)).toBe("héllo world");
    expect(await file.stat()).toMatchObject({ size: 12, mode: 0o100600 });
    expect(await file.stat({ bigint: true })).toMatchObject({ mtimeNs: 2_000_000_000n });
    await file.truncate(5);
    await file.close();
    expect(await disk.readFile(path, "utf8")).toBe("héll");
  });

  it("change and list a directory", async () => {
    fs.writeFileSync(path, "x");
    fs.symlinkSync(path, join(folder, "symbolic"));
    await disk.link(path, join(folder, "linked"));
    await disk.rename(path, join(folder, "renamed"));
    await disk.unlink(join(folder, "linked"));
    expect((await disk.readdir(folder)).sort()).toEqual(["renamed", "symbolic"]);
    expect(await disk.readlink(join(folder, "symbolic"))).toBe(path);
    expect(await disk.realpath(join(folder, ".", "renamed"))).toBe(join(folder, "renamed"));
    expect((await disk.stat(join(folder, "renamed"))).isFile()).toBe(true);
    const link = await disk.lstat(join(folder, "symbolic"), { bigint: true });
    expect(link.isSymbolicLink()).toBe(true);
    await disk.access(folder, fs.constants.R_OK);
  });

  it("reject with the system's errors", async () => {
    expect(await codeOf(disk.open(path, "r"))).toBe("ENOENT");
    expect(await codeOf(disk.access(path))).toBe("ENOENT");
    expect(await codeOf(disk.lstat(path, { bigint: true }))).toBe("ENOENT");
    expect(await codeOf(disk.unlink(path))).toBe("ENOENT");
    expect(await codeOf(disk.readdir(path))).toBe("ENOENT");
    expect(await codeOf(disk.readlink(folder))).toBe("EINVAL");
  });

  it("leave alone whose number a closed file had", async () => {
    const file = await disk.open(path, "wx");
    const writing = file.writeFile("all of it");
    await Promise.all([file.close(), writing]);
    const other = await disk.open(join(folder, "other"), "wx");
    await file.close();
    expect(await codeOf(file.truncate(0))).toBe("EBADF");
    await other.writeFile("still open");
    await other.close();
    expect(fs.readFileSync(path, "utf8")).toBe("all of it");
  });

  it("let others have a turn while the disk syncs", async () => {
    const file = await disk.open(path, "wx");
    const before = turns;
    await file.sync();
    await file.close();
    expect(turns).toBeGreaterThan(before);
  });
});
