import type { Entry } from "../core/entry.js";
import type { Reply } from "./message.js";
import { roundedMs, timeText, verdictRecord, type LoggedRequest } from "./request-record.js";
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
  const { atMs, reply, remote = null, ms, requestId, route = null } = logged;
  // What JSON.stringify would make of it, at a fraction of its cost.
  return (
    `{"ts":"${timeText(atMs)}",${verdictMembers(reply)},"remote":${quoted(remote)},` +
    `"ms":${roundedMs(ms)},"request_id":"${requestId}",` +
    `"route":${named(route)},"status":${reply.answer.status}}`
  );
}

/** What is told of a yes to a key, which is the same each time. */
const yesMembers = new WeakMap<Entry, string>();

function verdictMembers(reply: Reply): string {
  const { verdict, digest, outcome, reason, id } = reply;
  if (verdict?.ok !== true || digest !== verdict.entry.digest) return formatVerdict(reply);
  if ((outcome ?? reason ?? id) !== undefined) return formatVerdict(reply);
  let members = yesMembers.get(verdict.entry);
  if (members === undefined) {
    members = formatVerdict(reply);
    yesMembers.set(verdict.entry, members);
  }
  return members;
}

function formatVerdict(reply: Reply): string {
  const { verdict, reason, id, fingerprint } = verdictRecord(reply);
  return (
    `"verdict":${named(verdict)},"reason":${named(reason)},` +
    `"id":${quoted(id)},"fingerprint":${named(fingerprint)}`
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
