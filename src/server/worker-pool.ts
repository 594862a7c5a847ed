import cluster, { type Worker } from "node:cluster";
import { setTimeout as delay } from "node:timers/promises";
import { KeysError, type KeysErrorCode } from "../errors.js";
import { addCounters, type CounterSnapshot } from "./counters.js";
import type {
  AnswerItem,
  FromWorker,
  QuestionItem,
  SentKeystore,
  ToWorker,
  WorkerStart,
} from "./ipc.js";
import type { Degradation } from "./keystore-state.js";
import type { ServerEvent } from "./server-event.js";
import type { WorkerGenerations } from "./services.js";
import type { TlsPair } from "./tls.js";

/** The shortest and the longest pause before a worker that died is replaced, in milliseconds. */
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** After how long of life a worker's death starts the pauses anew, in milliseconds. */
const PROVEN_MS = 10_000;
/** How long a keystore may take to come into force in every worker, in milliseconds. */
const APPLY_MS = 10_000;
/** How long a worker is given to count, in milliseconds. */
const COUNT_MS = 1000;
/** How much longer than its grace a worker may take to stop, in milliseconds. */
const OVERTIME_MS = 1500;

/** What a pool is made from. */
export interface WorkerPoolOptions {
  /** How many. */
  readonly workers: number;
  /** The module that a worker runs. */
  readonly workerPath: string;
  /** What a worker begins with, but for the keystore. */
  readonly start: () => Omit<WorkerStart, "keystore">;
  /** The text of the keystore that is in force now. */
  readonly text: () => string;
  /** Answers what a worker asks. */
  readonly answer: (question: QuestionItem, workers: WorkersNow) => Promise<AnswerItem["value"]>;
  /** Told when keys were last used. */
  readonly used: (digest: string, nowMs: number) => void;
  readonly giveBack: (lineage: string, chargedAtMs: number, unused: number) => void;
  readonly report: (event: ServerEvent) => void;
}

/** How all workers stand. */
export interface WorkersNow {
  /** The counters of every worker that lives or lived, added up. */
  counters(): Promise<CounterSnapshot | undefined>;
  generations(generation: string): WorkerGenerations;
}

/** The workers of a server. */
export interface WorkerPool {
  /** Where they listen, once the first one does. */
  readonly url: string;
  readonly local: boolean;
  /** Takes the keystore's text of now into force; true when every worker has it, false after 10 s. */
  apply(): Promise<boolean>;
  setDegraded(degraded: readonly Degradation[]): void;
  setTls(pair: TlsPair): void;
  /** Stops them all within the grace; called again, with less. */
  stop(graceMs: number): Promise<void>;
}

interface Member {
  readonly worker: Worker;
  readonly bornMs: number;
  version: number;
  generation: string | undefined;
  counters: CounterSnapshot | undefined;
  /** Whether it was told to start: with the keystore of then. */
  started: boolean;
  listening: boolean;
}

/**
 * Starts workers, which answer requests, and replaces each that dies, after a pause that grows while
 * they die young. A new one begins with the keystore in force; limits, failures and counters live
 * here and are not lost with it.
 *
 * @throws KeysError `listen-failed`, or what else keeps the first worker from listening
 */
export async function startWorkers(options: WorkerPoolOptions): Promise<WorkerPool> {
  const members = new Set<Member>();
  const counting = new Map<number, () => void>();
  let version = 1;
  let departed: CounterSnapshot | undefined;
  let pauseMs = SHORTEST_PAUSE_MS;
  let lastCount = 0;
  let stopping = false;
  let wake = (): void => undefined;
  let changed = new Promise<void>((resolve) => (wake = resolve));

  // Whoever waits for something of the workers looks again.
  function stir(): void {
    wake();
    changed = new Promise((resolve) => (wake = resolve));
  }

  function send(member: Member, message: ToWorker): void {
    if (member.worker.isConnected()) member.worker.send(message, () => undefined);
  }

  function keystoreNow(): SentKeystore {
    return { version, text: options.text() };
  }

  function broadcast(message: ToWorker): void {
    for (const member of members) send(member, message);
  }

  function fork(onFirst?: (message: FromWorker) => void): void {
    const worker = cluster.fork();
    const member: Member = {
      worker,
      bornMs: performance.now(),
      version: 0,
      generation: undefined,
      counters: undefined,
      started: false,
      listening: false,
    };
    members.add(member);
    worker.on("message", (message: FromWorker) => {
      receive(member, message);
      onFirst?.(message);
    });
    worker.on("error", () => undefined);
    worker.once("exit", (code, signal) => {
      members.delete(member);
      if (member.counters !== undefined) {
        departed =
          departed === undefined ? member.counters : addCounters(departed, member.counters);
      }
      stir();
      onFirst?.({
        kind: "failed",
        code: "internal",
        message: "a worker ended before it listened",
        hint: undefined,
      });
      if (stopping || (onFirst !== undefined && !member.listening)) return;
      void replace(member, code, signal);
    });
  }

  async function replace(member: Member, code: number, signal: string): Promise<void> {
    if (performance.now() - member.bornMs > PROVEN_MS) pauseMs = SHORTEST_PAUSE_MS;
    const pause = pauseMs;
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    options.report({
      level: "error",
      event: "worker-died",
      message: "a worker ended unasked; another takes its place",
      details: { code, signal, pause_ms: pause },
    });
    await delay(pause, undefined, { ref: false });
    if (!stopping) fork();
  }

  function receive(member: Member, message: FromWorker): void {
    switch (message.kind) {
      case "hello":
        member.started = true;
        send(member, { kind: "start", keystore: keystoreNow(), ...options.start() });
        break;
      case "listening":
        member.listening = true;
        break;
      case "in-force":
        member.version = message.version;
        member.generation = message.generation;
        stir();
        break;
      case "questions":
        void answer(member, message.questions);
        break;
      case "counted":
        member.counters = message.counters;
        counting.get(message.id)?.();
        break;
      case "report":
        member.counters = message.counters;
        for (const [digest, ms] of message.used) options.used(digest, ms);
        break;
      case "give-back":
        options.giveBack(message.lineage, message.chargedAtMs, message.unused);
        break;
      case "failed":
      case "stopped":
        break;
    }
  }

  async function answer(member: Member, questions: readonly QuestionItem[]): Promise<void> {
    const answers = await Promise.all(
      questions.map(async (question): Promise<AnswerItem> => {
        try {
          return { id: question.id, ok: true, value: await options.answer(question, now) };
        } catch {
          return { id: question.id, ok: false, value: undefined };
        }
      }),
    );
    send(member, { kind: "answers", answers });
  }

  async function count(member: Member): Promise<void> {
    lastCount += 1;
    const id = lastCount;
    await Promise.race([
      new Promise<void>((resolve) => {
        counting.set(id, resolve);
        send(member, { kind: "count", id });
      }),
      delay(COUNT_MS, undefined, { ref: false }),
    ]);
    counting.delete(id);
  }

  async function until(isSo: () => boolean, ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (!isSo() && performance.now() < end) {
      await Promise.race([changed, delay(end - performance.now(), undefined, { ref: false })]);
    }
    return isSo();
  }

  const now: WorkersNow = {
    async counters() {
      await Promise.all([...members].map(count));
      let sum = departed;
      for (const { counters } of members) {
        if (counters !== undefined) sum = sum === undefined ? counters : addCounters(sum, counters);
      }
      return sum;
    },
    generations: (generation) => ({
      workers: options.workers,
      current: [...members].filter((member) => member.generation === generation).length,
    }),
  };

  // Each takes its connections from the kernel: handing every one over through the primary costs
  // more than half of what a server of short connections could do.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: options.workerPath, args: [], serialization: "advanced" });
  const first = await new Promise<Extract<FromWorker, { kind: "listening" | "failed" }>>(
    (resolve) => {
      fork((message) => {
        if (message.kind === "listening" || message.kind === "failed") resolve(message);
      });
    },
  );
  if (first.kind === "failed") {
    stopping = true;
    for (const { worker } of members) worker.process.kill("SIGKILL");
    const { code, message, hint } = first;
    throw new KeysError(code as KeysErrorCode, message, hint === undefined ? {} : { hint });
  }
  for (let index = 1; index < options.workers; index += 1) fork();
  await until(
    () =>
      [...members].filter(({ generation }) => generation !== undefined).length >= options.workers,
    APPLY_MS,
  );

  return {
    url: first.url,
    local: first.local,
    async apply() {
      version += 1;
      const awaited = version;
      broadcast({ kind: "keystore", keystore: keystoreNow() });
      // One that has yet to be told to start starts with it.
      return await until(
        () => [...members].every((member) => member.version >= awaited || !member.started),
        APPLY_MS,
      );
    },
    setDegraded(degraded) {
      broadcast({ kind: "degraded", degraded });
    },
    setTls(pair) {
      broadcast({ kind: "tls", pair });
    },
    async stop(graceMs) {
      stopping = true;
      broadcast({ kind: "stop", graceMs });
      await until(() => members.size === 0, graceMs + OVERTIME_MS);
      for (const { worker } of members) worker.process.kill("SIGKILL");
    },
  };
}
