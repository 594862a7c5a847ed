import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Keystore } from "../core/keystore.js";
import type { LoadedKeystore } from "../file/load.js";
import type { Policy } from "../file/policy.js";
import { watchStore, type WatchOptions, type WatchResult } from "../file/watch.js";
import { removeStaleSocket } from "./address.js";
import { createCounters } from "./counters.js";
import { openDoor, type DoorSettings } from "./door.js";
import { faultEvent } from "./fault-event.js";
import { createKeystoreState, type KeystoreState } from "./keystore-state.js";
import { createLocalServices } from "./local-services.js";
import { createJsonLog, type LogWriter, type ServerEvent } from "./log.js";
import { reloadEvent } from "./reload-event.js";
import { tlsEvent } from "./tls-event.js";
import { watchTls, type TlsFiles } from "./tls.js";

/** How long a stop waits for what is in flight, in milliseconds. */
const GRACE_MS = 10_000;

/** How long a stop waits for the log to be written, in milliseconds. */
const FLUSH_MS = 1000;

/** How to serve. */
export interface ServerOptions extends DoorSettings {
  /** Where changes are recorded; default beside the keystore. */
  readonly auditFile?: string | undefined;
  /** What a reload demands of the file. */
  readonly policy: () => Policy;
  /** Where `tls` was read from, to be followed, and how the files looked before. */
  readonly tlsFiles?: (TlsFiles & { readonly since: string }) | undefined;
  /** How the file is followed. */
  readonly watch?: Pick<WatchOptions, "pollMs" | "settleMs">;
}

/** What a server uses of the world. */
export interface ServerDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Where log lines go. */
  readonly write: LogWriter;
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** 0 on a unix socket. */
  readonly port: number;
  /** Whether the address can be reached from this machine alone. */
  readonly local: boolean;
  readonly state: KeystoreState;
  /** Reads the keystore again at once (SIGHUP). */
  reload(): Promise<void>;
  /** Stops cleanly; called again, with less grace. Default grace 10,000 ms. */
  stop(graceMs?: number): Promise<void>;
}

/** A keystore that a start may serve. */
export type ServableKeystore = LoadedKeystore & { readonly keystore: Keystore };

/**
 * Serves a loaded keystore and follows its file, and the files of its certificate.
 *
 * @throws KeysError `listen-failed`.
 */
export async function startServer(
  loaded: ServableKeystore,
  options: ServerOptions,
  deps: ServerDeps,
): Promise<RunningServer> {
  const state = createKeystoreState(loaded.keystore, deps.now);
  const log = createJsonLog(deps.write, deps.now);
  const report = (event: ServerEvent): void => {
    if (options.requestLog || event.level !== "info") log.event(event, deps.now());
  };
  if ("socket" in options.address) await removeStaleSocket(options.address.socket);
  const counters = createCounters();
  counters.load("applied");
  const services = createLocalServices({
    path: loaded.path,
    auditFile: options.auditFile,
    policy: options.policy,
    state,
    counters,
    now: deps.now,
    monotonicMs: () => performance.now(),
    used: () => undefined,
  });
  const door = await openDoor(options, { state, services, counters, log, report, now: deps.now });
  const watcher = watchStore(loaded.path, {
    ...options.watch,
    policy: options.policy,
    since: loaded.since,
    onChange: (result: WatchResult) => {
      try {
        const outcome = state.reload(result);
        counters.load(outcome.applied ? "applied" : "refused");
        report(reloadEvent(outcome, state.snapshot()));
      } catch (error) {
        report(faultEvent("the keystore was not reloaded, by a defect of the server", error));
      }
    },
  });
  const { tlsFiles } = options;
  const unwatchTls =
    tlsFiles === undefined
      ? () => undefined
      : watchTls(tlsFiles, tlsFiles.since, (change) => {
          if ("pair" in change) door.setTls(change.pair);
          state.setDegraded("tls-invalid", "error" in change);
          report(tlsEvent(change));
        });
  return {
    url: door.url,
    port: "port" in door.address ? door.address.port : 0,
    local: door.local,
    state,
    reload: () => watcher.check(),
    async stop(graceMs = GRACE_MS) {
      state.beginStop();
      watcher.close();
      unwatchTls();
      await door.stop(graceMs);
      // A reader of the log that stands still must not hold up the end.
      await Promise.race([log.flush(), delay(FLUSH_MS, undefined, { ref: false })]);
    },
  };
}
