import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { createRateLimiter, type RateLimiter } from "../core/rate-limiter.js";
import { DocumentMemory } from "../file/document-memory.js";
import { readForService } from "../file/service-read.js";
import { reloadedKeystore, type LoadedKeystore } from "../file/load.js";
import { KeystoreInvalidError } from "../file/keystore-invalid.js";
import type { Policy } from "../file/policy.js";
import { recordUsage, usagePath } from "../file/usage.js";
import { watchStore, type WatchOptions, type WatchResult } from "../file/watch.js";
import type { Keystore } from "../core/keystore.js";
import { createCounters, type Counters } from "./counters.js";
import { faultEvent } from "./fault-event.js";
import { createKeystoreEdit } from "./keystore-edit.js";
import { createKeystoreState, type Degradation, type KeystoreState } from "./keystore-state.js";
import { createLocalServices } from "./local-services.js";
import { createServerLog, type LogForm, type ServerLog, type LogWriter } from "./log.js";
import { reloadEvent } from "./reload-event.js";
import type { ServerEvent } from "./server-event.js";
import type { Services } from "./services.js";
import { createSweeper, sweepChanges } from "./sweeper.js";
import { tlsEvent } from "./tls-event.js";
import { watchTls, type TlsChange, type TlsFiles, type TlsPair } from "./tls.js";
import { createUsageCollector } from "./usage-collector.js";

/** How long a stop waits for the log to be written, in milliseconds. */
const FLUSH_MS = 1000;

/** How long a write of last uses waits for another writer, in milliseconds. */
const USAGE_LOCK_MS = 5000;

/** A keystore that a start may serve. */
export type ServableKeystore = LoadedKeystore & { readonly keystore: Keystore };

/** How a keystore's file is looked after. */
export interface HostOptions {
  /** What a reload demands of the file. */
  readonly policy: () => Policy;
  /** Where changes are recorded; default beside the keystore. */
  readonly auditFile?: string | undefined;
  /** Where last uses are written; default beside the keystore. */
  readonly usageFile?: string | undefined;
  /** Whether expired keys are retired in the file. Default false. */
  readonly sweep?: boolean | undefined;
  /** Where the certificate was read from, to be followed, and how the files looked before. */
  readonly tlsFiles?: (TlsFiles & { readonly since: string }) | undefined;
  /** Whether requests without a credential pass: a reason to be degraded. */
  readonly allowUnauthenticated?: boolean | undefined;
  /** Whether events that are neither warning nor error are logged. */
  readonly requestLog: boolean;
  /** The form of the log's lines. Default `json`. */
  readonly logForm?: LogForm | undefined;
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

/** Who has to know what the host finds out. */
export interface HostListener {
  /** A keystore came into force here; settles when it is so everywhere, false where that fails. */
  applied?(text: string): Promise<boolean>;
  degraded?(degraded: readonly Degradation[]): void;
  tls(pair: TlsPair): void;
}

/** What a server has once, however many workers answer. */
export interface Host {
  readonly state: KeystoreState;
  readonly counters: Counters;
  readonly services: Services;
  readonly limiter: RateLimiter;
  readonly log: ServerLog;
  readonly report: (event: ServerEvent) => void;
  /** From now on the files are followed. */
  follow(listener: HostListener): void;
  /**
   * Reads the keystore again at once; settles when what it holds is in force everywhere: false where
   * that could not be seen in time.
   */
  reload(): Promise<boolean>;
  /** Follows nothing any more. */
  unfollow(): void;
  /** Writes last uses and the log out. */
  close(): Promise<void>;
}

/** Looks after a keystore's file: follows it, retires what expires, keeps limits and last uses. */
export function openHost(
  loaded: ServableKeystore,
  options: HostOptions,
  { now, write }: ServerDeps,
): Host {
  const { path } = loaded;
  const { policy, auditFile } = options;
  const state = createKeystoreState(loaded.keystore, now);
  state.setDegraded("unauthenticated-allowed", options.allowUnauthenticated === true);
  const log = createServerLog(write, now, options.logForm);
  const report = (event: ServerEvent): void => {
    if (options.requestLog || event.level !== "info") log.event(event, now());
  };
  const counters = createCounters();
  counters.load("applied");
  const limiter = createRateLimiter();
  const isKnown = (digest: string): boolean => state.snapshot().keystore.find(digest) !== undefined;
  const usage = createUsageCollector({
    write: async (uses) => {
      const file = await usagePath(path, options.usageFile);
      await recordUsage(file, uses, { isKnown, lockTimeoutMs: USAGE_LOCK_MS });
    },
    onDropped: (count) => {
      counters.lastUsedDropped(count);
    },
    report,
  });
  const memory = new DocumentMemory(loaded.document);
  const edit = createKeystoreEdit({ path, auditFile, policy, now, report, memory });
  const services = createLocalServices({
    path,
    auditFile,
    edit,
    state,
    counters,
    limiter,
    now,
    monotonicMs: () => performance.now(),
    used: (digest, nowMs) => {
      usage.used(digest, nowMs);
    },
  });
  const sweeper = createSweeper({
    keystore: () => state.snapshot().keystore,
    now,
    report,
    sweep: async () => {
      await edit(
        (store) => {
          const keystore = reloadedKeystore(store);
          // A file with errors is mended by hand first: no server retires keys by guessing.
          if (keystore === undefined) throw new KeystoreInvalidError(store.diagnostics);
          return sweepChanges(keystore, now());
        },
        { actor: "server", action: "sweep" },
      );
      await reload();
    },
  });
  const ends: (() => void)[] = [];
  let check = (): Promise<void> => Promise.resolve();
  let applying: Promise<boolean> = Promise.resolve(true);

  async function reload(): Promise<boolean> {
    await check();
    return await applying;
  }

  function onChange(result: WatchResult, listener: HostListener): void {
    try {
      const outcome = state.reload(result);
      counters.load(outcome.applied ? "applied" : "refused");
      report(reloadEvent(outcome, state.snapshot()));
      listener.degraded?.(state.degraded());
      if (!outcome.applied || "error" in result) return;
      // What came into force last is all that counts: it has whatever came before.
      const { document } = result.store;
      memory.keep(document);
      applying = listener.applied?.(document.text) ?? applying;
      if (options.sweep === true) sweeper.look();
    } catch (error) {
      report(faultEvent("the keystore was not reloaded, by a defect of the server", error));
    }
  }

  function onTls(change: TlsChange, listener: HostListener): void {
    try {
      if ("pair" in change) listener.tls(change.pair);
      state.setDegraded("tls-invalid", "error" in change);
      listener.degraded?.(state.degraded());
      report(tlsEvent(change));
    } catch (error) {
      state.setDegraded("tls-invalid", true);
      report(faultEvent("the certificate was not reloaded, by a defect of the server", error));
    }
  }

  return {
    state,
    counters,
    services,
    limiter,
    log,
    report,
    follow(listener) {
      const watcher = watchStore(path, {
        ...options.watch,
        policy,
        memory,
        read: readForService,
        since: loaded.since,
        onChange: (result) => {
          onChange(result, listener);
        },
      });
      check = () => watcher.check();
      ends.push(() => {
        watcher.close();
      });
      const { tlsFiles } = options;
      if (tlsFiles !== undefined) {
        const unwatch = watchTls(tlsFiles, tlsFiles.since, (change) => {
          onTls(change, listener);
        });
        ends.push(unwatch);
      }
      if (options.sweep === true) sweeper.look();
    },
    reload,
    unfollow() {
      for (const end of ends) end();
      sweeper.close();
    },
    async close() {
      await usage.close();
      // A reader of the log that stands still must not hold up the end.
      await Promise.race([log.flush(), delay(FLUSH_MS, undefined, { ref: false })]);
    },
  };
}
