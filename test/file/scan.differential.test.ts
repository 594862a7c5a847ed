import fc from "fast-check";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { hasErrors } from "../../src/file/diagnostic.js";
import type { Policy } from "../../src/file/policy.js";
import { scan } from "../../src/file/scan/scan.js";
import { describeWith } from "../helpers/requires.js";
import { keystores } from "./arbitrary-keystore.js";
import { mutated, mutations, type Mutation } from "./mutation.js";
import { isAlike, readTwice } from "./read-alike.js";
import { treesOf } from "./tree-alike.js";
import { writtenConfigurations } from "./written-configurations.js";
import { pythonWithYaml } from "./yaml-1-1.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");
const DAY_MS = 86_400_000;
const POLICIES: readonly Policy[] = [
  { nowMs },
  { nowMs },
  { nowMs, requireExpiry: true, requireScopes: true, maxAgeMs: 90 * DAY_MS },
  { nowMs, idOnlyPeers: true },
  { nowMs, reservedIds: ["system", "zoe", "alice"], systemDigest: digestOf("token-b") },
];

/** How many texts are read both ways. */
const CASES = Number(
  process.env["KEYHOLD_DIFFERENTIAL_CASES"] ?? (process.env["CI"] === "true" ? 200_000 : 20_000),
);
/** A run's seed, to be had again. */
const SEED = Number(process.env["KEYHOLD_DIFFERENTIAL_SEED"] ?? Date.now() % 0x7fffffff);

const texts = writtenConfigurations().map(([, text]) => text);

/** As `create --id` writes them, one behind the other. */
const canonical = [
  "api_keys:",
  ...["a", "b", "c", "d"].flatMap((name) => [
    `  "${digestOf(name)}":`,
    `    id: ${name}lice`,
    '    created_at: "2026-11-22T10:00:00Z"',
  ]),
  "",
].join("\n");

/** The same with what people add to it. */
const annotated = [
  "api_keys:",
  ...["a", "b", "c", "d", "e"].flatMap((name, index) => [
    ...(index % 2 === 1 ? ["", "  # team of", "# all"] : []),
    `  '${digestOf(name)}':`,
    `    id: "${name}lice" # asked for`,
    `    created_at: '2026-11-22T10:00:00Z'${index % 3 === 0 ? "  # a note" : ""}`,
    ...(index % 2 === 0 ? ["    label: laptop"] : []),
  ]),
  "",
].join("\n");

/** Configurations and generated keystores alike. */
const bases: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.nat(texts.length - 1).map((index) => texts[index] ?? "") },
  { weight: 1, arbitrary: keystores.map(({ text }) => text) },
  { weight: 3, arbitrary: fc.constantFrom(canonical, annotated) },
);

/** Canonical rows are read in one go where a text goes on behind them. */
const LONG_END = `\n# ${"-".repeat(2100)}\n`;

/** Sound texts that were scanned, for a YAML 1.1 reader at the end. */
const sound: { text: string; live: Record<string, unknown>; keysOnly: true }[] = [];
const MOST_SOUND = 2000;

interface Tally {
  accepted: number;
  declined: number;
  withDiagnostics: number;
  /** Trees that were compared. */
  trees: number;
  /** How many of what was accepted had none. */
  treeless: number;
}

function check(bytes: Uint8Array, policy: Policy, tally: Tally): void {
  const trees = treesOf(bytes, policy);
  if (trees !== undefined) {
    tally.trees += 1;
    if (JSON.stringify(trees.scanned) !== JSON.stringify(trees.composed)) {
      expect(trees.scanned).toEqual(trees.composed);
    }
  }
  const readings = readTwice(bytes, policy);
  if (readings === undefined) {
    tally.declined += 1;
    return;
  }
  tally.accepted += 1;
  if (trees === undefined) tally.treeless += 1;
  if (JSON.stringify(readings.scanned.diagnostics) !== "[]") tally.withDiagnostics += 1;
  keepSound(bytes);
  if (!isAlike(readings)) expect(readings.scanned).toEqual(readings.composed);
}

function keepSound(bytes: Uint8Array): void {
  const scanned = sound.length < MOST_SOUND ? scan(bytes, { nowMs }) : undefined;
  if (scanned === undefined || hasErrors(scanned.diagnostics)) return;
  const live = [...scanned.keystore.live()].filter(({ place }) => place === "live");
  const text = Buffer.from(bytes).toString();
  // The peer compares digests letter by letter.
  if (live.length === 0 || !live.every(({ digest }) => text.includes(digest))) return;
  const rows = live.map(({ digest, fields }) => [digest, Object.fromEntries(fields)] as const);
  sound.push({ text, live: Object.fromEntries(rows), keysOnly: true });
}

function octets(
  text: string,
  list: readonly Mutation[],
  raw: number | undefined,
  isLong: boolean,
): Uint8Array {
  const bytes = Buffer.from(mutated(text, list) + (isLong ? LONG_END : ""));
  if (raw !== undefined && bytes.length > 0) bytes[(raw >> 8) % bytes.length] = raw & 0xff;
  return bytes;
}

describe(`the scanner and the reader that composes a tree (seed ${String(SEED)})`, () => {
  it(
    "find the same in every text that both read",
    () => {
      const tally: Tally = { accepted: 0, declined: 0, withDiagnostics: 0, trees: 0, treeless: 0 };
      const policies = fc.nat(POLICIES.length - 1);
      // One octet in a few texts, so that they may be no UTF-8.
      const raws = fc.oneof(
        { weight: 15, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.nat() },
      );
      fc.assert(
        fc.property(
          bases,
          mutations,
          raws,
          policies,
          fc.boolean(),
          (text, list, raw, policy, isLong) => {
            check(octets(text, list, raw, isLong), POLICIES[policy] ?? { nowMs }, tally);
          },
        ),
        { numRuns: CASES, seed: SEED },
      );
      console.info(`seed ${String(SEED)}: ${JSON.stringify(tally)}`);
      // Not by declining everything, nor by reading what there is nothing to say of.
      expect(tally.accepted).toBeGreaterThan(CASES / 5);
      expect(tally.withDiagnostics).toBeGreaterThan(CASES / 10);
      // An edit of what was scanned hardly ever needs the other reader.
      expect(tally.treeless).toBeLessThan(CASES / 100);
    },
    Math.max(60_000, CASES * 5),
  );
});

describeWith(pythonWithYaml, "a strict YAML 1.1 reader", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyhold-scan-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("reads the same keys in every sound text that was scanned", () => {
    expect(sound.length).toBeGreaterThanOrEqual(Math.min(MOST_SOUND / 2, CASES / 40));
    const input = join(folder, "texts.json");
    writeFileSync(input, JSON.stringify(sound));
    const script = join(import.meta.dirname, "yaml-1-1.py");
    const result = spawnSync(pythonWithYaml.python, [script, input], { encoding: "utf8" });
    expect(result.stderr).toBe("");
    expect(result.stdout.trim()).toBe(`${String(sound.length)} accepted`);
  }, 120_000);
});
