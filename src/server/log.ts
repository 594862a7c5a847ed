import { setImmediate } from "node:timers/promises";
import { fingerprintOf } from "../core/fingerprint.js";
import type { RoutedReply } from "./routes.js";
import { TEXT_LINES } from "./text-lines.js";

/** Where a log's text goes, many lines at once; resolves when it has been handed over. */
export type LogWriter = (text: string) => Promise<void>;

/** How grave an event is. */
export type LogLevel = "info" | "warning" | "error";

/** What the server tells of itself, beside its requests. */
export interface ServerEvent {
  readonly level: LogLevel;
  /** A stable name, such as `keystore-refused`. */
  readonly event: string;
  /** A sentence for the operator. */
  readonly message: string;
  /** What belongs to it; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A request as the log sees it. */
export interface LoggedRequest extends RoutedReply {
  /** When it came, in milliseconds since 1970. */
  readonly atMs: number;
  /** How long the answer took, in milliseconds. */
  readonly ms: number;
  readonly remote: string | undefined;
  readonly requestId: string;
}

/** The form of a log's lines: JSON for programs, text for people. */
export type LogForm = "json" | "text";

/** A log, a line a request or event. */
export interface ServerLog {
  request(logged: LoggedRequest): void;
  event(event: ServerEvent, atMs: number): void;
  /** Resolves when everything so far has been written, or could not be. */
  flush(): Promise<void>;
}

/** Most characters that wait for a slow reader of the log; beyond that lines are dropped. */
const MOST_PENDING = 8 * 1024 * 1024;

/**
 * A log that gathers lines while one write is under way, so that a slow reader never holds up a
 * verdict. What a reader is too slow for is dropped, and counted in the log itself.
 */
export function createServerLog(
  write: LogWriter,
  now: () => number,
  form: LogForm = "json",
): ServerLog {
  const lines = form === "json" ? JSON_LINES : TEXT_LINES;
  let pending = "";
  let dropped = 0;
  let writing: Promise<void> | undefined;

  async function drain(): Promise<void> {
    // What comes in the same turn goes out with it.
    await setImmediate();
    while (pending !== "") {
      const text = pending + droppedLine();
      pending = "";
      dropped = 0;
      // Nobody listens: a verdict is not less given.
      await write(text).catch(() => undefined);
    }
    writing = undefined;
  }

  function droppedLine(): string {
    if (dropped === 0) return "";
    const message = `${dropped} lines were dropped: whatever reads the log is too slow`;
    return `${lines.event({ level: "warning", event: "log-dropped", message }, now())}\n`;
  }

  function add(line: string): void {
    if (pending.length > MOST_PENDING) dropped += 1;
    else pending += `${line}\n`;
    writing ??= drain();
  }

  return {
    request: (logged) => {
      add(lines.request(logged));
    },
    event: (event, atMs) => {
      add(lines.event(event, atMs));
    },
    flush: () => writing ?? Promise.resolve(),
  };
}

/** Requests and events as JSON. */
const JSON_LINES = { request: formatRequestLine, event: formatEventLine };

/**
 * A request as a line (HTTP.md, 'Operations'). There is never a token in it, nor target, method or
 * header, which may hold one: of an unknown token only the first 12 hex digits of its digest.
 */
export function formatRequestLine(logged: LoggedRequest): string {
  return formatLine(requestRecord(logged));
}

/** A request, as the members of its line. */
export interface RequestRecord {
  readonly ts: string;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly id: string | null;
  readonly fingerprint: string | null;
  readonly remote: string | null;
  readonly ms: number;
  readonly request_id: string;
  readonly route: string | null;
  readonly status: number;
}

/** What a line tells of a request. */
export function requestRecord(logged: LoggedRequest): RequestRecord {
  const { verdict, digest, outcome, reason, id, answer } = logged.reply;
  const refused = verdict?.ok === false ? verdict : undefined;
  return {
    ts: new Date(logged.atMs).toISOString(),
    verdict: outcome ?? (verdict?.ok === true ? "ok" : (refused?.error ?? null)),
    reason: reason ?? refused?.reason ?? null,
    id: id ?? verdict?.entry?.id ?? null,
    fingerprint: digest === undefined ? null : fingerprintOf(digest),
    remote: logged.remote ?? null,
    ms: Math.round(logged.ms * 1000) / 1000,
    request_id: logged.requestId,
    route: logged.route ?? null,
    status: answer.status,
  };
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
