import { AS_IT_IS } from "../core/problem.js";
import type { KeystoreState } from "./keystore-state.js";
import { problemReply, type Handler, type KeysRequest, type Reply } from "./message.js";
import { FOR_NGINX, NGINX_PATH } from "./nginx.js";
import { createHealthHandler, createReadyHandler, createVersionHandler } from "./probes.js";
import type { Awaitable } from "./services.js";
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
  /** The handlers by method; `any` takes whatever has none. */
  readonly handlers: Readonly<Record<string, Handler>>;
  /** Whether a request's body is read before the handler is asked. */
  readonly readsBody?: boolean;
}

/** A reply, and the name of the route that made it; undefined where none did. */
export interface RoutedReply {
  readonly route: string | undefined;
  readonly reply: Reply;
}

/** The whole of what the server answers, as a function of the request. */
export interface Router {
  /** Whether the body of a request to a path is to be read before it is answered. */
  readsBody(method: string, path: string): boolean;
  /** Never throws, never rejects. A promise only where something has to be waited for. */
  answer(request: KeysRequest): Awaitable<RoutedReply>;
}

/** Makes the one table of routes. */
export function createRouter(options: RouteOptions): Router {
  const { onFault } = options;
  const exact = routeTable(options);
  const verify = exact.get(VERIFY_PATH);
  const notFound: RoutedReply = { route: undefined, reply: problemReply("not_found") };

  function routeOf(path: string): Route | undefined {
    return exact.get(path) ?? (path.startsWith(`${VERIFY_PATH}/`) ? verify : undefined);
  }

  // Whatever went wrong, it is not a yes.
  function fault(route: string, error: unknown): RoutedReply {
    onFault(error);
    return { route, reply: problemReply("unavailable") };
  }

  async function settle(route: string, reply: Promise<Reply>): Promise<RoutedReply> {
    try {
      return { route, reply: await reply };
    } catch (error) {
      return fault(route, error);
    }
  }

  return {
    readsBody: (method, path) => {
      const route = routeOf(path);
      return route?.readsBody === true && handlerOf(route, method) !== undefined;
    },
    answer(request) {
      const route = routeOf(request.path);
      if (route === undefined) return notFound;
      const { name } = route;
      const handle = handlerOf(route, request.method);
      if (handle === undefined) {
        const allow = Object.keys(route.handlers).join(", ");
        return {
          route: name,
          reply: problemReply("method_not_allowed", { headers: ["Allow", allow] }),
        };
      }
      try {
        const reply = handle(request);
        return reply instanceof Promise ? settle(name, reply) : { route: name, reply };
      } catch (error) {
        return fault(name, error);
      }
    },
  };
}

function handlerOf({ handlers }: Route, method: string): Handler | undefined {
  return handlers["any"] ?? (Object.hasOwn(handlers, method) ? handlers[method] : undefined);
}

function routeTable(options: RouteOptions): ReadonlyMap<string, Route> {
  const { state, now, version, realm } = options;
  const verifying = { snapshot: () => state.snapshot(), now, realm };
  const verify = createVerifyHandler({ ...verifying, presentation: AS_IT_IS });
  const nginx = createVerifyHandler({ ...verifying, presentation: FOR_NGINX });
  return new Map<string, Route>([
    [VERIFY_PATH, { name: "verify", handlers: { any: verify } }],
    [NGINX_PATH, { name: "nginx", handlers: { any: nginx } }],
    ["/healthz", { name: "healthz", handlers: reading(createHealthHandler()) }],
    ["/readyz", { name: "readyz", handlers: reading(createReadyHandler(state, now)) }],
    ["/version", { name: "version", handlers: reading(createVersionHandler(version)) }],
  ]);
}

function reading(handle: Handler): Route["handlers"] {
  return { GET: handle, HEAD: handle };
}
