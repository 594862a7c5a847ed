import { digestOf } from "../core/digest.js";
import { createEntry, type Entry } from "../core/entry.js";
import { countCharacters } from "../core/id.js";
import { parseTokenFormat } from "../core/token.js";
import { isKnownWeakDigest } from "../core/weak.js";
import { diagnoseEntry } from "./diagnose-entry.js";
import type { DiagnosticCode } from "./diagnostic.js";
import { isMergeKey, isNull, isString } from "./layout.js";
import type { Policy } from "./policy.js";
import type { Report } from "./report.js";
import { shownDigest } from "./shown-name.js";
import { placeOf, whatHides } from "./syntax-place.js";
import type { SyntaxPair } from "./syntax.js";

const HEX = /^[0-9a-f]*$/i;
const TOKEN_LIKE = /^[A-Za-z0-9_.~+/=-]{20,}$/;

/** The two blocks of keys. */
export type BlockName = "api_keys" | "retired_api_keys";

/** What came of judging a row whose key is a text. */
export interface JudgedRow {
  /** The key in lower case: a digest where it is a good one. */
  readonly digest: string;
  readonly isDigest: boolean;
  readonly entry: Entry;
}

/** Judges the rows of the blocks of keys, one by one. */
export class RowJudge {
  /** SHA-256 of every key that is no digest. */
  readonly misplaced: Set<string> = new Set();
  readonly #policy: Policy;
  readonly #report: Report;

  constructor(policy: Policy, report: Report) {
    this.#policy = policy;
    this.#report = report;
  }

  /**
   * Judges a row; undefined where its key is no text. `isRepeated` says of a key in lower case
   * whether it stood in the block before.
   */
  judge(
    name: BlockName,
    row: SyntaxPair,
    isRepeated: (digest: string) => boolean,
  ): JudgedRow | undefined {
    const text = this.#digestText(name, row);
    if (text === undefined) return undefined;
    const path = [name, shownDigest(text)];
    const digest = text.toLowerCase();
    if (isRepeated(digest)) this.#report.add("duplicate-key", path, row.key.start);
    const isDigest = this.#diagnoseDigest(name, row, text, path);
    return { digest, isDigest, entry: this.#entry(name, row, digest, path) };
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
      this.misplaced.add(digestOf(text));
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
