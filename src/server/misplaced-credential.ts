import { digestOf } from "../core/digest.js";
import type { Keystore } from "../core/keystore.js";
import { holdsMintedToken } from "../core/minted-token.js";

/**
 * Whether a text that is to be somebody's name holds a credential instead: a minted token, or as a
 * whole or as one of its words the token of a key, the admin token, or another that `isToken` knows
 * by its digest. A name is logged, recorded and sent on, which no token may be.
 */
export function holdsCredential(
  text: string,
  keystore: Keystore,
  isToken: (digest: string) => boolean,
): boolean {
  if (holdsMintedToken(text)) return true;
  return [text, ...text.split(/\s+/)].some((word) => {
    const digest = digestOf(word);
    return (
      keystore.find(digest) !== undefined || keystore.adminDigest === digest || isToken(digest)
    );
  });
}
