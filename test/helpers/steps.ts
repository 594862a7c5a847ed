import * as fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "vitest";
import { runKeys, type RunOptions, type RunResult } from "./bin.js";
import { temporaryDirectory } from "./keystores.js";

/**
 * Loaded into the bin before anything else: counts the calls to the file system, from the first that
 * names the directory `STEP_DIRECTORY`. Just before call `STEP_AT` the process gets the signal
 * `STEP_EVENT`; or, where that is an error's code, the call is not made and fails with it.
 */
const hook = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { STEP_AT, STEP_EVENT, STEP_DIRECTORY, STEP_COUNT } = process.env;
const { writeFileSync } = fs;
let count = 0;
let begun = false;
function step(args) {
  begun ||= args.some((arg) => typeof arg === "string" && arg.startsWith(STEP_DIRECTORY));
  if (!begun) return;
  count += 1;
  if (count !== Number(STEP_AT)) return;
  if (STEP_EVENT.startsWith("SIG")) process.kill(process.pid, STEP_EVENT);
  else throw Object.assign(new Error("injected"), { code: STEP_EVENT });
}

function wrap(object, name) {
  const original = object[name];
  function wrapped(...args) {
    try {
      step(args);
    } catch (error) {
      if (typeof args.at(-1) !== "function") throw error;
      return void process.nextTick(args.at(-1), error);
    }
    return original.apply(this, args);
  }
  // With what util.promisify looks for.
  object[name] = Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
}

// What has a twin that waits, and that. Node's own promises are not used.
for (const name of Object.keys(fs)) {
  if (typeof fs[name + "Sync"] !== "function") continue;
  wrap(fs, name);
  wrap(fs, name + "Sync");
}
wrap(fs.realpath, "native");
wrap(fs.realpathSync, "native");
syncBuiltinESMExports();
process.on("exit", () => writeFileSync(STEP_COUNT, String(count)));
`;

/** Runs of the bin to which something happens at a chosen step. */
export interface SteppedRuns {
  /** Runs to the end, and gives how many calls to the file system that took. */
  count(args: readonly string[], options: RunOptions): Promise<number>;
  /** Has a signal, or a system error such as `EIO`, meet the n-th call, from 1. */
  runTo(
    step: number,
    event: string,
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
  const runTo: SteppedRuns["runTo"] = (step, event, args, options) =>
    runKeys(args, {
      ...options,
      env: {
        ...options.env,
        NODE_OPTIONS: `--import=${pathToFileURL(hookPath).href}`,
        STEP_AT: String(step),
        STEP_EVENT: event,
        STEP_DIRECTORY: options.cwd,
        STEP_COUNT: countPath,
      },
    });
  return {
    async count(args, options) {
      const { exitCode, stderr } = await runTo(0, "EIO", args, options);
      expect(exitCode, stderr).toBe(0);
      return Number(fs.readFileSync(countPath, "utf8"));
    },
    runTo,
  };
}

/** Every `stride`-th of the steps 1 to `count`, and fewer with `KEYHOLD_SHORT`; others each time. */
export function stepsUpTo(count: number, stride: number): readonly number[] {
  const apart = process.env["KEYHOLD_SHORT"] === "1" ? 9 : stride;
  const first = 1 + Math.floor(Math.random() * apart);
  const steps = Array.from({ length: count }, (_, n) => n + 1);
  return steps.filter((step) => step % apart === first % apart);
}
