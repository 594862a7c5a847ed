import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { isKeysError } from "../errors.js";
import { parseKeystoreText } from "../file/document.js";
import { DocumentMemory } from "../file/document-memory.js";
import { prepareGeneration } from "../file/generation-slices.js";
import type { Policy } from "../file/policy.js";
import type { StoredKeystore } from "../file/store.js";
import { createCounters } from "./counters.js";
import { openDoor, type Door } from "./door.js";
import { faultEvent } from "./fault-event.js";
import type { ServerDeps } from "./host.js";
import type { FromWorker, SentKeystore, ToWorker, WorkerStart } from "./ipc.js";
import { createKeystoreEdit } from "./keystore-edit.js";
import { createKeystoreState, type Degradation, type KeystoreState } from "./keystore-state.js";
import { EMPTY_KEYSTORE } from "../core/keystore.js";
import { createServerLog } from "./log.js";
import { createPrimaryLine } from "./primary-line.js";
import { createRemoteServices } from "./remote-services.js";
import type { ServerEvent } from "./server-event.js";
import type { TlsPair } from "./tls.js";

/** How often a worker tells of last uses and counters, in milliseconds. */
const REPORT_MS = 1000;
/** How long a stop waits for the log to be written, in milliseconds. */
const FLUSH_MS = 1000;

/** A worker's side of the channel to its primary. */
export interface WorkerChannel {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /** Ends the channel, and with it the worker. */
  close(): void;
}

/** The worker's own end, for what nobody foresaw. */
export interface RunningWorker {
  /** Tells of a defect and ends; the primary starts another. */
  fail(error: unknown): Promise<void>;
}

/**
 * Runs a worker: it answers requests from the keystore that its primary sends it, and does nothing
 * else with the world but write its log.
 */
export function runWorker(channel: WorkerChannel, { now, write }: ServerDeps): RunningWorker {
  let log = createServerLog((text) => writeLines(text, write), now);
  const line = createPrimaryLine(
    (message) => {
      channel.send(message);
    },
    () => performance.now(),
  );
  const counters = createCounters();
  let used = new Map<string, number>();
  let degraded: readonly Degradation[] = [];
  let tls: TlsPair | undefined;
  let running: { state: KeystoreState; door: Door; reporter: NodeJS.Timeout } | undefined;
  let state: KeystoreState | undefined;
  let policy = (): Policy => ({ nowMs: now() });
  let path = "";
  const memory = new DocumentMemory();
  let taking = Promise.resolve();

  function report(event: ServerEvent): void {
    log.event(event, now());
  }

  /** One after the other: what came last is in force in the end. */
  function take(sent: SentKeystore): Promise<void> {
    taking = taking.then(() => takeOne(sent));
    return taking;
  }

  async function takeOne({ version, text }: SentKeystore): Promise<void> {
    const inForce = state;
    if (inForce === undefined) return;
    const document = parseKeystoreText(text, policy(), memory.last);
    memory.keep(document);
    await prepareGeneration(document.keystore);
    const { diagnostics } = document;
    const store: StoredKeystore = { path, exists: true, diagnostics, document };
    // The primary has judged the same text by the same rules.
    if (!inForce.reload({ store }).applied) {
      throw new Error("a worker refused an accepted keystore");
    }
    channel.send({ kind: "in-force", version, generation: inForce.snapshot().generation });
  }

  function tell(): void {
    const gathered = used;
    used = new Map();
    channel.send({ kind: "report", counters: counters.snapshot(), used: gathered });
  }

  async function start(given: WorkerStart): Promise<void> {
    path = given.path;
    policy = () => ({ ...given.policy, nowMs: now() });
    degraded = given.degraded;
    log = createServerLog((text) => writeLines(text, write), now, given.settings.logForm);
    const inner = createKeystoreState(EMPTY_KEYSTORE, now);
    // How the server stands is for its primary to say.
    const own: KeystoreState = { ...inner, degraded: () => degraded };
    state = own;
    await take(given.keystore);
    const { auditFile } = given;
    const services = createRemoteServices({
      edit: createKeystoreEdit({ path, auditFile, policy: () => policy(), now, report, memory }),
      line,
      send: (message) => {
        channel.send(message);
      },
      path,
      auditFile,
      used: (digest, nowMs) => {
        used.set(digest, nowMs);
      },
      now,
      monotonicMs: () => performance.now(),
    });
    try {
      const deps = { state: own, services, counters, log, report, now };
      const door = await openDoor(given.settings, deps);
      const reporter = setInterval(tell, REPORT_MS);
      running = { state: own, door, reporter };
      // A newer certificate may have come while the door was opened.
      if (tls !== undefined) door.setTls(tls);
      channel.send({ kind: "listening", url: door.url, local: door.local });
    } catch (error) {
      if (!isKeysError(error)) throw error;
      const { code, message, hint } = error;
      channel.send({ kind: "failed", code, message, hint });
      channel.close();
    }
  }

  async function stop(graceMs: number): Promise<void> {
    if (running !== undefined) {
      running.state.beginStop();
      await running.door.stop(graceMs);
      clearInterval(running.reporter);
      tell();
    }
    await end();
  }

  async function end(): Promise<void> {
    await Promise.race([log.flush(), delay(FLUSH_MS)]);
    line.close();
    channel.send({ kind: "stopped" });
    channel.close();
  }

  async function fail(error: unknown): Promise<void> {
    report(faultEvent("a worker met a defect and ends", error));
    await end();
  }

  async function receive(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case "start":
        await start(message);
        break;
      case "keystore":
        await take(message.keystore);
        break;
      case "degraded":
        degraded = message.degraded;
        break;
      case "tls":
        tls = message.pair;
        running?.door.setTls(message.pair);
        break;
      case "answers":
        line.answered(message.answers);
        break;
      case "count":
        channel.send({ kind: "counted", id: message.id, counters: counters.snapshot() });
        break;
      case "stop":
        await stop(message.graceMs);
        break;
    }
  }

  channel.onMessage((message) => {
    receive(message).catch(fail);
  });
  channel.send({ kind: "hello" });
  return { fail };
}

/** What one write to a pipe carries whole, so that the lines of several workers don't mix (pipe(7)). */
const WHOLE_OCTETS = 4096;

/** Writes whole lines, no more at once than stays together; the text is ASCII. */
async function writeLines(text: string, write: (text: string) => Promise<void>): Promise<void> {
  let from = 0;
  while (from < text.length) {
    const limit = from + WHOLE_OCTETS;
    const lastEnd = limit >= text.length ? text.length : text.lastIndexOf("\n", limit - 1) + 1;
    // A line longer than that goes alone.
    const to = lastEnd > from ? lastEnd : text.indexOf("\n", from) + 1 || text.length;
    await write(text.slice(from, to));
    from = to;
  }
}
