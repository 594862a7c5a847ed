import { isKeysError, KeysError, systemCode } from "../errors.js";

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

/** The {@link KeysError} for a file that does not stand still. */
export function changing(realPath: string, cause?: unknown): KeysError {
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
