import type { SyntaxNode, SyntaxPair } from "../syntax.js";
import { readFlow } from "./flow.js";
import {
  ALPHANUMERIC,
  DASH,
  DECLINED,
  DOUBLE_QUOTE,
  OPEN_BRACE,
  OPEN_BRACKET,
  SINGLE_QUOTE,
  SPACE,
} from "./octet.js";
import type { Scalars } from "./scalars.js";

const LONGEST_NAME = 128;
const DEEPEST = 32;
const UNDERSCORE = 0x5f;

/**
 * The name of a setting in block context, and the colon behind it. The name is in the scalar that
 * was read; the result is the offset behind the colon, or {@link DECLINED}.
 */
export function scanName(scalars: Scalars, offset: number): number {
  const first = scalars.at(offset);
  const isQuoted = first === DOUBLE_QUOTE || first === SINGLE_QUOTE;
  if (!isQuoted && ALPHANUMERIC[first] !== 1 && first !== UNDERSCORE) return DECLINED;
  const behind = scalars.scan(offset);
  if (behind === DECLINED || behind - offset > LONGEST_NAME) return DECLINED;
  if (scalars.wide && !isQuoted) return DECLINED;
  return scalars.isColon(behind) ? behind + 1 : DECLINED;
}

/**
 * Passes over the value of a root setting that is not read here. The result is where the line of the
 * next root setting starts, or {@link DECLINED}.
 *
 * @param offset - behind the setting's colon.
 */
export function skipValue(scalars: Scalars, offset: number): number {
  const reader = new SettingReader(scalars, false);
  return reader.value(offset, 0, 0) === undefined || scalars.indent > 0 ? DECLINED : reader.content;
}

/**
 * Reads settings in block form: scalars and brackets on one line, mappings and sequences of such.
 * Results are undefined where anything else stands there.
 */
export class SettingReader {
  /** Where the next line's content stands behind what was read; the size at the end of the text. */
  content: number = DECLINED;
  readonly #scalars: Scalars;
  readonly #keeps: boolean;
  /** Where the line behind the last one starts. */
  #behind = 0;
  /** Whether the last name that was read has no value. */
  #isOpen = false;

  /** @param keeps - whether anybody looks at the nodes; else they are without what they hold. */
  constructor(scalars: Scalars, keeps: boolean) {
    this.#scalars = scalars;
    this.#keeps = keeps;
  }

  /** The settings at the root of a text whose document starts at an offset. */
  root(offset: number): SyntaxNode | undefined {
    const content = this.#scalars.contentLine(offset);
    if (content === DECLINED) return undefined;
    if (content >= this.#scalars.size) return missing(offset);
    return this.#scalars.indent === 0 ? this.#mapping(content, 0, 0) : undefined;
  }

  /**
   * The value behind the colon of a name.
   *
   * @param indent - spaces before the names of its mapping.
   */
  value(offset: number, indent: number, depth: number): SyntaxNode | undefined {
    const scalars = this.#scalars;
    if (!scalars.isLineEnd(offset)) return this.#inline(scalars.spaces(offset));
    if (!this.#endLine(offset)) return undefined;
    // A sequence may stand as far to the left as the name it belongs to.
    const isItem = this.#isItem(this.content);
    this.#isOpen = scalars.indent < indent || (scalars.indent === indent && !isItem);
    if (this.#isOpen) return missing(offset);
    if (depth >= DEEPEST) return undefined;
    return isItem
      ? this.#sequence(depth + 1)
      : this.#mapping(this.content, scalars.indent, depth + 1);
  }

  #mapping(first: number, indent: number, depth: number): SyntaxNode | undefined {
    const scalars = this.#scalars;
    const pairs: SyntaxPair[] = [];
    let at = first;
    do {
      const pair = this.#pair(at, indent, depth);
      if (pair === undefined) return undefined;
      if (this.#keeps) pairs.push(pair);
      at = this.content;
    } while (scalars.indent === indent && !this.#isItem(at));
    if (scalars.indent >= indent) return undefined;
    const end = pairs.at(-1)?.value.end ?? first;
    return { kind: "mapping", flow: false, pairs, start: first, end, ...BARE };
  }

  #pair(offset: number, indent: number, depth: number): SyntaxPair | undefined {
    const behind = scanName(this.#scalars, offset);
    if (behind === DECLINED) return undefined;
    const key = this.#node();
    const value = this.value(behind, indent, depth);
    return value && { key, value };
  }

  #sequence(depth: number): SyntaxNode | undefined {
    const [scalars, start] = [this.#scalars, this.content];
    const { indent } = scalars;
    do if (!this.#item(depth)) return undefined;
    while (scalars.indent === indent && this.#isItem(this.content));
    if (scalars.indent > indent || (this.#keeps && this.#isCommentBeyond(indent))) return undefined;
    return { kind: "sequence", start, end: this.#behind, ...BARE };
  }

  /** Whether a comment stands behind what was read that may be taken for a part of it. */
  #isCommentBeyond(indent: number): boolean {
    const between = this.#scalars.bytes.toString("latin1", this.#behind, this.content);
    const least = this.#isOpen ? 0 : indent + 1;
    return between.split("\n").some((line) => line.indexOf("#") >= least);
  }

  #item(depth: number): boolean {
    const [scalars, dash] = [this.#scalars, this.content];
    const item = scalars.spaces(dash + 1);
    if (scalars.isLineEnd(item) || this.#isItem(item)) return false;
    const isInline = isBracket(scalars.at(item)) || !scalars.isColon(scalars.scan(item));
    if (isInline) return this.#inline(item) !== undefined;
    // A mapping that starts on the line of its dash.
    if (depth >= DEEPEST) return false;
    return this.#mapping(item, scalars.indent + item - dash, depth + 1) !== undefined;
  }

  #inline(offset: number): SyntaxNode | undefined {
    const scalars = this.#scalars;
    const flow = isBracket(scalars.at(offset)) ? readFlow(scalars, offset) : undefined;
    const behind = flow?.end ?? scalars.scan(offset);
    if (behind === DECLINED || scalars.isColon(behind)) return undefined;
    const node = flow ?? this.#node();
    this.#isOpen = false;
    return this.#endLine(behind) ? node : undefined;
  }

  /** Goes on to the next line's content. */
  #endLine(offset: number): boolean {
    this.#behind = this.#scalars.lineEnd(offset);
    this.content = this.#behind === DECLINED ? DECLINED : this.#scalars.contentLine(this.#behind);
    return this.content !== DECLINED;
  }

  #node(): SyntaxNode {
    return this.#keeps ? this.#scalars.node() : NOTHING;
  }

  #isItem(offset: number): boolean {
    return this.#scalars.at(offset) === DASH && this.#scalars.at(offset + 1) === SPACE;
  }
}

const BARE = { tagged: false, anchored: false };
const NOTHING = missing(0);

function missing(at: number): SyntaxNode {
  return { kind: "scalar", style: "plain", text: "", start: at, end: at, ...BARE };
}

function isBracket(octet: number): boolean {
  return octet === OPEN_BRACE || octet === OPEN_BRACKET;
}
