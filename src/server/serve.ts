import { setTimeout as delay } from "node:timers/promises";
import type { Keystore } from "../core/keystore.js";
import type { Policy } from "../file/policy.js";
import { systemCode } from "../errors.js";
import { watchStore, type WatchOptions, type WatchResult } from "../file/watch.js";
import { formatUrl, isLoopback, listen, type ListenAddress } from "./address.js";
import { createKeystoreState, type KeystoreState } from "./keystore-state.js";
import { createListener } from "./listener.js";
import type { LoadedKeystore } from "../file/load.js";
import { createJsonLog, type JsonLog, type LogWriter, type ServerEvent } from "./log.js";
import { limitsNotEnforced, reloadEvent } from "./reload-event.js";
import { createRouter } from "./routes.js";
import { stoppable } from "./stop.js";

/** How long a stop waits for what is in flight, in milliseconds. */
const GRACE_MS = 10_000;

/** How long a stop waits for the log to be written, in milliseconds. */
const FLUSH_MS = 1000;

/** How to serve. */
export interface ServerOptions extends ListenAddress {
  /** keyhold's own version, for `/version`. */
  readonly version: string;
  /** What a reload demands of the file. */
  readonly policy: () => Policy;
  /** A line a request. Warnings and errors are logged whatever this says. */
  readonly requestLog: boolean;
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
  readonly port: number;
  /** Whether the address can be reached from this machine alone. */
  readonly loopback: boolean;
  readonly state: KeystoreState;
  /** Reads the keystore again at once (SIGHUP). */
  reload(): Promise<void>;
  /** Stops cleanly; called again, with less grace. Default grace 10,000 ms. */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Serves a loaded keystore and follows its file.
 *
 * Not in this first server yet: rate limits (which it warns about), the limit on failed look-ups,
 * TLS, and every route of HTTP.md but `/verify`, `/nginx` and the probes.
 *
 * @throws KeysError `listen-failed`.
 */
export async function startServer(
  loaded: LoadedKeystore & { readonly keystore: Keystore },
  options: ServerOptions,
  deps: ServerDeps,
): Promise<RunningServer> {
  const state = createKeystoreState(loaded.keystore, deps.now);
  const log = createJsonLog(deps.write, deps.now);
  const report = reporter(log, options, deps);
  const { version } = options;
  const router = createRouter({
    state,
    now: deps.now,
    version,
    realm: "keys",
    onFault: (error) => {
      report(faultEvent("a request was denied with 503 by a defect of the server", error));
    },
  });
  const server = createListener({
    router,
    now: deps.now,
    stopping: () => state.stopping(),
    log: options.requestLog ? log : undefined,
  });
  const stop = stoppable(server);
  const bound = await listen(server, options);
  server.on("error", (error) => {
    report(faultEvent("a connection could not be accepted", error));
  });
  const watcher = watchStore(loaded.path, {
    ...options.watch,
    policy: options.policy,
    since: loaded.since,
    onChange: (result: WatchResult) => {
      try {
        const outcome = state.reload(result);
        report(reloadEvent(outcome, state.snapshot()));
        if (outcome.applied) limitsNotEnforced(state.snapshot()).forEach(report);
      } catch (error) {
        report(faultEvent("the keystore was not reloaded, by a defect of the server", error));
      }
    },
  });
  return {
    url: formatUrl(bound),
    port: bound.port,
    loopback: isLoopback(bound.host),
    state,
    reload: () => watcher.check(),
    async stop(graceMs = GRACE_MS) {
      state.beginStop();
      watcher.close();
      await stop(graceMs);
      // A reader of the log that stands still must not hold up the end.
      await Promise.race([log.flush(), delay(FLUSH_MS, undefined, { ref: false })]);
    },
  };
}

// Of what was not foreseen, the kind and the place are told: its message might hold anything.
function faultEvent(message: string, error: unknown): ServerEvent {
  const kind = error instanceof Error ? error.name : typeof error;
  const stack = error instanceof Error ? error.stack : undefined;
  const at = stack?.split("\n").find((line) => line.startsWith("    at "));
  const details = { kind, code: systemCode(error) ?? null, at: at?.trim() ?? null };
  return { level: "error", event: "fault", message, details };
}

function reporter(
  log: JsonLog,
  { requestLog }: ServerOptions,
  { now }: ServerDeps,
): (event: ServerEvent) => void {
  return (event) => {
    if (requestLog || event.level !== "info") log.event(event, now());
  };
}
