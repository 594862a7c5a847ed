import { randomBytes } from "node:crypto";
import { constants, type BigIntStats } from "node:fs";
import { access, lstat, open, opendir, readlink, realpath, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isKeysError, KeysError, systemCode } from "../errors.js";

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

/** For {@link writeAtomic}. */
export interface WriteAtomicOptions {
  /** The version that is replaced, whose mode and owner are kept; undefined for a new file. */
  snapshot: Snapshot | undefined;
  /** Called when the new content is on the disk, just before the rename; throwing prevents it. */
  beforeRename?: (() => Promise<void>) | undefined;
}

const MAX_LINKS = 40;
const READ_ATTEMPTS = 5;
const READ_PAUSE_MS = 20;
const TEMP_NAME = /^[0-9a-f]{16}\.tmp$/;

/** What a system error means to an operator, and what to do about it when it stops a write. */
const REASONS: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  EACCES: [
    "permission denied",
    "run as the owner; the directory has to be writable too, since a file is replaced by renaming a new one",
  ],
  EDQUOT: ["the disk quota is used up", "free some space, then try again"],
  EIO: ["the disk reports an error", "check the disk and the system's log"],
  ENAMETOOLONG: ["the name is too long", "give the file a shorter name"],
  ENOENT: ["there is no such directory", "create the directory first"],
  ENOSPC: ["no space is left on the device", "free some space, then try again"],
  EPERM: [
    "operation not permitted",
    "run as the owner, and look for an immutable flag or a security policy",
  ],
  EROFS: [
    "the file system is read-only",
    "change the file where it comes from, or mount it writable",
  ],
};

/**
 * The {@link KeysError} for a failed system call: `what` failed and why, with a hint. Whatever is
 * not a system error (a `KeysError`, a defect) comes back as it is.
 */
export function fileFailure(
  error: unknown,
  code: "file-unreadable" | "file-unwritable",
  what: string,
): unknown {
  const system = systemCode(error);
  if (isKeysError(error) || system === undefined) return error;
  const [reason, writeHint] = REASONS[system] ?? [system, undefined];
  const hint = code === "file-unwritable" ? writeHint : "run as a user who may read it";
  const isHelpful = code === "file-unwritable" || system === "EACCES";
  return new KeysError(code, `${what}: ${reason}`, {
    cause: error,
    ...(hint !== undefined && isHelpful ? { hint } : {}),
  });
}

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
 * not read. `realPath` comes from {@link resolveTarget}.
 * Errors: `file-changing` (no two looks agreed in five attempts, or it has become a symbolic link);
 * `file-is-directory`; `file-unreadable`.
 */
export async function readSnapshot(realPath: string): Promise<Snapshot | undefined> {
  try {
    for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt += 1) {
      const snapshot = await readOnce(realPath);
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
    now = await readOnce(realPath);
  } catch (error) {
    return systemCode(error) === "ENOENT" && snapshot === undefined;
  }
  if (now === "changing" || snapshot === undefined) return false;
  if (!isSameIdentity(now, snapshot)) return false;
  if (now.tooLarge || snapshot.tooLarge) return now.tooLarge === snapshot.tooLarge;
  return now.bytes.equals(snapshot.bytes);
}

/**
 * Replaces a file as a whole, or makes a new one (mode 0600): a temporary file beside it, synced,
 * renamed over it, the directory synced. At every instant the path holds the old or the new
 * content. When this resolves, the new content is durable; when it rejects before the rename,
 * nothing has changed and no temporary file is left. Never writes in place.
 * Errors: `file-unwritable` (no space, no permission, a file of another owner, a file that is
 * read-only to us); `mount-point` (the path is itself a mount point, which can't be replaced);
 * `file-changing` (the temporary file was taken away); whatever `beforeRename` throws.
 */
export async function writeAtomic(
  realPath: string,
  bytes: Uint8Array,
  { snapshot, beforeRename }: WriteAtomicOptions,
): Promise<void> {
  const temp = join(
    dirname(realPath),
    `${tempPrefix(realPath)}${randomBytes(8).toString("hex")}.tmp`,
  );
  let directory: FileHandle | undefined;
  let file: FileHandle | undefined;
  let made = false;
  try {
    if (snapshot !== undefined) await requireWritable(realPath);
    directory = await open(dirname(realPath), constants.O_RDONLY).catch(ignoreUnsyncable);
    file = await open(temp, "wx", 0o600);
    made = true;
    // Owner, then mode, then content: no octet is ever readable by more than the old file's readers.
    if (snapshot !== undefined) await dress(file, snapshot, realPath);
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    file = undefined;
    await beforeRename?.();
    await rename(temp, realPath).catch((error: unknown) => {
      throw renameFailure(error, realPath);
    });
    made = false;
    await syncDirectory(directory, realPath);
  } catch (error) {
    throw fileFailure(error, "file-unwritable", `cannot write ${realPath}`);
  } finally {
    await file?.close().catch(ignore);
    if (made) await unlink(temp).catch(ignore);
    await directory?.close().catch(ignore);
  }
}

/**
 * Removes the temporary files that killed writers left beside `realPath`. For the holder of the
 * lock only: since nobody else writes there, any that exist are stale. Never fails; what can't be
 * removed stays for the next holder.
 */
export async function removeStaleTemps(realPath: string): Promise<void> {
  const prefix = tempPrefix(realPath);
  try {
    for await (const entry of await opendir(dirname(realPath))) {
      if (!entry.name.startsWith(prefix) || !TEMP_NAME.test(entry.name.slice(prefix.length)))
        continue;
      if (entry.isFile()) await unlink(join(dirname(realPath), entry.name)).catch(ignore);
    }
  } catch {
    // A directory that can't be listed still can be written to.
  }
}

function tempPrefix(realPath: string): string {
  return `.${basename(realPath)}.`;
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

async function readOnce(realPath: string): Promise<Snapshot | "changing"> {
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
    const bytes = await readAtMost(handle, Number(before.size) + 1);
    const after = identityOf(await handle.stat({ bigint: true }));
    if (!isSameIdentity(identity, after) || BigInt(bytes.length) !== after.size) return "changing";
    return { ...identity, tooLarge: false, bytes };
  } finally {
    await handle.close();
  }
}

/** Reads to the end or to `limit` octets: a file that grows meanwhile can't fill the memory. */
async function readAtMost(handle: FileHandle, limit: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await handle.read(buffer, length, limit - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function identityOf(stats: BigIntStats): FileIdentity {
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

/** A rename needs no right to the file itself; but who made it read-only meant it. */
async function requireWritable(realPath: string): Promise<void> {
  try {
    await access(realPath, constants.W_OK);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    if (systemCode(error) !== "EACCES") throw error;
    throw new KeysError("file-unwritable", `cannot write ${realPath}: it is read-only`, {
      hint: "run as a user who may write it, or make it writable if it is meant to change",
      cause: error,
    });
  }
}

async function syncDirectory(directory: FileHandle | undefined, realPath: string): Promise<void> {
  try {
    await directory?.sync().catch(ignoreUnsyncable);
  } catch (error) {
    const what = `${realPath} is written, but may not survive a power cut`;
    throw fileFailure(error, "file-unwritable", what);
  }
}

/** Gives the still empty temporary file the old file's owner and mode. */
async function dress(file: FileHandle, old: FileIdentity, realPath: string): Promise<void> {
  const fresh = identityOf(await file.stat({ bigint: true }));
  if (fresh.uid !== old.uid || fresh.gid !== old.gid) {
    await file.chown(old.uid, old.gid).catch((error: unknown) => {
      throw new KeysError(
        "file-unwritable",
        `cannot write ${realPath}: it is owned by another (user ${String(old.uid)}, group ${String(old.gid)}), which a new file could not keep`,
        { hint: "run as the owner of the file", cause: error },
      );
    });
  }
  // After the chown, which clears the set-id bits.
  if (fresh.mode !== old.mode) await file.chmod(old.mode);
}

function renameFailure(error: unknown, realPath: string): unknown {
  const code = systemCode(error);
  if (code === "EBUSY" || code === "EXDEV") {
    return new KeysError("mount-point", `cannot replace ${realPath}: it is itself a mount point`, {
      hint: "mount the directory that holds the file instead of the file",
      cause: error,
    });
  }
  if (code !== "ENOENT") return error;
  // Another writer, holding the lock by now, has swept our temporary file away.
  return changing(realPath, error);
}

function changing(realPath: string, cause?: unknown): KeysError {
  return new KeysError("file-changing", `${realPath} keeps changing while it is read or written`, {
    hint: "wait until whatever else writes it has finished, then try again",
    cause,
  });
}

/** For `.catch()`: whatever fails there may fail. */
export function ignore(): undefined {
  return undefined;
}

/** For `.catch()`: a file that is not there gives undefined. */
export function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
  return undefined;
}

/**
 * For `.catch()`: some file systems can't open or sync a directory; theirs is all the durability
 * there is.
 */
export function ignoreUnsyncable(error: unknown): undefined {
  const code = systemCode(error) ?? "";
  if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP", "EISDIR"].includes(code)) throw error;
  return undefined;
}
