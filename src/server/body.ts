import type { IncomingMessage } from "node:http";
import { BODY_OCTETS } from "./limits.js";

/** What reading a body came to; `aborted` where the connection ended before it. */
type BodyResult = Buffer | "too-large" | "aborted";

/** Whether header lines announce more than is read of a body. */
export function announcesTooMuch(rawHeaders: readonly string[]): boolean {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== "content-length") continue;
    if (Number(rawHeaders[index + 1]) > BODY_OCTETS) return true;
  }
  return false;
}

/**
 * The whole body of a request, at most 64 KiB: what is announced larger is not begun with, and what
 * grows larger is not gone on with. Its time is limited by the server's request time-out.
 */
export function readBody(request: IncomingMessage): Promise<BodyResult> {
  if (announcesTooMuch(request.rawHeaders)) return Promise.resolve("too-large");
  // Where none was announced: no event will tell of its end any more.
  if (request.readableEnded) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let octets = 0;
    function conclude(result: BodyResult): void {
      request.off("data", take).off("end", end).off("close", close);
      resolve(result);
    }
    function take(chunk: Buffer): void {
      octets += chunk.length;
      if (octets > BODY_OCTETS) conclude("too-large");
      else chunks.push(chunk);
    }
    function end(): void {
      conclude(Buffer.concat(chunks));
    }
    function close(): void {
      conclude("aborted");
    }
    request.on("data", take).on("end", end).on("close", close);
  });
}
