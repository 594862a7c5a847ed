/**
 * Places of rows by their hashes, as open addressing has them: at each place a row's number from 1,
 * or 0. A row stands at its hash's place or behind it, with no free place between. At most half of
 * them are taken, and their number is a power of two.
 */
export type RowSlots = Uint32Array<ArrayBuffer>;

/** Rows that another table's rows have become, in the same order. */
export interface TakenRows {
  /** Their numbers there. */
  readonly first: number;
  readonly end: number;
  /** The number of the first here. */
  readonly now: number;
}

/** Most runs of rows for which places are worked out from those of another table. */
const MOST_RUNS = 16;

/** Puts a row, whose digest has no row yet, at its place; gives how far from its hash's that is. */
export function placeRow(slots: RowSlots, hash: number, row: number): number {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = row + 1;
  return (slot - hash) & mask;
}

/**
 * The places of another table's rows with the numbers that they have here; undefined where it is
 * quicker to place all of them anew.
 *
 * @param hashes - of the other table's rows.
 * @param count - how many rows the other table has.
 * @param taken - what has become of them, in order; those in none of them are gone.
 */
export function renumberedSlots(
  other: RowSlots,
  hashes: Uint32Array,
  count: number,
  taken: readonly TakenRows[],
): RowSlots | undefined {
  const kept = taken.reduce((sum, { first, end }) => sum + end - first, 0);
  if (taken.length > MOST_RUNS || count - kept > count >> 4) return undefined;
  const slots = other.slice();
  let row = 0;
  for (const { first, end } of [...taken, { first: count, end: count }]) {
    for (; row < first; row += 1) removeRow(slots, hashes, row);
    row = end;
  }
  if (taken.every(({ first, now }) => now === first)) return slots;
  const ends = Uint32Array.from(taken, ({ end }) => end);
  const shifts = Int32Array.from(taken, ({ first, now }) => now - first);
  for (let slot = 0; slot < slots.length; slot += 1) {
    const number = slots[slot] ?? 0;
    if (number === 0) continue;
    let run = 0;
    while (number > (ends[run] ?? number)) run += 1;
    slots[slot] = number + (shifts[run] ?? 0);
  }
  return slots;
}

/** Takes a row away, and moves up those behind it that stand nearer to their place then. */
function removeRow(slots: RowSlots, hashes: Uint32Array, row: number): void {
  const mask = slots.length - 1;
  let free = (hashes[row] ?? 0) & mask;
  while (slots[free] !== row + 1) free = (free + 1) & mask;
  for (let slot = (free + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const home = (hashes[(slots[slot] ?? 0) - 1] ?? 0) & mask;
    if (((slot - home) & mask) < ((slot - free) & mask)) continue;
    slots[free] = slots[slot] ?? 0;
    free = slot;
  }
  slots[free] = 0;
}
