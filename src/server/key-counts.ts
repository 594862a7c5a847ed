import type { KeyState } from "../core/entry.js";
import { stateAt } from "../core/entry.js";
import type { Keystore } from "../core/keystore.js";

/** How many keys are in each state. */
export type KeyCounts = Readonly<Record<KeyState, number>>;

interface Counted {
  /** Live keys, expired ones among them, and retired ones by state. */
  readonly fixed: KeyCounts;
  /** When live keys expire, in order. */
  readonly expiries: Float64Array;
}

const counted = new WeakMap<Keystore, Counted>();

/** Counts a keystore's keys at an instant. It is read once; afterwards only expiry is looked at. */
export function countKeys(keystore: Keystore, nowMs: number): KeyCounts {
  let known = counted.get(keystore);
  if (known === undefined) {
    known = readCounts(keystore);
    counted.set(keystore, known);
  }
  const { fixed, expiries } = known;
  const expired = countUpTo(expiries, nowMs);
  return { ...fixed, live: fixed.live - expired, expired: fixed.expired + expired };
}

function readCounts(keystore: Keystore): Counted {
  const fixed = { live: 0, expired: 0, revoked: 0, disabled: 0, rotated: 0 };
  const expiries: number[] = [];
  for (const { expiresAt } of keystore.live()) {
    fixed.live += 1;
    if (expiresAt !== undefined) expiries.push(expiresAt);
  }
  for (const entry of keystore.retired()) fixed[stateAt(entry, 0)] += 1;
  return { fixed, expiries: Float64Array.from(expiries).sort() };
}

/** How many of the sorted instants have come. */
function countUpTo(sorted: Float64Array, nowMs: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= nowMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
