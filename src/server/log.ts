import { JSON_LINES } from "./json-lines.js";
import type { LoggedRequest } from "./request-record.js";
import type { ServerEvent } from "./server-event.js";
import { TEXT_LINES } from "./text-lines.js";

/** Where a log's text goes, many lines at once; resolves when it has been handed over. */
export type LogWriter = (text: string) => Promise<void>;

/** The form of a log's lines: JSON for programs, text for people. */
export type LogForm = "json" | "text";

/** A log, a line a request or event. */
export interface ServerLog {
  request(logged: LoggedRequest): void;
  event(event: ServerEvent, atMs: number): void;
  /** Resolves when everything so far has been written, or could not be. */
  flush(): Promise<void>;
}

/** How long lines are gathered for a write, in milliseconds: what a crash may cost of them. */
const GATHER_MS = 5;

/** Most characters that wait for a slow reader of the log; beyond that lines are dropped. */
const MOST_PENDING = 8 * 1024 * 1024;

/**
 * A log that gathers lines for a moment, and while one write is under way, so that a slow reader
 * never holds up a verdict. What a reader is too slow for is dropped, and counted in the log itself.
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
  let hurried = false;
  let endMoment = (): void => undefined;

  function moment(): Promise<void> {
    if (hurried) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS);
      endMoment = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function drain(): Promise<void> {
    while (pending !== "") {
      await moment();
      const text = pending + droppedLine();
      pending = "";
      dropped = 0;
      // Nobody listens: a verdict is not less given.
      await write(text).catch(() => undefined);
    }
    writing = undefined;
    hurried = false;
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
    flush() {
      if (writing === undefined) return Promise.resolve();
      hurried = true;
      endMoment();
      return writing;
    },
  };
}
