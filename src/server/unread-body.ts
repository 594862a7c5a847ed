import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "../core/problem.js";
import { UNREAD_BODY_MS, UNREAD_BODY_OCTETS } from "./limits.js";

/**
 * Answers a request whose body nobody reads and which has not come whole: the answer goes out at
 * once, and the connection is closed after it. Kept open, it would be stuck or worse: a proxy that
 * announces a body and sends none (nginx without `Content-Length ""`) would have its next request
 * taken for that body.
 *
 * What is still coming is waited for within bounds, since to close on a client that is sending can
 * cost it the answer.
 */
export function answerBeforeBody(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): void {
  response.writeHead(answer.status, [...answer.headers, "Connection", "close"]);
  response.flushHeaders();
  if (answer.body !== "") response.write(answer.body);

  let octets = 0;
  const timer = setTimeout(finish, UNREAD_BODY_MS);
  function finish(): void {
    clearTimeout(timer);
    response.end();
  }
  request.on("data", (chunk: Buffer) => {
    octets += chunk.length;
    if (octets > UNREAD_BODY_OCTETS) finish();
  });
  request.once("end", finish);
  request.once("close", finish);
}
