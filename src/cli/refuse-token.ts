import { holdsMintedToken } from "../core/minted-token.js";
import { KeysError } from "../errors.js";

/** An option's value that can't be taken. */
export function invalid(option: string, problem: string, hint: string): KeysError {
  return new KeysError("value-invalid", `the value of ${option} ${problem}`, { hint });
}

/** Refuses a value that holds a minted token. @throws KeysError `value-invalid` */
export function refuseToken(option: string, text: string): void {
  if (!holdsMintedToken(text)) return;
  throw invalid(
    option,
    "holds a token",
    "a token is never an argument: this one stands in the shell's history now; revoke it if it is in use",
  );
}
