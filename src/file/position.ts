import { countCharacters } from "../core/id.js";

/** A place as people count it. */
export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters; a byte-order mark counts as none. */
  readonly column: number;
}

/** Finds lines and columns of offsets in one text. Lines end at LF (a CR before it belongs to it). */
export class PositionFinder {
  readonly #text: string;
  readonly #starts: number[] = [0];
  #last = { offset: -1, column: 1 };

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  /** The place of an offset in UTF-16 units; quick for offsets that are asked in order. */
  find(offset: number): Position {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const start = this.#starts[low] ?? 0;
    const { offset: known, column } = this.#last;
    // A line can be as long as the file: what was counted of it is not counted again.
    const from =
      known >= start && known <= offset ? { known, column } : { known: start, column: 1 };
    const before = this.#text.slice(from.known, offset);
    const counted = countCharacters(from.known === 0 ? before.replace(/^\ufeff/, "") : before);
    this.#last = { offset, column: from.column + counted };
    return { line: low + 1, column: this.#last.column };
  }
}
