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

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  /** The place of an offset in UTF-16 units. */
  find(offset: number): Position {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const before = this.#text.slice(this.#starts[low], offset).replace(/^\ufeff/, "");
    return { line: low + 1, column: countCharacters(before) + 1 };
  }
}
