import {
  circuitBreaker,
  ConsecutiveBreaker,
  handleWhenResult,
  isBrokenCircuitError,
} from "cockatiel";
import { digestOfHeader } from "../core/digest.js";
import { MALFORMED, NO_CREDENTIAL, type Requirement } from "../core/verify.js";
import { KeysError } from "../errors.js";
import { requirementOf, type Asked } from "./asked.js";
import { clientNumbers, serverUrl, type ClientOptions } from "./client-options.js";
import { readCredential, type CredentialSource } from "./credential-source.js";
import { refused } from "./refused.js";
import { connectTo, type Received } from "./server-connection.js";
import { readGeneration, readServerVerdict, type ToldVerdict } from "./server-verdict.js";
import { ILL_FORMED, undecided } from "./undecided.js";
import type { UndecidedReason, Verdict } from "./verdict.js";
import { createVerdictCache } from "./verdict-cache.js";

export type { ClientOptions, UnavailablePolicy } from "./client-options.js";

/** Asks a verify server, and remembers what it said. */
export interface Client {
  /**
   * Whose token is this, and may it do that? Rejects only where `source` is nothing to read a
   * credential from (KeysError `value-invalid`); a server that can't be asked is a verdict too.
   */
  verify(source: CredentialSource, asked?: Asked): Promise<Verdict>;
  /** Forgets every remembered verdict. */
  forget(): void;
  /** Closes its connections. Verdicts are `undecided` from then on. */
  close(): void;
}

/** A question on its way: which token may do what. */
interface Question {
  /** By digest and never by token, with all that was asked. */
  readonly key: string;
  readonly digest: string;
  readonly token: string;
  readonly requirement: Requirement;
}

/**
 * Makes a client of a verify server (`keys serve`). Nothing is sent before the first question.
 *
 * A yes is remembered for 300 s, but never past the key's end (`X-Keys-Expires`) and not at all
 * where the server does not tell the end or a rate limit took part; a no for 10 s. Each is
 * remembered for exactly what was asked, and forgotten when the server's generation moves. Answers
 * of 429 and 5xx are never remembered. Equal questions at one time share one request; where a rate
 * limit was charged for its yes, the others are asked after it, one by one.
 *
 * @throws KeysError `value-invalid` where an option is unknown or out of its range.
 */
export function createClient(options: ClientOptions): Client {
  const numbers = clientNumbers(options);
  const { url, socketPath, ca, clock: now = Date.now } = options;
  const verifier = options.onUnavailable === "local" ? options.verifier : undefined;
  if (options.onUnavailable === "local" && typeof verifier?.verify !== "function") {
    throw new KeysError("value-invalid", "`local` needs a verifier");
  }
  const connection = connectTo({ url: serverUrl(url), socketPath, ca });
  const cache = createVerdictCache(numbers.maxEntries, numbers.maxStaleMs);
  const breaker = circuitBreaker(
    handleWhenResult((received) => isFailure(received as Received)),
    {
      halfOpenAfter: numbers.halfOpenAfterMs,
      breaker: new ConsecutiveBreaker(numbers.breakAfter),
    },
  );
  const flights = new Map<string, Promise<ToldVerdict>>();
  let heardMs = now();
  let checking = false;
  let closed = false;

  async function ask(question: Question): Promise<ToldVerdict> {
    const { digest, token, requirement } = question;
    const before = cache.epoch;
    const headers = ["Authorization", `Bearer ${token}`];
    let received: Received;
    try {
      received = await breaker.execute(() =>
        connection.get(pathOf(requirement), headers, numbers.timeoutMs),
      );
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw error;
      return withoutServer(question, "circuit-open");
    }
    if (closed) return { verdict: undecided("closed") };
    if (received.kind !== "answer") {
      return received.kind === "unexpected-answer"
        ? { verdict: undecided("unexpected-answer") }
        : withoutServer(question, received.kind);
    }
    const told = readServerVerdict(received, digest, requirement, now());
    take(question.key, told, before);
    return told;
  }

  /** Remembers what was told, unless all was forgotten since it was asked for. */
  function take(key: string, told: ToldVerdict, before: number): void {
    const { verdict, generation, lifetimeMs } = told;
    if (cache.epoch !== before) return;

    if (generation !== undefined) hear(generation);
    if (verdict.kind === "granted" && generation !== undefined && lifetimeMs !== undefined) {
      cache.remember(key, verdict, { freshMs: numbers.positiveMs, lifetimeMs }, now());
    } else if (verdict.kind === "refused") {
      const lifetime = Number.POSITIVE_INFINITY;
      cache.remember(key, verdict, { freshMs: numbers.negativeMs, lifetimeMs: lifetime }, now());
    }
  }

  function hear(generation: string): void {
    heardMs = now();
    cache.observe(generation);
  }

  function withoutServer(question: Question, reason: UndecidedReason): ToldVerdict {
    if (options.onUnavailable === "stale") {
      return { verdict: cache.stale(question.key, now()) ?? undecided(reason) };
    }
    if (verifier !== undefined) {
      const token = Buffer.from(question.token, "latin1");
      const verdict = verifier.verify(token, question.requirement);
      return { verdict, charged: verdict.ok && verdict.limit !== undefined };
    }
    return { verdict: undecided(reason) };
  }

  /** One request at a time for equal questions; what nobody was charged for is for all of them. */
  async function askOnce(question: Question): Promise<Verdict> {
    const { key } = question;
    for (let flight = flights.get(key); flight !== undefined; flight = flights.get(key)) {
      const { verdict, charged = false } = await flight;
      if (!charged) return verdict;
    }
    const flight = ask(question).finally(() => flights.delete(key));
    flights.set(key, flight);
    return (await flight).verdict;
  }

  /** In the background, so that a remembered verdict waits for nothing. */
  function checkGeneration(): void {
    const { generationCheckMs, timeoutMs } = numbers;
    if (generationCheckMs === 0 || checking || Math.abs(now() - heardMs) < generationCheckMs)
      return;
    checking = true;
    void connection.get("/readyz", [], timeoutMs).then((received) => {
      checking = false;
      const generation = readGeneration(received);
      // Where there was no answer, no more is asked for than at the next time.
      if (generation === undefined) heardMs = now();
      else hear(generation);
    });
  }

  return {
    async verify(source, asked) {
      const requirement = requirementOf(asked);
      if (requirement === undefined) return ILL_FORMED;
      if (closed) return undecided("closed");
      const read = readCredential(source);
      if (read.kind !== "credential") {
        return refused(read.kind === "none" ? NO_CREDENTIAL : MALFORMED, undefined);
      }
      const { token } = read.credential;
      const digest = digestOfHeader(token);
      const key = keyOf(digest, requirement);
      const remembered = cache.fresh(key, now());
      if (remembered !== undefined) {
        checkGeneration();
        return remembered;
      }
      return askOnce({ key, digest, token, requirement });
    },
    forget() {
      cache.clear();
    },
    close() {
      closed = true;
      cache.clear();
      connection.close();
    },
  };
}

function isFailure(received: Received): boolean {
  return received.kind === "timeout" || received.kind === "unreachable";
}

function pathOf({ scopes, workspaces }: Requirement): string {
  const parameters = [parameter("scope", scopes), parameter("workspace", workspaces)];
  const query = parameters.filter((text) => text !== "").join("&");
  return query === "" ? "/verify" : `/verify?${query}`;
}

function parameter(name: string, words: readonly string[]): string {
  return words.length === 0 ? "" : `${name}=${words.map(encodeURIComponent).join("+")}`;
}

/** Neither a digest nor a word holds a space. */
function keyOf(digest: string, { scopes, workspaces }: Requirement): string {
  return [digest, ...sorted(scopes), "", ...sorted(workspaces)].join(" ");
}

function sorted(words: readonly string[]): readonly string[] {
  return words.length < 2 ? words : [...new Set(words)].sort();
}
