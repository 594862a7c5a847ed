import { parseInstant } from "../../core/instant.js";
import type { Scalars } from "./scalars.js";

/** Octets of an instant as it is written: `2026-11-22T10:00:00Z`. */
export const INSTANT_LENGTH = 20;
const DAY_MS = 86_400_000;
const DAYS_IN_MONTH: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * {@link parseInstant} of the scalar just read: without making a text of it where it is in the form
 * that is written, `2026-11-22T10:00:00Z`. NaN where it is no instant.
 */
export function instantOf(scalars: Scalars): number {
  const quotes = scalars.style === "plain" ? 0 : 1;
  const from = scalars.from + quotes;
  if (scalars.to - quotes - from === INSTANT_LENGTH && !scalars.escaped) {
    const quick = instantAt(scalars.bytes, from);
    if (!Number.isNaN(quick)) return quick;
  }
  return parseInstant(scalars.text()) ?? Number.NaN;
}

/** The instant that stands at an offset as it is written; NaN for anything else. */
export function instantAt(bytes: Uint8Array, from: number): number {
  const marks =
    bytes[from + 4] === 0x2d &&
    bytes[from + 7] === 0x2d &&
    bytes[from + 10] === 0x54 &&
    bytes[from + 13] === 0x3a &&
    bytes[from + 16] === 0x3a &&
    bytes[from + 19] === 0x5a;
  if (!marks) return Number.NaN;
  const year = pair(bytes, from) * 100 + pair(bytes, from + 2);
  const month = pair(bytes, from + 5);
  const day = pair(bytes, from + 8);
  const hour = pair(bytes, from + 11);
  const minute = pair(bytes, from + 14);
  const second = pair(bytes, from + 17);
  // A comparison with NaN is false: written so that one digit amiss is refused.
  const isInRange =
    year >= 1970 && month >= 1 && month <= 12 && hour <= 23 && minute <= 59 && second <= 59;
  if (!isInRange || !(day >= 1 && day <= daysIn(year, month))) return Number.NaN;
  return daysSince1970(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** Two digits as a number; NaN for anything else. */
function pair(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 0x30;
  const ones = (bytes[at + 1] ?? 0) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/** Days of the Gregorian calendar; the year is counted from March, so that leap days come last. */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
