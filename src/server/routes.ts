import { AS_IT_IS, type Presentation } from "../core/problem.js";
import type { RateLimit } from "../core/rate-limit.js";
import { KeysError } from "../errors.js";
import { ADMIN_PATH, createAdminHandlers } from "./admin.js";
import { clientAddress, parseTrustedProxies, type TrustedProxies } from "./client-address.js";
import { counted } from "./counted.js";
import type { Counters } from "./counters.js";
import { createIntrospectHandler, INTROSPECT_PATH } from "./introspect.js";
import type { KeystoreState } from "./keystore-state.js";
import { createMetadataHandler, METADATA_PATH } from "./metadata.js";
import { createMetricsHandler } from "./metrics.js";
import { problemReply, type Handler, type KeysRequest, type Reply } from "./message.js";
import { FOR_NGINX, NGINX_PATH } from "./nginx.js";
import { createHealthHandler, createReadyHandler, createVersionHandler } from "./probes.js";
import type { Awaitable, Services } from "./services.js";
import type { Snapshot } from "./snapshot.js";
import { createStatusHandler } from "./status.js";
import { createValidateHandler, VALIDATE_PATH } from "./validate.js";
import { createVerifyHandler, VERIFY_PATH } from "./verify.js";

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
  /** The URL that clients know this server by. Default where it listens. */
  readonly issuer?: string | undefined;
}

/** What the routes are made from. */
export interface RouteOptions extends RouteSettings {
  readonly state: KeystoreState;
  readonly services: Services;
  /** Where this process counts its verdicts. */
  readonly counters: Counters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /**
   * The URL at which it listens, where that is one address that clients can use; asked once it
   * listens. Default unknown.
   */
  readonly listensAt?: (() => string | undefined) | undefined;
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
  /** The client's address, as far as trusted proxies tell it; for the log. */
  clientOf(remote: string | undefined, rawHeaders: readonly string[]): string | undefined;
  /** Never throws, never rejects. A promise only where something has to be waited for. */
  answer(request: KeysRequest): Awaitable<RoutedReply>;
}

/** Makes the one table of routes. */
export function createRouter(options: RouteOptions): Router {
  const { onFault } = options;
  const trustedProxies = trustedProxiesOf(options.trustedProxies ?? []);
  const trustsAny = trustedProxies.unix || trustedProxies.ranges.length > 0;
  const { exact, verify, adminKey } = routeTable(options, trustedProxies);
  const notFound: RoutedReply = { route: undefined, reply: problemReply("not_found") };

  function routeOf(path: string): Route | undefined {
    // What nearly all ask for needs no look into the table.
    if (path === VERIFY_PATH) return verify;
    const found = exact.get(path);
    if (found !== undefined) return found;
    if (path.startsWith(`${VERIFY_PATH}/`)) return verify;
    return path.startsWith(`${ADMIN_PATH}/`) ? adminKey : undefined;
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
    clientOf: (remote, rawHeaders) =>
      trustsAny ? clientAddress(remote, rawHeaders, trustedProxies) : remote,
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

interface RouteTable {
  readonly exact: ReadonlyMap<string, Route>;
  /** What `/verify/…` is answered by. */
  readonly verify: Route;
  /** What `/admin/keys/…` is answered by. */
  readonly adminKey: Route;
}

function routeTable(options: RouteOptions, trustedProxies: TrustedProxies): RouteTable {
  const { state, services, counters, now, version, realm, defaultLimit } = options;
  const snapshot = (): Snapshot => state.snapshot();
  const asked = { snapshot, services, now, realm, trustedProxies };
  const modes = {
    systemDigest: options.systemDigest,
    allowImpersonation: options.allowImpersonation ?? false,
    allowUnauthenticated: options.allowUnauthenticated ?? false,
  };
  const verifying = { ...asked, ...modes, userHeaders: options.userHeaders ?? [], defaultLimit };
  const any = (presentation: Presentation): Route["handlers"] => ({
    any: counted(createVerifyHandler({ ...verifying, presentation }), counters),
  });
  const verify = { name: "verify", handlers: any(AS_IT_IS) };
  const admin = createAdminHandlers(asked);
  const adminHandlers = { PUT: admin.put, DELETE: admin.remove };
  const posting = (handle: Handler): Omit<Route, "name"> => ({
    handlers: { POST: handle },
    readsBody: true,
  });
  const issuer = (): string | undefined => options.issuer ?? options.listensAt?.();
  const routes: readonly (readonly [string, Route])[] = [
    [VERIFY_PATH, verify],
    [NGINX_PATH, { name: "nginx", handlers: any(FOR_NGINX) }],
    [INTROSPECT_PATH, { name: "introspect", ...posting(createIntrospectHandler(asked)) }],
    [VALIDATE_PATH, { name: "validate", ...posting(createValidateHandler(verifying)) }],
    [ADMIN_PATH, { name: "admin", handlers: reading(admin.list) }],
    [METADATA_PATH, { name: "metadata", handlers: reading(createMetadataHandler(issuer)) }],
    ["/healthz", { name: "healthz", handlers: reading(createHealthHandler()) }],
    ["/readyz", { name: "readyz", handlers: reading(createReadyHandler(state, now)) }],
    ["/version", { name: "version", handlers: reading(createVersionHandler(version)) }],
    [
      "/status",
      {
        name: "status",
        handlers: reading(createStatusHandler({ ...modes, state, services, now, defaultLimit })),
      },
    ],
    [
      "/metrics",
      { name: "metrics", handlers: reading(createMetricsHandler({ state, services, now })) },
    ],
  ];
  return {
    exact: new Map(routes),
    verify,
    adminKey: { name: "admin", handlers: adminHandlers, readsBody: true },
  };
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
