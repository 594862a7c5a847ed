import { randomBytes } from "node:crypto";
import { fstat, fsync, write } from "node:fs";
import { stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { isatty } from "node:tty";
import { promisify } from "node:util";
import { systemCode } from "../errors.js";
import type { Input, Io, Output, SignalName } from "./io.js";

const SIGNALS: readonly SignalName[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** How long to wait before a pipe that another program made non-blocking is tried again. */
const BUSY_PAUSE_MS = 5;

const fstatOf = promisify(fstat);
const fsyncOf = promisify(fsync);
const writeTo = promisify(write);

/** The world of this process. */
export function processIo(): Io {
  return {
    stdin: input(),
    stdout: output(1, () => process.stdout.columns),
    stderr: output(2, () => process.stderr.columns),
    env: process.env,
    cwd: process.cwd(),
    now: () => Date.now(),
    userName,
    randomBytes,
    onSignal,
    terminal: () => ({ input: process.stdin, output: process.stderr }),
  };
}

/**
 * A descriptor, written to directly: `process.stdout` takes a short write (a disk that fills up)
 * for a whole one, and a token's last characters would be lost in silence.
 */
function output(fd: 1 | 2, columns: () => number | undefined): Output {
  const isTTY = isatty(fd);
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
  let rest = bytes;
  while (rest.length > 0) {
    try {
      const { bytesWritten } = await writeTo(fd, rest);
      rest = rest.subarray(bytesWritten);
    } catch (error) {
      if (systemCode(error) !== "EAGAIN") throw error;
      await delay(BUSY_PAUSE_MS);
    }
  }
}

async function flush(fd: number): Promise<void> {
  const stats = await fstatOf(fd);
  // A network file system may report a full disk only now.
  if (stats.isFile()) await fsyncOf(fd);
}

async function isNullDevice(fd: number): Promise<boolean> {
  try {
    const [own, nothing] = await Promise.all([fstatOf(fd), stat("/dev/null")]);
    return own.isCharacterDevice() && own.rdev === nothing.rdev;
  } catch {
    return false;
  }
}

function input(): Input {
  return {
    isTTY: isatty(0),
    async read(limit, signal) {
      signal.throwIfAborted();
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
    return userInfo().username;
  } catch {
    // In a container a user may be no more than a number.
    return String(process.geteuid?.() ?? "unknown");
  }
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
