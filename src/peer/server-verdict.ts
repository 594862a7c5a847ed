import { fingerprintOf } from "../core/digest.js";
import {
  parseHeaderValue,
  parseScopesHeader,
  parseWorkspacesHeader,
} from "../core/identity-header.js";
import { parseInstant } from "../core/instant.js";
import type { Requirement } from "../core/verify.js";
import { freezeIdentity } from "./identity.js";
import type { Received } from "./server-connection.js";
import { ILL_FORMED, undecided } from "./undecided.js";
import type { Identity, RefusedVerdict, Verdict } from "./verdict.js";

/** A verdict that a server told, with what else its answer says. */
export interface ToldVerdict {
  readonly verdict: Verdict;
  /** The generation of the server's keystore; undefined where the answer does not tell. */
  readonly generation?: string | undefined;
  /** Until when a yes may be remembered, by the server's clock; undefined: not at all. */
  readonly lifetimeMs?: number | undefined;
  /** Whether a rate limit was charged for a yes: then it is for one request, and no other. */
  readonly charged?: boolean;
}

type ServerAnswer = Extract<Received, { kind: "answer" }>;

const GENERATION = /^[0-9a-f]{16}$/;
const FINGERPRINT = /^[0-9a-f]{12}$/;
/** A `Date` is cut to the second: it may be this much later. */
const DATE_STEP_MS = 1000;

/** More than this is no time to wait: what is sent on must stay a number of digits. */
const LONGEST_RETRY_MS = 1e12;

const REFUSALS: Readonly<Record<number, readonly RefusedVerdict["error"][]>> = {
  400: ["invalid_request"],
  401: ["invalid_token"],
  403: ["insufficient_scope", "workspace_denied"],
};

/**
 * What a verify server's answer says of a token (HTTP.md, 'Verdicts', 'For reverse proxies'). Only
 * what a verify server says is a yes or a no; from anything else no verdict follows.
 *
 * @param digest - of the token that was sent: a yes about another key is none.
 * @param nowMs - milliseconds since 1970.
 */
export function readServerVerdict(
  answer: ServerAnswer,
  digest: string,
  requirement: Requirement,
  nowMs: number,
): ToldVerdict {
  const { status } = answer;
  if (status === 200) return readGrant(answer, digest, nowMs);
  const problem = readProblem(answer);
  const error = REFUSALS[status]?.find((code) => code === problem["error"]);
  if (error !== undefined) {
    const refusal: RefusedVerdict = {
      ok: false,
      kind: "refused",
      error,
      reason: undefined,
      fingerprint: fingerprintOf(digest),
      ...(error === "insufficient_scope" ? { scopes: requirement.scopes } : {}),
      source: "server",
    };
    return { verdict: refusal };
  }
  if (status === 429) return { verdict: readLimited(answer, problem) };
  if (status >= 500) {
    const verdict =
      problem["error"] === "misconfigured"
        ? ILL_FORMED
        : undecided("server-error", retryAfterOf(answer));
    return { verdict };
  }
  return { verdict: undecided("unexpected-answer") };
}

/** The generation in a server's `/readyz`; undefined where it has none. */
export function readGeneration(received: Received): string | undefined {
  if (received.kind !== "answer") return undefined;
  const { generation } = readObject(received.body);
  return typeof generation === "string" && GENERATION.test(generation) ? generation : undefined;
}

function readGrant(answer: ServerAnswer, digest: string, nowMs: number): ToldVerdict {
  const value = (name: string): string => {
    const header = answer.headers[name];
    return typeof header === "string" ? header : "";
  };
  const expiresAtMs = parseInstant(value("x-keys-expires"));
  const identity = readIdentity(value, digest, expiresAtMs);
  if (identity === undefined) return { verdict: undecided("unexpected-answer") };
  const generation = value("x-keys-generation");
  // An answer that a limit took part in says nothing of the next request.
  const charged = value("ratelimit") !== "";
  const known = expiresAtMs !== undefined || value("x-keys-expires") === "-";
  return {
    verdict: { ok: true, kind: "granted", identity, source: "server" },
    generation: GENERATION.test(generation) ? generation : undefined,
    lifetimeMs: known && !charged ? lifetime(expiresAtMs, value("date"), nowMs) : undefined,
    charged,
  };
}

function readIdentity(
  value: (name: string) => string,
  digest: string,
  expiresAtMs: number | undefined,
): Identity | undefined {
  const id = parseHeaderValue(value("x-auth-id"));
  const fingerprint = value("x-auth-fingerprint");
  const scopes = parseScopesHeader(value("x-auth-scopes"));
  const workspaces = parseWorkspacesHeader(value("x-auth-workspaces"));
  const mode = modeOf(value("x-auth-mode"), fingerprint, digest);
  if (id === undefined || scopes === undefined || workspaces === undefined || mode === undefined) {
    return undefined;
  }
  return freezeIdentity({
    id,
    fingerprint,
    scopes,
    workspaces: workspaces === "unbound" ? undefined : workspaces,
    mode,
    expiresAtMs,
  });
}

/** Undefined where the answer is not about the token that was sent. */
function modeOf(mode: string, fingerprint: string, digest: string): Identity["mode"] | undefined {
  if (mode === "apikey") return fingerprint === fingerprintOf(digest) ? mode : undefined;
  if (mode !== "system") return undefined;
  return fingerprint === "-" || FINGERPRINT.test(fingerprint) ? mode : undefined;
}

/** How long the key will last, by this clock and by the server's, whichever says less. */
function lifetime(expiresAtMs: number | undefined, date: string, nowMs: number): number {
  if (expiresAtMs === undefined) return Number.POSITIVE_INFINITY;
  const serverMs = Date.parse(date);
  const here = expiresAtMs - nowMs;
  return Number.isNaN(serverMs) ? here : Math.min(here, expiresAtMs - serverMs - DATE_STEP_MS);
}

function readLimited(answer: ServerAnswer, problem: Readonly<Record<string, unknown>>): Verdict {
  const { error, retry_after_ms: exact } = problem;
  const isExact = typeof exact === "number" && exact > 0 && exact < LONGEST_RETRY_MS;
  const told = isExact ? Math.ceil(exact) : retryAfterOf(answer);
  return {
    ok: false,
    kind: "limited",
    error: error === "too_many_failures" ? error : "rate_limited",
    retryAfterMs: told ?? DATE_STEP_MS,
    source: "server",
  };
}

/** `Retry-After` in whole seconds, as a verify server gives it (RFC 9110 §10.2.3). */
function retryAfterOf({ headers }: ServerAnswer): number | undefined {
  const text = headers["retry-after"] ?? "";
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) * 1000 : undefined;
}

/** What a problem says (RFC 9457); nothing where it is none: others too have an `error`. */
function readProblem({ headers, body }: ServerAnswer): Readonly<Record<string, unknown>> {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  return type.trim().toLowerCase() === "application/problem+json" ? readObject(body) : {};
}

function readObject(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
