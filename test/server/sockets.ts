import { once } from "node:events";
import { request, type Agent, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Keystore } from "../../src/core/keystore.js";
import { parseKeystoreText } from "../../src/file/document.js";
import { startServer, type SingleServer } from "../../src/server/serve.js";
import { NOW } from "./requests.js";

/** A server on a free port of loopback, with the log it wrote. */
export interface ServedKeystore {
  readonly server: SingleServer;
  readonly log: () => string;
}

/** Serves a keystore of this process; its file is none. */
export async function serveKeystore(keystore: Keystore): Promise<ServedKeystore> {
  let text = "";
  const server = await startServer(
    {
      path: "/nonexistent/keys.yaml",
      diagnostics: [],
      keystore,
      since: "ENOENT",
      document: parseKeystoreText("", { nowMs: NOW }),
    },
    {
      address: { host: "127.0.0.1", port: 0 },
      tls: undefined,
      realm: "keys",
      version: "1.2.3",
      policy: () => ({ nowMs: NOW }),
      requestLog: true,
    },
    {
      now: () => NOW,
      write: (more) => {
        text += more;
        return Promise.resolve();
      },
    },
  );
  return { server, log: () => text };
}

/** A response, read whole. */
export interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What to send. */
export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent?: Agent;
}

/** Asks by Node's own client. */
export async function ask(url: string, sent: Sent = {}): Promise<Got> {
  const { method = "GET", headers = {}, body, agent } = sent;
  const outgoing = request(url, { method, headers, agent: agent ?? false });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of incoming as AsyncIterable<Buffer>) text += chunk.toString();
  return { status: incoming.statusCode, headers: incoming.headers, body: text };
}

/** A raw connection: what was received so far, and whether the other side has closed. */
export interface RawConnection {
  readonly socket: Socket;
  readonly text: () => string;
  readonly closed: () => boolean;
}

/** Opens a raw connection. */
export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  let closed = false;
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    closed = true;
  });
  await once(socket, "connect");
  return { socket, text: () => text, closed: () => closed };
}

/** Sends octets and gives what came back until the server closed, or `ms` passed. */
export async function exchange(port: number, octets: string, ms = 2000): Promise<string> {
  const raw = await openRaw(port);
  raw.socket.write(octets, "latin1");
  const end = Date.now() + ms;
  while (!raw.closed() && Date.now() < end) await delay(5);
  raw.socket.destroy();
  return raw.text();
}

/** The statuses of the responses in a text, in order. */
export function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}
