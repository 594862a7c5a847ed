import type { MappingNode, SyntaxNode, SyntaxPair } from "../syntax.js";
import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, DECLINED, OPEN_BRACE, OPEN_BRACKET } from "./octet.js";
import type { Scalars } from "./scalars.js";

const DEEPEST = 16;

/**
 * A mapping or sequence in brackets, on one line, of simple scalars: `{id: alice}`, `[1, two]`.
 * Undefined where anything else stands there.
 *
 * @param offset - where the bracket stands.
 */
export function readFlow(scalars: Scalars, offset: number, depth = 0): SyntaxNode | undefined {
  const open = scalars.at(offset);
  if (depth > DEEPEST) return undefined;
  if (open === OPEN_BRACE) return readMapping(scalars, offset, depth);
  return open === OPEN_BRACKET ? readSequence(scalars, offset, depth) : undefined;
}

function readMapping(scalars: Scalars, offset: number, depth: number): MappingNode | undefined {
  const pairs: SyntaxPair[] = [];
  let at = scalars.spaces(offset + 1);
  while (scalars.at(at) !== CLOSE_BRACE || pairs.length > 0) {
    const behind = scalars.scanFlow(at);
    if (behind === DECLINED || !scalars.isColon(behind)) return undefined;
    const key = scalars.node();
    const value = readValue(scalars, scalars.spaces(behind + 1), depth);
    if (value === undefined) return undefined;
    pairs.push({ key, value });
    at = scalars.spaces(value.end);
    if (scalars.at(at) === CLOSE_BRACE) break;
    if (scalars.at(at) !== COMMA) return undefined;
    at = scalars.spaces(at + 1);
  }
  return { kind: "mapping", flow: true, pairs, ...placed(offset, at + 1) };
}

function readSequence(scalars: Scalars, offset: number, depth: number): SyntaxNode | undefined {
  let at = scalars.spaces(offset + 1);
  let isEmpty = true;
  while (scalars.at(at) !== CLOSE_BRACKET || !isEmpty) {
    const value = readValue(scalars, at, depth);
    if (value === undefined) return undefined;
    isEmpty = false;
    at = scalars.spaces(value.end);
    if (scalars.at(at) === CLOSE_BRACKET) break;
    if (scalars.at(at) !== COMMA) return undefined;
    at = scalars.spaces(at + 1);
  }
  return { kind: "sequence", ...placed(offset, at + 1) };
}

function readValue(scalars: Scalars, offset: number, depth: number): SyntaxNode | undefined {
  const octet = scalars.at(offset);
  if (octet === OPEN_BRACE || octet === OPEN_BRACKET) return readFlow(scalars, offset, depth + 1);
  return scalars.scanFlow(offset) === DECLINED ? undefined : scalars.node();
}

function placed(
  start: number,
  end: number,
): Pick<MappingNode, "start" | "end" | "tagged" | "anchored"> {
  return { start, end, tagged: false, anchored: false };
}
