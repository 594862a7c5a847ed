/** The first instant that a keystore can hold, in milliseconds since 1970. */
const FIRST_MS = 0;
/** The end of the year 9999, in milliseconds since 1970. */
const END_MS = 253_402_300_800_000;

const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/**
 * Milliseconds since 1970 of an RFC 3339 instant as a keystore holds it: upper-case `T` and `Z`,
 * a zone, a date that is in the calendar, no 24:00 and no leap second, the years 1970–9999
 * (KEYSTORE.md, 'Fields of an entry'). A fraction finer than a millisecond is cut. Undefined for
 * any other text.
 */
export function parseInstant(text: string): number | undefined {
  const match = INSTANT.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const midnight = new Date(Date.UTC(year, month - 1, day));
  const inCalendar = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
  if (!inCalendar || year < 1970) return undefined;
  const zone = zoneMs(match[8], match[9], match[10]);
  if (zone === undefined) return undefined;
  const fraction = Number((match[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const ms = midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + fraction - zone;
  return isInstant(ms) ? ms : undefined;
}

/** Whether a number of milliseconds since 1970 can be written into a keystore. */
export function isInstant(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= FIRST_MS && ms < END_MS;
}

/** An instant in UTC with `Z`, to the second, or to the millisecond where it has a fraction. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

function zoneMs(sign?: string, hours?: string, minutes?: string): number | undefined {
  if (sign === undefined) return 0;
  const [h, m] = [Number(hours), Number(minutes)];
  if (h > 23 || m > 59) return undefined;
  return (sign === "-" ? -1 : 1) * (h * 60 + m) * 60_000;
}
