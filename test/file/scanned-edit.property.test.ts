import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { isKeysError } from "../../src/errors.js";
import type { Change } from "../../src/file/change.js";
import { editComposed } from "../../src/file/composed-edit.js";
import { composeKeystore, parseKeystore } from "../../src/file/document.js";
import type { LineChange } from "../../src/file/line-change.js";
import { editScanned } from "../../src/file/scanned-edit.js";
import { scan } from "../../src/file/scan/scan.js";
import { scanTree } from "../../src/file/scan/tree.js";
import { ScannedDocument } from "../../src/file/scanned-document.js";
import { keystores } from "./arbitrary-keystore.js";
import { manyRows, OTHERS } from "./many-rows.js";
import { mutated, mutations } from "./mutation.js";
import { readingOf } from "./read-alike.js";
import { writtenConfigurations } from "./written-configurations.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");
const policy = { nowMs };
const RUNS = Number(process.env["KEYHOLD_PROPERTY_RUNS"] ?? 600);

/** Files that have no block of keys yet, where one is made. */
const without: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...OTHERS),
    fc.constantFrom("", "---", "# head", "api_keys:"),
    fc.boolean(),
  )
  .map(([other, head, raw]) =>
    [head, ...(raw ? ["api_key: an-old-shared-secret"] : []), ...other, ""].join("\n"),
  );

const texts: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: manyRows },
  { weight: 1, arbitrary: without },
  {
    weight: 1,
    arbitrary: fc.tuple(manyRows, mutations).map(([text, list]) => mutated(text, list)),
  },
  { weight: 1, arbitrary: keystores.map(({ text }) => text) },
  { weight: 1, arbitrary: fc.constantFrom(...writtenConfigurations().map(([, text]) => text)) },
);

/** What to do, and to which of the keys that stand there. */
const steps = fc.array(fc.record({ kind: fc.nat(7), pick: fc.nat() }), {
  minLength: 1,
  maxLength: 5,
});

function changesOf(
  digests: readonly string[],
  list: readonly { readonly kind: number; readonly pick: number }[],
): Change[] {
  // No command changes a key twice in one edit.
  const seen = new Set<string>();
  const changes = list.map(({ kind, pick }, index): Change => {
    const digest = digests[pick % Math.max(1, digests.length)] ?? digestOf("nobody");
    const fields = new Map<string, string>([["label", pick % 2 === 0 ? "now" : "jetzt für 日本"]]);
    switch (kind) {
      case 0:
      case 1:
        return {
          kind: "add",
          digest: pick % 50 === 0 ? digest : digestOf(`added ${String(index)}`),
          fields: new Map([["id", "zoe"], ...fields]),
        };
      case 2:
      case 3:
        return { kind: "retire", digest, state: "revoked", retiredAt: nowMs, reason: "lost" };
      case 4:
        return { kind: "purge", digest };
      case 5:
        return { kind: "restore", digest };
      case 6:
        return {
          kind: "set",
          digest,
          fields: pick % 3 === 0 ? new Map([["label", null]]) : fields,
        };
      default:
        return { kind: "migrate", legacyId: "owner" };
    }
  });
  return changes.filter((change) => {
    const name = change.kind === "migrate" ? "" : change.digest;
    return !seen.has(name) && seen.add(name);
  });
}

type Outcome =
  { readonly text: string; readonly changes: readonly LineChange[] } | { readonly code: string };

function outcome(edit: () => Outcome | undefined): Outcome | undefined {
  try {
    return edit();
  } catch (error) {
    if (!isKeysError(error)) throw error;
    return { code: error.code };
  }
}

describe("an edit of a text that was scanned", () => {
  it(
    "gives the octets that the edit of its whole tree gives",
    () => {
      const tally = { carried: 0, refused: 0, declined: 0, skeletons: 0, library: 0 };
      fc.assert(
        fc.property(texts, steps, (text, list) => {
          const bytes = Buffer.from(text);
          const document = parseKeystore(bytes, policy);
          if (!(document instanceof ScannedDocument)) return;
          const { keystore } = document;
          const entries = [...keystore.live(), ...keystore.retired()];
          const changes = changesOf(
            entries.map(({ digest }) => digest),
            list,
          );
          const scanned = outcome(() => editScanned(document, changes, policy));
          if (scanned === undefined) {
            tally.declined += 1;
            return;
          }
          const composed = outcome(() => {
            const read = (now: string): ReturnType<typeof composeKeystore> =>
              composeKeystore(Buffer.from(now), policy);
            const edited = editComposed(composeKeystore(bytes, policy), changes, policy, read);
            return edited === undefined ? { text, changes: [] } : edited.edit;
          });
          if ("code" in scanned) tally.refused += 1;
          else tally.carried += 1;
          if (entries.length > 8) tally.skeletons += 1;
          if (scanTree(bytes) === undefined) tally.library += 1;
          expect(shown(scanned)).toEqual(composed && shown(composed));
          if (!(scanned instanceof ScannedDocument)) return;
          // Rows that were taken over are as if the whole had been read.
          const anew = scan(scanned.bytes, policy);
          expect(readingOf(scanned.scan)).toEqual(anew && readingOf(anew));
          expect(scanned.scan.settings).toEqual(anew?.settings);
        }),
        { numRuns: RUNS },
      );
      console.info(JSON.stringify(tally));
      expect(tally.carried).toBeGreaterThan(RUNS / 4);
      expect(tally.declined).toBeLessThan(RUNS / 5);
      // Nearly all by way of the scanner's tree.
      expect(tally.library).toBeLessThan(RUNS / 5);
    },
    Math.max(120_000, RUNS * 60),
  );
});

function shown(outcome: Outcome): Outcome {
  return "code" in outcome ? outcome : { text: outcome.text, changes: outcome.changes };
}
