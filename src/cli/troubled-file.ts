import type { Keystore } from "../core/keystore.js";
import type { Diagnostic, DiagnosticCode } from "../file/diagnostic.js";
import type { KeystoreDocument } from "../file/document.js";
import { KeystoreInvalidError } from "../file/keystore-invalid.js";
import type { StoredKeystore } from "../file/store.js";
import type { Context } from "./context.js";
import type { KeystoreFile } from "./keystore-file.js";
import { countProblems, formatDiagnostics } from "./render/diagnostic.js";

/** Nobody could get in: what `create`, `init` and `enable` mend, and what revoking may lead to. */
export const EMPTY: readonly DiagnosticCode[] = ["no-keys", "empty-keystore"];

/** The errors of a file, without those that are tolerated. */
export function errorsOf(
  { diagnostics }: StoredKeystore | KeystoreDocument,
  tolerated: readonly DiagnosticCode[] = [],
): readonly Diagnostic[] {
  return diagnostics.filter(
    ({ severity, code }) => severity === "error" && !tolerated.includes(code),
  );
}

/**
 * The keys of a file without errors (KEYSTORE.md, 'commands on a troubled file').
 *
 * @throws KeystoreInvalidError
 */
export function soundKeystore(
  store: StoredKeystore,
  file: KeystoreFile,
  tolerated: readonly DiagnosticCode[] = [],
): Keystore {
  const errors = errorsOf(store, tolerated);
  if (errors.length > 0) throw refusal(file, errors);
  return readableKeystore(store, file);
}

/**
 * The keys of any file that can be read without doubt, whatever else is wrong with it.
 *
 * @throws KeystoreInvalidError
 */
export function readableKeystore(store: StoredKeystore, file: KeystoreFile): Keystore {
  const { keystore } = store.document;
  if (keystore === undefined) throw refusal(file, errorsOf(store));
  return keystore;
}

/** Says what is wrong with a file on stderr; with `--quiet` only the errors. */
export async function reportProblems(
  context: Context,
  file: KeystoreFile,
  diagnostics: readonly Diagnostic[],
): Promise<void> {
  const shown = diagnostics.filter(
    ({ severity }) => severity === "error" || !context.globals.quiet,
  );
  if (shown.length === 0) return;
  await context.talk.show(formatDiagnostics(file.name, shown, await context.style("stderr")));
}

function refusal(file: KeystoreFile, errors: readonly Diagnostic[]): KeystoreInvalidError {
  return new KeystoreInvalidError(
    errors,
    `${file.name} is not valid: ${summary(errors)}`,
    errors.length === 1 ? errors[0]?.hint : "mend what is listed; `keys validate` checks again",
  );
}

/** How many errors there are, and the first of them. */
export function summary(errors: readonly Diagnostic[]): string {
  const [first] = errors;
  const count = countProblems(errors);
  if (first === undefined) return count;
  return `${count}, ${errors.length === 1 ? "" : "the first "}${first.code} in line ${first.line}`;
}
