import type { ServerResponse } from "node:http";
import type { Answer } from "../core/problem.js";

/** Sends an answer through Node's response, unless somebody has answered or left. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = answer.status;
  setHeaders(response, answer.headers);
  response.end(answer.body);
}

/** Sets headers, names and values in turn, unless somebody has answered: a time-out, say. */
export function setHeaders(response: ServerResponse, headers: readonly string[]): void {
  if (response.headersSent) return;
  for (const [name, value] of pairsOf(headers)) response.setHeader(name, value);
}

/** Names and values in turn, as pairs. */
export function pairsOf(headers: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    pairs.push([headers[index] ?? "", headers[index + 1] ?? ""]);
  }
  return pairs;
}
