import {
  problemAnswer,
  type Answer,
  type ProblemCode,
  type ProblemExtras,
} from "../core/problem.js";
import type { Verdict } from "../core/verify.js";
import type { Awaitable } from "./services.js";

/** A request as handlers see it: no socket, no stream. */
export interface KeysRequest {
  readonly method: string;
  /** The target before the first `?`, exactly as it was sent. */
  readonly path: string;
  /** The target after the first `?`, still encoded; undefined where there is none. */
  readonly query: string | undefined;
  /** Names and values in turn, as they came: a joined form would hide a second line. */
  readonly rawHeaders: readonly string[];
  /** The whole body, for routes that read one. */
  readonly body?: Uint8Array | undefined;
  /** The IP address of the peer; undefined over a Unix socket. */
  readonly remote?: string | undefined;
  /** When its header lines had come, in milliseconds of a clock that never goes back. */
  readonly atMs?: number | undefined;
}

/** What became of a request: the answer, and for the log why. */
export interface Reply {
  readonly answer: Answer;
  /** Where a credential was judged. */
  readonly verdict?: Verdict | undefined;
  /** The digest of the presented token, where one could be read. */
  readonly digest?: string | undefined;
  /** `ok` or a problem's `error`, where the verdict alone does not say it. */
  readonly outcome?: string | undefined;
  /** Why, in one word, where the verdict does not say it. */
  readonly reason?: string | undefined;
  /** Whose request it was, where no key says it. */
  readonly id?: string | undefined;
}

/**
 * A function from request to reply, without a socket. It is a promise only where something has to
 * be waited for.
 */
export type Handler = (request: KeysRequest) => Awaitable<Reply>;

const ABSOLUTE_FORM = /^https?:\/\/[^/?]*/i;

/**
 * Path and query of a request target, nothing decoded or resolved. The absolute form that a proxy
 * may send (RFC 9112 §3.2.2) counts as its path and query.
 */
export function splitTarget(target: string): Pick<KeysRequest, "path" | "query"> {
  const origin = target.startsWith("/") ? target : target.replace(ABSOLUTE_FORM, "");
  const mark = origin.indexOf("?");
  if (mark === -1) return { path: origin, query: undefined };
  return { path: origin.slice(0, mark), query: origin.slice(mark + 1) };
}

/** An answer in JSON. */
export function jsonAnswer(status: number, value: unknown): Answer {
  const body = JSON.stringify(value);
  return {
    status,
    headers: [
      "Cache-Control",
      "no-store",
      "Content-Type",
      "application/json",
      "Content-Length",
      String(Buffer.byteLength(body)),
    ],
    body,
  };
}

/** A problem that needs no verdict. */
export function problemReply(code: ProblemCode, extras: ProblemExtras = {}): Reply {
  return { answer: problemAnswer(code, extras), outcome: code };
}
