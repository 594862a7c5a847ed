import { randomUUID } from "node:crypto";

// What nginx ($request_id), Envoy and Traefik send: a UUID, with or without hyphens.
const REQUEST_ID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/**
 * The id by which a request is found again in the log: that of a proxy's `X-Request-Id` where it is
 * a UUID, else a new one. Nothing else a client sends gets into the log by this way.
 */
export function requestIdOf(rawHeaders: readonly string[]): string {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length !== 12 || name.toLowerCase() !== "x-request-id") continue;
    const value = rawHeaders[index + 1] ?? "";
    if (REQUEST_ID.test(value)) return value;
  }
  return randomUUID();
}
