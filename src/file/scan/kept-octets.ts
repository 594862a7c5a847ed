import type { KeptOctets } from "./known-rows.js";

/** Octets that are compared in one go. */
const STEP = 1 << 16;

/** What two texts have in common: the octets that both start with, and those that both end with. */
export function keptOctets(before: Buffer, after: Buffer): readonly KeptOctets[] {
  const most = Math.min(before.length, after.length);
  const head = commonStart(before, after, most);
  const tail = commonEnd(before, after, most - head);
  return [
    { start: 0, end: head, now: 0 },
    { start: before.length - tail, end: before.length, now: after.length - tail },
  ].filter(({ start, end }) => end > start);
}

function commonStart(one: Buffer, other: Buffer, most: number): number {
  return extent(most, (from, to) => one.subarray(from, to).equals(other.subarray(from, to)));
}

function commonEnd(one: Buffer, other: Buffer, most: number): number {
  const part = (bytes: Buffer, from: number, to: number): Buffer =>
    bytes.subarray(bytes.length - to, bytes.length - from);
  return extent(most, (from, to) => part(one, from, to).equals(part(other, from, to)));
}

/** How far two texts are the same, where `isSame` compares a stretch of them. */
function extent(most: number, isSame: (from: number, to: number) => boolean): number {
  let same = 0;
  for (let step = STEP; step >= 1;) {
    const next = Math.min(same + step, most);
    if (next === same) return same;
    if (isSame(same, next)) same = next;
    else step >>= 1;
  }
  return same;
}
