import type { Entry } from "../core/entry.js";
import { formatInstant } from "../core/instant.js";
import { keysOf, matchPrefix, SHORTEST_PREFIX, type Keystore } from "../core/keystore.js";
import { KeysError } from "../errors.js";
import { looksLikeToken } from "./suspicion.js";

/** How a command line names keys. */
export type KeyNaming =
  | { readonly by: "prefix"; readonly prefix: string }
  | { readonly by: "id"; readonly id: string }
  | { readonly by: "all" };

/** The parts of a command line that name keys. */
export interface NamingOptions {
  readonly id?: string;
  readonly all?: boolean;
}

const HEX = /^[0-9a-f]+$/;
const DIGEST_LENGTH = 64;

/** Prefixes up to this length are repeated in messages: a longer one might be a token of hex digits. */
const SHOWN_PREFIX = 12;

/**
 * What the command line names, or undefined where it names nothing.
 *
 * @throws KeysError `usage`, `value-invalid`
 */
export function parseNaming(
  operands: readonly string[],
  { id, all = false }: NamingOptions,
): KeyNaming | undefined {
  const [key] = operands;
  if (key !== undefined && (id !== undefined || all)) {
    throw new KeysError("usage", "a key is named in two ways", {
      hint: "give a fingerprint, or --id, not both",
    });
  }
  if (key !== undefined) return { by: "prefix", prefix: parsePrefix(key) };
  if (id !== undefined) return { by: "id", id };
  return all ? { by: "all" } : undefined;
}

/** What a command says where it needs a key and none is named. */
export function unnamedKey(
  hint = "give its fingerprint (`keys list` shows it), or --id NAME",
): KeysError {
  return new KeysError("usage", "no key is named", { hint });
}

/**
 * The keys that are named: live ones first, in file order, each digest once.
 *
 * @throws KeysError `key-not-found`; `key-ambiguous` for a prefix of several
 */
export function findKeys(keystore: Keystore, naming: KeyNaming): readonly Entry[] {
  if (naming.by === "prefix") return [findByPrefix(keystore, naming.prefix)];
  if (naming.by === "all") return uniqueKeys([...keystore.live(), ...keystore.retired()]);
  const found = keysOf(keystore, naming.id);
  if (found.length > 0) return found;
  const whose = looksLikeToken(naming.id) ? "that contributor" : naming.id;
  throw new KeysError("key-not-found", `there is no key of ${whose}`, {
    hint: "`keys list --state all` shows every key",
  });
}

/** The one key of several. @throws KeysError `key-ambiguous` */
export function onlyKey(entries: readonly Entry[], what: string): Entry {
  const [first, ...others] = entries;
  if (first === undefined) {
    throw new KeysError("key-not-found", `${what} names no key`, {
      hint: "`keys list --state all` shows every key",
    });
  }
  if (others.length === 0) return first;
  throw new KeysError(
    "key-ambiguous",
    `${what} names ${entries.length} keys: ${describeApart(entries).join("; ")}`,
    { hint: "name one of them by its fingerprint" },
  );
}

/** A key in a sentence: `c1f29e0ba7d3 (alice, laptop)`. */
export function describe(entry: Entry, name: string = entry.fingerprint): string {
  const about = [entry.id, entry.label].filter((text) => text !== undefined && text !== "");
  return about.length === 0 ? name : `${name} (${about.join(", ")})`;
}

/** {@link describe} of each of several keys, with the whole digest where they share a fingerprint. */
export function describeEach(entries: readonly Entry[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { fingerprint } of entries) {
    counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
  }
  return entries.map((entry) =>
    describe(entry, counts.get(entry.fingerprint) === 1 ? entry.fingerprint : entry.digest),
  );
}

/**
 * {@link describeEach} for who has to choose: keys that are alike but for their fingerprints, as the
 * old and the new one of a rotation, are told apart by their times.
 */
export function describeApart(entries: readonly Entry[]): readonly string[] {
  const about = entries.map((entry) => describe(entry, ""));
  const counts = new Map<string, number>();
  for (const text of about) counts.set(text, (counts.get(text) ?? 0) + 1);
  return describeEach(entries).map((name, index) => {
    const entry = entries[index];
    const isAlike = (counts.get(about[index] ?? "") ?? 0) > 1;
    return entry === undefined || !isAlike ? name : [name, ...timesOf(entry)].join(", ");
  });
}

function timesOf({ createdAt, expiresAt, state }: Entry): readonly string[] {
  return [
    ...(createdAt === undefined ? [] : [`created ${formatInstant(createdAt)}`]),
    ...(expiresAt === undefined ? [] : [`ends ${formatInstant(expiresAt)}`]),
    ...(state === undefined ? [] : [state]),
  ];
}

function findByPrefix(keystore: Keystore, prefix: string): Entry {
  const found = uniqueKeys(matchPrefix(keystore, prefix));
  const shown = prefix.length <= SHOWN_PREFIX ? prefix : "that digest";
  if (found.length > 0) return onlyKey(found, shown);
  throw new KeysError("key-not-found", `no key starts with ${shown}`, {
    hint: "`keys list --state all` shows every key",
  });
}

/** Where a digest stands twice, live and retired, the live one. */
function uniqueKeys(entries: readonly Entry[]): readonly Entry[] {
  const seen = new Set<string>();
  return entries.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
}

function parsePrefix(text: string): string {
  const prefix = text.toLowerCase();
  if (HEX.test(prefix)) {
    if (prefix.length < SHORTEST_PREFIX) {
      throw new KeysError("value-invalid", "that is too short for a fingerprint", {
        hint: `give at least ${SHORTEST_PREFIX} of its hex digits`,
      });
    }
    if (prefix.length <= DIGEST_LENGTH) return prefix;
    throw new KeysError("value-invalid", "that is longer than a digest", {
      hint: `a digest has ${DIGEST_LENGTH} hex digits; the first ${SHOWN_PREFIX} of them name a key`,
    });
  }
  if (looksLikeToken(text)) {
    throw new KeysError("value-invalid", "a token is never an argument", {
      hint: "it stands in the shell's history now; `keys identify` reads it from stdin and says which key it is",
    });
  }
  throw new KeysError("value-invalid", "that is no fingerprint", {
    hint: `give at least ${SHORTEST_PREFIX} of its hex digits; a contributor's keys are named with --id NAME`,
  });
}
