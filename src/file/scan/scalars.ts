import type { ScalarNode } from "../syntax.js";
import {
  BACKSLASH,
  COLON,
  CR,
  DASH,
  DECLINED,
  DOUBLE_QUOTE,
  HASH,
  LF,
  PLAIN_FLOW,
  PLAIN_START,
  SINGLE_QUOTE,
  SPACE,
  TAB,
  WIDE,
} from "./octet.js";

/** How a scalar is written. */
export type ScalarStyle = "plain" | "single" | "double";

// What JSON and YAML escape alike; of `\u` the surrogates are left out, which readers join or not.
const ESCAPE = /\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|(.|$))/gs;

/**
 * Reads scalars that stand on one line of a text's octets. Every method gives the offset behind
 * what it read, or {@link DECLINED} where it meets anything that it does not fully understand. What
 * was read is in the fields until the next scalar is.
 */
export class Scalars {
  readonly bytes: Buffer;
  readonly size: number;
  readonly view: DataView;
  /** Where the scalar starts and ends, quotes included. */
  from = 0;
  to = 0;
  style: ScalarStyle = "plain";
  /** Whether it holds escapes, so that its text is not its source. */
  escaped = false;
  /** Whether it holds characters outside ASCII. */
  wide = false;
  /** Whether any scalar or comment so far held some. */
  everWide = false;
  /** Spaces before the content that {@link contentLine} found; -1 at the end of the text. */
  indent = -1;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.size = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The octet at an offset; the end of the text is as a line ending. */
  at(offset: number): number {
    return offset < this.size ? (this.bytes[offset] ?? LF) : LF;
  }

  /**
   * A scalar in block context. A plain one ends before a `: `, a ` #` or the line's end: what
   * follows is for the caller to judge.
   */
  scan(offset: number): number {
    const first = this.at(offset);
    this.from = offset;
    this.escaped = false;
    if (first === DOUBLE_QUOTE) return this.#double(offset + 1);
    if (first === SINGLE_QUOTE) return this.#single(offset + 1);
    if (PLAIN_START[first] !== 1 && first < WIDE) {
      if (first !== DASH || PLAIN_START[this.at(offset + 1)] !== 1) return DECLINED;
    }
    return this.#plain(offset);
  }

  /** A scalar between brackets; a plain one is of few characters and has no colon in it. */
  scanFlow(offset: number): number {
    const first = this.at(offset);
    if (first === DOUBLE_QUOTE || first === SINGLE_QUOTE) return this.scan(offset);
    if (PLAIN_START[first] !== 1) return DECLINED;
    let end = offset;
    while (PLAIN_FLOW[this.at(end)] === 1) end += 1;
    this.from = offset;
    this.to = end;
    this.style = "plain";
    this.escaped = false;
    this.wide = false;
    return end === offset ? DECLINED : end;
  }

  /** The text of the scalar just read. */
  text(): string {
    const quotes = this.style === "plain" ? 0 : 1;
    const encoding = this.wide ? "utf8" : "latin1";
    const source = this.bytes.toString(encoding, this.from + quotes, this.to - quotes);
    if (!this.escaped) return source;
    if (this.style === "single") return source.replaceAll("''", "'");
    return JSON.parse(`"${source}"`) as string;
  }

  /** The scalar just read as a node; its offsets count octets. */
  node(): ScalarNode {
    return {
      kind: "scalar",
      style: this.style,
      text: this.text(),
      start: this.from,
      end: this.to,
      tagged: false,
      anchored: false,
    };
  }

  /** Behind spaces. */
  spaces(offset: number): number {
    let end = offset;
    while (this.at(end) === SPACE) end += 1;
    return end;
  }

  /** Behind the end of a line on which nothing more stands but spaces and perhaps a comment. */
  lineEnd(offset: number): number {
    const end = this.spaces(offset);
    if (this.at(end) === HASH) return end > offset ? this.comment(end) : DECLINED;
    return this.#lineEnding(end);
  }

  /** Behind the line of a comment whose `#` stands at an offset. */
  comment(offset: number): number {
    const { bytes, size } = this;
    let all = 0;
    for (let end = offset; end < size; end += 1) {
      const octet = bytes[end] ?? LF;
      if (octet < SPACE && octet !== TAB) {
        this.everWide ||= all >= WIDE;
        return this.#lineEnding(end);
      }
      if (octet === 0x7f) return DECLINED;
      all |= octet;
    }
    this.everWide ||= all >= WIDE;
    return size;
  }

  /**
   * Where the content of the next line starts on which anything but a comment stands; the size at
   * the end of the text.
   *
   * @param offset - where a line starts.
   */
  contentLine(offset: number): number {
    let start = offset;
    while (start < this.size) {
      const content = this.spaces(start);
      const octet = this.at(content);
      if (octet === LF || octet === CR) start = this.#lineEnding(content);
      else if (octet === HASH) start = this.comment(content);
      else {
        this.indent = content - start;
        return content;
      }
      if (start === DECLINED) return DECLINED;
    }
    this.indent = -1;
    return this.size;
  }

  /** Whether nothing but spaces and perhaps a comment stands from an offset to the line's end. */
  isLineEnd(offset: number): boolean {
    const octet = this.at(this.spaces(offset));
    return octet === LF || octet === CR || octet === HASH;
  }

  /** A colon with a space or a line ending behind it. */
  isColon(offset: number): boolean {
    if (this.at(offset) !== COLON) return false;
    const next = this.at(offset + 1);
    return next === SPACE || next === LF || next === CR;
  }

  #lineEnding(offset: number): number {
    const octet = this.at(offset);
    if (octet === LF) return Math.min(offset + 1, this.size);
    // A carriage return alone, or at the very end, is a line ending to some readers only.
    const pair = octet === CR && offset + 1 < this.size && this.at(offset + 1) === LF;
    return pair ? offset + 2 : DECLINED;
  }

  #plain(offset: number): number {
    let [end, all, before] = [offset, 0, 0];
    for (let at = offset; ; at += 1) {
      const octet = this.at(at);
      if (octet < SPACE || octet === 0x7f) {
        if (octet !== LF && octet !== CR) return DECLINED;
        break;
      }
      if (octet === SPACE) {
        before = SPACE;
        continue;
      }
      if (octet === HASH && before === SPACE) break;
      if (octet === COLON && this.isColon(at)) break;
      before = octet;
      all |= octet;
      end = at + 1;
    }
    return this.#done("plain", end, all);
  }

  #double(offset: number): number {
    let all = 0;
    for (let at = offset; ; at += 1) {
      const octet = this.at(at);
      if (octet === DOUBLE_QUOTE) {
        const end = this.#done("double", at + 1, all);
        return this.escaped && !this.#escapesAreCommon() ? DECLINED : end;
      }
      if (octet < SPACE || octet === 0x7f) return DECLINED;
      if (octet === BACKSLASH) {
        this.escaped = true;
        at += 1;
        if (this.at(at) < SPACE) return DECLINED;
      }
      all |= this.at(at);
    }
  }

  #escapesAreCommon(): boolean {
    const source = this.bytes.toString("latin1", this.from + 1, this.to - 1);
    return [...source.matchAll(ESCAPE)].every(([, uncommon]) => uncommon === undefined);
  }

  #single(offset: number): number {
    let all = 0;
    for (let at = offset; ; at += 1) {
      const octet = this.at(at);
      if (octet === SINGLE_QUOTE) {
        if (this.at(at + 1) !== SINGLE_QUOTE) return this.#done("single", at + 1, all);
        this.escaped = true;
        at += 1;
      }
      if (octet < SPACE || octet === 0x7f) return DECLINED;
      all |= octet;
    }
  }

  #done(style: ScalarStyle, end: number, all: number): number {
    this.style = style;
    this.to = end;
    this.wide = all >= WIDE;
    this.everWide ||= this.wide;
    return end;
  }
}
