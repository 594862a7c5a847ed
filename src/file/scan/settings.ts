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
 * Passes over the value of a root setting that is not read here: a scalar or brackets on one line,
 * or block mappings and sequences of such. The result is where the line of the next root setting
 * starts, or {@link DECLINED}.
 *
 * @param offset - behind the setting's colon.
 */
export function skipValue(scalars: Scalars, offset: number): number {
  const nesting = new Nesting(scalars);
  let at = nesting.value(offset);
  for (;;) {
    if (at === DECLINED) return DECLINED;
    const content = scalars.contentLine(at);
    if (content === DECLINED || content >= scalars.size) return content;
    const start = content - scalars.indent;
    const place = nesting.enter(content);
    if (place === "root") return start;
    at = place === "unknown" ? DECLINED : nesting.line(content);
  }
}

/** The block collections that are open around a line, the root mapping first. */
class Nesting {
  readonly #scalars: Scalars;
  readonly #open: { readonly indent: number; readonly sequence: boolean }[] = [
    { indent: 0, sequence: false },
  ];
  /** Whether the last name has no value yet, so that a collection may start beneath it. */
  #pending = false;

  constructor(scalars: Scalars) {
    this.#scalars = scalars;
  }

  /** Finds the collection that a line belongs to, opening one or closing some. */
  enter(content: number): "root" | "inside" | "unknown" {
    const { indent } = this.#scalars;
    const isItem = this.#isItem(content);
    const last = this.#last();
    // A sequence may stand as far to the left as the name it belongs to.
    const beside = isItem && indent === last.indent && !last.sequence;
    if (this.#pending && (indent > last.indent || beside)) return this.#push(indent, isItem);
    let current = last;
    while (
      this.#open.length > 1 &&
      (current.indent > indent || (current.indent === indent && current.sequence && !isItem))
    ) {
      this.#open.pop();
      current = this.#last();
    }
    if (current.indent !== indent || current.sequence !== isItem) return "unknown";
    return this.#open.length === 1 ? "root" : "inside";
  }

  /** Reads a line that {@link enter} found a place for; the result is where the next one starts. */
  line(content: number): number {
    const scalars = this.#scalars;
    if (!this.#isItem(content)) return this.value(scanName(scalars, content));
    const item = scalars.spaces(content + 1);
    if (scalars.isLineEnd(item) || this.#isItem(item)) return DECLINED;
    const octet = scalars.at(item);
    if (octet === OPEN_BRACE || octet === OPEN_BRACKET) return this.#scalar(item);
    const behind = scalars.scan(item);
    if (behind === DECLINED) return DECLINED;
    if (!scalars.isColon(behind)) return this.#scalar(item);
    // A mapping that starts on the line of its dash.
    const indent = scalars.indent + item - content;
    return this.#push(indent, false) === "inside" ? this.value(scanName(scalars, item)) : DECLINED;
  }

  /** Passes over what stands behind a colon, on its line. */
  value(offset: number): number {
    if (offset === DECLINED) return DECLINED;
    this.#pending = this.#scalars.isLineEnd(offset);
    if (this.#pending) return this.#scalars.lineEnd(offset);
    return this.#scalar(this.#scalars.spaces(offset));
  }

  #scalar(offset: number): number {
    const scalars = this.#scalars;
    this.#pending = false;
    const octet = scalars.at(offset);
    const behind =
      octet === OPEN_BRACE || octet === OPEN_BRACKET
        ? (readFlow(scalars, offset)?.end ?? DECLINED)
        : scalars.scan(offset);
    return behind === DECLINED || scalars.isColon(behind) ? DECLINED : scalars.lineEnd(behind);
  }

  #isItem(offset: number): boolean {
    return this.#scalars.at(offset) === DASH && this.#scalars.at(offset + 1) === SPACE;
  }

  #push(indent: number, sequence: boolean): "inside" | "unknown" {
    if (this.#open.length > DEEPEST) return "unknown";
    this.#open.push({ indent, sequence });
    return "inside";
  }

  #last(): { readonly indent: number; readonly sequence: boolean } {
    return this.#open.at(-1) ?? { indent: 0, sequence: false };
  }
}
