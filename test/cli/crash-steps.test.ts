import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { appendAudit } from "../../src/file/audit-note.js";
import { auditEvents, type AuditEvent } from "../../src/file/audit-event.js";
import { verifyAudit } from "../../src/file/audit-read.js";
import { runKeys, type RunResult } from "../helpers/bin.js";
import {
  keysOf,
  mintedTokensIn,
  namesIn,
  serviceConfiguration,
  temporaryDirectory,
  tokenOf,
} from "../helpers/keystores.js";
import { steppedRuns, stepsUpTo } from "../helpers/steps.js";

/*
 * What the random instants of crash.test.ts hit by chance, hit one by one: the calls to the file
 * system that a command makes, from the first that looks at the keystore to the end.
 */

const TIMEOUT_MS = 240_000;
const AT_ONCE = 2;
const FILE = "keys.yaml";
const TOKEN_FILE = "token";

/** Digest of the one key that all files begin with. */
const text = serviceConfiguration(1);
const oldDigest = [...keysOf(text).live.keys()][0] ?? "";

/** Of the commands whose steps are mostly those of the first, some will do. */
const COMMANDS = [
  { name: "keys create", args: ["create", "--id", "new"], stride: 1 },
  {
    name: "keys create --token-file",
    args: ["create", "--id", "new", "--token-file", TOKEN_FILE, "--json"],
    stride: 6,
  },
  { name: "keys rotate", args: ["rotate", "--yes", oldDigest], stride: 6 },
];

/** What a command did that something happened to. */
interface Outcome {
  readonly cwd: string;
  readonly step: number;
  readonly result: RunResult;
  /** The keystore's text afterwards. */
  readonly after: string;
  /** Minted tokens that somebody has now: from stdout or the token's file. */
  readonly shown: readonly string[];
  /** Digests that are live now and were not before. */
  readonly made: readonly string[];
  /** Files beside the keystore and the token's. */
  readonly leftovers: readonly string[];
}

/** Lets `event` happen at each step of a command, always in a fresh directory. */
async function atEachStep(
  { args, stride }: (typeof COMMANDS)[number],
  event: (step: number) => string,
  judge: (outcome: Outcome) => Promise<void> | void,
): Promise<void> {
  const stepped = steppedRuns();
  const fresh = (): string => {
    const cwd = temporaryDirectory();
    fs.writeFileSync(join(cwd, FILE), text);
    return cwd;
  };
  const steps = [...stepsUpTo(await stepped.count(args, { cwd: fresh() }), stride)];
  expect(steps.length).toBeGreaterThan(3);
  async function work(): Promise<void> {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      const cwd = fresh();
      const result = await stepped.runTo(step, event(step), args, { cwd });
      await judge({ cwd, step, result, ...remainsIn(cwd, result) });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function remainsIn(
  cwd: string,
  { stdout, stderr }: RunResult,
): Pick<Outcome, "after" | "shown" | "made" | "leftovers"> {
  const after = fs.readFileSync(join(cwd, FILE), "utf8");
  const leftovers = namesIn(cwd).filter((name) => name !== FILE && name !== TOKEN_FILE);
  const tokenFile = join(cwd, TOKEN_FILE);
  const kept = fs.existsSync(tokenFile) ? fs.readFileSync(tokenFile, "utf8") : "";
  const shown = mintedTokensIn(stdout + kept);
  const made = [...keysOf(after).live.keys()].filter((digest) => digest !== oldDigest);
  for (const name of leftovers) {
    expect(mintedTokensIn(fs.readFileSync(join(cwd, name), "utf8"))).toEqual([]);
  }
  expect(mintedTokensIn(after + stderr)).toEqual([]);
  return { after, shown, made, leftovers };
}

/** The audit log after a crash holds, and says of the change what the keystore says. */
async function expectRecord({ cwd, step, after }: Outcome): Promise<void> {
  const file = join(cwd, FILE);
  const log = `${file}.audit.jsonl`;
  if (fs.existsSync(log)) {
    expect((await verifyAudit(log)).broken, `step ${step}`).toBeUndefined();
  } else {
    expect(after, `step ${step}`).toBe(text);
  }
  const origin = { actor: "server", action: "note" };
  await appendAudit(file, origin);
  expect(await verifyAudit(log), `step ${step}`).toMatchObject({
    broken: undefined,
    isOpen: false,
  });
  const events: AuditEvent[] = [];
  for await (const event of auditEvents(log)) events.push(event);
  const outcomes = events.flatMap((event) => (event.kind === "change" ? [event.outcome] : []));
  expect(outcomes.includes("done"), `step ${step}`).toBe(after !== text);
  expect(outcomes).not.toContain("unclear");
  expect(mintedTokensIn(fs.readFileSync(log, "utf8"))).toEqual([]);
}

describe.each(COMMANDS)("$name", (command) => {
  it("killed at any step, leaves the old file or the new", { timeout: TIMEOUT_MS }, async () => {
    let [old, made] = [0, 0];
    await atEachStep(
      command,
      () => "SIGKILL",
      async (outcome) => {
        const { cwd, step, after, leftovers, result } = outcome;
        expect(result.signal, `step ${step}`).toBe("SIGKILL");
        if (after === text) old += 1;
        else made += 1;
        expect(outcome.made.length, `step ${step}`).toBe(after === text ? 0 : 1);
        for (const token of outcome.shown) expect(outcome.made).toEqual([digestOf(token)]);
        await expectRecord(outcome);
        if (leftovers.length === 0) return;
        const next = await runKeys(["create", "--id", "next"], { cwd });
        expect(next.exitCode, next.stderr).toBe(0);
        expect(remainsIn(cwd, next).made).toContain(digestOf(tokenOf(next.stdout)));
        expect(remainsIn(cwd, next).leftovers, `step ${step}`).toEqual([]);
      },
    );
    expect(Math.min(old, made)).toBeGreaterThan(0);
  });

  it(
    "interrupted at any step, changes nothing, or shows its token",
    { timeout: TIMEOUT_MS },
    async () => {
      let [done, stopped] = [0, 0];
      // An interrupt is kept for later: it hardly matters which of two steps it met.
      const { stride } = command;
      const signal = (): string => (Math.random() < 0.5 ? "SIGINT" : "SIGTERM");
      await atEachStep(
        { ...command, stride: 2 * stride },
        signal,
        ({ step, result, after, shown, made, leftovers }) => {
          expect(leftovers, `step ${step}`).toEqual([]);
          if (result.exitCode === 130) {
            stopped += 1;
            expect({ after, shown }, `step ${step}`).toEqual({ after: text, shown: [] });
            return;
          }
          done += 1;
          expect(result.exitCode, `step ${step}: ${result.stderr}`).toBe(0);
          expect(shown.map(digestOf), `step ${step}`).toEqual(made);
          expect(made).toHaveLength(1);
        },
      );
      expect(Math.min(done, stopped)).toBeGreaterThan(0);
    },
  );

  it(
    "failing at any step, leaves no live key that nobody has",
    { timeout: TIMEOUT_MS },
    async () => {
      let [done, failed] = [0, 0];
      await atEachStep(
        command,
        () => "EIO",
        ({ cwd, step, result, shown, made }) => {
          if (result.exitCode === 0) {
            done += 1;
            expect(shown.map(digestOf), `step ${step}`).toEqual(made);
            return;
          }
          failed += 1;
          expect(result.exitCode, `step ${step}: ${result.stderr}`).toBe(1);
          expect(result.stderr).toMatch(/^keys: error: /);
          expect(made, `step ${step}`).toEqual([]);
          // The old key works as before, and nobody waits for a token in a file.
          expect(keysOf(fs.readFileSync(join(cwd, FILE))).live.has(oldDigest), `step ${step}`).toBe(
            true,
          );
          expect(fs.existsSync(join(cwd, TOKEN_FILE)), `step ${step}`).toBe(false);
        },
      );
      expect(Math.min(done, failed)).toBeGreaterThan(0);
    },
  );
});
