import type { Refusal } from "./verify.js";

/** An answer over HTTP: header names and values in turn, as Node's `writeHead` takes them. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

/** The `error` member of a problem: what programs compare (HTTP.md, 'Verdicts'). */
export type ProblemCode =
  | Refusal["error"]
  | "rate_limited"
  | "too_many_failures"
  | "misconfigured"
  | "unavailable"
  | "admin_required"
  | "admin_disabled"
  | "digest_invalid"
  | "digest_conflict"
  | "id_invalid"
  | "write_failed"
  | "bad_request"
  | "not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "body_too_large"
  | "target_too_long"
  | "headers_too_large";

interface ProblemRow {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
}

function row(status: number, title: string, detail: string): ProblemRow {
  return { status, title, detail };
}

const PROBLEMS: Readonly<Record<ProblemCode, ProblemRow>> = {
  unauthenticated: row(401, "Unauthorized", "no API key was presented"),
  invalid_request: row(400, "Bad Request", "the API key was presented in a form that is not valid"),
  invalid_token: row(401, "Unauthorized", "the API key is not valid"),
  insufficient_scope: row(403, "Forbidden", "the API key lacks a scope that this needs"),
  workspace_denied: row(403, "Forbidden", "the API key is bound to other workspaces"),
  rate_limited: row(429, "Too Many Requests", "the API key is over its limit"),
  too_many_failures: row(
    429,
    "Too Many Requests",
    "too many API keys that are not valid came from this address",
  ),
  misconfigured: row(
    503,
    "Service Unavailable",
    "what is required is ill-formed: an unknown, empty or malformed parameter",
  ),
  unavailable: row(503, "Service Unavailable", "no verdict could be reached"),
  admin_required: row(403, "Forbidden", "this needs the admin key, not a contributor's"),
  admin_disabled: row(503, "Service Unavailable", "no admin key is configured"),
  digest_invalid: row(
    422,
    "Unprocessable Content",
    "the path names no digest that a key may have: 64 lowercase hex digits, not of a known value",
  ),
  digest_conflict: row(
    409,
    "Conflict",
    "this digest is the admin key's, the legacy key's, or a retired key's",
  ),
  id_invalid: row(
    422,
    "Unprocessable Content",
    "an id is a text of 1 to 256 characters, not blank, not reserved, without control characters",
  ),
  write_failed: row(500, "Internal Server Error", "the keystore could not be written: no change"),
  bad_request: row(400, "Bad Request", "the request can't be read"),
  not_found: row(404, "Not Found", "there is nothing at this path"),
  method_not_allowed: row(405, "Method Not Allowed", "this path does not take this method"),
  request_timeout: row(408, "Request Timeout", "the request took too long to arrive"),
  body_too_large: row(413, "Content Too Large", "the request body is larger than 64 KiB"),
  target_too_long: row(414, "URI Too Long", "the request target is longer than 8 KiB"),
  headers_too_large: row(
    431,
    "Request Header Fields Too Large",
    "the request headers are larger than 16 KiB",
  ),
};

/** Milliseconds after which asking again may help, where no verdict could be reached. */
const RETRY_AFTER_MS = 5000;

/** How answers differ for a caller who understands only some statuses. */
export interface Presentation {
  /** The status to answer with, from the true one. */
  readonly status: (status: number) => number;
  /** Headers to add, from the true status and, of a problem, its code. */
  readonly headers: (status: number, code?: ProblemCode) => readonly string[];
}

/** Answers as HTTP.md's 'Verdicts' gives them. */
export const AS_IT_IS: Presentation = { status: (status) => status, headers: () => [] };

/** What a problem carries besides its code. */
export interface ProblemExtras {
  /** Header names and values in turn, in front of the others. */
  readonly headers?: readonly string[];
  /** Milliseconds after which asking again may help: `Retry-After`. */
  readonly retryAfterMs?: number;
  /** Members of its body beyond those every problem has. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/**
 * A problem as an answer: `application/problem+json` (RFC 9457) with `type`, `title`, `status`,
 * `detail` and `error`. `type` is `about:blank`: the title says no more than the status, and
 * `error` is what tells problems apart. A 503 always has a `Retry-After`.
 */
export function problemAnswer(
  code: ProblemCode,
  extras: ProblemExtras = {},
  presentation: Presentation = AS_IT_IS,
): Answer {
  const { status: trueStatus, title, detail } = PROBLEMS[code];
  const status = presentation.status(trueStatus);
  const {
    headers = [],
    members,
    retryAfterMs = trueStatus === 503 ? RETRY_AFTER_MS : undefined,
  } = extras;
  const problem = { type: "about:blank", title, status, detail, error: code, ...members };
  const body = JSON.stringify(problem);
  const retry =
    retryAfterMs === undefined ? [] : ["Retry-After", String(retryAfterSeconds(retryAfterMs))];
  return {
    status,
    headers: [
      ...headers,
      ...retry,
      ...presentation.headers(trueStatus, code),
      "Cache-Control",
      "no-store",
      "Content-Type",
      "application/problem+json",
      "Content-Length",
      String(Buffer.byteLength(body)),
    ],
    body,
  };
}

/** Whole seconds to wait, rounded up, at least one (HTTP.md, 'Verdicts'). */
function retryAfterSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

/** What of a refusal its answer is made of. */
export type RefusalProblem = Pick<Refusal, "error" | "scopes">;

/**
 * The answers to refusals: status, challenge (RFC 6750 §3) and problem. Every refusal of one
 * `error` gets the same octets, so that unknown, retired, expired and not yet valid can't be told
 * apart; only a missing scope's challenge names what was asked.
 *
 * @param realm - without `"` and `\`.
 */
export function createRefusalAnswers(
  realm: string,
  presentation: Presentation = AS_IT_IS,
): (refusal: RefusalProblem) => Answer {
  const challenge = (code: Refusal["error"], attributes: string): Answer =>
    problemAnswer(
      code,
      { headers: ["WWW-Authenticate", `Bearer realm="${realm}"${attributes}`] },
      presentation,
    );
  const fixed = {
    unauthenticated: challenge("unauthenticated", ""),
    invalid_request: challenge("invalid_request", ', error="invalid_request"'),
    invalid_token: challenge("invalid_token", ', error="invalid_token"'),
    workspace_denied: challenge("workspace_denied", ', error="insufficient_scope"'),
  };
  return (refusal) => {
    if (refusal.error !== "insufficient_scope") return fixed[refusal.error];
    const needed = [...new Set(refusal.scopes)].join(" ");
    return challenge("insufficient_scope", `, error="insufficient_scope", scope="${needed}"`);
  };
}
