import { digestOf } from "./digest.js";
import type { Entry } from "./entry.js";
import type { Keystore } from "./keystore.js";
import { satisfiesScope } from "./scope.js";

/** What a request asks of a key; each list may be empty. */
export interface Requirement {
  /** Scopes, all of which the key must satisfy. */
  readonly scopes: readonly string[];
  /** Workspaces, none of which may lie outside those the key is bound to. */
  readonly workspaces: readonly string[];
}

/** Nothing asked but a key that is in service. */
export const NO_REQUIREMENT: Requirement = { scopes: [], workspaces: [] };

/** Why a credential is refused, for the log; a client sees only {@link Refusal.error}. */
export type RefusalReason =
  | "no-credential"
  | "malformed"
  | "unknown"
  | "revoked"
  | "disabled"
  | "expired"
  | "rotated"
  | "faulty"
  | "not-yet-valid"
  | "scope-missing"
  | "workspace-denied";

/** A yes: whose key it is. */
export interface Grant {
  readonly ok: true;
  readonly entry: Entry;
}

/** A no. */
export interface Refusal {
  readonly ok: false;
  /** What the client is told (HTTP.md, 'Verdicts'). */
  readonly error:
    | "unauthenticated"
    | "invalid_request"
    | "invalid_token"
    | "insufficient_scope"
    | "workspace_denied";
  readonly reason: RefusalReason;
  /** The key that the credential names, where it names one. */
  readonly entry?: Entry;
  /** The asked scopes, with `insufficient_scope`. */
  readonly scopes?: readonly string[];
}

/** The answer to: whose token is this, and may it do that? */
export type Verdict = Grant | Refusal;

/** No credential was presented. */
export const NO_CREDENTIAL: Refusal = {
  ok: false,
  error: "unauthenticated",
  reason: "no-credential",
};

/** A credential was presented in a form that can't be read. */
export const MALFORMED: Refusal = { ok: false, error: "invalid_request", reason: "malformed" };

/**
 * The one way to a yes. Judges in the order of HTTP.md: known → state → `not_before`/`expires_at` →
 * scope → workspace.
 *
 * The digest is looked up in a map, not compared in constant time: an attacker chooses the token
 * and not its SHA-256, so what the time of a look-up tells of stored digests helps to find no token.
 *
 * @param digest - 64 lowercase hex digits.
 * @param nowMs - the instant of the verdict, in milliseconds since 1970.
 */
export function verifyDigest(
  keystore: Keystore,
  digest: string,
  requirement: Requirement,
  nowMs: number,
): Verdict {
  const entry = keystore.find(digest);
  if (entry === undefined) return { ok: false, error: "invalid_token", reason: "unknown" };
  const reason = outOfService(entry, nowMs);
  if (reason !== undefined) return { ok: false, error: "invalid_token", reason, entry };
  if (!hasScopes(entry, requirement.scopes)) {
    return {
      ok: false,
      error: "insufficient_scope",
      reason: "scope-missing",
      entry,
      scopes: requirement.scopes,
    };
  }
  if (!isWithin(entry.workspaces, requirement.workspaces)) {
    return { ok: false, error: "workspace_denied", reason: "workspace-denied", entry };
  }
  return { ok: true, entry };
}

/** {@link verifyDigest} of a token: its octets, or a text that is hashed as UTF-8. */
export function verify(
  keystore: Keystore,
  token: string | Uint8Array,
  requirement: Requirement,
  nowMs: number,
): Verdict {
  return verifyDigest(keystore, digestOf(token), requirement, nowMs);
}

function hasScopes(entry: Entry, asked: readonly string[]): boolean {
  // Most requests ask for none: then the entry's are not even read.
  return asked.length === 0 || asked.every((scope) => satisfiesScope(entry.scopes, scope));
}

function isWithin(bound: readonly string[] | undefined, asked: readonly string[]): boolean {
  return bound === undefined || asked.every((name) => bound.includes(name));
}

function outOfService(entry: Entry, nowMs: number): RefusalReason | undefined {
  if (entry.place === "retired") return entry.state ?? "faulty";
  if (entry.faulty) return "faulty";
  if (entry.notBefore !== undefined && nowMs < entry.notBefore) return "not-yet-valid";
  if (entry.expiresAt !== undefined && nowMs >= entry.expiresAt) return "expired";
  return undefined;
}
