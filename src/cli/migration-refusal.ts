import { digestOf } from "../core/digest.js";
import { fingerprintOf } from "../core/fingerprint.js";
import { isReservedId } from "../core/id.js";
import type { Keystore } from "../core/keystore.js";
import type { Diagnostic, DiagnosticCode } from "../file/diagnostic.js";
import { KeystoreInvalidError } from "../file/keystore-invalid.js";
import type { KeystoreFile } from "./keystore-file.js";
import { holdsMintedToken } from "../core/minted-token.js";

const ROTATE =
  "rotate it: revoke the key or remove it by hand, then issue a new one with `keys create`";

/** What to do where `keys migrate` itself does not help, in place of the code's own hint. */
const ADVICE: Partial<Readonly<Record<DiagnosticCode, string>>> = {
  "legacy-key-weak": ROTATE,
  "retired-and-live": ROTATE,
  "admin-key-in-keystore": ROTATE,
  "digest-known-weak": ROTATE,
  "entry-not-mapping":
    "write the entry out by hand, with `id:` and the contributor's name, or remove it",
};

/** Refusals of a file that is not valid, with the advice for who wants to migrate it. */
export function advised<T>(refuse: () => T): T {
  try {
    return refuse();
  } catch (error) {
    if (!(error instanceof KeystoreInvalidError)) throw error;
    const diagnostics = error.diagnostics.map(advise);
    const [hint, ...others] = new Set(diagnostics.map((diagnostic) => diagnostic.hint));
    throw new KeystoreInvalidError(
      diagnostics,
      error.message,
      others.length === 0
        ? (hint ?? error.hint)
        : "mend what is listed; `keys validate` checks again",
    );
  }
}

function advise(diagnostic: Diagnostic): Diagnostic {
  const hint = ADVICE[diagnostic.code];
  return hint === undefined ? diagnostic : { ...diagnostic, hint };
}

/**
 * Refuses flat entries whose value can't become an id. A token among them is not told, and written
 * nowhere anew.
 *
 * @param names - the value of each flat entry, by digest.
 * @throws KeystoreInvalidError
 */
export function refuseFlatNames(
  names: ReadonlyMap<string, string>,
  keystore: Keystore,
  file: KeystoreFile,
): void {
  for (const [digest, name] of names) {
    const fingerprint = fingerprintOf(digest);
    if (isSecret(name, keystore)) {
      throw new KeystoreInvalidError(
        [],
        `the flat entry ${fingerprint} in ${file.name} holds a token where a name belongs; nothing was changed`,
        "rotate it, the token is compromised: remove it by hand, then issue a new key with `keys create`",
      );
    }
    if (isReservedId(name)) {
      throw new KeystoreInvalidError(
        [],
        `the flat entry ${fingerprint} in ${file.name} has the reserved name ${name}; nothing was changed`,
        "give it another name by hand, or remove it and issue a new key with `keys create`",
      );
    }
  }
}

/** Whether a text is a token as far as this file shows: minted, or one whose digest stands here. */
function isSecret(text: string, keystore: Keystore): boolean {
  if (holdsMintedToken(text)) return true;
  const digest = digestOf(text);
  return keystore.find(digest) !== undefined || keystore.adminDigest === digest;
}
