import { KeysError } from "../errors.js";
import type { Diagnostic } from "./diagnostic.js";

/** A keystore that is too troubled for what was asked of it: `keystore-invalid`, with the reasons. */
export class KeystoreInvalidError extends KeysError {
  /** Everything that is wrong, in file order. */
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[], message?: string, hint?: string) {
    super("keystore-invalid", message ?? "the keystore is not valid", {
      hint: hint ?? "`keys validate` lists every problem with its place",
    });
    this.diagnostics = diagnostics;
  }
}
