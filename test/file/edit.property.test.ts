import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { formatInstant } from "../../src/core/instant.js";
import type { Keystore } from "../../src/core/keystore.js";
import type { Change } from "../../src/file/change.js";
import { parseKeystoreText, type KeystoreDocument } from "../../src/file/document.js";
import { editKeystore } from "../../src/file/edit-keystore.js";
import { describeWith } from "../helpers/requires.js";
import { keystores, newFields, texts, type WrittenKeystore } from "./arbitrary-keystore.js";
import { pythonWithYaml } from "./yaml-1-1.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");
const policy = { nowMs };
const RUNS = Number(process.env["KEYHOLD_PROPERTY_RUNS"] ?? 400);

/** Every text that an edit made, for the YAML 1.1 reader at the end. */
const produced: string[] = [];

type Fields = Map<string, string>;
interface Kept {
  readonly live: Map<string, Fields>;
  readonly retired: Map<string, Fields>;
}

type Step =
  | { readonly kind: "add"; readonly fields: ReadonlyMap<string, string> }
  | { readonly kind: "retire" | "purge" | "restore"; readonly pick: number }
  | { readonly kind: "retire all" }
  | { readonly kind: "rotate"; readonly pick: number; readonly grace: boolean }
  | { readonly kind: "label"; readonly pick: number; readonly label: string | null };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), fields: newFields }),
  fc.record({
    kind: fc.constantFrom("retire" as const, "purge" as const, "restore" as const),
    pick: fc.nat(),
  }),
  fc.record({ kind: fc.constant("retire all" as const) }),
  fc.record({ kind: fc.constant("rotate" as const), pick: fc.nat(), grace: fc.boolean() }),
  fc.record({ kind: fc.constant("label" as const), pick: fc.nat(), label: fc.option(texts) }),
);

function parse(text: string): KeystoreDocument {
  return parseKeystoreText(text, policy);
}

function edit(text: string, changes: readonly Change[]): string {
  const edited = editKeystore(parse(text), changes, policy);
  produced.push(edited.text);
  expect(patched(text, edited)).toBe(withoutReturns(edited.text));
  return edited.text;
}

/** A last line without an ending has no carriage return either: a diff shows neither. */
function withoutReturns(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

/** The old text with the lines of a dry run's diff put in. */
function patched(text: string, { text: edited, changes = [] }: KeystoreDocument): string {
  const [old, now] = [withoutReturns(text).split("\n"), withoutReturns(edited).split("\n")];
  for (const { oldStart, oldCount, newStart, newCount } of changes.toReversed()) {
    old.splice(oldStart, oldCount, ...now.slice(newStart, newStart + newCount));
  }
  return old.join("\n");
}

function read(keystore: Keystore | undefined): Kept {
  const kept: Kept = { live: new Map(), retired: new Map() };
  for (const entry of keystore?.live() ?? []) kept.live.set(entry.digest, new Map(entry.fields));
  for (const entry of keystore?.retired() ?? []) {
    kept.retired.set(entry.digest, new Map(entry.fields));
  }
  return kept;
}

function pickFrom<V>(map: ReadonlyMap<string, V>, pick: number): [string, V] | undefined {
  return [...map][pick % Math.max(1, map.size)];
}

/** One step on the model kept beside; the changes that mean the same for the file. */
function take(kept: Kept, step: Step, index: number): Change[] {
  switch (step.kind) {
    case "add": {
      const digest = digestOf(`added ${String(index)}`);
      kept.live.set(digest, new Map(step.fields));
      return [{ kind: "add", digest, fields: step.fields }];
    }
    case "retire":
      return retire(kept, pickFrom(kept.live, step.pick));
    case "retire all":
      return [...kept.live].flatMap((row) => retire(kept, row));
    case "rotate": {
      const row = pickFrom(kept.live, step.pick);
      if (row === undefined) return [];
      const fields = new Map([["id", row[1].get("id") ?? ""]]);
      const old: Change[] = step.grace ? setEnd(row) : retire(kept, row);
      return [...old, ...take(kept, { kind: "add", fields }, index)];
    }
    case "purge": {
      const row = pickFrom(new Map([...kept.live, ...kept.retired]), step.pick);
      if (row === undefined) return [];
      kept.live.delete(row[0]);
      kept.retired.delete(row[0]);
      return [{ kind: "purge", digest: row[0] }];
    }
    case "restore": {
      const row = pickFrom(kept.retired, step.pick);
      if (row === undefined) return [];
      const [digest, fields] = row;
      kept.retired.delete(digest);
      for (const name of ["state", "retired_at", "reason"]) fields.delete(name);
      kept.live.set(digest, fields);
      return [{ kind: "restore", digest }];
    }
    case "label": {
      const row = pickFrom(kept.live, step.pick);
      if (row === undefined) return [];
      if (step.label === null) row[1].delete("label");
      else row[1].set("label", step.label);
      return [{ kind: "set", digest: row[0], fields: new Map([["label", step.label]]) }];
    }
  }
}

function setEnd([digest, fields]: [string, Fields]): Change[] {
  const end = new Map([["expires_at", "2026-11-23T12:00:00Z"]]);
  fields.set("expires_at", "2026-11-23T12:00:00Z");
  return [{ kind: "set", digest, fields: end }];
}

function retire(kept: Kept, row: [string, Fields] | undefined): Change[] {
  if (row === undefined) return [];
  const [digest, fields] = row;
  kept.live.delete(digest);
  fields.set("state", "revoked");
  fields.set("retired_at", formatInstant(nowMs));
  kept.retired.set(digest, fields);
  return [{ kind: "retire", digest, state: "revoked", retiredAt: nowMs }];
}

describe("edits of any keystore that people write", () => {
  it("adding a key and purging it gives every byte back", () => {
    fc.assert(
      fc.property(keystores, newFields, ({ text }, fields) => {
        const digest = digestOf("added");
        const added = edit(text, [{ kind: "add", digest, fields }]);
        expect(parse(added).keystore?.find(digest)?.fields).toEqual(fields);
        expect(edit(added, [{ kind: "purge", digest }])).toBe(text);
      }),
      { numRuns: RUNS },
    );
  });

  it("after any sequence the file says what the model kept beside it says", () => {
    fc.assert(
      fc.property(
        keystores,
        fc.array(steps, { minLength: 1, maxLength: 8 }),
        ({ text, live }: WrittenKeystore, sequence) => {
          const kept: Kept = {
            live: new Map([...live].map(([digest, fields]) => [digest, new Map(fields)])),
            retired: new Map(),
          };
          let current = text;
          for (const [index, step] of sequence.entries()) {
            const changes = take(kept, step, index);
            if (changes.length > 0) current = edit(current, changes);
          }
          const document = parse(current);
          expect(read(document.keystore)).toEqual(kept);
          const errors = document.diagnostics.filter(({ severity }) => severity === "error");
          expect(errors.map(({ code }) => code)).toEqual(
            kept.live.size === 0 ? ["empty-keystore"] : [],
          );
        },
      ),
      { numRuns: RUNS },
    );
  });
});

/** A keystore with flat rows and a raw key, as from before. */
const legacies: fc.Arbitrary<{ text: string; ids: Map<string, string> }> = fc
  .record({
    rows: fc.array(fc.constantFrom("flat", "flat quoted", "entry", "comment"), { maxLength: 5 }),
    legacy: fc.constantFrom("", "before", "after"),
    admin: fc.boolean(),
    eol: fc.constantFrom("\n", "\r\n"),
    end: fc.boolean(),
  })
  .filter(({ rows, legacy }) => legacy !== "" || rows.some((row) => row !== "comment"))
  .map(({ rows, legacy, admin, eol, end }) => {
    const ids = new Map<string, string>();
    const block: string[] = [];
    for (const [index, row] of rows.entries()) {
      const digest = digestOf(`legacy ${String(index)}`);
      if (row === "comment") {
        block.push("  # a comment");
        continue;
      }
      ids.set(digest, `id${String(index)}`);
      if (row === "entry") block.push(`  "${digest}":`, `    id: id${String(index)}`);
      else if (row === "flat") block.push(`  "${digest}": id${String(index)} # flat`);
      else block.push(`  "${digest}": "id${String(index)}"`);
    }
    const lines = ids.size > 0 ? ["api_keys:", ...block] : [];
    const raw = 'api_key: "a raw key from before" # raw';
    if (legacy === "before") lines.unshift(raw);
    if (legacy === "after") lines.push(raw);
    if (legacy !== "") ids.set(digestOf("a raw key from before"), "owner");
    if (admin) lines.push("admin_api_key: 'the raw admin key'");
    return { text: lines.join(eol) + (end ? eol : ""), ids };
  });

describe("migrating any keystore from before", () => {
  it("leaves entries with the same ids, and no raw key", () => {
    fc.assert(
      fc.property(legacies, ({ text, ids }) => {
        const migrated = edit(text, [{ kind: "migrate", legacyId: "owner" }]);
        const document = parse(migrated);
        expect(document.diagnostics).toEqual([]);
        const found = [...(document.keystore?.live() ?? [])];
        expect(new Map(found.map(({ digest, id }) => [digest, id]))).toEqual(ids);
        expect(migrated).not.toMatch(/raw (?:admin )?key/);
      }),
      { numRuns: RUNS },
    );
  });
});

describeWith(pythonWithYaml, "a strict YAML 1.1 reader", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyhold-yaml11-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("accepts every text that an edit made, as map of string to map of string to string", () => {
    const texts = produced.map((text) => ({
      text,
      live: Object.fromEntries(
        [...read(parse(text).keystore).live].map(([digest, fields]) => [
          digest,
          Object.fromEntries(fields),
        ]),
      ),
    }));
    expect(texts.length).toBeGreaterThan(RUNS);
    const input = join(folder, "texts.json");
    writeFileSync(input, JSON.stringify(texts));
    const script = join(import.meta.dirname, "yaml-1-1.py");
    const result = spawnSync(pythonWithYaml.python, [script, input], { encoding: "utf8" });
    expect(result.stderr).toBe("");
    expect(result.stdout.trim()).toBe(`${String(texts.length)} accepted`);
  }, 120_000);
});
