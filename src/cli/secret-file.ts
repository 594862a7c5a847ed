import { KeysError, systemCode } from "../errors.js";
import { open, type FileHandle } from "../file/disk.js";
import { checkToken, MAX_TOKEN_INPUT } from "./secret-input.js";
import type { KeystoreFile } from "./keystore-file.js";

const OTHERS = 0o077;

/**
 * The token in a file that only its owner can read. One line end at its end is taken off. No error
 * tells anything of what was read.
 *
 * @throws KeysError `file-not-found`, `file-is-directory`, `file-unreadable`, `token-file-exposed`,
 *   `token-malformed`
 */
export async function readTokenFile({ name, path }: KeystoreFile): Promise<string> {
  try {
    const handle = await open(path, "r");
    try {
      const stats = await handle.stat();
      if (stats.isDirectory()) {
        throw new KeysError("file-is-directory", `${name} is a directory`, {
          hint: "name the file that holds the token",
        });
      }
      if ((stats.mode & OTHERS) !== 0) {
        throw new KeysError(
          "token-file-exposed",
          `${name} can be read or written by others than its owner`,
          { hint: `chmod 600 ${name}; others may know the token by now` },
        );
      }
      const { buffer, bytesRead } = await readUpTo(handle, MAX_TOKEN_INPUT + 1);
      return checkToken(buffer.toString("latin1", 0, bytesRead).replace(/\r?\n$/, ""));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof KeysError) throw error;
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") {
      throw new KeysError("file-not-found", `there is no file at ${name}`, { cause: error });
    }
    throw new KeysError("file-unreadable", `${name} can't be read`, { cause: error });
  }
}

/** A pipe gives its octets in pieces. */
async function readUpTo(
  handle: FileHandle,
  limit: number,
): Promise<{ buffer: Buffer; bytesRead: number }> {
  const buffer = Buffer.alloc(limit);
  let bytesRead = 0;
  while (bytesRead < limit) {
    const more = await handle.read(buffer, bytesRead, limit - bytesRead, null);
    if (more.bytesRead === 0) break;
    bytesRead += more.bytesRead;
  }
  return { buffer, bytesRead };
}
