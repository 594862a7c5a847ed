import { requestRecord, timeText, type LoggedRequest } from "./request-record.js";
import type { ServerEvent } from "./server-event.js";

/** Requests and events as JSON. */
export const JSON_LINES: {
  readonly request: typeof formatRequestLine;
  readonly event: typeof formatEventLine;
} = { request: formatRequestLine, event: formatEventLine };

/**
 * A request as a line (HTTP.md, 'Operations'). There is never a token in it, nor target, method or
 * header, which may hold one: of an unknown token only the first 12 hex digits of its digest.
 */
export function formatRequestLine(logged: LoggedRequest): string {
  const record = requestRecord(logged);
  // What JSON.stringify would make of it, at a third of its cost.
  return (
    `{"ts":"${record.ts}","verdict":${named(record.verdict)},` +
    `"reason":${named(record.reason)},"id":${quoted(record.id)},` +
    `"fingerprint":${named(record.fingerprint)},"remote":${quoted(record.remote)},` +
    `"ms":${record.ms},"request_id":"${record.request_id}",` +
    `"route":${named(record.route)},"status":${record.status}}`
  );
}

/** A word that is the server's own, or digits: there is nothing to escape in it. */
function named(word: string | null): string {
  return word === null ? "null" : `"${word}"`;
}

/** A text that JSON takes as it is, between quotes. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string | null): string {
  if (text === null) return "null";
  return PLAIN.test(text) ? `"${text}"` : formatLine(text);
}

/** An event as a line: `ts level event message` and its details. */
function formatEventLine(event: ServerEvent, atMs: number): string {
  const { level, event: name, message, details } = event;
  return formatLine({ ts: timeText(atMs), level, event: name, message, ...details });
}

// Everything but ASCII is escaped: a terminal obeys some of it, and any reader of JSON undoes it.
function formatLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
