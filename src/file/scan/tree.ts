import { bufferOf } from "../octets.js";
import { isAscii } from "node:buffer";
import type { SyntaxNode } from "../syntax.js";
import { DECLINED } from "./octet.js";
import { documentStart, isPortable } from "./portable.js";
import { Scalars } from "./scalars.js";
import { SettingReader } from "./settings.js";

/**
 * The tree of a text, by the scanner's means: what the `yaml` library gives for it too, in whatever an
 * edit looks at. Mappings and sequences in block form may end in another place: `contentEnd` is what
 * counts. Undefined where the scanner does not fully understand the text.
 */
export function scanTree(bytes: Uint8Array): SyntaxNode | undefined {
  const scalars = new Scalars(bufferOf(bytes));
  const start = documentStart(scalars);
  const root = start === DECLINED ? undefined : new SettingReader(scalars, true).root(start);
  if (root === undefined || !isPortable(scalars)) return undefined;
  return isAscii(bytes) ? root : inUnits(root, new Units(scalars.bytes));
}

/** Offsets of octets as offsets of the text in UTF-16 units, asked in ascending order. */
class Units {
  readonly #bytes: Buffer;
  #offset = 0;
  #units = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  at(offset: number): number {
    this.#units += this.#bytes.toString("utf8", this.#offset, offset).length;
    this.#offset = offset;
    return this.#units;
  }
}

/** A tree whose offsets count octets as one whose offsets count UTF-16 units. */
function inUnits(node: SyntaxNode, units: Units): SyntaxNode {
  const start = units.at(node.start);
  if (node.kind !== "mapping") return { ...node, start, end: units.at(node.end) };
  const pairs = node.pairs.map(({ key, value }) => ({
    key: inUnits(key, units),
    value: inUnits(value, units),
  }));
  return { ...node, start, pairs, end: units.at(node.end) };
}
