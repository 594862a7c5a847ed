import { AS_IT_IS, problemAnswer, type ProblemCode } from "../core/problem.js";
import type { KeystoreState } from "./keystore-state.js";
import type { Handler, KeysRequest, Reply } from "./message.js";
import { FOR_NGINX, NGINX_PATH } from "./nginx.js";
import { createHealthHandler, createReadyHandler, createVersionHandler } from "./probes.js";
import { createVerifyHandler, VERIFY_PATH } from "./verify.js";

/** What the routes are made from. */
export interface RouteOptions {
  readonly state: KeystoreState;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** keyhold's own version. */
  readonly version: string;
  /** The realm of challenges, without `"` and `\`. */
  readonly realm: string;
  /** Told of what a handler threw: a defect, answered with 503. */
  readonly onFault: (error: unknown) => void;
}

interface Route {
  /** What the log calls it: a path may hold anything. */
  readonly name: string;
  readonly methods: "any" | readonly string[];
  readonly handle: Handler;
}

/** A reply, and the name of the route that made it; undefined where none did. */
export interface RoutedReply {
  readonly route: string | undefined;
  readonly reply: Reply;
}

const READING: readonly string[] = ["GET", "HEAD"];

/** The whole of what the server answers, as a function of the request. Never throws. */
export function createRouter(options: RouteOptions): (request: KeysRequest) => RoutedReply {
  const { state, now, version, realm } = options;
  const verifying = { snapshot: () => state.snapshot(), now, realm };
  const verify = route(
    "verify",
    "any",
    createVerifyHandler({ ...verifying, presentation: AS_IT_IS }),
  );
  const exact = new Map<string, Route>([
    [VERIFY_PATH, verify],
    [
      NGINX_PATH,
      route("nginx", "any", createVerifyHandler({ ...verifying, presentation: FOR_NGINX })),
    ],
    ["/healthz", route("healthz", READING, createHealthHandler())],
    ["/readyz", route("readyz", READING, createReadyHandler(state, now))],
    ["/version", route("version", READING, createVersionHandler(version))],
  ]);
  const notFound: RoutedReply = { route: undefined, reply: problemReply("not_found") };

  return (request) => {
    const found =
      exact.get(request.path) ?? (request.path.startsWith(`${VERIFY_PATH}/`) ? verify : undefined);
    if (found === undefined) return notFound;
    const { name, methods } = found;
    if (methods !== "any" && !methods.includes(request.method)) {
      return {
        route: name,
        reply: problemReply("method_not_allowed", ["Allow", methods.join(", ")]),
      };
    }
    try {
      return { route: name, reply: found.handle(request) };
    } catch (error) {
      // Whatever went wrong, it is not a yes.
      options.onFault(error);
      return { route: name, reply: problemReply("unavailable") };
    }
  };
}

/** A problem that is no verdict. */
export function problemReply(code: ProblemCode, headers: readonly string[] = []): Reply {
  return { answer: problemAnswer(code, headers), error: code };
}

function route(name: string, methods: Route["methods"], handle: Handler): Route {
  return { name, methods, handle };
}
