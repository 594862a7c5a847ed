import { bufferOf } from "../octets.js";
import type { Keystore } from "../../core/keystore.js";
import { diagnoseEmptiness, diagnoseRootKeys } from "../diagnose-root-keys.js";
import { RowJudge, type BlockName } from "../diagnose-row.js";
import { diagnoseSystemKey } from "../diagnose-system-key.js";
import type { Diagnostic } from "../diagnostic.js";
import { isNull, type Layout } from "../layout.js";
import type { Policy } from "../policy.js";
import { Report } from "../report.js";
import { ROOT_KEYS, type RootKey } from "../shown-name.js";
import type { SyntaxNode, SyntaxPair } from "../syntax.js";
import { BlockEntries } from "./block-entries.js";
import { BytePlaces } from "./byte-places.js";
import { readFlow } from "./flow.js";
import { DECLINED, OPEN_BRACE } from "./octet.js";
import type { KnownRows } from "./known-rows.js";
import { documentStart, isPortable } from "./portable.js";
import { RowScanner } from "./row-scanner.js";
import { RowTable } from "./row-table.js";
import { Scalars } from "./scalars.js";
import { ScannedKeystore } from "./scanned-keystore.js";
import { scanName, skipValue } from "./settings.js";

/** What a scan found. */
export interface Scan {
  readonly bytes: Buffer;
  readonly policy: Policy;
  /**
   * Until when nothing is to be said of the rows of which there is nothing to say now, in
   * milliseconds since 1970: after that a key may be about to expire.
   */
  readonly quietUntilMs: number;
  /** Whether any text outside ASCII stands there. */
  readonly isWide: boolean;
  readonly keystore: Keystore;
  /** In file order. */
  readonly diagnostics: readonly Diagnostic[];
  /** The rows of each block. */
  readonly blocks: Readonly<Record<BlockName, BlockEntries>>;
  /** The settings at the root that are read here; the rows of blocks are not among their values. */
  readonly pairs: ReadonlyMap<RootKey, SyntaxPair>;
  /** Where the line of each root setting starts, in order. */
  readonly settings: readonly number[];
}

/** Rather more than a row takes as `create --id` writes it. */
const OCTETS_A_ROW = 160;
const ROOT_NAMES: ReadonlySet<string> = new Set<string>(ROOT_KEYS);

/**
 * Reads a keystore's octets by one pass over them, without making a tree: the canonical form and
 * the forms that people write. The moment it meets anything that it does not fully understand the
 * result is undefined, and `diagnose` has to read the text: what the one finds of a text the other
 * finds too, or this declines.
 *
 * @param known - rows of a text that was scanned before: they are not read again.
 */
export function scan(bytes: Uint8Array, policy: Policy, known?: KnownRows): Scan | undefined {
  const buffer = bufferOf(bytes);
  return new Scanner(buffer, policy, known).scan();
}

class Scanner {
  readonly #bytes: Buffer;
  readonly #policy: Policy;
  readonly #report: Report;
  readonly #scalars: Scalars;
  readonly #rows: RowScanner;
  readonly #pairs = new Map<RootKey, SyntaxPair>();
  readonly #settings: number[] = [];
  readonly #live: RowTable;
  readonly #retired: RowTable;

  constructor(bytes: Buffer, policy: Policy, known?: KnownRows) {
    this.#bytes = bytes;
    this.#policy = policy;
    this.#report = new Report(() => new BytePlaces(bytes));
    this.#scalars = new Scalars(bytes);
    const judge = new RowJudge(policy, this.#report);
    const usable = known?.prepare(policy) === true ? known : undefined;
    this.#scalars.everWide = usable?.isWide ?? false;
    this.#rows = new RowScanner(this.#scalars, judge, policy, usable);
    this.#live = new RowTable(bytes, usable?.countOf("api_keys") ?? rowsIn(bytes));
    this.#retired = new RowTable(bytes, usable?.countOf("retired_api_keys"));
  }

  scan(): Scan | undefined {
    const start = documentStart(this.#scalars);
    if (start === DECLINED || !this.#root(start) || !isPortable(this.#scalars)) return undefined;
    const [live, retired, report] = [this.#live, this.#retired, this.#report];
    live.settle();
    retired.settle();
    if (live.crowded || retired.crowded) return undefined;
    const entries = {
      api_keys: new BlockEntries("api_keys", live, this.#scalars),
      retired_api_keys: new BlockEntries("retired_api_keys", retired, this.#scalars),
    };
    entries.api_keys.markRetired(retired, report);
    const layout = layoutOf(this.#pairs);
    const rootKeys = diagnoseRootKeys(layout, live, retired, report);
    if (live.count === 0) diagnoseEmptiness(layout, rootKeys, report);
    diagnoseSystemKey(
      this.#pairs,
      (name, digest) => entries[name].keyOffset(digest),
      rootKeys,
      this.#policy,
      report,
    );
    return {
      bytes: this.#bytes,
      policy: this.#policy,
      quietUntilMs: this.#rows.quietUntilMs,
      isWide: this.#scalars.everWide,
      keystore: new ScannedKeystore(entries.api_keys, entries.retired_api_keys, rootKeys),
      diagnostics: report.diagnostics(),
      blocks: entries,
      pairs: this.#pairs,
      settings: this.#settings,
    };
  }

  /** Whether every setting at the root was understood. */
  #root(start: number): boolean {
    const scalars = this.#scalars;
    let at = start;
    for (;;) {
      const content = scalars.contentLine(at);
      if (content === DECLINED) return false;
      if (content >= scalars.size) return true;
      if (scalars.indent !== 0) return false;
      this.#settings.push(content);
      const behind = scanName(scalars, content);
      if (behind === DECLINED) return false;
      const key = scalars.node();
      at = ROOT_NAMES.has(key.text)
        ? this.#readHere(key.text as RootKey, key, behind)
        : skipValue(scalars, behind);
      if (at === DECLINED) return false;
    }
  }

  /** A setting that is read here; the result is where the line behind it starts. */
  #readHere(name: RootKey, key: SyntaxNode, behind: number): number {
    if (this.#pairs.has(name)) return DECLINED;
    const isBlock = name === "api_keys" || name === "retired_api_keys";
    const line = isBlock ? this.#block(name, key, behind) : this.#scalar(name, key, behind);
    if (line === DECLINED) return DECLINED;
    // Whatever stands further to the right would belong to it.
    const next = this.#scalars.contentLine(line);
    return next !== DECLINED && this.#scalars.indent > 0 ? DECLINED : line;
  }

  #block(name: BlockName, key: SyntaxNode, behind: number): number {
    const scalars = this.#scalars;
    if (!scalars.isLineEnd(behind)) {
      const value = scalars.spaces(behind);
      if (scalars.at(value) !== OPEN_BRACE) return this.#nothing(name, key, behind);
      const node = readFlow(scalars, value);
      if (node?.kind !== "mapping" || node.pairs.length > 0) return DECLINED;
      this.#pairs.set(name, { key, value: node });
      return scalars.lineEnd(node.end);
    }
    const line = scalars.lineEnd(behind);
    const content = line === DECLINED ? DECLINED : scalars.contentLine(line);
    if (content === DECLINED) return DECLINED;
    this.#pairs.set(name, { key, value: emptyScalar(behind) });
    if (scalars.indent <= 0) return line;
    return this.#rows.block(name, content, name === "api_keys" ? this.#live : this.#retired);
  }

  /** `~` or `null` where a block could stand. */
  #nothing(name: BlockName, key: SyntaxNode, behind: number): number {
    const line = this.#scalar(name, key, behind);
    const value = this.#pairs.get(name)?.value;
    return value !== undefined && isNull(value) ? line : DECLINED;
  }

  #scalar(name: RootKey, key: SyntaxNode, behind: number): number {
    const scalars = this.#scalars;
    if (scalars.isLineEnd(behind)) {
      this.#pairs.set(name, { key, value: emptyScalar(behind) });
      return scalars.lineEnd(behind);
    }
    const end = scalars.scan(scalars.spaces(behind));
    if (end === DECLINED || scalars.isColon(end)) return DECLINED;
    this.#pairs.set(name, { key, value: scalars.node() });
    return scalars.lineEnd(end);
  }
}

/** About how many rows a text holds that is nothing else; memory that is not used is not taken. */
function rowsIn(bytes: Buffer): number {
  return Math.floor(bytes.length / OCTETS_A_ROW);
}

function layoutOf(pairs: ReadonlyMap<RootKey, SyntaxPair>): Layout {
  return {
    root: undefined,
    pairs,
    repeats: [],
    merges: [],
    hidden: [],
    live: [],
    retired: [],
  };
}

function emptyScalar(at: number): SyntaxNode {
  const placed = { start: at, end: at, tagged: false, anchored: false };
  return { kind: "scalar", style: "plain", text: "", ...placed };
}
