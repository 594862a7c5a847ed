import { fstat, fstatSync, fsync, stat, statSync, write } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { systemCode } from "../errors.js";
import { readFrom, writeTo } from "../file/disk.js";
import type { Input, Io, Output, SignalName } from "./io.js";
import { outliveTerminal } from "./lost-terminal.js";

const SIGNALS: readonly SignalName[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** How long to wait before a pipe that another program made non-blocking is tried again. */
const BUSY_PAUSE_MS = 5;

/** How much of a file is read at once: a token and more. */
const CHUNK_BYTES = 65_536;

// What only some commands use of Node is loaded where they do: crypto and tty alone are a third of the
// start of one that needs neither.

/** The world of this process. */
export function processIo(): Io {
  outliveTerminal(isTerminal);
  return {
    stdin: input(),
    stdout: output(1, () => process.stdout.columns),
    stderr: output(2, () => process.stderr.columns),
    env: process.env,
    cwd: process.cwd(),
    now: () => Date.now(),
    userName,
    randomBytes: (size) => process.getBuiltinModule("node:crypto").randomBytes(size),
    onSignal,
    terminal: () => ({ input: process.stdin, output: process.stderr }),
  };
}

/**
 * A descriptor, written to directly: `process.stdout` takes a short write (a disk that fills up)
 * for a whole one, and a token's last characters would be lost in silence.
 */
function output(fd: 1 | 2, columns: () => number | undefined): Output {
  const isTTY = isTerminal(fd);
  return {
    isTTY,
    // 0 is what a terminal says that doesn't know its width.
    columns: () => (isTTY ? columns() || undefined : undefined),
    write: (text) => writeAll(fd, Buffer.from(text, "utf8")),
    flush: () => flush(fd),
    isNullDevice: () => isNullDevice(fd),
  };
}

async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  const isFile = isRegularFile(fd);
  let rest = bytes;
  while (rest.length > 0) {
    try {
      // A pipe or terminal may keep a writer waiting, who then has to see signals.
      const written = isFile ? writeTo(fd, rest) : writeSoon(fd, rest);
      rest = rest.subarray(await written);
    } catch (error) {
      if (systemCode(error) !== "EAGAIN") throw error;
      await delay(BUSY_PAUSE_MS);
    }
  }
}

async function writeSoon(fd: number, bytes: Uint8Array): Promise<number> {
  return (await promisify(write)(fd, bytes)).bytesWritten;
}

async function flush(fd: number): Promise<void> {
  const stats = await promisify(fstat)(fd);
  // A network file system may report a full disk only now.
  if (stats.isFile()) await promisify(fsync)(fd);
}

async function isNullDevice(fd: number): Promise<boolean> {
  try {
    const [own, nothing] = await Promise.all([promisify(fstat)(fd), promisify(stat)("/dev/null")]);
    return own.isCharacterDevice() && own.rdev === nothing.rdev;
  } catch {
    return false;
  }
}

function input(): Input {
  return {
    isTTY: isTerminal(0),
    async read(limit, signal) {
      signal.throwIfAborted();
      if (isRegularFile(0)) return readFile(0, limit, signal);
      const stdin = process.stdin;
      // A pending read would keep the process from ending.
      const stop = (): void => {
        stdin.destroy();
      };
      signal.addEventListener("abort", stop, { once: true });
      const chunks: Buffer[] = [];
      let size = 0;
      try {
        for await (const chunk of stdin as AsyncIterable<Buffer>) {
          chunks.push(chunk);
          size += chunk.length;
          if (size > limit) break;
        }
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener("abort", stop);
      }
      signal.throwIfAborted();
      return Buffer.concat(chunks).subarray(0, limit + 1);
    },
  };
}

function userName(): string {
  try {
    return process.getBuiltinModule("node:os").userInfo().username;
  } catch {
    // In a container a user may be no more than a number.
    return String(process.geteuid?.() ?? "unknown");
  }
}

/** As `process.stdin` would, but for its streams: a regular file never keeps a reader waiting. */
async function readFile(fd: number, limit: number, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for (let size = 0; size <= limit;) {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    const bytesRead = await readFrom(fd, buffer, 0, CHUNK_BYTES, null);
    signal.throwIfAborted();
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
  return Buffer.concat(chunks).subarray(0, limit + 1);
}

function isRegularFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/**
 * What is no device is no terminal, nor is the null device, which services have for stdin; only for
 * another is the module loaded that can tell.
 */
function isTerminal(fd: number): boolean {
  try {
    const own = fstatSync(fd);
    if (!own.isCharacterDevice() || own.rdev === statSync("/dev/null").rdev) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(fd);
}

function onSignal(listener: (name: SignalName) => void): () => void {
  const handlers = SIGNALS.map((name) => {
    const handler = (): void => {
      listener(name);
    };
    process.on(name, handler);
    return [name, handler] as const;
  });
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}
