import type { Refusal } from "../core/verify.js";
import type { RefusedVerdict } from "./verdict.js";

/** A refusal that was reached here. `fingerprint` is that of the presented token. */
export function refused(verdict: Refusal, fingerprint: string | undefined): RefusedVerdict {
  const { error, reason, scopes } = verdict;
  const told = { ok: false, kind: "refused", error, reason, fingerprint, source: "local" } as const;
  return scopes === undefined ? told : { ...told, scopes };
}
