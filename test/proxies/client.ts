import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import type { Seen } from "./upstream.js";

/** Header lines as they are sent: names in any spelling, and twice where they stand twice. */
export type Lines = readonly (readonly [name: string, value: string])[];

/** What to send to a proxy. */
export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly lines?: Lines;
  readonly body?: Buffer;
}

/** What a proxy answered. */
export interface Answered {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** What the upstream got, where it was the upstream that answered. */
  readonly seen: Seen;
}

/** Sends one request, on a connection of its own. */
export async function send(port: number, sent: Sent = {}): Promise<Answered> {
  const { method = "GET", path = "/", lines = [], body } = sent;
  const length: Lines = body === undefined ? [] : [["Content-Length", String(body.length)]];
  const outgoing = request({
    host: "127.0.0.1",
    port,
    method,
    path,
    agent: false,
    headers: [["Host", "proxied.example"], ...length, ...lines].flat(),
  });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of incoming as AsyncIterable<Buffer>) text += chunk.toString();
  const isEcho = incoming.headers["content-type"] === "application/json" && text !== "";
  return {
    status: incoming.statusCode,
    headers: incoming.headers,
    body: text,
    seen: isEcho ? (JSON.parse(text) as Seen) : { method: "", url: "", headers: [], octets: 0 },
  };
}

/** A header line with a token. */
export function bearer(token: string): readonly [string, string] {
  return ["Authorization", `Bearer ${token}`];
}

/** Opens a WebSocket, says hello, and gives what came back; or the status that refused it. */
export async function hello(port: number, token: string): Promise<string | number | undefined> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(port)}/socket`, {
    headers: { Authorization: `Bearer ${token}`, "X-Auth-Id": "evil" },
  });
  const refused = new Promise<number | undefined>((resolve) => {
    socket.on("unexpected-response", (_request, response: IncomingMessage) => {
      resolve(response.statusCode);
      socket.terminate();
    });
    socket.on("error", () => {
      resolve(undefined);
    });
  });
  const answered = (async () => {
    await once(socket, "open");
    socket.send("hello");
    const [data] = (await once(socket, "message")) as [Buffer];
    socket.terminate();
    return data.toString();
  })();
  answered.catch(() => undefined);
  return await Promise.race([answered, refused]);
}
