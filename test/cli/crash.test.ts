import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { startKeys, type RunResult } from "../helpers/bin.js";
import {
  keysOf,
  mintedTokensIn,
  namesIn,
  readKeys,
  serviceConfiguration,
  temporaryDirectory,
  tokenOf,
} from "../helpers/keystores.js";

const KILLS = process.env["KEYHOLD_SHORT"] === "1" ? 25 : 200;

/** Each works on a file of its own, at the same time as the others. */
const SLOTS = 3;

/** A lock that nobody takes over would hold a command up for 30 s at least. */
const HOLD_UP_MS = 2000;

const FILE = "keys.yaml";

/** How a whole run goes, here and now. */
interface Course {
  readonly ms: number;
  /** What can be seen of it in the directory: names that come and go. */
  readonly events: number;
}

/** A run that was killed, unless it ended before. */
interface Killed extends Course {
  readonly result: RunResult;
}

/** What a killed command left. */
interface Remains {
  readonly changed: boolean;
  /** Files beside the keystore. */
  readonly leftovers: readonly string[];
}

/** Runs a command and kills it after `ms`, or when its directory has changed for the n-th time. */
async function runUntil(
  cwd: string,
  args: readonly string[],
  end: { readonly ms?: number; readonly event?: number },
): Promise<Killed> {
  const begun = performance.now();
  const child = startKeys(args, { cwd });
  let events = 0;
  const watcher = fs.watch(cwd, () => {
    events += 1;
    if (events === end.event) child.kill("SIGKILL");
  });
  const timer = new AbortController();
  if (end.ms !== undefined) {
    void delay(end.ms, undefined, timer).then(
      () => {
        child.kill("SIGKILL");
      },
      () => undefined,
    );
  }
  const result = await child.ended;
  timer.abort();
  watcher.close();
  return { ms: performance.now() - begun, events, result };
}

/** The file is what it was, or that and the one edit: true if so. */
function isEdited(before: string, after: string, args: readonly string[], stdout: string): boolean {
  const [old, now] = [keysOf(before), keysOf(after)];
  const added = [...now.live.keys()].filter((digest) => !old.live.has(digest));
  for (const token of mintedTokensIn(stdout)) expect(added).toContain(digestOf(token));
  if (before === after) return false;
  const removed = [...old.live.keys()].filter((digest) => !now.live.has(digest));
  const retired = [...now.retired.keys()].filter((digest) => !old.retired.has(digest));
  const lines = new Set(after.split("\n"));
  const lost = before.split("\n").filter((line) => !lines.has(line));
  if (args[0] === "create") {
    expect([added.length, removed.length, retired.length]).toEqual([1, 0, 0]);
    expect(lost).toEqual([]);
  } else {
    expect([added, removed, retired]).toEqual([[], [args.at(-1)], [args.at(-1)]]);
    expect(lost.filter((line) => !line.includes(String(args.at(-1))))).toEqual([]);
  }
  return true;
}

/**
 * The next command is not held up, clears away what was left, and its key is there. What only the
 * machine held up is tried again, from the same remains: a lock would hold it up each time.
 */
async function proceed(cwd: string, usualMs: number): Promise<void> {
  const remains = temporaryDirectory();
  fs.cpSync(cwd, remains, { recursive: true, preserveTimestamps: true });
  const times: number[] = [];
  do {
    if (times.length > 0) {
      fs.rmSync(cwd, { recursive: true });
      fs.cpSync(remains, cwd, { recursive: true, preserveTimestamps: true });
    }
    const { ms, result } = await runUntil(cwd, ["create", "--id", "next"], {});
    times.push(ms - usualMs);
    expect(result.exitCode, result.stderr).toBe(0);
    expect(namesIn(cwd)).toEqual([FILE]);
    expect(readKeys(join(cwd, FILE)).live.has(digestOf(tokenOf(result.stdout)))).toBe(true);
  } while (Math.min(...times) > HOLD_UP_MS && times.length < 4);
  expect(Math.min(...times)).toBeLessThan(HOLD_UP_MS);
}

/** Kills one command after another, on one file. */
async function slot(number: number): Promise<readonly Remains[]> {
  const cwd = temporaryDirectory();
  const file = join(cwd, FILE);
  fs.writeFileSync(file, serviceConfiguration(100));
  let course: Course = await runUntil(cwd, ["create", "--id", "first"], {});
  const found: Remains[] = [];
  for (let round = number; round < KILLS; round += SLOTS) {
    const before = fs.readFileSync(file, "utf8");
    const digest = [...keysOf(before).live.keys()][3] ?? "";
    const turn = (round - number) / SLOTS;
    const args = turn % 2 === 0 ? ["create", "--id", `new-${round}`] : ["revoke", "--yes", digest];
    // Half of them anywhere, from the start to just after the end; half while it is at work.
    const killed = await runUntil(
      cwd,
      args,
      turn % 4 < 2
        ? { ms: Math.random() * 1.05 * course.ms }
        : { event: 1 + Math.floor(Math.random() * course.events) },
    );
    if (killed.result.exitCode === 0) course = killed;
    const { stdout } = killed.result;
    const changed = isEdited(before, fs.readFileSync(file, "utf8"), args, stdout);
    const leftovers = namesIn(cwd).filter((name) => name !== FILE);
    for (const name of leftovers) {
      expect(mintedTokensIn(fs.readFileSync(join(cwd, name), "utf8"))).toEqual([]);
    }
    // Where nothing was left, nothing tells the next command of the one that was killed.
    if (leftovers.length > 0) await proceed(cwd, course.ms);
    found.push({ changed, leftovers });
  }
  await proceed(cwd, course.ms);
  return found;
}

it(
  `keeps the file whole when it is killed at ${KILLS} random instants`,
  { timeout: 300_000 },
  async () => {
    const slots = await Promise.all(Array.from({ length: SLOTS }, (_, number) => slot(number)));
    const all = slots.flat();
    expect(all).toHaveLength(KILLS);
    // Else the kills missed what they were to hit.
    const least = KILLS / 25;
    expect(all.filter(({ leftovers }) => leftovers.length > 0).length).toBeGreaterThan(least);
    expect(all.filter(({ changed }) => changed).length).toBeGreaterThan(least);
    expect(all.filter(({ changed }) => !changed).length).toBeGreaterThan(least);
  },
);
