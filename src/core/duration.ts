const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

const DURATION = /^([1-9][0-9]*)([smhdwy])$/;

/**
 * Milliseconds of a duration such as `30s`, `12h`, `90d`, `2w` or `1y` (a day is 24 hours, a year
 * 365 days), or undefined where the text is none or too large to count exactly.
 */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? Number.NaN);
  return Number.isSafeInteger(ms) ? ms : undefined;
}
