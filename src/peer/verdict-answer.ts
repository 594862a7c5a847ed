import {
  createRefusalAnswers,
  problemAnswer,
  type Answer,
  type RefusalProblem,
} from "../core/problem.js";
import { formatRateLimit, formatRateLimitPolicy } from "../core/rate-limit-header.js";
import { KeysError } from "../errors.js";
import type { GrantedVerdict, Verdict } from "./verdict.js";

/** The realm of challenges where none is given. */
const REALM = "keys";

const UNQUOTED = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A verdict that lets nobody in. */
export type Denial = Exclude<Verdict, GrantedVerdict>;

/**
 * The answers to whom is not let in: status, challenge and problem of HTTP.md's 'Verdicts', in the
 * octets of the verify server.
 *
 * @param realm - printable ASCII without `"` and `\`. Default `keys`.
 * @throws KeysError `value-invalid` for another realm.
 */
export function createVerdictAnswers(realm: string = REALM): (denial: Denial) => Answer {
  if (!UNQUOTED.test(realm)) {
    throw new KeysError(
      "value-invalid",
      "a realm is printable ASCII without quotes and backslashes",
    );
  }
  const refusals: (refusal: RefusalProblem) => Answer = createRefusalAnswers(realm);
  return (denial) => {
    if (denial.kind === "refused") return refusals(denial);
    if (denial.kind === "undecided") {
      const { retryAfterMs } = denial;
      return problemAnswer(denial.error, retryAfterMs === undefined ? {} : { retryAfterMs });
    }
    const { retryAfterMs } = denial;
    const members = denial.error === "rate_limited" ? { retry_after_ms: retryAfterMs } : {};
    return problemAnswer(denial.error, { headers: limitHeaders(denial), retryAfterMs, members });
  };
}

/** `RateLimit-Policy` and `RateLimit` where a limit took part, names and values in turn. */
export function limitHeaders(verdict: Verdict): readonly string[] {
  if (!("limit" in verdict)) return [];
  const { limit } = verdict;
  return [
    "RateLimit-Policy",
    formatRateLimitPolicy(limit.limit),
    "RateLimit",
    formatRateLimit(limit),
  ];
}
