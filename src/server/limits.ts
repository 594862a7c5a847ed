import type { ProblemCode } from "../core/problem.js";

/** Longest request target, in octets (414). */
export const TARGET_OCTETS: number = 8 * 1024;
/** Most octets of header lines, with their colons and line ends (431). */
const HEADER_OCTETS: number = 16 * 1024;
/**
 * What Node's parser takes of target and header lines together, in octets: somewhat more than both
 * limits, so that the two can be told apart here.
 */
export const PARSER_OCTETS: number = TARGET_OCTETS + HEADER_OCTETS + 1024;
/** Most octets of a request body that is read (413). */
export const BODY_OCTETS: number = 64 * 1024;
/** Within how long the header lines must arrive, in milliseconds. */
export const HEADERS_TIMEOUT_MS: number = 5000;
/** How often Node looks for connections past a time-out, in milliseconds. */
export const TIMEOUT_CHECK_MS: number = 500;
/** Within how long a whole request must arrive, in milliseconds. */
export const REQUEST_TIMEOUT_MS: number = 10_000;
/** How long an idle connection is kept, in milliseconds. */
export const KEEP_ALIVE_MS: number = 65_000;
/** After how long without a byte a connection is given up in mid-request, in milliseconds. */
export const STALLED_MS: number = 30_000;
/** Most connections at a time. */
export const MAX_CONNECTIONS: number = 10_000;
/** Most octets of a body that nobody reads which are waited for after the answer. */
export const UNREAD_BODY_OCTETS: number = 64 * 1024;
/** How long such a body is waited for, in milliseconds. */
export const UNREAD_BODY_MS: number = 1000;

// A line is `name: value` and its end.
const LINE_OCTETS = 4;

/** Which limit a request exceeds, if any. */
export function exceededLimit(
  target: string,
  rawHeaders: readonly string[],
): ProblemCode | undefined {
  if (target.length > TARGET_OCTETS) return "target_too_long";
  let octets = 0;
  for (const text of rawHeaders) octets += text.length + LINE_OCTETS / 2;
  return octets > HEADER_OCTETS ? "headers_too_large" : undefined;
}

/** Whether header lines announce a body. */
export function announcesBody(rawHeaders: readonly string[]): boolean {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length === 14 && name.toLowerCase() === "content-length") {
      return Number(rawHeaders[index + 1]) !== 0;
    }
    if (name.length === 17 && name.toLowerCase() === "transfer-encoding") return true;
  }
  return false;
}
