import { STATUS_CODES } from "node:http";
import { problemAnswer, type ProblemCode } from "../core/problem.js";
import { TARGET_OCTETS } from "./limits.js";

/** What Node says of a request that its parser gave up. */
export interface ParserError extends Error {
  readonly code?: string;
  /** The octets at hand when it failed. */
  readonly rawPacket?: Buffer;
}

const LINE_END = "\r\n";
const REQUEST_LINE = /^[A-Z-]+ \S/;

/** Which problem a parser's failure is. */
export function parserProblem(error: ParserError): ProblemCode {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return "request_timeout";
  if (error.code !== "HPE_HEADER_OVERFLOW") return "bad_request";
  // A target that came in pieces looks like a header here.
  const packet = error.rawPacket?.toString("latin1") ?? "";
  const isTarget = REQUEST_LINE.test(packet) && firstLineLength(packet) > TARGET_OCTETS;
  return isTarget ? "target_too_long" : "headers_too_large";
}

/** A problem as the octets of a whole response after which the connection is closed. */
export function formatRawProblem(code: ProblemCode): string {
  const { status, headers, body } = problemAnswer(code);
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    lines.push(`${headers[index] ?? ""}: ${headers[index + 1] ?? ""}`);
  }
  lines.push("Connection: close", "", body);
  return lines.join(LINE_END);
}

function firstLineLength(text: string): number {
  const end = text.indexOf(LINE_END);
  return end === -1 ? text.length : end;
}
