import { AS_IT_IS } from "../core/problem.js";
import type { RateLimit } from "../core/rate-limit.js";
import { KeysError } from "../errors.js";
import { parseTrustedProxies, type TrustedProxies } from "./client-address.js";
import { counted } from "./counted.js";
import type { Counters } from "./counters.js";
import type { KeystoreState } from "./keystore-state.js";
import { problemReply, type Handler, type KeysRequest, type Reply } from "./message.js";
import { FOR_NGINX, NGINX_PATH } from "./nginx.js";
import { createHealthHandler, createReadyHandler, createVersionHandler } from "./probes.js";
import type { Awaitable, Services } from "./services.js";
import { createVerifyHandler, VERIFY_PATH, type VerifyOptions } from "./verify.js";

/** How routes answer, as plain data that can be sent to another process. */
export interface RouteSettings {
  /** keyhold's own version. */
  readonly version: string;
  /** The realm of challenges, without `"` and `\`. */
  readonly realm: string;
  /** Further names under which the id is sent. Default none. */
  readonly userHeaders?: readonly string[] | undefined;
  /** The limit of keys without one of their own. Default none. */
  readonly defaultLimit?: RateLimit | undefined;
  /** Whose `X-Forwarded-For` is believed, as `parseTrustedProxies` reads it. Default nobody's. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** The digest of the system token. Default none. */
  readonly systemDigest?: string | undefined;
  /** Whether the system token may act for a tenant. Default false. */
  readonly allowImpersonation?: boolean | undefined;
  /** Whether requests without a credential pass where nothing is asked. Default false. */
  readonly allowUnauthenticated?: boolean | undefined;
}

/** What the routes are made from. */
export interface RouteOptions extends RouteSettings {
  readonly state: KeystoreState;
  readonly services: Services;
  /** Where this process counts its verdicts. */
  readonly counters: Counters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
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
  const { state, now, version, counters } = options;
  const verifying: Omit<VerifyOptions, "presentation"> = {
    snapshot: () => state.snapshot(),
    services: options.services,
    now,
    realm: options.realm,
    userHeaders: options.userHeaders ?? [],
    defaultLimit: options.defaultLimit,
    trustedProxies: trustedProxiesOf(options.trustedProxies ?? []),
    systemDigest: options.systemDigest,
    allowImpersonation: options.allowImpersonation ?? false,
    allowUnauthenticated: options.allowUnauthenticated ?? false,
  };
  const verify = counted(createVerifyHandler({ ...verifying, presentation: AS_IT_IS }), counters);
  const nginx = counted(createVerifyHandler({ ...verifying, presentation: FOR_NGINX }), counters);
  return new Map<string, Route>([
    [VERIFY_PATH, { name: "verify", handlers: { any: verify } }],
    [NGINX_PATH, { name: "nginx", handlers: { any: nginx } }],
    ["/healthz", { name: "healthz", handlers: reading(createHealthHandler()) }],
    ["/readyz", { name: "readyz", handlers: reading(createReadyHandler(state, now)) }],
    ["/version", { name: "version", handlers: reading(createVersionHandler(version)) }],
  ]);
}

/** The command line has refused what is no proxy before. */
function trustedProxiesOf(texts: readonly string[]): TrustedProxies {
  const trusted = parseTrustedProxies(texts);
  if (trusted === undefined) throw new KeysError("internal", "a trusted proxy is no address");
  return trusted;
}

function reading(handle: Handler): Route["handlers"] {
  return { GET: handle, HEAD: handle };
}
