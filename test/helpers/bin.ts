import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { execa, type Options } from "execa";

/** The bin as it is shipped, over the built `dist/`. */
export const binPath: string = fileURLToPath(new URL("../../bin/keys.cjs", import.meta.url));

/** The Node that runs it: `KEYHOLD_TEST_NODE`, else the one that runs the tests. */
export const nodePath: string = process.env["KEYHOLD_TEST_NODE"] ?? process.execPath;

const inherited = ["HOME", "LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TZ"];

/**
 * An environment for the bin: what any program needs, then `extra`.
 * Nothing of the test run's own comes through: no `KEYS_*`, `CI`, `NO_COLOR`, `NODE_OPTIONS`.
 */
export function binEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...extra };
}

export interface RunOptions {
  /** Working directory: always given, so that no test reads or writes the checkout. */
  cwd: string;
  /** Added to {@link binEnv}. */
  env?: Readonly<Record<string, string>>;
  /** What stdin holds; without it stdin is empty. */
  input?: string | Uint8Array;
  /** Where stdout and stderr go; `"pipe"` unless given. */
  stdout?: Options["stdout"];
  stderr?: Options["stderr"];
  /** Programs in front that end by becoming the bin: `["setpriv", "--nnp"]`. */
  through?: readonly string[];
  /** Killed after this many milliseconds; default 25,000. */
  timeoutMs?: number;
}

export interface RunResult {
  /** Undefined when a signal ended it. */
  exitCode: number | undefined;
  signal: string | undefined;
  /** Whole, with its last line end; empty where it was not a pipe. */
  stdout: string;
  stderr: string;
}

/** The bin while it runs. */
export interface RunningKeys {
  pid: number | undefined;
  kill: (signal: NodeJS.Signals) => void;
  /** Null where {@link RunOptions} sent it elsewhere. */
  stdout: Readable | null;
  stderr: Readable | null;
  /** Any exit status is a result, not an error; a time-out rejects. */
  ended: Promise<RunResult>;
}

/** Starts the bin, for a test that signals it or talks to it while it runs. */
export function startKeys(args: readonly string[], options: RunOptions): RunningKeys {
  const [program = nodePath, ...rest] = [...(options.through ?? []), nodePath, binPath, ...args];
  const child = execa(program, rest, {
    cwd: options.cwd,
    env: binEnv(options.env),
    extendEnv: false,
    ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
    stdout: options.stdout ?? "pipe",
    stderr: options.stderr ?? "pipe",
    timeout: options.timeoutMs ?? 25_000,
    killSignal: "SIGKILL",
    reject: false,
    stripFinalNewline: false,
  });
  const ended = child.then((result) => {
    if (result.timedOut) throw new Error(`keys ${args.join(" ")} did not end`);
    return {
      exitCode: result.exitCode,
      signal: result.signal,
      stdout: text(result.stdout),
      stderr: text(result.stderr),
    };
  });
  return {
    pid: child.pid,
    kill: (signal) => {
      child.kill(signal);
    },
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
  };
}

/** Runs the bin to its end. Any exit status is a result, not an error; a time-out rejects. */
export function runKeys(args: readonly string[], options: RunOptions): Promise<RunResult> {
  return startKeys(args, options).ended;
}

function text(output: unknown): string {
  return typeof output === "string" ? output : "";
}
