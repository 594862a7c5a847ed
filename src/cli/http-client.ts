import { once } from "node:events";
import {
  Agent as HttpAgent,
  request as requestHttp,
  type ClientRequest,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { Duplex } from "node:stream";
import { isKeysError, KeysError, systemCode } from "../errors.js";

/** What to ask a server. */
export interface HttpRequest {
  readonly method: "GET" | "PUT" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Longest answer that is read, in octets; more is `peer-answer-invalid`. */
  readonly maxOctets: number;
}

/** A whole answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** A client of one server: one connection, kept from request to request. */
export interface HttpClient {
  /**
   * Asks once. Redirects are answers like others: none is followed, so that no token goes where
   * nobody sent it. No proxy is used, whatever the environment says.
   *
   * @throws KeysError `peer-unreachable`, `peer-answer-invalid`; the signal's reason once it is aborted.
   */
  ask(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

/** How a client goes about it. */
export interface HttpClientOptions {
  /** For one request, from its start to the end of the answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Why a server could not be asked, by the system's code. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ECONNRESET", "the connection was closed"],
  ["EPIPE", "the connection was closed"],
  ["EHOSTUNREACH", "there is no way to that host"],
  ["ENETUNREACH", "there is no way to that network"],
  ["ENOTFOUND", "there is no host of that name"],
  ["EAI_AGAIN", "the host's name can't be resolved now"],
  ["ETIMEDOUT", "no answer in time"],
  ["EPROTO", "no TLS is spoken there"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name"],
]);

const BAD_CERTIFICATE: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);
const UNTRUSTED = /^(?:SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_UNTRUSTED)/;

/** A client over `node:http` and `node:https`, with the system's certificate authorities. */
export function createHttpClient({ timeoutMs, signal }: HttpClientOptions): HttpClient {
  const options = { keepAlive: true, maxSockets: 1 };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };

  async function ask(request: HttpRequest, isRetry = false): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const { method, url, headers = {}, body } = request;
    const isTls = url.startsWith("https:");
    const outgoing = (isTls ? requestHttps : requestHttp)(url, {
      method,
      headers: {
        ...headers,
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) }),
      },
      agent: isTls ? agents.https : agents.http,
    });
    const late = new KeysError("peer-unreachable", "no answer in time");
    const timer = setTimeout(() => outgoing.destroy(late), timeoutMs);
    const stop = (): void => {
      outgoing.destroy(signal.reason instanceof Error ? signal.reason : undefined);
    };
    signal.addEventListener("abort", stop, { once: true });
    // What comes after the first error would be nobody's.
    outgoing.on("error", () => undefined);
    try {
      outgoing.end(body);
      const [incoming] = (await Promise.race([
        once(outgoing, "response"),
        refuseUpgrade(outgoing, originOf(url)),
      ])) as [IncomingMessage];
      const text = await readBody(incoming, request.maxOctets, originOf(url));
      return { status: incoming.statusCode ?? 0, body: text };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof KeysError && error.code === "peer-answer-invalid") throw error;
      // A kept connection that the server closed at that moment: every request here may be repeated.
      if (outgoing.reusedSocket && systemCode(error) === "ECONNRESET" && !isRetry) {
        return await ask(request, true);
      }
      throw unreachable(originOf(url), error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      outgoing.destroy();
    }
  }

  return {
    ask: (request) => ask(request),
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** Rejects where the server switches protocols unasked: unheard, that would end no wait at all. */
async function refuseUpgrade(outgoing: ClientRequest, origin: string): Promise<never> {
  const [, socket] = (await once(outgoing, "upgrade")) as [IncomingMessage, Duplex];
  socket.destroy();
  throw answerInvalid(origin, "a switch to another protocol");
}

async function readBody(
  incoming: IncomingMessage,
  maxOctets: number,
  origin: string,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxOctets) throw answerInvalid(origin, "longer than any answer may be");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What a server's answer is that the contract does not know. */
export function answerInvalid(where: string, what: string): KeysError {
  return new KeysError("peer-answer-invalid", `the answer of ${where} is ${what}`, {
    hint: "is that the address of a server with this interface?",
  });
}

/** Scheme, host and port: what messages name. */
export function originOf(url: string): string {
  return new URL(url).origin;
}

function unreachable(origin: string, cause: unknown): KeysError {
  const code = systemCode(cause) ?? "";
  const reason =
    cause instanceof KeysError && cause.code === "peer-unreachable"
      ? cause.message
      : (REASONS.get(code) ?? otherReason(code));
  return new KeysError("peer-unreachable", `${origin} can't be asked: ${reason}`, {
    hint: UNTRUSTED.test(code)
      ? "name its certificate authority with NODE_EXTRA_CA_CERTS=FILE"
      : "is the server up, and the address right?",
    cause,
  });
}

/** Whether a server was not asked for its certificate's sake: asking again gives the same. */
export function isUntrusted(error: unknown): error is KeysError {
  if (!isKeysError(error, "peer-unreachable")) return false;
  const code = systemCode(error.cause) ?? "";
  return UNTRUSTED.test(code) || BAD_CERTIFICATE.has(code);
}

function otherReason(code: string): string {
  if (UNTRUSTED.test(code)) return "its certificate is not trusted here";
  if (code.startsWith("HPE_")) return "what answers does not speak HTTP";
  return /^[A-Z][A-Z0-9_]{1,39}$/.test(code) ? code : "the connection failed";
}
