const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Units with the number of them up to which they are used; a month is a twelfth of 365.25 days. */
const UNITS: readonly (readonly [name: string, ms: number, upTo: number])[] = [
  ["second", SECOND, 59],
  ["minute", MINUTE, 59],
  ["hour", HOUR, 47],
  ["day", DAY, 99],
  ["month", 30.4375 * DAY, 23],
  ["year", 365.25 * DAY, Number.POSITIVE_INFINITY],
];

/** An instant as seen from another: `in 3 days`, `2 hours ago`, `now`. Both in milliseconds. */
export function formatRelative(ms: number, nowMs: number): string {
  const distance = Math.abs(ms - nowMs);
  for (const [name, unit, upTo] of UNITS) {
    const count = Math.round(distance / unit);
    if (count > upTo) continue;
    if (count === 0) return "now";
    const amount = `${count} ${name}${count === 1 ? "" : "s"}`;
    return ms > nowMs ? `in ${amount}` : `${amount} ago`;
  }
  return "now";
}
