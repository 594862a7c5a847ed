import type { Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import { Server as NetServer, type Socket } from "node:net";

/** For how long after the stop requests on open connections are still answered, in milliseconds. */
const FAREWELL_MS = 200;
/** How often connections that have become idle are closed after that, in milliseconds. */
const SWEEP_MS = 50;

/**
 * Makes a server stop cleanly: it accepts no more connections, answers what is in flight, closes
 * idle connections, and after the grace time all others. To be called before it listens.
 *
 * Idle connections are kept for 200 ms: a request may be on its way that the client would otherwise
 * see reset, and its answer says `Connection: close`.
 *
 * @returns stops the server within `graceMs` milliseconds and settles when it has; called again, it
 *   can only shorten the grace.
 */
export function stoppable(server: Server | TlsServer): (graceMs: number) => Promise<void> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });

  function sweep(): void {
    server.closeIdleConnections();
    // Node counts a connection that never sent an octet as active.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }

  async function stop(): Promise<void> {
    let sweeper: NodeJS.Timeout | undefined;
    const farewell = setTimeout(() => {
      sweep();
      sweeper = setInterval(sweep, SWEEP_MS);
    }, FAREWELL_MS);
    await new Promise<void>((resolve) => {
      // The HTTP server's own `close` would close idle connections at once, and watch no time-outs.
      NetServer.prototype.close.call(server, () => {
        resolve();
      });
    });
    clearTimeout(farewell);
    clearInterval(sweeper);
    server.close();
  }

  let stopped: Promise<void> | undefined;
  return (graceMs) => {
    const grace = setTimeout(() => {
      server.closeAllConnections();
    }, graceMs);
    stopped ??= stop();
    return stopped.finally(() => {
      clearTimeout(grace);
    });
  };
}
