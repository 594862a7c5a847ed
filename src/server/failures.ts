import { problemAnswer, type Presentation } from "../core/problem.js";
import { addressBlock, clientAddress, type TrustedProxies } from "./client-address.js";
import type { KeysRequest, Reply } from "./message.js";
import type { Awaitable, FailureDecision, Services } from "./services.js";

/** What counting failed look-ups needs. */
export interface FailureOptions {
  readonly services: Pick<Services, "failedLookup">;
  readonly trustedProxies: TrustedProxies;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Counts a failed look-up by the client's address, and says what is answered: the 401, or where the
 * address has failed too often a 429 in its place. Nothing but a 401 comes this way, so that a
 * token that is valid passes whoever else shares its address.
 */
export function answerFailure(
  request: KeysRequest,
  refused: Reply,
  { services, trustedProxies, now }: FailureOptions,
  presentation?: Presentation,
): Awaitable<Reply> {
  const client = clientAddress(request.remote, request.rawHeaders, trustedProxies);
  const decision = services.failedLookup(addressBlock(client), now());
  function answered({ blocked, retryAfterMs }: FailureDecision): Reply {
    if (!blocked) return refused;
    const answer = problemAnswer("too_many_failures", { retryAfterMs }, presentation);
    return { ...refused, answer, outcome: "too_many_failures" };
  }
  return decision instanceof Promise ? decision.then(answered) : answered(decision);
}
