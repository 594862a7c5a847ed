import type { ServerEvent } from "./server-event.js";
import type { TlsChange } from "./tls.js";

/** What the log says of a certificate that changed. */
export function tlsEvent(change: TlsChange): ServerEvent {
  if ("pair" in change) {
    return {
      level: "info",
      event: "tls-loaded",
      message: "the certificate and its key were reloaded",
    };
  }
  return {
    level: "error",
    event: "tls-refused",
    message: `the certificate was not reloaded, the last good one stays in use: ${change.error.message}`,
  };
}
