import type { Keystore } from "../core/keystore.js";
import { isKeysError, type KeysError } from "../errors.js";
import type { Diagnostic, DiagnosticCode } from "../file/diagnostic.js";
import type { KeystoreDocument } from "../file/document.js";
import { KeystoreInvalidError } from "../file/keystore-invalid.js";
import type { StoredKeystore } from "../file/store.js";
import type { Context } from "./context.js";
import { keystoreFile, type KeystoreFile } from "./keystore-file.js";
import { countProblems, formatDiagnostics } from "./render/diagnostic.js";

/** Nobody could get in: what `create`, `init` and `enable` mend, and what revoking may lead to. */
export const EMPTY: readonly DiagnosticCode[] = ["no-keys", "empty-keystore"];

/** Where one of these stands, a key that is not found may be in the file all the same. */
const HIDING: ReadonlySet<DiagnosticCode> = new Set([
  "alias-not-allowed",
  "tag-not-allowed",
  "api-keys-not-mapping",
  "digest-not-string",
  "digest-length",
  "digest-not-hex",
  "digest-looks-like-token",
]);

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

/**
 * What to throw where a named key could not be found or taken out of a file: that the file is not
 * valid, where its errors may be why; else the error itself.
 *
 * @param byId - whether the key was named by its contributor: an entry that names none may be theirs.
 */
export function troubleBehind(
  error: unknown,
  store: StoredKeystore,
  file: KeystoreFile,
  byId: boolean,
): unknown {
  const isTrouble =
    (isKeysError(error, "key-not-found") && mayHideKeys(store, byId)) ||
    isKeysError(error, "edit-mismatch");
  if (!isTrouble || errorsOf(store, EMPTY).length === 0) return error;
  return new KeystoreInvalidError(
    store.diagnostics,
    `${file.name} is not valid, and that may be why: ${error.message}`,
    "mend what is listed, then try again; nothing was changed",
  );
}

function mayHideKeys({ diagnostics, document }: StoredKeystore, byId: boolean): boolean {
  const { keystore } = document;
  const entries = keystore === undefined ? [] : [...keystore.live(), ...keystore.retired()];
  return (
    diagnostics.some(({ code, path }) => HIDING.has(code) || isRepeatedBlock(code, path)) ||
    (byId && entries.some(({ id }) => id === undefined))
  );
}

/** Of two blocks of one name only one is read. */
function isRepeatedBlock(code: DiagnosticCode, path: readonly string[]): boolean {
  return code === "duplicate-key" && path.length === 1;
}

/** How many warnings stand before what a command is asked for: more would hide it. */
const MOST_WARNINGS = 3;

/**
 * Says what is wrong with a file on stderr: every error, and the first three warnings, or none with
 * `--quiet`. `keys validate` lists all.
 *
 * @param mostWarnings - default 3.
 */
export async function reportProblems(
  context: Context,
  file: KeystoreFile,
  diagnostics: readonly Diagnostic[],
  mostWarnings: number = MOST_WARNINGS,
): Promise<void> {
  const warnings = diagnostics.filter(({ severity }) => severity === "warning");
  const hidden = new Set(context.globals.quiet ? warnings : warnings.slice(mostWarnings));
  const shown = diagnostics.filter((diagnostic) => !hidden.has(diagnostic));
  if (shown.length > 0) {
    await context.talk.show(formatDiagnostics(file.name, shown, await context.style("stderr")));
  }
  if (hidden.size === 0) return;
  await context.talk.note(
    `and ${hidden.size} more ${hidden.size === 1 ? "warning" : "warnings"}; \`keys validate\` lists them`,
  );
}

/** {@link reportProblems} of what an error brings along, where it brings some. */
export async function reportInvalid(context: Context, error: KeysError): Promise<void> {
  if (!(error instanceof KeystoreInvalidError)) return;
  await reportProblems(context, keystoreFile(context), error.diagnostics);
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
