import type { Entry } from "../core/entry.js";
import type { Keystore } from "../core/keystore.js";
import { fingerprintOf } from "../core/fingerprint.js";
import { NO_REQUIREMENT, verifyDigest } from "../core/verify.js";

/** A key, as the difference names it. */
export interface PushedKey {
  readonly digest: string;
  readonly fingerprint: string;
  readonly id: string;
}

/** One request that brings a server nearer to the file. */
export type PushStep = PushedKey &
  (
    | { readonly kind: "add" }
    | { readonly kind: "change"; readonly from: string }
    | { readonly kind: "remove"; readonly why: string }
  );

/** A live key that is not sent, since a server that knows only ids would let it in. */
export interface RefusedKey extends PushedKey {
  readonly reason: "expired" | "not-yet-valid";
}

/** What a server lacks of the file, and what it has besides. */
export interface PushPlan {
  /** Removals first: a revocation does not wait behind additions. */
  readonly steps: readonly PushStep[];
  readonly unchanged: number;
  readonly refused: readonly RefusedKey[];
  /** On the server and not in the file; left as they are, without `prune`. */
  readonly unknown: readonly PushedKey[];
  /** Whether `prune` is to take the last keys of the server. */
  readonly prunesAll: boolean;
  /**
   * How many keys the server has, or is to have, whose end, scopes, workspaces or limit it does not
   * know: those that are there already, too.
   */
  readonly wider: number;
  /** When the next of the keys that the server has, or is to have, ends; undefined where none does. */
  readonly nextEndMs: number | undefined;
  /** Whether the file has a legacy `api_key`, which is not sent. */
  readonly legacy: boolean;
}

/**
 * Compares a file's keys with a server's. What the file lets in now is to be live there, by the one
 * `verify`; what the file knows and does not let in is removed; what it does not know is removed
 * with `prune` alone.
 */
export function planPush(
  keystore: Keystore,
  server: ReadonlyMap<string, string>,
  nowMs: number,
  prune: boolean,
): PushPlan {
  const wanted = new Map<string, string>();
  const refused: RefusedKey[] = [];
  let wider = 0;
  let nextEndMs: number | undefined;
  let legacy: string | undefined;
  for (const entry of keystore.live()) {
    const { digest, fingerprint, id = "" } = entry;
    if (entry.place === "legacy") {
      legacy = digest;
      continue;
    }
    const verdict = verifyDigest(keystore, digest, NO_REQUIREMENT, nowMs);
    if (verdict.ok) {
      wanted.set(digest, id);
      const { expiresAt } = entry;
      if (isHeldHere(entry)) wider += 1;
      if (expiresAt !== undefined) nextEndMs = Math.min(expiresAt, nextEndMs ?? expiresAt);
    } else if (verdict.reason === "expired" || verdict.reason === "not-yet-valid") {
      refused.push({ digest, fingerprint, id, reason: verdict.reason });
    }
  }

  const steps: PushStep[] = [];
  const unknown: PushedKey[] = [];
  let isPruned = false;
  let unchanged = 0;
  for (const [digest, id] of server) {
    const key = { digest, fingerprint: fingerprintOf(digest), id };
    const target = wanted.get(digest);
    // The server has it from its own configuration; neither side can change it this way.
    if (digest === legacy) continue;
    if (target === undefined) {
      const why = whyRemoved(keystore, digest, nowMs);
      isPruned ||= prune && why === undefined;
      if (why === undefined && !prune) unknown.push(key);
      else steps.push({ ...key, kind: "remove", why: why ?? "not in the file" });
    } else if (target === id) {
      unchanged += 1;
    }
  }
  const removed = steps.length;
  for (const [digest, id] of wanted) {
    const from = server.get(digest);
    if (from === id) continue;
    const key = { digest, fingerprint: fingerprintOf(digest), id };
    steps.push(from === undefined ? { ...key, kind: "add" } : { ...key, kind: "change", from });
  }
  const added = steps.filter(({ kind }) => kind === "add").length;
  return {
    steps,
    unchanged,
    refused,
    unknown,
    prunesAll: isPruned && server.size - removed + added === 0,
    wider,
    nextEndMs,
    legacy: legacy !== undefined,
  };
}

/** Whether the file says more of a key's rights than whose it is. */
function isHeldHere({ expiresAt, scopes, workspaces, rateLimit }: Entry): boolean {
  const isLimited = rateLimit !== undefined && rateLimit !== "none";
  return expiresAt !== undefined || scopes.length > 0 || workspaces !== undefined || isLimited;
}

/** Why the file does not let a key in; undefined where it does not know it. */
function whyRemoved(keystore: Keystore, digest: string, nowMs: number): string | undefined {
  const verdict = verifyDigest(keystore, digest, NO_REQUIREMENT, nowMs);
  if (verdict.ok || verdict.reason === "unknown") return undefined;
  return verdict.reason.replaceAll("-", " ");
}
