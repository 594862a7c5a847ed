/** @import { Row, Target } from "./types.d.ts" */

/** @param {readonly number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/**
 * Measures in turn, A B A B, so that what the machine does besides falls on both.
 *
 * @template {string} Name
 * @param {number} rounds
 * @param {Readonly<Record<Name, () => number | Promise<number>>>} variants
 * @returns {Promise<Record<Name, number[]>>}
 */
export async function inTurn(rounds, variants) {
  const names = /** @type {Name[]} */ (Object.keys(variants));
  const found = /** @type {Record<Name, number[]>} */ (
    Object.fromEntries(names.map((name) => [name, /** @type {number[]} */ ([])]))
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) found[name].push(await variants[name]());
  }
  return found;
}

/**
 * A row of two series that were taken in turn.
 *
 * @param {Pick<Row, "id" | "suite" | "measure" | "baseline"> & {
 *   unit: string,
 *   target?: Target | undefined,
 *   show: (value: number) => string,
 *   subject: readonly number[],
 *   against: readonly number[],
 * }} of
 * @returns {Row}
 */
export function rowOf({ id, suite, measure, baseline, unit, target, show, subject, against }) {
  const ratios = subject.map((value, at) => value / (against[at] ?? Number.NaN));
  const [one, other] = [median(subject), median(against)];
  return {
    id,
    suite,
    measure,
    baseline,
    unit,
    target,
    ratio: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    best: best(subject, unit) / best(against, unit),
    n: ratios.length,
    subject: show(one),
    against: show(other),
    values: [one, other],
    skipped: undefined,
  };
}

/**
 * A row that could not be measured here.
 *
 * @param {Pick<Row, "id" | "suite" | "measure" | "baseline"> & {
 *   unit: string,
 *   target?: Target | undefined,
 * }} of
 * @param {string} why
 * @returns {Row}
 */
export function skippedRow({ id, suite, measure, baseline, unit, target }, why) {
  const nothing = {
    ratio: undefined,
    best: undefined,
    least: undefined,
    most: undefined,
    values: undefined,
  };
  return {
    ...{ id, suite, measure, baseline, unit, target },
    ...nothing,
    n: 0,
    subject: "",
    against: "",
    skipped: why,
  };
}

/** @param {number} value @returns {Target} */
export function atMost(value) {
  return { kind: "at most", value };
}

/** @param {number} value @returns {Target} */
export function atLeast(value) {
  return { kind: "at least", value };
}

/** @param {Row} row */
function isMet({ ratio, target }) {
  if (ratio === undefined || target === undefined) return true;
  return target.kind === "at most" ? ratio <= target.value : ratio >= target.value;
}

/**
 * Whether a row is worse than twice its target, by its median and by the best that either side did:
 * what other work on the machine adds is in the one, and hardly in the other. Where the target was
 * missed already when results were kept, only what is worse than three times that is news: such rows
 * hang on the disk and on the start of a process, which vary most.
 *
 * @param {Row} row
 * @param {readonly Row[]} kept
 */
export function isRegressed({ id, ratio, best: ofBest, target }, kept) {
  if (ratio === undefined || ofBest === undefined || target === undefined) return false;
  const missed = kept.filter((row) => row.id === id && !isMet(row));
  const known = missed.flatMap((row) => (row.ratio === undefined ? [] : [row.ratio]));
  return target.kind === "at most"
    ? Math.min(ratio, ofBest) > Math.max(target.value * 2, ...known.map((reached) => reached * 3))
    : Math.max(ratio, ofBest) < Math.min(target.value / 2, ...known.map((reached) => reached / 3));
}

/** @param {readonly number[]} series @param {string} unit */
function best(series, unit) {
  return unit === "rate" ? Math.max(...series) : Math.min(...series);
}

/** @param {Row} row */
export function verdictOf(row) {
  if (row.skipped !== undefined) return "skipped";
  if (row.target === undefined) return "reported";
  return isMet(row) ? "met" : "missed";
}

/** @param {number} ms */
export function milliseconds(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 1 ? `${ms.toFixed(1)} ms` : `${(ms * 1000).toFixed(1)} µs`;
}

/** @param {number} ns */
export function nanoseconds(ns) {
  return ns >= 1000 ? `${(ns / 1000).toFixed(2)} µs` : `${ns.toFixed(0)} ns`;
}

/** @param {number} kibibytes */
export function memory(kibibytes) {
  return `${(kibibytes / 1024).toFixed(0)} MiB`;
}

/** @param {number} perSecond */
export function rate(perSecond) {
  return `${Math.round(perSecond).toLocaleString("en-GB")}/s`;
}
