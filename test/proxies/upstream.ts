import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

/** A request as an upstream got it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  /** Names as they were sent, lower-cased, and values, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Octets of the body. */
  readonly octets: number;
}

/** An upstream that answers with what it got, and talks back over WebSocket. */
export interface Upstream {
  readonly url: string;
  readonly port: number;
  /** What came so far, denied requests not among it. */
  readonly seen: readonly Seen[];
  close(): Promise<void>;
}

/** Starts an upstream on a free port of loopback, or on a socket. */
export async function startUpstream(socketPath?: string): Promise<Upstream> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    let octets = 0;
    request.on("data", (chunk: Buffer) => {
      octets += chunk.length;
    });
    request.on("end", () => {
      const what = seenOf(request, octets);
      seen.push(what);
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(what));
    });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    const what = seenOf(request, 0);
    seen.push(what);
    socket.on("message", (data: Buffer) => {
      socket.send(`${data.toString()} ${JSON.stringify(what)}`);
    });
    socket.on("error", () => undefined);
  });
  if (socketPath === undefined) server.listen(0, "127.0.0.1");
  else server.listen({ path: socketPath, writableAll: true });
  await once(server, "listening");
  const port = socketPath === undefined ? (server.address() as AddressInfo).port : 0;
  return {
    url: socketPath === undefined ? `http://127.0.0.1:${String(port)}` : `unix:${socketPath}`,
    port,
    seen,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The values of a header that an upstream got, by its exact name in any case. */
export function valuesOf({ headers }: Seen, name: string): readonly string[] {
  return headers.filter(([given]) => given === name.toLowerCase()).map(([, value]) => value);
}

function seenOf({ method, url, rawHeaders }: IncomingMessage, octets: number): Seen {
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.push([rawHeaders[index]?.toLowerCase() ?? "", rawHeaders[index + 1] ?? ""]);
  }
  return { method: method ?? "", url: url ?? "", headers, octets };
}
