import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { KeysError, systemCode } from "../errors.js";
import { access, lstat, open, readdir, rename, unlink, type FileHandle } from "./disk.js";
import { changing, fileFailure, ignore, ignoreUnsyncable } from "./file-failure.js";
import { identityOf, type FileIdentity, type Snapshot } from "./snapshot.js";

/** For {@link writeAtomic}. */
export interface WriteAtomicOptions {
  /** The version that is replaced, whose mode and owner are kept; undefined for a new file. */
  snapshot: Snapshot | undefined;
  /** Called when the new content is on the disk, just before the rename; throwing prevents it. */
  beforeRename?: (() => Promise<void>) | undefined;
}

const TEMP_NAME = /^[0-9a-f]{16}\.tmp$/;

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
    for (const name of await readdir(dirname(realPath))) {
      if (!name.startsWith(prefix) || !TEMP_NAME.test(name.slice(prefix.length))) continue;
      const path = join(dirname(realPath), name);
      const stats = await lstat(path, { bigint: true }).catch(ignore);
      if (stats?.isFile() === true) await unlink(path).catch(ignore);
    }
  } catch {
    // A directory that can't be listed still can be written to.
  }
}

function tempPrefix(realPath: string): string {
  return `.${basename(realPath)}.`;
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
