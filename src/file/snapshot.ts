import { constants, type BigIntStats } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KeysError, systemCode } from "../errors.js";
import { lstat, open, readlink, realpath, type FileHandle } from "./disk.js";
import { changing, fileFailure, ignoreMissing } from "./file-failure.js";

/** The largest file that is read whole, in octets: 256 MiB. */
export const MAX_FILE_BYTES: number = 256 * 1024 * 1024;

/** What tells one version of a file from another, and what a new version must keep. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  /** In octets. */
  readonly size: bigint;
  /** Modification time in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** The permission bits, `0o7777` at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** One version of a file: its identity, and its content unless it is over {@link MAX_FILE_BYTES}. */
export type Snapshot = FileIdentity &
  (
    | { readonly tooLarge: false; readonly bytes: Buffer }
    | { readonly tooLarge: true; readonly bytes: undefined }
  );

const MAX_LINKS = 40;
const READ_ATTEMPTS = 5;
const READ_PAUSE_MS = 20;
/** Octets that are read at once where they are compared. */
const CHUNK = 1 << 20;

/**
 * The real path that `path` stands for, every symbolic link followed, so that the links are kept
 * when the file is replaced. The file need not exist: a dangling link gives where it points to.
 * Errors: `file-is-directory`; `file-not-found` (its directory doesn't exist); `file-unreadable`
 * (a pipe, device or socket; a loop of links; no permission to look).
 */
export async function resolveTarget(path: string): Promise<string> {
  // Not path.resolve(): it drops `x/..` from the text, which is wrong where `x` is a link.
  let current = isAbsolute(path) ? path : `${process.cwd()}/${path}`;
  try {
    for (let links = 0; links < MAX_LINKS; links += 1) {
      const candidate = `${await realDirectory(dirname(current))}/${basename(current)}`;
      const stats = await lstat(candidate, { bigint: true }).catch(ignoreMissing);
      if (stats?.isSymbolicLink() === true) {
        const target = await readlink(candidate);
        current = isAbsolute(target) ? target : `${dirname(candidate)}/${target}`;
        continue;
      }
      if (stats !== undefined) requireRegular(stats, path);
      return join(candidate);
    }
  } catch (error) {
    throw fileFailure(error, "file-unreadable", `cannot read ${path}`);
  }
  throw new KeysError("file-unreadable", `cannot read ${path}: too many symbolic links`);
}

/**
 * Reads a file through one handle that is looked at before and after, so that the bytes are those
 * of one version. Undefined when there is no such file; over {@link MAX_FILE_BYTES} its content is
 * not read. `realPath` comes from {@link resolveTarget}. Where the file holds the `expected` octets,
 * the content is these: a large file that is known already takes no memory again.
 * Errors: `file-changing` (no two looks agreed in five attempts, or it has become a symbolic link);
 * `file-is-directory`; `file-unreadable`.
 */
export async function readSnapshot(
  realPath: string,
  expected?: Buffer,
): Promise<Snapshot | undefined> {
  try {
    for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt += 1) {
      const snapshot = await readOnce(realPath, expected);
      if (snapshot !== "changing") return snapshot;
      await delay(READ_PAUSE_MS);
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (systemCode(error) === "ELOOP") throw changing(realPath);
    throw fileFailure(error, "file-unreadable", `cannot read ${realPath}`);
  }
  throw changing(realPath);
}

/**
 * Whether the file is still the version read: device, inode, size, modification time, mode, owner
 * and content; or still missing, for undefined. A file that can't be read now is not the same.
 */
export async function isSame(realPath: string, snapshot: Snapshot | undefined): Promise<boolean> {
  let now: Snapshot | "changing";
  try {
    now = await readOnce(realPath, snapshot?.bytes);
  } catch (error) {
    return systemCode(error) === "ENOENT" && snapshot === undefined;
  }
  if (now === "changing" || snapshot === undefined) return false;
  if (!isSameIdentity(now, snapshot)) return false;
  if (now.tooLarge || snapshot.tooLarge) return now.tooLarge === snapshot.tooLarge;
  return now.bytes === snapshot.bytes;
}

async function realDirectory(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    throw new KeysError("file-not-found", `there is no directory ${path}`, {
      hint: "create the directory first",
      cause: error,
    });
  }
}

function requireRegular(stats: BigIntStats, path: string): void {
  if (stats.isDirectory()) {
    throw new KeysError("file-is-directory", `${path} is a directory`, {
      hint: "name the file in it",
    });
  }
  if (!stats.isFile()) throw new KeysError("file-unreadable", `${path} is not a regular file`);
}

async function readOnce(realPath: string, expected?: Buffer): Promise<Snapshot | "changing"> {
  // Without O_NONBLOCK, opening a pipe that took the file's place would wait for its writer.
  const handle = await open(
    realPath,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  try {
    const before = await handle.stat({ bigint: true });
    requireRegular(before, realPath);
    const identity = identityOf(before);
    if (before.size > BigInt(MAX_FILE_BYTES))
      return { ...identity, tooLarge: true, bytes: undefined };
    const bytes =
      expected?.length === Number(before.size)
        ? await readExpected(handle, expected)
        : await readAtMost(handle, Number(before.size) + 1);
    const after = identityOf(await handle.stat({ bigint: true }));
    if (!isSameIdentity(identity, after) || BigInt(bytes.length) !== after.size) return "changing";
    return { ...identity, tooLarge: false, bytes };
  } finally {
    await handle.close();
  }
}

/** Reads to the end or to `limit` octets: a file that grows meanwhile can't fill the memory. */
async function readAtMost(handle: FileHandle, limit: number): Promise<Buffer> {
  // Nothing is given back of it that was not read.
  const buffer = Buffer.allocUnsafeSlow(limit);
  return buffer.subarray(0, await fill(handle, buffer, 0));
}

/** The octets that are expected, where the file holds them; what it holds, otherwise. */
async function readExpected(handle: FileHandle, expected: Buffer): Promise<Buffer> {
  // One more: a file that has grown is not as expected.
  const limit = expected.length + 1;
  const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK, limit));
  let same = 0;
  for (;;) {
    const part = chunk.subarray(0, Math.min(chunk.length, limit - same));
    const length = await fill(handle, part, same);
    const read = part.subarray(0, length);
    if (!read.equals(expected.subarray(same, same + length))) {
      return await readOn(handle, expected.subarray(0, same), limit);
    }
    same += length;
    if (length < part.length)
      return same === expected.length ? expected : expected.subarray(0, same);
  }
}

/** Reads to the end or to `limit` octets, behind a beginning that was read already. */
async function readOn(handle: FileHandle, beginning: Buffer, limit: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(limit);
  beginning.copy(buffer);
  const rest = buffer.subarray(beginning.length);
  return buffer.subarray(0, beginning.length + (await fill(handle, rest, beginning.length)));
}

/** Reads from a place of the file until a buffer is full or the file ends; gives how much. */
async function fill(handle: FileHandle, buffer: Buffer, place: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, place + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

/** The identity that a look at a file gives. */
export function identityOf(stats: BigIntStats): FileIdentity {
  const { dev, ino, size, mtimeNs } = stats;
  const mode = Number(stats.mode & 0o7777n);
  return { dev, ino, size, mtimeNs, mode, uid: Number(stats.uid), gid: Number(stats.gid) };
}

function isSameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return (
    a.dev === b.dev &&
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid
  );
}
