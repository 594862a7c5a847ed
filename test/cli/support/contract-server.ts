import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** What a request was, as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

/**
 * A server that speaks the context-intelligence-server contract of `/admin/keys` (HTTP.md) and
 * nothing else: written from the contract alone, so that `keys push` is not tested against itself.
 */
export interface ContractServer {
  readonly url: string;
  readonly server: Server;
  readonly live: Map<string, string>;
  readonly retired: Set<string>;
  readonly seen: Seen[];
  /** Answers a request in its own way where it gives true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** What stands on a {@link ContractServer}. */
export interface Standing {
  readonly adminToken?: string;
  readonly live?: Readonly<Record<string, string>>;
  readonly retired?: readonly string[];
  readonly legacyToken?: string;
}

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

export async function contractServer(standing: Standing = {}): Promise<ContractServer> {
  const live = new Map(Object.entries(standing.live ?? {}));
  const retired = new Set(standing.retired ?? []);
  const admin = standing.adminToken === undefined ? undefined : sha256(standing.adminToken);
  const legacy = standing.legacyToken === undefined ? undefined : sha256(standing.legacyToken);
  const seen: Seen[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const { authorization } = request.headers;
    seen.push({ method, path: url, authorization });
    if (found.intercept(request, response)) return;
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    let text = "";
    for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString();

    const token = /^Bearer (\S+)$/.exec(authorization ?? "")?.[1];
    const known = token === undefined ? undefined : sha256(token);
    const isContributor = known !== undefined && (live.has(known) || known === legacy);
    if (known === undefined || (known !== admin && !isContributor)) {
      send(401, { detail: "unauthorized" });
      return;
    }
    if (admin === undefined) {
      send(503, { detail: "no admin key" });
      return;
    }
    if (known !== admin) {
      send(403, { detail: "forbidden" });
      return;
    }
    if (url === "/admin/keys" && method === "GET") {
      send(200, { keys: [...live].map(([hash, id]) => ({ hash, id })) });
      return;
    }
    const hash = /^\/admin\/keys\/(.+)$/.exec(url)?.[1];
    if (hash === undefined || !["PUT", "DELETE"].includes(method)) {
      send(404, { detail: "not found" });
      return;
    }
    if (!/^[0-9a-f]{64}$/.test(hash)) {
      send(422, { detail: "not a digest" });
      return;
    }
    if (hash === admin || hash === legacy) {
      send(409, { detail: "that digest is taken" });
      return;
    }
    if (method === "DELETE") {
      if (!live.delete(hash)) {
        send(404, { detail: "not live" });
        return;
      }
      retired.add(hash);
      send(200, { hash, deleted: true });
      return;
    }
    if (retired.has(hash)) {
      send(409, { detail: "retired" });
      return;
    }
    const { id } = JSON.parse(text) as { id?: unknown };
    if (typeof id !== "string" || id.trim() === "" || id.length > 256 || id === "system") {
      send(422, { detail: "no such id" });
      return;
    }
    live.set(hash, id);
    send(200, { hash, id });
  }

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const found: ContractServer = {
    url: `http://127.0.0.1:${String(port)}`,
    server,
    live,
    retired,
    seen,
    intercept: () => false,
  };
  return found;
}
