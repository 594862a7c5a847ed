import { performance } from "node:perf_hooks";
import { digestOfHeader } from "../core/digest.js";
import { fingerprintOf } from "../core/fingerprint.js";
import type { Entry } from "../core/entry.js";
import { generationOf } from "../core/generation.js";
import type { Keystore } from "../core/keystore.js";
import { createLineages } from "../core/lineage.js";
import type { LimitDecision } from "../core/limit-decision.js";
import { parseRateLimit, type RateLimit } from "../core/rate-limit.js";
import { createRateLimiter } from "../core/rate-limiter.js";
import { MALFORMED, NO_CREDENTIAL, verifyDigest } from "../core/verify.js";
import { KeysError } from "../errors.js";
import { requirementOf, type Asked } from "./asked.js";
import { readCredential, type CredentialSource } from "./credential-source.js";
import { followKeystore, type FollowOptions } from "./followed-keystore.js";
import { identityOf } from "./identity.js";
import { refused } from "./refused.js";
import { ILL_FORMED, undecided } from "./undecided.js";
import type { GrantedVerdict, Verdict } from "./verdict.js";

/** How verdicts are reached, wherever the keystore is. */
interface JudgeOptions {
  /** Milliseconds since 1970; default the machine's clock. */
  readonly clock?: () => number;
  /**
   * Whether each key's `rate_limit` is applied. Each process counts for itself: with three of them
   * a key may use three times its limit. Default true.
   */
  readonly rateLimits?: boolean;
  /** The limit of keys without one of their own, such as `60/1m`. Default `none`. */
  readonly defaultRateLimit?: string;
}

/** A verifier over a keystore in memory, which stays as it is. */
export interface MemoryVerifierOptions extends JudgeOptions {
  readonly keystore: Keystore;
}

/** A verifier over a keystore's file. */
export interface FileVerifierOptions extends JudgeOptions, FollowOptions {
  /** The path of the keystore. */
  readonly file: string;
}

export type VerifierOptions = MemoryVerifierOptions | FileVerifierOptions;

/** Reaches verdicts in this process, without a server. */
export interface Verifier {
  /**
   * Whose token is this, and may it do that? Synchronous; its time is mostly that of SHA-256.
   *
   * @throws KeysError `value-invalid` where `source` is nothing to read a credential from.
   */
  verify(source: CredentialSource, asked?: Asked): Verdict;
  /** The generation of the keystore in force: as `X-Keys-Generation` of a verify server. */
  readonly generation: string;
  /** Looks at the file at once; settles when what it found is in force, or was refused. */
  reload(): Promise<void>;
  /** Stops following the file. Verdicts are `undecided` from then on. */
  close(): void;
}

const VERIFIER_OPTIONS: ReadonlySet<string> = new Set<
  keyof MemoryVerifierOptions | keyof FileVerifierOptions
>([
  "allowEmpty",
  "clock",
  "defaultRateLimit",
  "file",
  "keystore",
  "onError",
  "onReload",
  "onWarning",
  "policy",
  "rateLimits",
  "watch",
]);

/**
 * Makes a verifier. A file is read once and then followed, however it is replaced: a key that is
 * revoked is refused within a second. A new content that is not wholly valid is refused, and the
 * last good one stays in force.
 *
 * @throws KeystoreInvalidError (`keystore-invalid`) where the file is not wholly valid.
 * @throws KeysError `file-not-found`, `file-unreadable`, … as `loadKeystore`; `value-invalid` where
 *   an option is unknown or can't be understood.
 */
export async function createVerifier(options: VerifierOptions): Promise<Verifier> {
  const unknown = Object.keys(options).find((name) => !VERIFIER_OPTIONS.has(name));
  if (unknown !== undefined) throw new KeysError("value-invalid", `no such option: ${unknown}`);
  if (Object.hasOwn(options, "file") === Object.hasOwn(options, "keystore")) {
    throw new KeysError("value-invalid", "give a verifier either a file or a keystore");
  }
  const fallback = parseRateLimit(options.defaultRateLimit ?? "none");
  if (fallback === undefined) {
    throw new KeysError("value-invalid", "the default rate limit can't be understood", {
      hint: "write `60/1m`, or `none`",
    });
  }
  const now = options.clock ?? Date.now;
  const follower =
    "file" in options
      ? await followKeystore(options.file, options, now)
      : { keystore: options.keystore, check: () => Promise.resolve(), close: () => undefined };
  const limits = options.rateLimits === false ? undefined : createLimits(fallback, options.clock);
  let closed = false;
  let view = viewOf(follower.keystore);

  /** What follows from the keystore in force, made anew when it changes. */
  function current(): KeystoreView {
    if (view.keystore !== follower.keystore) view = viewOf(follower.keystore);
    return view;
  }

  return {
    verify(source, asked) {
      const requirement = requirementOf(asked);
      if (requirement === undefined) return ILL_FORMED;
      if (closed) return undecided("closed");
      const read = readCredential(source);
      if (read.kind !== "credential") {
        return refused(read.kind === "none" ? NO_CREDENTIAL : MALFORMED, undefined);
      }
      const { keystore, lineageOf, granted } = current();
      const digest = digestOfHeader(read.credential.token);
      const verdict = verifyDigest(keystore, digest, requirement, now());
      if (!verdict.ok) return refused(verdict, fingerprintOf(digest));
      const { entry } = verdict;
      const limit = limits?.(entry, lineageOf);
      if (limit === undefined) return granted(entry);
      if (limit.allowed) return { ...granted(entry), limit };
      const retryAfterMs = Math.max(1, Math.ceil(limit.retryAfterMs));
      return {
        ok: false,
        kind: "limited",
        error: "rate_limited",
        retryAfterMs,
        limit,
        source: "local",
      };
    },
    get generation() {
      return current().generation;
    },
    reload: () => follower.check(),
    close() {
      closed = true;
      follower.close();
    },
  };
}

interface KeystoreView {
  readonly keystore: Keystore;
  readonly generation: string;
  readonly lineageOf: (entry: Entry) => string;
  readonly granted: (entry: Entry) => GrantedVerdict;
}

function viewOf(keystore: Keystore): KeystoreView {
  const made = new WeakMap<Entry, GrantedVerdict>();
  let generation: string | undefined;
  return {
    keystore,
    get generation() {
      return (generation ??= generationOf(keystore));
    },
    lineageOf: createLineages(keystore),
    granted(entry) {
      let verdict = made.get(entry);
      if (verdict === undefined) {
        const identity = identityOf(entry);
        verdict = Object.freeze({ ok: true, kind: "granted", identity, source: "local" });
        made.set(entry, verdict);
      }
      return verdict;
    },
  };
}

type TakeLimit = (entry: Entry, lineageOf: (entry: Entry) => string) => LimitDecision | undefined;

function createLimits(fallback: RateLimit | "none", clock: (() => number) | undefined): TakeLimit {
  const limiter = createRateLimiter();
  // The wall clock may be set; what is counted must not come free by it.
  const now = clock ?? (() => performance.now());
  return (entry, lineageOf) => {
    const limit = entry.rateLimit ?? fallback;
    return limit === "none" ? undefined : limiter.take(lineageOf(entry), limit, now());
  };
}
