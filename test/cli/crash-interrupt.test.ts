import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { acquireLock } from "../../src/file/lock.js";
import { runKeys, startKeys } from "../helpers/bin.js";
import {
  keysOf,
  namesIn,
  serviceConfiguration,
  temporaryDirectory,
  tokenOf,
} from "../helpers/keystores.js";

const INTERRUPTS = process.env["KEYHOLD_SHORT"] === "1" ? 10 : 60;
const SLOTS = 2;
const FILE = "keys.yaml";

it(
  `changes nothing, or shows its token, when it is interrupted at ${INTERRUPTS} random instants`,
  { timeout: 240_000 },
  async () => {
    const slots = Array.from({ length: SLOTS }, (_, number) => interruptAgain(number));
    const found = (await Promise.all(slots)).flat();
    expect(found).toHaveLength(INTERRUPTS);
    // Else the signals missed what they were to hit.
    expect(new Set(found)).toEqual(new Set(["changed", "unchanged"]));
  },
);

async function interruptAgain(number: number): Promise<readonly ("changed" | "unchanged")[]> {
  const cwd = temporaryDirectory();
  const file = join(cwd, FILE);
  fs.writeFileSync(file, serviceConfiguration(20));
  const begun = performance.now();
  expect((await runKeys(["create", "--id", "first"], { cwd })).exitCode).toBe(0);
  let usualMs = performance.now() - begun;
  const found: ("changed" | "unchanged")[] = [];
  for (let round = number; round < INTERRUPTS; round += SLOTS) {
    const before = fs.readFileSync(file, "utf8");
    const started = performance.now();
    const child = startKeys(["create", "--id", `new-${round}`], { cwd });
    const ended = new AbortController();
    // The last third of the time is when something is done: twice as often then.
    const share = round % 3 === 0 ? Math.random() : 0.6 + 0.5 * Math.random();
    void delay(share * usualMs, undefined, ended).then(
      () => {
        child.kill(round % 4 < 2 ? "SIGINT" : "SIGTERM");
      },
      () => undefined,
    );
    const { exitCode, signal, stdout, stderr } = await child.ended;
    ended.abort();
    if (exitCode === 0) usualMs = performance.now() - started;
    const after = fs.readFileSync(file, "utf8");
    expect(namesIn(cwd)).toEqual([FILE]);
    if (after === before) {
      expect(stdout).toBe("");
      // Before it listens for signals, one ends it as it ends any program.
      if (exitCode === undefined) expect(["SIGINT", "SIGTERM"]).toContain(signal);
      else expect(exitCode, stderr).toBe(130);
      found.push("unchanged");
    } else {
      const old = keysOf(before).live;
      const made = [...keysOf(after).live.keys()].filter((digest) => !old.has(digest));
      expect(made).toEqual([digestOf(tokenOf(stdout))]);
      found.push("changed");
    }
  }
  return found;
}

it.each(["SIGINT", "SIGTERM"] as const)(
  "gives up waiting for the lock on %s, and changes nothing",
  { timeout: 120_000 },
  async (signal) => {
    const cwd = temporaryDirectory();
    const text = serviceConfiguration(1);
    fs.writeFileSync(join(cwd, FILE), text);
    const lock = await acquireLock(join(cwd, FILE));
    let exitCode: number | undefined;
    try {
      // A signal that comes before it listens ends it as it ends any program: then try again, later.
      for (let ms = 500; exitCode === undefined && ms < 30_000; ms *= 2) {
        const child = startKeys(["create", "--id", "new"], { cwd, timeoutMs: 60_000 });
        await delay(ms);
        child.kill(signal);
        const result = await child.ended;
        exitCode = result.exitCode;
        expect(result.stdout).toBe("");
        if (exitCode !== undefined) expect(result.stderr).toContain("nothing was changed");
      }
      expect(exitCode).toBe(130);
      expect(await lock.isHeld()).toBe(true);
    } finally {
      await lock.release();
    }
    expect(namesIn(cwd)).toEqual([FILE]);
    expect(fs.readFileSync(join(cwd, FILE), "utf8")).toBe(text);
  },
);
