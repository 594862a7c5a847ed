import { digestOf } from "../core/digest.js";
import { isKnownWeak } from "../core/weak.js";
import { KeysError } from "../errors.js";
import type { KeystoreFile } from "./keystore-file.js";
import { readTokenFile } from "./secret-file.js";

/** Shortest token of a caller who may do everything, in characters. */
const SHORTEST = 20;

/**
 * The digest of the token in a server's system token file: the token itself is not kept.
 *
 * @throws KeysError `token-weak`, and what `readTokenFile` throws
 */
export async function readSystemToken(file: KeystoreFile): Promise<string> {
  const token = await readTokenFile(file);
  if (isKnownWeak(token) || token.length < SHORTEST) {
    throw new KeysError("token-weak", `the token in ${file.name} is too weak for a system token`, {
      hint: `${SHORTEST} characters at least, such as a token from \`keys create --token-file\``,
    });
  }
  return digestOf(token);
}
