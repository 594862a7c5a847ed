import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { digestOf } from "../../src/core/digest.js";

/** A request as a scripted server received it. */
export interface Seen {
  readonly url: string;
  readonly authorization: string | undefined;
}

/** A real HTTP server that answers as a test says. */
export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  /** What it was asked, the oldest first. */
  readonly seen: readonly Seen[];
  /** Closes it and every connection. */
  stop(): Promise<void>;
}

/** Starts one on a free port of loopback, or the given one, until the test is over. */
export async function scriptedServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  port = 0,
): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? "", authorization: request.headers.authorization });
    answer(request, response);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  onTestFinished(stop);
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${String(bound)}`, port: bound, seen, stop };
}

/** The headers of a verify server's yes. */
export function yes(
  token: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    "X-Auth-Id": "alice",
    "X-Auth-Fingerprint": digestOf(token).slice(0, 12),
    "X-Auth-Scopes": "-",
    "X-Auth-Workspaces": "*",
    "X-Auth-Mode": "apikey",
    "X-Auth-Tenant": "-",
    "X-Keys-Generation": "0123456789abcdef",
    "X-Keys-Expires": "-",
    ...more,
  };
}

/** The body of a verify server's problem. */
export function problem(error: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ type: "about:blank", error, ...more });
}

/** Its headers. */
export const PROBLEM = { "Content-Type": "application/problem+json" } as const;

/** A server that answers the first octets of every connection with these, and then waits. */
export async function rawServer(octets: string): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined).once("data", () => socket.write(octets));
    onTestFinished(() => {
      socket.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
