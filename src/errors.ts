/**
 * Every way in which an operation can fail that a caller or an operator can meet.
 * Codes are stable: scripts and tests may rely on them; sentences may change.
 * The command line gives each an exit status (`src/cli/exit-codes.ts`, `docs/exit-codes.md`).
 */
export type KeysErrorCode =
  | "already-exists"
  | "audit-broken"
  | "audit-unwritable"
  | "confirmation-refused"
  | "confirmation-required"
  | "digest-exists"
  | "edit-mismatch"
  | "file-changing"
  | "file-is-directory"
  | "file-not-found"
  | "file-unreadable"
  | "file-unwritable"
  | "haproxy-failed"
  | "id-invalid"
  | "id-reserved"
  | "internal"
  | "interrupted"
  | "key-ambiguous"
  | "key-not-found"
  | "key-state"
  | "keystore-invalid"
  | "listen-failed"
  | "lock-timeout"
  | "mount-point"
  | "not-everywhere"
  | "output-failed"
  | "peer-answer-invalid"
  | "peer-refused"
  | "peer-unreachable"
  | "push-incomplete"
  | "tls-invalid"
  | "token-file-exists"
  | "token-file-exposed"
  | "token-malformed"
  | "token-weak"
  | "usage"
  | "value-invalid";

/** What a {@link KeysError} may carry besides its sentence. */
export interface KeysErrorOptions {
  /** What to do about it: one sentence, lower case, no full stop. */
  hint?: string;
  /** The error below, for debuggers; never shown to an operator. */
  cause?: unknown;
}

/**
 * The one error class of keyhold. `message` is a sentence for the operator and never holds a
 * secret; `code` is what programs and tests compare.
 */
export class KeysError extends Error {
  override readonly name: string = "KeysError";
  readonly code: KeysErrorCode;
  readonly hint: string | undefined;

  constructor(code: KeysErrorCode, message: string, options: KeysErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Whether a thrown value is a {@link KeysError}, with one of `codes` where any are given. */
export function isKeysError(error: unknown, ...codes: KeysErrorCode[]): error is KeysError {
  return error instanceof KeysError && (codes.length === 0 || codes.includes(error.code));
}

/** The `code` of a system error such as `ENOENT`, or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
