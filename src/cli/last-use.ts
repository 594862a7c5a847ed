import { resolve } from "node:path";
import { readUsage, usagePath, type LastUse } from "../file/usage.js";
import type { Context } from "./context.js";
import type { KeystoreFile } from "./keystore-file.js";

/**
 * When the keys of a file were last used, as servers wrote it: into `--usage-file`, else
 * `KEYS_USAGE_FILE`, else beside the keystore. What can't be read is said, and is as if missing.
 */
export async function lastUse(
  { io, talk }: Context,
  file: KeystoreFile,
  option: string | undefined,
): Promise<LastUse> {
  const name = option ?? (io.env["KEYS_USAGE_FILE"] || undefined);
  const named = name === undefined ? undefined : resolve(io.cwd, name);
  const path = await usagePath(file.path, named);
  const { lastUsed, status } = await readUsage(path);
  if (status === "broken") await talk.warn(`${path} can't be read: last use is not known`);
  return lastUsed;
}
