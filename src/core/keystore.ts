import { digestOf } from "./digest.js";
import { createEntry, type Entry } from "./entry.js";

/** Fewest hex digits of a digest that may name a key. */
export const SHORTEST_PREFIX = 6;

/** The contributor that the legacy `api_key` authenticates as. */
export const LEGACY_ID = "owner";

/**
 * The keys of a file, ready to be asked. Look-ups are by digest; a reader that holds a million keys
 * in another way implements the same interface.
 */
export interface Keystore {
  /** How many keys are in service or stand as if they were: entries of `api_keys`, and `api_key`. */
  readonly liveCount: number;
  readonly retiredCount: number;
  /** The digest of the admin key, where there is one. */
  readonly adminDigest: string | undefined;
  /** What `generationOf` gives, where the keystore has a quicker way to it. */
  readonly generation?: string;
  /** Works `generation` out step by step, where that takes long; each step is some milliseconds. */
  generationSteps?(): Iterator<undefined, unknown>;
  /** What `matchPrefix` gives, where the keystore has a quicker way to it. */
  startingWith?(prefix: string): Iterable<Entry>;
  /** Every key of a contributor, and perhaps others, where the keystore has a quick way to them. */
  perhapsOf?(id: string): Iterable<Entry>;
  /** Every key that names one it came from, and perhaps others, retired ones first. */
  perhapsRotated?(): Iterable<Entry>;
  /** The key of a digest (64 lowercase hex digits), live before retired. */
  find(digest: string): Entry | undefined;
  /** Live keys in file order; the legacy `api_key` is the last. */
  live(): Iterable<Entry>;
  /** Retired keys in file order. */
  retired(): Iterable<Entry>;
}

/** What a {@link Keystore} is made of. */
export interface KeystoreParts {
  readonly live: ReadonlyMap<string, Entry>;
  readonly retired: ReadonlyMap<string, Entry>;
  /** The raw legacy key, hashed here and not kept. */
  readonly legacyKey?: string | undefined;
  /** Whether an error stands against the legacy key, so that it authenticates nobody. */
  readonly legacyFaulty?: boolean;
  readonly adminDigest?: string | undefined;
}

/** A keystore held in memory as maps of entries. */
export function createKeystore(parts: KeystoreParts): Keystore {
  const legacy =
    parts.legacyKey === undefined
      ? undefined
      : legacyEntry(parts.legacyKey, parts.legacyFaulty ?? false);
  const live = new Map(parts.live);
  // Where its digest stands in `api_keys`, that entry wins.
  if (legacy !== undefined && !live.has(legacy.digest)) live.set(legacy.digest, legacy);
  return {
    liveCount: live.size,
    retiredCount: parts.retired.size,
    adminDigest: parts.adminDigest,
    find: (digest) => live.get(digest) ?? parts.retired.get(digest),
    live: () => live.values(),
    retired: () => parts.retired.values(),
  };
}

/** A keystore that nobody can get in by. */
export const EMPTY_KEYSTORE: Keystore = createKeystore({ live: new Map(), retired: new Map() });

/** Every key whose digest starts with `prefix`, live ones first; both in file order. */
export function matchPrefix(keystore: Keystore, prefix: string): readonly Entry[] {
  if (keystore.startingWith !== undefined) return [...keystore.startingWith(prefix)];
  return [...keystore.live(), ...keystore.retired()].filter((entry) =>
    entry.digest.startsWith(prefix),
  );
}

/** Every key of a contributor, live ones first; both in file order, each digest once. */
export function keysOf(keystore: Keystore, id: string): readonly Entry[] {
  const perhaps = keystore.perhapsOf?.(id) ?? [...keystore.live(), ...keystore.retired()];
  return [...perhaps].filter(
    // A digest that stands twice is the live key.
    (entry) => entry.id === id && keystore.find(entry.digest)?.place === entry.place,
  );
}

/** The entry that a raw `api_key` stands for. */
export function legacyEntry(token: string, faulty: boolean): Entry {
  const fields = new Map([["id", LEGACY_ID]]);
  return createEntry(digestOf(token), fields, { place: "legacy", faulty });
}
