import { createServer } from "node:net";
import { performance } from "node:perf_hooks";
import { listen, removeStaleSocket, SOCKET_MASK, type ListenAddress } from "./address.js";
import { addCounters } from "./counters.js";
import type { DoorSettings } from "./door.js";
import { openHost, type ServableKeystore, type ServerDeps } from "./host.js";
import type { AnswerItem, QuestionItem, WorkerPolicy } from "./ipc.js";
import type { RunningServer, ServerOptions } from "./serve.js";
import type { TlsPair } from "./tls.js";
import { startWorkers, type WorkersNow } from "./worker-pool.js";

/** How long a stop waits for what is in flight, in milliseconds. */
const GRACE_MS = 10_000;

/** How to serve with workers. */
export interface PrimaryOptions extends ServerOptions {
  /** How many. */
  readonly workers: number;
  /** The module that a worker runs. */
  readonly workerPath: string;
  /** `policy` without its time, for the edits of workers. */
  readonly workerPolicy: WorkerPolicy;
}

/**
 * Serves a loaded keystore by several processes. This one follows the files, holds limits and
 * counters, and answers no request; its workers answer them, each what the kernel gives it.
 *
 * @throws KeysError `listen-failed`.
 */
export async function startPrimary(
  loaded: ServableKeystore,
  options: PrimaryOptions,
  deps: ServerDeps,
): Promise<RunningServer> {
  const host = openHost(loaded, options, deps);
  const { state, services, limiter } = host;
  const address = await settledAddress(options.address);
  let tls: TlsPair | undefined = options.tls;
  let text = loaded.document.text;

  async function answer(question: QuestionItem, workers: WorkersNow): Promise<AnswerItem["value"]> {
    switch (question.name) {
      case "take": {
        const { lineage, limit } = question.given;
        return services.takeLimit(lineage, limit);
      }
      case "reserve": {
        const { lineage, limit, count, leaseMs } = question.given;
        return limiter.reserve(lineage, limit, count, performance.now(), leaseMs);
      }
      case "failed":
        return services.failedLookup(question.given.address, deps.now());
      case "counters": {
        const [own, theirs] = [await services.counters(), await workers.counters()];
        return theirs === undefined ? own : addCounters(own, theirs);
      }
      case "generations":
        return workers.generations(question.given);
      case "reload":
        // Never said to be in force where one worker may still go by the old file.
        if (!(await host.reload())) throw new Error("not every worker has the keystore in force");
        return null;
    }
  }

  const pool = await startWorkers({
    workers: options.workers,
    workerPath: options.workerPath,
    text: () => text,
    start: () => ({
      settings: { ...doorSettings(options), address, tls },
      path: loaded.path,
      auditFile: options.auditFile,
      policy: options.workerPolicy,
      degraded: state.degraded(),
    }),
    answer,
    used: (digest, nowMs) => {
      services.used(digest, nowMs);
    },
    giveBack: (lineage, chargedAtMs, unused) => {
      limiter.giveBack(lineage, { chargedAtMs }, unused);
    },
    report: host.report,
  });
  host.follow({
    applied(next) {
      text = next;
      return pool.apply();
    },
    degraded: (degraded) => {
      pool.setDegraded(degraded);
    },
    tls: (pair) => {
      tls = pair;
      pool.setTls(pair);
    },
  });
  return {
    url: pool.url,
    local: pool.local,
    state,
    reload: () => host.reload(),
    async stop(graceMs = GRACE_MS) {
      state.beginStop();
      host.unfollow();
      await pool.stop(graceMs);
      await host.close();
    },
  };
}

/** What of the options a worker's door is made from: no function can travel. */
function doorSettings(options: PrimaryOptions): Omit<DoorSettings, "address" | "tls"> {
  const { requestLog, logForm, version, realm, issuer, userHeaders, defaultLimit } = options;
  const { trustedProxies, systemDigest, allowImpersonation, allowUnauthenticated } = options;
  return {
    requestLog,
    logForm,
    version,
    realm,
    issuer,
    userHeaders,
    defaultLimit,
    trustedProxies,
    systemDigest,
    allowImpersonation,
    allowUnauthenticated,
  };
}

/**
 * An address that every worker can be told: with port 0 a free one is looked for here, since a
 * worker that takes another's place must find it again.
 */
async function settledAddress(address: ListenAddress): Promise<ListenAddress> {
  if ("socket" in address) {
    await removeStaleSocket(address.socket);
    // Cluster binds in this process. What is written to files has modes of its own.
    process.umask(SOCKET_MASK);
    return address;
  }
  if (address.port !== 0) return address;
  const probe = createServer();
  const free = await listen(probe, address);
  await new Promise((resolve) => probe.close(resolve));
  return "port" in free ? { host: address.host, port: free.port } : free;
}
