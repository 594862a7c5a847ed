import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { generationOf } from "../../src/core/generation.js";
import { parseKeystore } from "../../src/file/document.js";
import type { Policy } from "../../src/file/policy.js";
import { ScannedDocument } from "../../src/file/scanned-document.js";
import { keystores } from "./arbitrary-keystore.js";
import { manyRows } from "./many-rows.js";
import { mutated, mutations } from "./mutation.js";
import { readingOf } from "./read-alike.js";
import { writtenConfigurations } from "./written-configurations.js";

const HOUR_MS = 3_600_000;
const start = Date.parse("2026-11-01T12:00:00Z");
const RUNS = Number(process.env["KEYHOLD_PROPERTY_RUNS"] ?? 600);

/** Enough rows for some to meet in their table. */
const longFiles: fc.Arbitrary<string> = fc.integer({ min: 20, max: 120 }).map((count) => {
  const rows = Array.from({ length: count }, (_, index) => {
    const day = `2026-12-0${String((index % 9) + 1)}T00:00:00Z`;
    const expiry = index % 7 === 3 ? `    expires_at: "${day}"\n` : "";
    return `  "${digestOf(`n${String(index)}`)}":\n    id: n${String(index)}\n${expiry}`;
  });
  return `api_keys:\n${rows.join("")}`;
});

const bases: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: longFiles },
  { weight: 3, arbitrary: manyRows },
  { weight: 1, arbitrary: keystores.map(({ text }) => text) },
  { weight: 1, arbitrary: fc.constantFrom(...writtenConfigurations().map(([, text]) => text)) },
);

/** Lines that are moved, doubled or dropped, as by hand or by a merge: often whole rows. */
const moves = fc.array(
  fc.record({
    kind: fc.nat(3),
    from: fc.nat(),
    size: fc.integer({ min: 1, max: 6 }),
    to: fc.nat(),
  }),
  { maxLength: 3 },
);

type Move = typeof moves extends fc.Arbitrary<(infer One)[]> ? One : never;

function moved(text: string, list: readonly Move[]): string {
  const lines = text.split("\n");
  for (const { kind, from, size, to } of list) {
    const at = placeIn(lines, from);
    const taken = lines.slice(at, at + size);
    if (kind !== 0) lines.splice(at, size);
    if (kind !== 1) lines.splice(placeIn(lines, to), 0, ...taken);
  }
  return lines.join("\n");
}

function placeIn(lines: readonly string[], pick: number): number {
  const rows = lines.flatMap((line, index) => (/^ +["'][0-9a-f]{64}/.test(line) ? [index] : []));
  return pick % 4 === 0 ? pick % (lines.length + 1) : (rows[pick % Math.max(1, rows.length)] ?? 0);
}

const policies: fc.Arbitrary<Policy> = fc
  .record({ hours: fc.nat(24 * 40), demanding: fc.nat(9) })
  .map(({ hours, demanding }) => ({
    nowMs: start + hours * HOUR_MS,
    ...(demanding === 0 ? { requireScopes: true } : {}),
  }));

function shown(bytes: Buffer, policy: Policy, known?: ScannedDocument): unknown {
  const document = parseKeystore(bytes, policy, known);
  if (!(document instanceof ScannedDocument)) return { diagnostics: document.diagnostics };
  return { ...readingOf(document.scan), settings: document.scan.settings };
}

describe("a text of which an earlier one is known", () => {
  it(
    "reads as it does by itself",
    () => {
      const tally = { known: 0, keys: 0 };
      const edits = fc.record({ list: mutations, moves, end: fc.boolean() });
      fc.assert(
        fc.property(
          bases,
          fc.option(mutations),
          fc.array(edits, { minLength: 1, maxLength: 3 }),
          fc.array(policies, { minLength: 4, maxLength: 4 }),
          (base, first, later, instants) => {
            let text = first === null ? base : mutated(base, first);
            let known = parseKeystore(Buffer.from(text), instants[0] ?? { nowMs: start });
            for (const [index, { list, moves: moving, end }] of later.entries()) {
              const policy = instants[index + 1] ?? { nowMs: start };
              text = end ? moved(text, moving) : moved(mutated(text, list), moving);
              const bytes = Buffer.from(text);
              const earlier = known instanceof ScannedDocument ? known : undefined;
              if (earlier !== undefined) tally.known += 1;
              const now = shown(bytes, policy, earlier);
              expect(now).toEqual(shown(bytes, policy));
              known = parseKeystore(bytes, policy, earlier);
              tally.keys += known.keystore === undefined ? 0 : generationOf(known.keystore).length;
            }
          },
        ),
        { numRuns: RUNS },
      );
      expect(tally.known).toBeGreaterThan(RUNS / 4);
      expect(tally.keys).toBeGreaterThan(0);
    },
    Math.max(180_000, RUNS * 60),
  );
});
