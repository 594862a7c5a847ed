import * as fs from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { acquireLock } from "../../src/file/lock.js";
import { runKeys, startKeys } from "../helpers/bin.js";
import { keysOf, serviceConfiguration, temporaryDirectory, tokenOf } from "../helpers/keystores.js";
import { describeWith } from "../helpers/requires.js";

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
    expect(fs.readdirSync(cwd)).toEqual([FILE]);
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

/** Of `/proc/PID/status` (proc_pid_status(5)): whether the process has a handler for a signal. */
function catches(pid: number | undefined, signal: "SIGINT" | "SIGTERM"): boolean {
  const status = fs.readFileSync(`/proc/${pid ?? 0}/status`, "utf8");
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return ((caught >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

describeWith(
  {
    needs: "/proc",
    why: "it tells when a command listens for signals",
    available: () => fs.existsSync("/proc/self/status"),
  },
  "a command that waits for the lock",
  () => {
    it.each(["SIGINT", "SIGTERM"] as const)(
      "gives up on %s, and changes nothing",
      { timeout: 60_000 },
      async (signal) => {
        const cwd = temporaryDirectory();
        const text = serviceConfiguration(1);
        fs.writeFileSync(join(cwd, FILE), text);
        const lock = await acquireLock(join(cwd, FILE));
        try {
          const child = startKeys(["create", "--id", "new"], { cwd });
          const { pid } = child;
          await expect.poll(() => catches(pid, signal), { timeout: 20_000 }).toBe(true);
          await delay(200);
          child.kill(signal);
          const { exitCode, stdout, stderr } = await child.ended;
          expect(exitCode).toBe(130);
          expect(stdout).toBe("");
          expect(stderr).toContain("nothing was changed");
        } finally {
          await lock.release();
        }
        expect(fs.readdirSync(cwd)).toEqual([FILE]);
        expect(fs.readFileSync(join(cwd, FILE), "utf8")).toBe(text);
      },
    );
  },
);
