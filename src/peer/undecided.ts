import type { UndecidedReason, UndecidedVerdict } from "./verdict.js";

/** Neither yes nor no. */
export function undecided(reason: UndecidedReason, retryAfterMs?: number): UndecidedVerdict {
  const error = reason === "ill-formed-requirement" ? "misconfigured" : "unavailable";
  const verdict = { ok: false, kind: "undecided", error, reason } as const;
  return retryAfterMs === undefined ? verdict : { ...verdict, retryAfterMs };
}

/** What was asked is ill-formed. */
export const ILL_FORMED: UndecidedVerdict = undecided("ill-formed-requirement");
