import { KeysError } from "../errors.js";
import { appendLines, indentOf, indentOfPair, linesOf, removeLines } from "./block-mapping.js";
import { rewriteFlow } from "./flow-mapping.js";
import { isString } from "./layout.js";
import { fieldPairs, type MovedText, type NewPair } from "./new-pair.js";
import { isPlainString } from "./scalar-type.js";
import { formatFieldValue, formatQuoted } from "./scalar-text.js";
import { applySplices, colonEnd, lineEnding, pairEnd, type Splice } from "./splice.js";
import type { MappingNode, SyntaxPair } from "./syntax.js";

/** Sets fields of an entry where it stands; null removes one. */
export function editFields(
  text: string,
  entry: MappingNode,
  fields: ReadonlyMap<string, string | null>,
): Splice[] {
  const rest = new Map(fields);
  const remove = new Set<SyntaxPair>();
  const splices: Splice[] = [];
  for (const pair of entry.pairs) {
    const name = isString(pair.key) ? pair.key.text : undefined;
    const value = name === undefined ? undefined : rest.get(name);
    if (name === undefined || value === undefined) continue;
    rest.delete(name);
    // Something elsewhere may stand for it by an alias, and would change with it.
    if (pair.value.anchored) {
      throw new KeysError("edit-mismatch", "a field to be changed has an anchor", {
        hint: "write the value out where its alias stands, and remove the anchor",
      });
    }
    if (value === null) remove.add(pair);
    else splices.push(replaceValue(text, pair, name, value, entry.flow));
  }
  const append = fieldPairs(
    new Map([...rest].filter((field): field is [string, string] => field[1] !== null)),
  );
  if (entry.flow) return [...splices, ...rewriteFlow(text, entry, remove, append)];
  const style = { indent: indentOf(text, entry), step: 0 };
  return [
    ...splices,
    ...removeLines(text, [...remove]),
    ...(append.length === 0 ? [] : appendLines(text, entry, append, style)),
  ];
}

/** A row of a block with fields set, as the text that is moved elsewhere. */
export function movedRow(
  text: string,
  row: SyntaxPair,
  fields: ReadonlyMap<string, string | null>,
  sourceFlow: boolean,
): MovedText {
  const { start, end } = sourceFlow
    ? { start: row.key.start, end: pairEnd(text, row) }
    : linesOf(text, row);
  const splices = row.value.kind === "mapping" ? editFields(text, row.value, fields) : [];
  const inside = splices.map((splice) => ({
    ...splice,
    start: Math.max(0, splice.start - start),
    end: Math.min(end, splice.end) - start,
  }));
  const moved = applySplices(text.slice(start, end), inside);
  if (sourceFlow) return { text: moved, flow: true, indent: 0 };
  return { text: moved, flow: false, indent: indentOfPair(text, row) };
}

/** A row of a block with fields set, written anew; undefined where a part of it is no plain text. */
export function rewrittenRow(
  digest: string,
  row: SyntaxPair,
  fields: ReadonlyMap<string, string | null>,
): NewPair | undefined {
  if (row.value.kind !== "mapping") return undefined;
  const result = new Map<string, string>();
  for (const { key, value } of row.value.pairs) {
    if (!isString(key) || !isString(value)) return undefined;
    result.set(key.text, value.text);
  }
  for (const [name, value] of fields) {
    if (value === null) result.delete(name);
    else result.set(name, value);
  }
  return { kind: "group", name: digest, pairs: fieldPairs(result) };
}

function replaceValue(
  text: string,
  pair: SyntaxPair,
  name: string,
  value: string,
  flow: boolean,
): Splice {
  const written = flow ? formatQuoted(value) : formatFieldValue(name, value, isPlainString);
  const { start, end } = pair.value;
  if (start === end) {
    const at = colonEnd(text, pair) ?? pair.key.end;
    return { start: at, end: at, text: ` ${written}` };
  }
  // A block scalar ends with the line ending behind it.
  const eol = text[end - 1] === "\n" ? lineEnding(text, start) : "";
  return { start, end, text: written + eol };
}
