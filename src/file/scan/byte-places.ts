import { countCharacters } from "../../core/id.js";
import type { Position } from "../position.js";
import { LF } from "./octet.js";

const MARK = "\ufeff";

/** Lines and columns of offsets in octets; quickest for offsets that are asked in order. */
export class BytePlaces {
  readonly #bytes: Buffer;
  #line = 1;
  #start = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  find(offset: number): Position {
    if (offset < this.#start) {
      this.#line = 1;
      this.#start = 0;
    }
    for (;;) {
      const end = this.#bytes.indexOf(LF, this.#start);
      if (end === -1 || end >= offset) break;
      this.#line += 1;
      this.#start = end + 1;
    }
    const before = this.#bytes.toString("utf8", this.#start, offset);
    const counted = this.#start === 0 && before.startsWith(MARK) ? before.slice(1) : before;
    return { line: this.#line, column: countCharacters(counted) + 1 };
  }
}
