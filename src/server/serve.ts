import { removeStaleSocket } from "./address.js";
import { openDoor, type DoorSettings } from "./door.js";
import { openHost, type HostOptions, type ServableKeystore, type ServerDeps } from "./host.js";
import type { LogForm } from "./log.js";
import type { KeystoreState } from "./keystore-state.js";

/** How long a stop waits for what is in flight, in milliseconds. */
const GRACE_MS = 10_000;

/** How to serve. */
export interface ServerOptions extends DoorSettings, HostOptions {
  readonly allowUnauthenticated?: boolean | undefined;
  readonly requestLog: boolean;
  readonly logForm?: LogForm | undefined;
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Whether the address can be reached from this machine alone. */
  readonly local: boolean;
  readonly state: KeystoreState;
  /** Reads the keystore again at once (SIGHUP); false where not every worker took it in time. */
  reload(): Promise<boolean>;
  /** Stops cleanly; called again, with less grace. Default grace 10,000 ms. */
  stop(graceMs?: number): Promise<void>;
}

/** A server that is one process, with the port it got. */
export interface SingleServer extends RunningServer {
  /** 0 on a unix socket. */
  readonly port: number;
}

/**
 * Serves a loaded keystore in this process, and follows its file and those of its certificate.
 *
 * @throws KeysError `listen-failed`.
 */
export async function startServer(
  loaded: ServableKeystore,
  options: ServerOptions,
  deps: ServerDeps,
): Promise<SingleServer> {
  const host = openHost(loaded, options, deps);
  const { state } = host;
  if ("socket" in options.address) await removeStaleSocket(options.address.socket);
  const door = await openDoor(options, { ...host, now: deps.now });
  host.follow({
    tls: (pair) => {
      door.setTls(pair);
    },
  });
  return {
    url: door.url,
    port: "port" in door.address ? door.address.port : 0,
    local: door.local,
    state,
    reload: () => host.reload(),
    async stop(graceMs = GRACE_MS) {
      state.beginStop();
      host.unfollow();
      await door.stop(graceMs);
      await host.close();
    },
  };
}
