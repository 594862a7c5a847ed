import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import type { Io, Output, SignalName } from "../../../src/cli/io.js";
import { run } from "../../../src/cli/main.js";

/** The instant at which tests judge, unless they say otherwise: as the vectors do. */
export const NOW: number = Date.UTC(2026, 10, 22, 12, 0, 0);

/** What a test may change of the world. */
export interface WorldOptions {
  readonly nowMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** Width of stdout as a terminal; without it stdout is a pipe. */
  readonly columns?: number;
  /** Called before each write to stdout; may throw a system error. */
  readonly onStdout?: (text: string) => void;
  readonly stdoutIsNullDevice?: boolean;
}

/** What one command gave. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory of its own, a clock and randomness that stand still, and `keys` in it. */
export interface World {
  readonly directory: string;
  /** Runs `keys` with these arguments. */
  keys(args: readonly string[], options?: WorldOptions): Promise<CommandResult>;
  /** {@link keys}, its stdout read as JSON. */
  json(args: readonly string[], options?: WorldOptions): Promise<unknown>;
  write(name: string, text: string | Uint8Array): void;
  read(name?: string): string;
  /** A signal, as if sent to the command that runs. */
  signal(name: SignalName): void;
}

/** A world in a fresh directory that goes when the test ends. */
export function makeWorld(): World {
  const directory = mkdtempSync(path.join(tmpdir(), "keyhold-cli-"));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const listeners = new Set<(name: SignalName) => void>();
  let drawn = 0;

  async function keys(args: readonly string[], options: WorldOptions = {}): Promise<CommandResult> {
    let stdout = "";
    let stderr = "";
    const io: Io = {
      stdin: {
        isTTY: false,
        read: (limit) => Promise.resolve(Buffer.from(options.stdin ?? "").subarray(0, limit + 1)),
      },
      stdout: output(
        (text) => {
          options.onStdout?.(text);
          stdout += text;
        },
        options.columns,
        options.stdoutIsNullDevice,
      ),
      stderr: output((text) => {
        stderr += text;
      }),
      env: { ...options.env },
      cwd: directory,
      now: () => options.nowMs ?? NOW,
      userName: () => "operator",
      randomBytes(size) {
        drawn += 1;
        const octets = createHash("sha512").update(`${directory}${drawn}`).digest();
        return octets.subarray(0, size);
      },
      onSignal(listener) {
        listeners.add(listener);
        return () => {
          listeners.delete(listener);
        };
      },
      terminal: () => {
        throw new Error("nobody may be asked here");
      },
    };
    const status = await run(args, io);
    return { status, stdout, stderr };
  }

  return {
    directory,
    keys,
    json: async (args, options) => {
      const { stdout } = await keys([...args, "--json"], options);
      return JSON.parse(stdout) as unknown;
    },
    write: (name, text) => {
      writeFileSync(path.join(directory, name), text, { mode: 0o600 });
    },
    read: (name = "keys.yaml") => readFileSync(path.join(directory, name), "utf8"),
    signal: (name) => {
      for (const listener of [...listeners]) listener(name);
    },
  };
}

function output(take: (text: string) => void, columns?: number, isNullDevice = false): Output {
  return {
    isTTY: columns !== undefined,
    columns: () => columns,
    write: async (text) => {
      await Promise.resolve();
      take(text);
    },
    flush: () => Promise.resolve(),
    isNullDevice: () => Promise.resolve(isNullDevice),
  };
}

/** A system error, as Node makes one. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
