import { requestRecord, type LoggedRequest } from "./request-record.js";
import type { ServerEvent } from "./server-event.js";

/** Widths of columns; what is wider moves the rest of its line. */
const ROUTE = 10;
const VERDICT = 18;
const FINGERPRINT = 12;
const REMOTE = 15;
const LEVEL = 7;

/** Requests and events as text for people: aligned, ASCII alone, one line each. */
export const TEXT_LINES = {
  /** `time status route verdict fingerprint remote ms request_id`, then `id=` and `reason=`. */
  request(logged: LoggedRequest): string {
    const record = requestRecord(logged);
    const columns = [
      record.ts,
      String(record.status),
      (record.route ?? "-").padEnd(ROUTE),
      (record.verdict ?? "-").padEnd(VERDICT),
      (record.fingerprint ?? "-").padEnd(FINGERPRINT),
      (record.remote ?? "-").padEnd(REMOTE),
      `${record.ms.toFixed(3)}ms`.padStart(10),
      record.request_id,
    ];
    if (record.id !== null) columns.push(`id=${shown(record.id)}`);
    if (record.reason !== null) columns.push(`reason=${record.reason}`);
    return ascii(columns.join(" "));
  },

  /** `time LEVEL event: message`, then the details as `name=value`. */
  event({ level, event, message, details = {} }: ServerEvent, atMs: number): string {
    const columns = [
      new Date(atMs).toISOString(),
      level.toUpperCase().padEnd(LEVEL),
      `${event}: ${message}`,
      ...Object.entries(details).map(([name, value]) => `${name}=${shown(value)}`),
    ];
    return ascii(columns.join(" "));
  },
};

/** A value that can't be taken for the next one. */
function shown(value: unknown): string {
  return typeof value === "string" && /^[A-Za-z0-9._@+:/-]+$/.test(value)
    ? value
    : JSON.stringify(value);
}

// A terminal obeys some of the rest, and a line must stay one.
function ascii(line: string): string {
  return line.replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
