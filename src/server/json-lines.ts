import { requestRecord, type LoggedRequest } from "./request-record.js";
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
  return formatLine(requestRecord(logged));
}

/** An event as a line: `ts level event message` and its details. */
function formatEventLine(event: ServerEvent, atMs: number): string {
  const { level, event: name, message, details } = event;
  return formatLine({ ts: new Date(atMs).toISOString(), level, event: name, message, ...details });
}

// Everything but ASCII is escaped: a terminal obeys some of it, and any reader of JSON undoes it.
function formatLine(value: object): string {
  return JSON.stringify(value).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
