import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { isKeysError, type KeysError } from "../errors.js";
import { createHttpClient, isUntrusted } from "./http-client.js";

/** What a server was seen to have in force, as JSON gives it. */
export interface WaitedServer {
  readonly url: string;
  /**
   * `current`: every worker has the file's generation. `behind`: some has not. `unreachable`: no
   * answer. `invalid`: an answer, but none of a verify server. `not-asked`: no use in asking.
   */
  readonly state: "current" | "behind" | "unreachable" | "invalid" | "not-asked";
  /** The generation it has in force; null where it did not say. */
  readonly generation: string | null;
  readonly workers: number | null;
  /** How many of the workers have `generation` in force. */
  readonly workers_current: number | null;
}

/** How to wait. */
export interface ServerWaitOptions {
  /** For all servers together, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends the wait; what was seen by then is the result. */
  readonly signal: AbortSignal;
  /** The file's generation at this moment: the file may move on while servers are asked. */
  readonly generation: () => Promise<string>;
  /** Told of each server whose certificate is not to be trusted: it is not waited for. */
  readonly onUntrusted: (url: string, error: KeysError) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 500;
const REQUEST_TIMEOUT_MS = 5000;
/** A timer may fire this much before its time by the clock, in milliseconds. */
const TIMER_MS = 5;
const MAX_STATUS_OCTETS = 64 * 1024;

/**
 * Asks each server's `/status` until all its workers have the file's generation in force, all
 * servers at once (CLI.md, `revoke --wait`). Never throws for what a server does.
 *
 * @param urls - as `parseServerUrl` gives them.
 * @returns a state for each URL, in their order.
 */
export function waitForServers(
  urls: readonly string[],
  options: ServerWaitOptions,
): Promise<readonly WaitedServer[]> {
  const deadlineMs = performance.now() + options.timeoutMs;
  return Promise.all(urls.map((url) => waitForServer(url, deadlineMs, options)));
}

async function waitForServer(
  url: string,
  deadlineMs: number,
  { signal, generation, onUntrusted }: ServerWaitOptions,
): Promise<WaitedServer> {
  let seen = unanswered(url, "unreachable");
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const leftMs = deadlineMs - performance.now();
    if (isOver(signal) || leftMs <= 0) return seen;
    const timeoutMs = Math.min(REQUEST_TIMEOUT_MS, leftMs);
    let now: WaitedServer;
    try {
      now = await askStatus(url, await generation(), timeoutMs, signal);
    } catch (error) {
      if (!isUntrusted(error)) throw error;
      onUntrusted(url, error);
      return unanswered(url, "unreachable");
    }
    // A request that the end of the wait cut short says nothing of the server.
    const isCut = isOver(signal) || deadlineMs - performance.now() < TIMER_MS;
    if (isCut && now.state === "unreachable") return seen;
    seen = now;
    if (seen.state === "current") return seen;
    const pause = Math.min(pauseMs, Math.max(0, deadlineMs - performance.now()));
    await delay(pause, undefined, { signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
  }
}

/** A function, since what it reads changes while something is awaited. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** @throws KeysError where {@link isUntrusted} */
async function askStatus(
  url: string,
  expected: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<WaitedServer> {
  const http = createHttpClient({ timeoutMs, signal });
  try {
    const { status, body } = await http.ask({
      method: "GET",
      url: `${url}/status`,
      maxOctets: MAX_STATUS_OCTETS,
    });
    return status === 200 ? readStatus(url, body, expected) : unanswered(url, "invalid");
  } catch (error) {
    if (isUntrusted(error)) throw error;
    return unanswered(url, isKeysError(error, "peer-answer-invalid") ? "invalid" : "unreachable");
  } finally {
    http.close();
  }
}

function readStatus(url: string, body: string, expected: string): WaitedServer {
  const { generation, workers, workers_current } = membersOf(body);
  if (
    typeof generation !== "string" ||
    !/^[0-9a-f]{16}$/.test(generation) ||
    !isCount(workers) ||
    !isCount(workers_current) ||
    workers < 1
  ) {
    return unanswered(url, "invalid");
  }
  const isCurrent = generation === expected && workers_current === workers;
  return { url, state: isCurrent ? "current" : "behind", generation, workers, workers_current };
}

function membersOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(body) as unknown;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** A server of which nothing is known but its URL. */
export function unanswered(url: string, state: WaitedServer["state"]): WaitedServer {
  return { url, state, generation: null, workers: null, workers_current: null };
}
