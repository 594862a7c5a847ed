import { hostname } from "node:os";
import { systemCode } from "../errors.js";
import { readFile, readlink } from "./disk.js";
import { ignore } from "./file-failure.js";

/** A process, told from all others: past ones, and those of other machines and containers. */
export interface Owner {
  readonly host: string;
  /** Differs after each boot; null where the system has none (not Linux). */
  readonly boot: string | null;
  /** The process-id namespace: in which of a machine's containers `pid` means something. */
  readonly namespace: string | null;
  readonly pid: number;
  /** When the process started, in clock ticks since boot: tells it from a later one of that pid. */
  readonly started: string | null;
}

/** The content of a lock file. */
export interface Holder extends Owner {
  /** 32 hex digits. */
  readonly nonce: string;
  /** RFC 3339, for people. */
  readonly created: string;
}

/** What can be told of a holder from here; `foreign`: nothing, it is a matter of waiting. */
export type Standing = "alive" | "dead" | "foreign";

const NONCE = /^[0-9a-f]{32}$/;
const PRINTABLE = /^[\x21-\x7e]{1,255}$/;

/** The holder that a lock file names, or undefined for anything else than what is written here. */
export function parseHolder(text: string): Holder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { host, boot, namespace, pid, started, nonce, created } = value as Record<string, unknown>;
  if (!isPrintable(host) || !isPrintable(nonce) || !NONCE.test(nonce) || !isPrintable(created)) {
    return undefined;
  }
  if (!isPrintableOrNull(boot) || !isPrintableOrNull(namespace) || !isPrintableOrNull(started)) {
    return undefined;
  }
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid < 1) return undefined;
  return { host, boot, namespace, pid, started, nonce, created };
}

// The host comes from a file and goes to a terminal.
function isPrintable(value: unknown): value is string {
  return typeof value === "string" && PRINTABLE.test(value);
}

function isPrintableOrNull(value: unknown): value is string | null {
  return value === null || isPrintable(value);
}

/**
 * Whether a holder lives, as far as can be told from here. Only for a process of this machine (by
 * its host name: machines that share a volume need names of their own) and of this container.
 */
export async function judge(holder: Holder | undefined, self: Owner): Promise<Standing> {
  if (holder === undefined) return "foreign";
  if (holder.host !== self.host || holder.namespace !== self.namespace) return "foreign";
  if (holder.boot !== self.boot) {
    return holder.boot === null || self.boot === null ? "foreign" : "dead";
  }
  if (!isRunning(holder.pid)) return "dead";
  const found = await readProcess(holder.pid);
  // Not to be told (another system, or /proc hides others' processes): then it lives.
  if (found === undefined || holder.started === null) return "alive";
  if (found.started !== holder.started) return "dead";
  // A killed process that its parent has not asked about yet; with threads left, one of them may
  // still be in a system call: a rename, perhaps.
  return found.state === "Z" && found.threads <= 1 ? "dead" : "alive";
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}

/** This process, as its lock files name it. */
export async function identifySelf(): Promise<Owner> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "latin1").catch(ignore);
  const namespace = await readlink("/proc/self/ns/pid").catch(ignore);
  const started = (await readProcess(process.pid))?.started;
  return {
    host: hostname().replace(/[^\x21-\x7e]/gu, "?") || "?",
    boot: boot?.trim() ?? null,
    namespace: namespace ?? null,
    pid: process.pid,
    started: started ?? null,
  };
}

/** Of `/proc/PID/stat` (proc_pid_stat(5)): state (field 3), num_threads (20), starttime (22). */
async function readProcess(
  pid: number,
): Promise<{ state: string; threads: number; started: string } | undefined> {
  const text = await readFile(`/proc/${String(pid)}/stat`, "latin1").catch(ignore);
  if (text === undefined) return undefined;
  // Field 2, the name in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, threads, started] = [fields[0], fields[17], fields[19]];
  if (state === undefined || threads === undefined || started === undefined) return undefined;
  return { state, threads: Number(threads), started };
}
