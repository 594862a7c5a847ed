import type { LimitDecision } from "../core/limit-decision.js";
import type { Refusal, RefusalReason } from "../core/verify.js";

/** Whose key it is: what a yes says. Only `keyhold` makes one; nothing a client sends does. */
export interface Identity {
  /** The contributor. */
  readonly id: string;
  /** The key: the first 12 hex digits of its digest; `-` where a server's own token spoke. */
  readonly fingerprint: string;
  /** What the key may do; empty where it has no scopes. `*` and a last `:*` stand for more. */
  readonly scopes: readonly string[];
  /** The workspaces that the key is bound to; undefined where it is bound to none. */
  readonly workspaces: readonly string[] | undefined;
  /** `system` where a verify server's system token spoke; else `apikey`. */
  readonly mode: "apikey" | "system";
  /** When the key ends, in milliseconds since 1970; undefined for never, or where nobody said. */
  readonly expiresAtMs: number | undefined;
}

/** Where a verdict comes from: judged here, told by a server, or remembered from one. */
export type VerdictSource = "local" | "server" | "cache" | "stale";

/** A yes. */
export interface GrantedVerdict {
  readonly ok: true;
  readonly kind: "granted";
  readonly identity: Identity;
  readonly source: VerdictSource;
  /** How the key's rate limit stands, where one took part and this process counts it. */
  readonly limit?: LimitDecision;
}

/** A no: the credential is missing, malformed, not valid, or may not do what was asked. */
export interface RefusedVerdict {
  readonly ok: false;
  readonly kind: "refused";
  /** What the client may be told (HTTP.md, 'Verdicts'). */
  readonly error: Refusal["error"];
  /** Why, for the log; undefined where a server said no, since it tells nobody. */
  readonly reason: RefusalReason | undefined;
  /** The first 12 hex digits of the digest of the presented token, where there is one. */
  readonly fingerprint: string | undefined;
  /** The asked scopes, with `insufficient_scope`. */
  readonly scopes?: readonly string[];
  readonly source: VerdictSource;
}

/** Not now: a rate limit is used up. */
export interface LimitedVerdict {
  readonly ok: false;
  readonly kind: "limited";
  /** `too_many_failures`: a server has seen too many bad tokens from this process's address. */
  readonly error: "rate_limited" | "too_many_failures";
  /** After how many milliseconds to ask again; at least 1. */
  readonly retryAfterMs: number;
  /** How the limit stands, where this process counts it. */
  readonly limit?: LimitDecision;
  readonly source: VerdictSource;
}

/** Why no verdict could be reached. */
export type UndecidedReason =
  /** What was asked is ill-formed: an unknown member, an empty or impossible word. */
  | "ill-formed-requirement"
  /** The server did not answer in time. */
  | "timeout"
  /** There was no connection, or it broke. */
  | "unreachable"
  /** Asking has failed several times just now: the server was not asked. */
  | "circuit-open"
  /** The server answered with a 5xx. */
  | "server-error"
  /** Something answered, but not as a verify server does. */
  | "unexpected-answer"
  /** The client was closed. */
  | "closed";

/** Neither yes nor no: it could not be found out. Whoever asked must not let the request in. */
export interface UndecidedVerdict {
  readonly ok: false;
  readonly kind: "undecided";
  readonly error: "unavailable" | "misconfigured";
  readonly reason: UndecidedReason;
  /** After how many milliseconds to ask again, where the server said. */
  readonly retryAfterMs?: number;
}

/**
 * The answer to: whose token is this, and may it do that? `ok` tells yes from everything else;
 * `kind` tells 'no' (`refused`), 'not now' (`limited`) and 'could not ask' (`undecided`) apart.
 */
export type Verdict = GrantedVerdict | RefusedVerdict | LimitedVerdict | UndecidedVerdict;
