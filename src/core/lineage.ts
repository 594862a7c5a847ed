import type { Entry } from "./entry.js";
import { fingerprintOf } from "./fingerprint.js";
import type { Keystore } from "./keystore.js";

const NAMES_KEY = /^[0-9a-f]{12,64}$/i;

/**
 * The lineages of a keystore's keys: the fingerprint that a chain of `rotated_from` begins with, so
 * that a key shares its rate limit's window with those it came from and those that come from it. A
 * key that is known no more counts as long as another names it. In a circle, the least fingerprint.
 *
 * @returns the lineage of an entry; the keystore is read at the first entry that names another.
 */
export function createLineages(keystore: Keystore): (entry: Entry) => string {
  let parents: ReadonlyMap<string, string> | undefined;
  return (entry) => {
    if (parentOf(entry) === undefined) return entry.fingerprint;
    parents ??= readParents(keystore);
    return oldest(entry.fingerprint, parents);
  };
}

function oldest(fingerprint: string, parents: ReadonlyMap<string, string>): string {
  const path = new Set<string>();
  let name = fingerprint;
  while (!path.has(name)) {
    path.add(name);
    const parent = parents.get(name);
    if (parent === undefined) return name;
    name = parent;
  }
  const steps = [...path];
  const circle = steps.slice(steps.indexOf(name));
  return circle.reduce((least, other) => (other < least ? other : least));
}

function readParents(keystore: Keystore): ReadonlyMap<string, string> {
  const parents = new Map<string, string>();
  const entries = keystore.perhapsRotated?.() ?? [...keystore.retired(), ...keystore.live()];
  for (const entry of entries) {
    const parent = parentOf(entry);
    if (parent !== undefined) parents.set(entry.fingerprint, parent);
  }
  return parents;
}

function parentOf(entry: Entry): string | undefined {
  const name = entry.fields.get("rotated_from");
  if (name === undefined || !NAMES_KEY.test(name)) return undefined;
  return fingerprintOf(name.toLowerCase());
}
