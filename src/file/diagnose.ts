import { digestOf } from "../core/digest.js";
import { createEntry, type Entry } from "../core/entry.js";
import { countCharacters } from "../core/id.js";
import { createKeystore, type Keystore } from "../core/keystore.js";
import { parseTokenFormat } from "../core/token.js";
import { isKnownWeakDigest } from "../core/weak.js";
import { diagnoseEntry } from "./diagnose-entry.js";
import { diagnoseRootKeys, type RootKeys } from "./diagnose-root-keys.js";
import type { Diagnostic, DiagnosticCode } from "./diagnostic.js";
import { blockOf, isMergeKey, isNull, isString, layOut, type Layout } from "./layout.js";
import type { Policy } from "./policy.js";
import { Report } from "./report.js";
import { shownDigest } from "./shown-name.js";
import type { SyntaxNode, SyntaxPair } from "./syntax.js";
import { readSyntax } from "./yaml-reader.js";

const HEX = /^[0-9a-f]*$/i;
const TOKEN_LIKE = /^[A-Za-z0-9_.~+/=-]{20,}$/;

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

type BlockName = "api_keys" | "retired_api_keys";

/** Judges a keystore's text by every rule of KEYSTORE.md. Never throws. */
export function diagnose(text: string, policy: Policy): Diagnosis {
  const report = new Report(text);
  const syntax = readSyntax(text);
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

  const misplaced = new Set<string>();
  const judge = new BlockJudge(policy, report, misplaced);
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
  diagnoseSystemKey(layout, rootKeys, policy, report);
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
    misplaced,
  };
}

interface JudgedBlock {
  readonly entries: Map<string, Entry>;
  /** The first row of each digest, entries that are none included. */
  readonly rows: ReadonlyMap<string, { readonly pair: SyntaxPair }>;
}

class BlockJudge {
  readonly #policy: Policy;
  readonly #report: Report;
  readonly #misplaced: Set<string>;

  constructor(policy: Policy, report: Report, misplaced: Set<string>) {
    this.#policy = policy;
    this.#report = report;
    this.#misplaced = misplaced;
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
      const text = this.#digestText(name, row);
      if (text === undefined) continue;
      const path = [name, shownDigest(text)];
      const digest = text.toLowerCase();
      const repeated = names.has(digest);
      names.add(digest);
      if (repeated) this.#report.add("duplicate-key", path, row.key.start);
      const good = this.#diagnoseDigest(name, row, text, path);
      const entry = this.#entry(name, row, digest, path);
      if (repeated) {
        markFaulty(entries, digest);
      } else if (good) {
        rows.set(digest, { pair: row });
        entries.set(digest, entry);
      }
    }
    return { entries, rows };
  }

  #digestText(name: BlockName, row: SyntaxPair): string | undefined {
    const shown = row.key.kind === "scalar" ? [shownDigest(row.key.text)] : [];
    if (isString(row.key)) return row.key.text;
    const hidden = isMergeKey(row.key) ? "alias-not-allowed" : whatHides(row.key);
    if (hidden === undefined) {
      this.#report.add("digest-not-string", [name, ...shown], row.key.start);
    } else {
      this.#report.add(hidden, [name], row.key.start);
    }
    return undefined;
  }

  /** Whether the key is a digest; every other one is reported. */
  #diagnoseDigest(
    name: BlockName,
    row: SyntaxPair,
    text: string,
    path: readonly string[],
  ): boolean {
    const at = row.key.start;
    const code = digestProblem(text);
    if (code !== undefined) {
      this.#misplaced.add(digestOf(text));
      this.#report.add(code, path, at);
      return false;
    }
    const digest = text.toLowerCase();
    if (digest !== text) this.#report.add("digest-uppercase", path, at);
    if (row.key.kind === "scalar" && row.key.style === "plain") {
      this.#report.add("unquoted-digest", path, at);
    }
    if (name === "api_keys" && isKnownWeakDigest(digest)) {
      this.#report.add("digest-known-weak", path, at);
    }
    return true;
  }

  #entry(name: BlockName, row: SyntaxPair, digest: string, path: readonly string[]): Entry {
    const { value } = row;
    const place = name === "api_keys" ? "live" : "retired";
    if (value.kind !== "mapping" || value.tagged) {
      const isFlat = place === "live" && value.kind === "scalar" && !isNull(value);
      const code = whatHides(value) ?? "entry-not-mapping";
      const hint =
        code === "entry-not-mapping" && !isFlat
          ? "write it as an entry: `id:` with the contributor's name beneath the digest"
          : undefined;
      this.#report.add(code, path, placeOf(row), { hint });
      // Listed and revocable all the same: `"<digest>": name` says whose it was meant to be.
      const isName = isString(value) && !mayBeToken(value.text, digest);
      const fields = new Map(isName ? [["id", value.text]] : []);
      return createEntry(digest, fields, { place, faulty: true });
    }
    const context = { digest, place, path, offset: row.key.start } as const;
    const entry = diagnoseEntry(value, context, this.#policy, this.#report);
    const weak = place === "live" && isKnownWeakDigest(digest);
    return weak ? { ...entry, faulty: true } : entry;
  }
}

/** Whether a value where a name is expected is a token that was put there by mistake. */
function mayBeToken(text: string, digest: string): boolean {
  return parseTokenFormat(text).checksum === "ok" || digestOf(text) === digest;
}

/** What a digest's text is, in the order of KEYSTORE.md; undefined for a good one. */
function digestProblem(text: string): DiagnosticCode | undefined {
  if (HEX.test(text) && text !== "") return text.length === 64 ? undefined : "digest-length";
  if (countCharacters(text) === 64) return "digest-not-hex";
  return TOKEN_LIKE.test(text) ? "digest-looks-like-token" : "digest-not-hex";
}

function diagnoseEmptiness(layout: Layout, rootKeys: RootKeys, report: Report): void {
  // What a merge key brings in is not seen, so that nothing can be said to be missing.
  if (rootKeys.legacyStands || layout.merges.length > 0 || layout.hidden.length > 0) return;
  const pair = layout.pairs.get("api_keys");
  if (pair === undefined || isNull(pair.value)) {
    report.add("no-keys", pair === undefined ? [] : ["api_keys"], pair?.key.start ?? 0);
  } else if (blockOf(pair)?.pairs.length === 0) {
    report.add("empty-keystore", ["api_keys"], pair.key.start);
  }
}

/** The token that a server trusts with everything is nobody's key, in service or out of it. */
function diagnoseSystemKey(
  layout: Layout,
  { legacyKey, adminDigest }: RootKeys,
  { systemDigest }: Policy,
  report: Report,
): void {
  if (systemDigest === undefined) return;
  for (const [name, rows] of [
    ["api_keys", layout.live],
    ["retired_api_keys", layout.retired],
  ] as const) {
    const row = rows.find(({ digest }) => digest === systemDigest);
    if (row !== undefined) {
      report.add("system-key-in-keystore", [name, row.digest], row.pair.key.start);
    }
  }
  const legacy = legacyKey === undefined ? undefined : digestOf(legacyKey);
  const admin = layout.pairs.has("admin_api_key_sha256") ? "admin_api_key_sha256" : "admin_api_key";
  for (const [name, digest] of [
    ["api_key", legacy],
    [admin, adminDigest],
  ] as const) {
    if (digest !== systemDigest) continue;
    report.add("system-key-in-keystore", [name], layout.pairs.get(name)?.key.start ?? 0);
  }
}

/** The code of an alias or a tag that hides what a node is. */
function whatHides(node: SyntaxNode): DiagnosticCode | undefined {
  if (node.kind === "alias") return "alias-not-allowed";
  return node.tagged ? "tag-not-allowed" : undefined;
}

/** Where a value stands, or its key where there is none. */
function placeOf(pair: SyntaxPair): number {
  return pair.value.end > pair.value.start ? pair.value.start : pair.key.start;
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
