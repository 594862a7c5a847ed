import * as fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "vitest";
import { runKeys, type RunOptions, type RunResult } from "./bin.js";
import { temporaryDirectory } from "./keystores.js";

/**
 * Loaded into the bin before anything else: counts the calls to the file system, from the first that
 * names the directory `STEP_DIRECTORY`, and sends the process a signal just before call `STEP_AT`.
 */
const hook = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { STEP_AT, STEP_SIGNAL, STEP_DIRECTORY, STEP_COUNT } = process.env;
const { writeFileSync } = fs;
const handle = await fs.promises.open("/dev/null");
const handlePrototype = Object.getPrototypeOf(handle);
await handle.close();

let count = 0;
let begun = false;
function step(args) {
  begun ||= args.some((arg) => typeof arg === "string" && arg.startsWith(STEP_DIRECTORY));
  if (!begun) return;
  count += 1;
  if (count === Number(STEP_AT)) process.kill(process.pid, STEP_SIGNAL);
}

function wrap(object, name) {
  const original = object[name];
  function wrapped(...args) {
    step(args);
    return original.apply(this, args);
  }
  // With what util.promisify looks for.
  object[name] = Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
}

for (const object of [fs.promises, handlePrototype]) {
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
    if (typeof value === "function" && name !== "constructor") wrap(object, name);
  }
}
for (const name of ["fstat", "fsync", "write"]) wrap(fs, name);
syncBuiltinESMExports();
process.on("exit", () => writeFileSync(STEP_COUNT, String(count)));
`;

/** Runs of the bin that a signal meets at a chosen step. */
export interface SteppedRuns {
  /** Runs to the end, and gives how many calls to the file system that took. */
  count(args: readonly string[], options: RunOptions): Promise<number>;
  /** Sends `signal` just before the n-th call, from 1. */
  signalAt(
    step: number,
    signal: NodeJS.Signals,
    args: readonly string[],
    options: RunOptions,
  ): Promise<RunResult>;
}

/** {@link SteppedRuns} for the test that runs. */
export function steppedRuns(): SteppedRuns {
  const directory = temporaryDirectory();
  const hookPath = path.join(directory, "hook.mjs");
  const countPath = path.join(directory, "count");
  fs.writeFileSync(hookPath, hook);
  const run = (
    step: number,
    signal: NodeJS.Signals,
    args: readonly string[],
    options: RunOptions,
  ): Promise<RunResult> =>
    runKeys(args, {
      ...options,
      env: {
        ...options.env,
        NODE_OPTIONS: `--import=${pathToFileURL(hookPath).href}`,
        STEP_AT: String(step),
        STEP_SIGNAL: signal,
        STEP_DIRECTORY: options.cwd,
        STEP_COUNT: countPath,
      },
    });
  return {
    async count(args, options) {
      const { exitCode, stderr } = await run(0, "SIGKILL", args, options);
      expect(exitCode, stderr).toBe(0);
      return Number(fs.readFileSync(countPath, "utf8"));
    },
    signalAt: run,
  };
}

/** Steps 1 to `count`; with `KEYHOLD_SHORT` some of them, other ones each time. */
export function stepsUpTo(count: number): readonly number[] {
  const stride = process.env["KEYHOLD_SHORT"] === "1" ? 6 : 1;
  const first = 1 + Math.floor(Math.random() * stride);
  return Array.from({ length: count }, (_, n) => n + 1).filter((n) => n % stride === first % stride);
}
