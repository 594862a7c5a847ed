import type { Entry } from "../core/entry.js";
import { createKeystore, type Keystore } from "../core/keystore.js";
import { diagnoseEmptiness, diagnoseRootKeys } from "./diagnose-root-keys.js";
import { diagnoseSystemKey } from "./diagnose-system-key.js";
import { RowJudge, type BlockName } from "./diagnose-row.js";
import type { Diagnostic } from "./diagnostic.js";
import { blockOf, isNull, layOut, type Layout } from "./layout.js";
import type { Policy } from "./policy.js";
import { PositionFinder } from "./position.js";
import { Report } from "./report.js";
import { placeOf, whatHides } from "./syntax-place.js";
import type { SyntaxNode, SyntaxPair } from "./syntax.js";
import { readSyntax, type SyntaxResult } from "./yaml-reader.js";

/** Everything that {@link diagnose} finds out about a text. */
export interface Diagnosis {
  /** In file order. */
  readonly diagnostics: readonly Diagnostic[];
  /** Where things stand; undefined where the text is no mapping that can be read. */
  readonly layout: Layout | undefined;
  readonly root: SyntaxNode | undefined;
  /** The keys, faulty ones marked; undefined with `layout`. */
  readonly keystore: Keystore | undefined;
  /** SHA-256 of every key of a block that is no digest: tokens put in the wrong place. */
  readonly misplaced: ReadonlySet<string>;
}

/**
 * Judges a keystore's text by every rule of KEYSTORE.md. Never throws.
 *
 * @param syntax - the text as it was read. Default: as the `yaml` library reads it.
 */
export function diagnose(
  text: string,
  policy: Policy,
  syntax: SyntaxResult = readSyntax(text),
): Diagnosis {
  const report = new Report(() => new PositionFinder(text));
  for (const { code, offset, message } of syntax.problems) {
    report.add(code, [], offset, { message });
  }
  if (syntax.root === undefined) return unreadable(report);
  const layout = layOut(syntax.root);
  if (layout === undefined) {
    report.add("root-not-mapping", [], syntax.root.start);
    return unreadable(report);
  }
  for (const pair of layout.repeats) {
    report.add("duplicate-key", [nameOf(pair)], pair.key.start);
  }
  for (const pair of layout.merges) report.add("alias-not-allowed", [], pair.key.start);
  for (const key of layout.hidden) {
    report.add(whatHides(key) ?? "alias-not-allowed", [], key.start);
  }

  const rowJudge = new RowJudge(policy, report);
  const judge = new BlockJudge(rowJudge, report);
  const live = judge.block("api_keys", layout.pairs.get("api_keys"));
  const retired = judge.block("retired_api_keys", layout.pairs.get("retired_api_keys"));
  for (const pair of layout.repeats) {
    const name = nameOf(pair);
    if (name === "api_keys" || name === "retired_api_keys") judge.block(name, pair);
    // Which of two blocks is in force depends on the reader.
    if (name === "api_keys")
      for (const digest of live.entries.keys()) markFaulty(live.entries, digest);
  }
  for (const [digest, { pair }] of live.rows) {
    if (retired.rows.has(digest)) {
      report.add("retired-and-live", ["api_keys", digest], pair.key.start);
      markFaulty(live.entries, digest);
    }
  }
  const rootKeys = diagnoseRootKeys(layout, live.rows, retired.rows, report);
  diagnoseEmptiness(layout, rootKeys, report);
  const rowsOf = { api_keys: layout.live, retired_api_keys: layout.retired };
  diagnoseSystemKey(
    layout.pairs,
    (name, digest) => rowsOf[name].find((row) => row.digest === digest)?.pair.key.start,
    rootKeys,
    policy,
    report,
  );
  const keystore = createKeystore({
    live: live.entries,
    retired: retired.entries,
    legacyKey: rootKeys.legacyKey,
    legacyFaulty: rootKeys.legacyFaulty,
    adminDigest: rootKeys.adminDigest,
  });
  return {
    diagnostics: report.diagnostics(),
    layout,
    root: syntax.root,
    keystore,
    misplaced: rowJudge.misplaced,
  };
}

interface JudgedBlock {
  readonly entries: Map<string, Entry>;
  /** The first row of each digest, entries that are none included. */
  readonly rows: ReadonlyMap<string, { readonly pair: SyntaxPair }>;
}

class BlockJudge {
  readonly #rows: RowJudge;
  readonly #report: Report;

  constructor(rows: RowJudge, report: Report) {
    this.#rows = rows;
    this.#report = report;
  }

  block(name: BlockName, pair: SyntaxPair | undefined): JudgedBlock {
    const entries = new Map<string, Entry>();
    const rows = new Map<string, { pair: SyntaxPair }>();
    if (pair === undefined) return { entries, rows };
    const mapping = blockOf(pair);
    if (mapping === undefined) {
      const code = whatHides(pair.value) ?? "api-keys-not-mapping";
      if (!isNull(pair.value)) this.#report.add(code, [name], placeOf(pair));
      return { entries, rows };
    }
    const names = new Set<string>();
    for (const row of mapping.pairs) {
      const judged = this.#rows.judge(name, row, (digest) => names.has(digest));
      if (judged === undefined) continue;
      const { digest, isDigest, entry } = judged;
      if (names.has(digest)) {
        markFaulty(entries, digest);
      } else if (isDigest) {
        rows.set(digest, { pair: row });
        entries.set(digest, entry);
      }
      names.add(digest);
    }
    return { entries, rows };
  }
}

function nameOf(pair: SyntaxPair): string {
  return pair.key.kind === "scalar" ? pair.key.text : "";
}

function markFaulty(entries: Map<string, Entry>, digest: string): void {
  const entry = entries.get(digest);
  if (entry !== undefined) entries.set(digest, { ...entry, faulty: true });
}

function unreadable(report: Report): Diagnosis {
  return {
    diagnostics: report.diagnostics(),
    layout: undefined,
    root: undefined,
    keystore: undefined,
    misplaced: new Set(),
  };
}
