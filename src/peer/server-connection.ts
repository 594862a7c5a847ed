import * as http from "node:http";
import * as https from "node:https";
import { systemCode } from "../errors.js";

/** Longest body that is taken from a server, in octets. */
const BODY_OCTETS = 64 * 1024;
/** Most connections to the server at a time. */
const MAX_SOCKETS = 64;

/** What asking a server came to. Never holds what was sent. */
export type Received =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** Lower-case names; values of a repeated name are joined by a comma. */
      readonly headers: http.IncomingHttpHeaders;
      readonly body: string;
    }
  | { readonly kind: "timeout" | "unreachable" | "unexpected-answer" };

/** Where the server is. */
export interface ServerPlace {
  readonly url: URL;
  /** The path of a unix socket to connect to instead of the URL's host. */
  readonly socketPath?: string | undefined;
  /** Certificates to trust instead of the usual ones, PEM. */
  readonly ca?: string | Buffer | undefined;
}

/** Connections to one server, kept alive. */
export interface ServerConnection {
  /**
   * Sends a GET and takes the answer whole. Redirects are answers, and never followed: a credential
   * goes to the configured server and to no other.
   *
   * @param timeoutMs - until the whole answer is there.
   */
  get(path: string, headers: readonly string[], timeoutMs: number): Promise<Received>;
  close(): void;
}

/** Opens nothing yet: a connection is made at the first request. */
export function connectTo({ url, socketPath, ca }: ServerPlace): ServerConnection {
  const { Agent, request } = url.protocol === "https:" ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const base = url.pathname.replace(/\/+$/, "");
  const target: https.RequestOptions = {
    agent,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? undefined : Number(url.port),
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(ca === undefined ? {} : { ca }),
  };

  function once(
    path: string,
    headers: readonly string[],
    signal: AbortSignal,
  ): Promise<Received | "retry"> {
    return new Promise((resolve) => {
      const lines = ["Host", url.host, ...headers];
      const outgoing = request({ ...target, path: base + path, headers: lines, signal });
      outgoing.on("error", (error) => {
        if (signal.aborted) resolve({ kind: "timeout" });
        // The server closed an idle connection at the very moment it was used again.
        else if (outgoing.reusedSocket && isReset(error)) resolve("retry");
        else resolve({ kind: isNoHttp(error) ? "unexpected-answer" : "unreachable" });
      });
      // Without a listener Node drops the connection and tells nobody: no answer, and no time-out.
      outgoing.on("upgrade", (_, socket) => {
        socket.destroy();
        resolve({ kind: "unexpected-answer" });
      });
      outgoing.on("response", (incoming) => {
        const chunks: Buffer[] = [];
        let octets = 0;
        incoming.on("data", (chunk: Buffer) => {
          octets += chunk.length;
          chunks.push(chunk);
          if (octets > BODY_OCTETS) {
            resolve({ kind: "unexpected-answer" });
            outgoing.destroy();
          }
        });
        incoming.on("error", () => {
          resolve({ kind: signal.aborted ? "timeout" : "unreachable" });
        });
        incoming.on("end", () => {
          const { statusCode: status = 0, headers: received } = incoming;
          const body = Buffer.concat(chunks).toString("utf8");
          resolve({ kind: "answer", status, headers: received, body });
        });
      });
      outgoing.end();
    });
  }

  return {
    async get(path, headers, timeoutMs) {
      const stop = new AbortController();
      const timer = setTimeout(() => {
        stop.abort();
      }, timeoutMs);
      try {
        for (;;) {
          const received = await once(path, headers, stop.signal);
          if (received !== "retry") return received;
        }
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      agent.destroy();
    },
  };
}

function isReset(error: Error): boolean {
  return ["ECONNRESET", "EPIPE"].includes(systemCode(error) ?? "");
}

/** Node's parser met something that is no HTTP. */
function isNoHttp(error: Error): boolean {
  return systemCode(error)?.startsWith("HPE_") ?? false;
}
