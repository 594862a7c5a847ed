import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Answer, ProblemCode } from "../core/problem.js";
import { announcesTooMuch, readBody } from "./body.js";
import {
  announcesBody,
  exceededLimit,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_CONNECTIONS,
  PARSER_OCTETS,
  REQUEST_TIMEOUT_MS,
  STALLED_MS,
  TIMEOUT_CHECK_MS,
} from "./limits.js";
import type { ServerLog } from "./log.js";
import { problemReply, splitTarget, type KeysRequest } from "./message.js";
import { formatRawProblem, parserProblem, type ParserError } from "./parser-error.js";
import { requestIdOf } from "./request-id.js";
import type { RoutedReply, Router } from "./routes.js";
import { OLDEST_TLS, type TlsPair } from "./tls.js";
import { answerBeforeBody } from "./unread-body.js";

/** What a listener is made from. */
export interface ListenerOptions {
  readonly router: Router;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether connections are to be closed after their answer. */
  readonly stopping: () => boolean;
  /** A line a request; no log where it is undefined. */
  readonly log: ServerLog | undefined;
  /** Told of an answer that could not be sent: a defect, after which the connection is closed. */
  readonly onFault: (error: unknown) => void;
  /** HTTPS by this certificate and key; plain HTTP where it is undefined. */
  readonly tls?: TlsPair | undefined;
}

/**
 * An HTTP server over a router, not yet listening: limits and time-outs of HTTP.md, 'Operations'.
 * Bodies are read for the routes that want one alone.
 */
export function createListener(options: ListenerOptions): Server | TlsServer {
  const limits: ServerOptions & { optimizeEmptyRequests: boolean } = {
    maxHeaderSize: PARSER_OCTETS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A request that announces no body comes with its stream at the end already, instead of being
    // led there: a sixth of what Node does for it. Older versions don't know the option.
    optimizeEmptyRequests: true,
  };
  const server =
    options.tls === undefined
      ? createServer(limits)
      : createTlsServer({
          ...limits,
          ...options.tls,
          minVersion: OLDEST_TLS,
          handshakeTimeout: HEADERS_TIMEOUT_MS,
        });
  server.timeout = STALLED_MS;
  server.maxConnections = MAX_CONNECTIONS;
  // Node would leave lines after the 2,000th away in silence, a second credential among them; the
  // limit on octets bounds them.
  server.maxHeadersCount = 0;

  // Sockets whose last answer is out: nothing more that comes from them is looked at.
  const finished = new WeakSet<Socket>();

  function handle(request: IncomingMessage, response: ServerResponse, expects: boolean): void {
    if (finished.has(request.socket)) return;
    // Read once for whatever asks when the request came.
    const atMs = performance.now();
    const { method = "", url = "", rawHeaders } = request;
    const exceeded = exceededLimit(url, rawHeaders);
    if (exceeded !== undefined) {
      conclude(request, response, atMs, unrouted(exceeded));
      return;
    }
    const { path, query } = splitTarget(url);
    const remote = request.socket.remoteAddress;
    const asked: KeysRequest = { method, path, query, rawHeaders, remote, atMs };
    if (options.router.readsBody(method, path)) {
      // Only who has been asked for it sends a body that it announced with `Expect`.
      if (expects && !announcesTooMuch(rawHeaders)) response.writeContinue();
      void readBody(request).then(async (body) => {
        if (body === "aborted") return;
        const routed =
          body === "too-large"
            ? unrouted("body_too_large")
            : await options.router.answer({ ...asked, body });
        conclude(request, response, atMs, routed);
      });
      return;
    }
    const routed = options.router.answer(asked);
    if (routed instanceof Promise) {
      void routed.then((late) => {
        conclude(request, response, atMs, late);
      });
    } else {
      conclude(request, response, atMs, routed);
    }
  }

  /** Sends; what can't be sent ends its connection, and nobody else's. */
  function sending(
    request: IncomingMessage,
    response: ServerResponse,
    answer: Answer,
    send: typeof answerWhole,
  ): void {
    try {
      send(request, response, answer);
    } catch (error) {
      request.socket.destroy();
      options.onFault(error);
    }
  }

  function conclude(
    request: IncomingMessage,
    response: ServerResponse,
    startedMs: number,
    routed: RoutedReply,
  ): void {
    const { answer } = routed.reply;
    if (!request.complete && announcesBody(request.rawHeaders)) {
      // Whether the body came along with the header lines is known when their octets are through.
      setImmediate(sending, request, response, answer, answerLate);
    } else {
      sending(request, response, answer, answerWhole);
    }
    if (options.log === undefined) return;
    const { rawHeaders, socket } = request;
    options.log.request({
      route: routed.route,
      reply: routed.reply,
      atMs: options.now(),
      ms: performance.now() - startedMs,
      remote: options.router.clientOf(socket.remoteAddress, rawHeaders),
      requestId: requestIdOf(rawHeaders),
    });
  }

  function answerLate(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    if (request.complete) {
      answerWhole(request, response, answer);
    } else if (!request.destroyed) {
      finished.add(request.socket);
      answerBeforeBody(request, response, answer);
    }
  }

  function answerWhole(_: IncomingMessage, response: ServerResponse, answer: Answer): void {
    const { status, headers, body } = answer;
    const last = options.stopping() || status === 413 || status === 414 || status === 431;
    // Node's types don't know that it only reads the array.
    response.writeHead(status, last ? [...headers, "Connection", "close"] : (headers as string[]));
    response.end(body);
  }

  server.on("request", (request, response) => {
    handle(request, response, false);
  });
  // Where nobody wants the body: a final answer at once instead of `100 Continue`.
  server.on("checkContinue", (request, response) => {
    handle(request, response, true);
  });
  server.on("clientError", createErrorListener(options, finished));
  return server;
}

function unrouted(code: ProblemCode): RoutedReply {
  return { route: undefined, reply: problemReply(code) };
}

/** Answers what Node's parser refuses, and closes. */
function createErrorListener(
  options: ListenerOptions,
  finished: WeakSet<Socket>,
): (error: Error, socket: Socket) => void {
  return (error: ParserError, socket) => {
    if (finished.has(socket)) return;
    finished.add(socket);
    if (!socket.writable || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const code = parserProblem(error);
    options.log?.request({
      ...unrouted(code),
      atMs: options.now(),
      ms: 0,
      remote: socket.remoteAddress,
      requestId: requestIdOf([]),
    });
    socket.end(formatRawProblem(code), () => {
      socket.destroySoon();
    });
  };
}
