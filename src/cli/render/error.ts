import { isKeysError, KeysError, systemCode } from "../../errors.js";
import type { Style } from "./style.js";
import { visible } from "./visible.js";

/** `{"error":{…}}`, the JSON of a command that has no result. */
export interface ErrorRecord {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null };
}

/**
 * Any thrown value as a KeysError. What was not foreseen tells nothing of its message, which might
 * hold anything: only the system's code, which can't be a secret.
 */
export function toKeysError(error: unknown): KeysError {
  if (isKeysError(error)) return error;
  const code = systemCode(error);
  const known = code !== undefined && /^[A-Z][A-Z0-9_]{1,39}$/.test(code) ? ` (${code})` : "";
  return new KeysError("internal", `something went wrong that keys did not foresee${known}`, {
    hint: "`keys validate` shows whether the keystore is whole; please report this with `keys --version`",
    cause: error,
  });
}

/** An error as JSON. */
export function errorRecord({ code, message, hint }: KeysError): ErrorRecord {
  return { error: { code, message, hint: hint ?? null } };
}

/** An error as text: `keys: error: …` and, where there is one, `hint: …`. */
export function formatError({ message, hint }: KeysError, style: Style): string {
  const first = `keys: ${style.bad("error:")} ${visible(message)}\n`;
  return hint === undefined ? first : `${first}${style.dim("hint:")} ${visible(hint)}\n`;
}
