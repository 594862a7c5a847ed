import type { Server as TlsServer } from "node:https";
import { formatUrl, isLocal, isWildcard, listen, type ListenAddress } from "./address.js";
import type { Counters } from "./counters.js";
import { faultEvent } from "./fault-event.js";
import type { KeystoreState } from "./keystore-state.js";
import { createListener } from "./listener.js";
import type { LogForm, ServerLog } from "./log.js";
import { createRouter, type RouteSettings } from "./routes.js";
import type { ServerEvent } from "./server-event.js";
import type { Services } from "./services.js";
import { stoppable } from "./stop.js";
import { OLDEST_TLS, type TlsPair } from "./tls.js";

/** What a door is, as plain data that can be sent to another process. */
export interface DoorSettings extends RouteSettings {
  readonly address: ListenAddress;
  /** HTTPS by this certificate and key; plain HTTP where it is undefined. */
  readonly tls: TlsPair | undefined;
  /** A line a request. Warnings and errors are logged whatever this says. */
  readonly requestLog: boolean;
  /** The form of the log's lines. Default `json`. */
  readonly logForm?: LogForm | undefined;
}

/** What stands behind a door. */
export interface DoorDeps {
  readonly state: KeystoreState;
  readonly services: Services;
  readonly counters: Counters;
  readonly log: ServerLog;
  readonly report: (event: ServerEvent) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Where requests come in: a server that listens. */
export interface Door {
  readonly url: string;
  /** As it got it. */
  readonly address: ListenAddress;
  /** Whether it can be reached from this machine alone. */
  readonly local: boolean;
  /** Takes another certificate and key for connections to come. */
  setTls(pair: TlsPair): void;
  /** Accepts no more, and settles when what is in flight is done or `graceMs` have passed. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Opens the door: from now on requests are answered from the state.
 *
 * @throws KeysError `listen-failed`
 */
export async function openDoor(settings: DoorSettings, deps: DoorDeps): Promise<Door> {
  const { state, services, counters, log, report, now } = deps;
  const { tls, requestLog } = settings;
  let issuer: string | undefined;
  const router = createRouter({
    ...settings,
    state,
    services,
    counters,
    now,
    listensAt: () => issuer,
    onFault: (error) => {
      report(faultEvent("a request was denied with 503 by a defect of the server", error));
    },
  });
  const server = createListener({
    router,
    now,
    stopping: () => state.stopping(),
    log: requestLog ? log : undefined,
    onFault: (error) => {
      report(faultEvent("an answer could not be sent, by a defect of the server", error));
    },
    tls,
  });
  const stop = stoppable(server);
  const address = await listen(server, settings.address);
  const url = formatUrl(address, tls === undefined ? "http" : "https");
  // A wildcard address and a socket's path are nothing that clients could use.
  if ("host" in address && !isWildcard(address.host)) issuer = url;
  server.on("error", (error) => {
    report(faultEvent("a connection could not be accepted", error));
  });
  return {
    url,
    address,
    local: isLocal(address),
    setTls(pair) {
      if (tls !== undefined) {
        (server as TlsServer).setSecureContext({ ...pair, minVersion: OLDEST_TLS });
      }
    },
    stop,
  };
}
