import type { Change } from "../file/change.js";
import { editKeystore } from "../file/edit-keystore.js";
import type { Policy } from "../file/policy.js";
import { KeystoreInvalidError } from "../file/keystore-invalid.js";
import type { StoredKeystore } from "../file/store.js";
import type { KeystoreFile } from "./keystore-file.js";
import { errorsOf, summary } from "./troubled-file.js";

/**
 * Refuses changes after which the file would not be valid: what stands among the retired keys may
 * be what no live key may be.
 *
 * @throws KeystoreInvalidError, and what {@link editKeystore} throws
 */
export function requireSoundResult(
  store: StoredKeystore,
  file: KeystoreFile,
  changes: readonly Change[],
  policy: Policy,
): void {
  const errors = errorsOf(editKeystore(store.document, changes, policy));
  if (errors.length === 0) return;
  throw new KeystoreInvalidError(
    errors,
    `${file.name} would not be valid afterwards: ${summary(errors)}; nothing was changed`,
    errors[0]?.hint,
  );
}
