import { KeysError } from "../errors.js";
import {
  appendLines,
  indentOf,
  indentOfPair,
  insertLines,
  removeLines,
  stepOf,
} from "./block-mapping.js";
import { editFields, movedRow, rewrittenRow } from "./edit-fields.js";
import { rewriteFlow } from "./flow-mapping.js";
import { blockOf, isNull, type Layout, type Row } from "./layout.js";
import { entryPair, type NewPair } from "./new-pair.js";
import type { Addition, BlockPlan } from "./plan.js";
import { colonEnd, nextLine, type Splice } from "./splice.js";
import type { MappingNode, SyntaxPair } from "./syntax.js";

/** The two blocks of keys. */
export type BlockName = "api_keys" | "retired_api_keys";

/** What {@link editBlock} needs to know of the text. */
export interface BlockContext {
  readonly text: string;
  readonly layout: Layout;
  readonly name: BlockName;
  /** The rows of this block. */
  readonly rows: readonly Row[];
}

/** What becomes of a block: splices, and where it is not there yet, the pairs to make it of. */
export interface BlockEdit {
  readonly splices: readonly Splice[];
  /** To be added to the root; undefined where the block stands already or is not needed. */
  readonly create?: readonly NewPair[];
}

/** Removes, adds and changes rows of one block, in the form the block has. */
export function editBlock(context: BlockContext, plan: BlockPlan, ensure: boolean): BlockEdit {
  const { text, layout, name, rows } = context;
  const pair = layout.pairs.get(name);
  const mapping = blockOf(pair);
  const sets = rows.flatMap((row) => {
    const fields = plan.set.get(row.digest);
    const { value } = row.pair;
    return fields === undefined || value.kind !== "mapping" ? [] : editFields(text, value, fields);
  });
  const remove = rows.filter(({ digest }) => plan.remove.has(digest)).map((row) => row.pair);
  if (remove.length === 0 && plan.append.length === 0 && !ensure) return { splices: sets };
  const rootFlow = layout.root?.flow ?? false;
  if (pair === undefined) {
    return { splices: [], create: plan.append.map((each) => added(context, each, rootFlow)) };
  }
  if (mapping === undefined) {
    if (!isNull(pair.value)) throw notFitting();
    return fillNull(context, pair, plan.append, rootFlow);
  }
  if (mapping.flow && (rootFlow || !isCanonicalEmpty(text, pair, mapping))) {
    const append = plan.append.map((each) => added(context, each, true));
    return { splices: [...sets, ...rewriteFlow(text, mapping, new Set(remove), append)] };
  }
  const append = plan.append.map((each) => added(context, each, false));
  if (mapping.flow) {
    return { splices: append.length === 0 ? [] : openEmpty(context, pair, mapping, append) };
  }
  const splices = [...sets, ...removeLines(text, remove)];
  if (append.length > 0) {
    const style = { indent: indentOf(text, mapping), step: stepOf(text, mapping) };
    splices.push(...appendLines(text, mapping, append, style));
  } else if (remove.length === mapping.pairs.length && remove.length > 0) {
    const at = colonEnd(text, pair) ?? pair.key.end;
    splices.push({ start: at, end: at, text: " {}" });
  }
  return { splices };
}

/** Spaces that a level adds at the root: as in the blocks of keys, else as elsewhere, else 2. */
export function rootStep(text: string, layout: Layout): number {
  const { root } = layout;
  if (root === undefined || root.flow) return 2;
  for (const name of ["api_keys", "retired_api_keys"] as const) {
    const block = blockOf(layout.pairs.get(name));
    if (block !== undefined && !block.flow && block.pairs.length > 0) {
      return Math.max(1, indentOf(text, block) - indentOf(text, root));
    }
  }
  return stepOf(text, root);
}

function added(context: BlockContext, addition: Addition, targetFlow: boolean): NewPair {
  const { text, layout, name } = context;
  const { digest, from, fields } = addition;
  if (from === undefined) {
    const given = [...fields].filter((field): field is [string, string] => field[1] !== null);
    return entryPair(digest, new Map(given));
  }
  const other = name === "api_keys" ? "retired_api_keys" : "api_keys";
  const sourceFlow = blockOf(layout.pairs.get(other))?.flow ?? false;
  if (!targetFlow || sourceFlow) {
    return { kind: "moved", text: movedRow(text, from.pair, fields, sourceFlow) };
  }
  const rewritten = rewrittenRow(digest, from.pair, fields);
  if (rewritten !== undefined) return rewritten;
  throw notFitting();
}

function notFitting(): KeysError {
  return new KeysError("edit-mismatch", "the blocks of keys are not in a form that can be edited", {
    hint: "mend what `keys validate` says of them first; nothing was written",
  });
}

/** `name:` or `name: null` becomes a block, or `{}` where there is nothing to put in. */
function fillNull(
  context: BlockContext,
  pair: SyntaxPair,
  append: readonly Addition[],
  rootFlow: boolean,
): BlockEdit {
  const { text } = context;
  const at = colonEnd(text, pair) ?? pair.key.end;
  const { start, end } = pair.value;
  const clear: Splice[] = end > start ? [{ start: at, end, text: "" }] : [];
  if (rootFlow || append.length === 0) {
    const pairs = append.map((each) => added(context, each, true));
    const inner = rewriteFlow("{}", EMPTY_FLOW, new Set(), pairs)[0]?.text ?? "";
    return { splices: [{ start: at, end: at, text: ` {${inner}}` }, ...clear] };
  }
  const pairs = append.map((each) => added(context, each, false));
  return { splices: [...clear, ...beneath(context, pair, Math.max(at, end), pairs)] };
}

const EMPTY_FLOW: MappingNode = {
  kind: "mapping",
  flow: true,
  pairs: [],
  start: 0,
  end: 2,
  tagged: false,
  anchored: false,
};

/** Exactly ` {}` behind the colon, and nothing but a comment after it: the form `keys` leaves. */
function isCanonicalEmpty(text: string, pair: SyntaxPair, mapping: MappingNode): boolean {
  const colon = colonEnd(text, pair);
  if (colon === undefined || mapping.anchored || mapping.pairs.length > 0) return false;
  const rest = text.slice(mapping.end, nextLine(text, mapping.end));
  return text.slice(colon, mapping.end) === " {}" && /^[ \t]*(?:[ \t]#.*)?\r?\n?$/.test(rest);
}

function openEmpty(
  context: BlockContext,
  pair: SyntaxPair,
  mapping: MappingNode,
  append: readonly NewPair[],
): Splice[] {
  const colon = colonEnd(context.text, pair) ?? pair.key.end;
  return [
    { start: colon, end: mapping.end, text: "" },
    ...beneath(context, pair, mapping.end, append),
  ];
}

/** Rows beneath a root setting that has none yet. */
function beneath(
  context: BlockContext,
  pair: SyntaxPair,
  end: number,
  pairs: readonly NewPair[],
): Splice[] {
  const { text, layout } = context;
  const step = rootStep(text, layout);
  const indent = indentOfPair(text, pair) + step;
  return insertLines(text, nextLine(text, end), pairs, { indent, step });
}
