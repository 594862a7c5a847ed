import { indentOf, insertLines, linesOf, removeLines, stepOf } from "./block-mapping.js";
import { editBlock, rootStep, type BlockName } from "./edit-block.js";
import { rewriteFlow } from "./flow-mapping.js";
import { blockOf, type Layout } from "./layout.js";
import { lineChanges, type LineChange } from "./line-change.js";
import { formatFlowPair, type NewPair } from "./new-pair.js";
import type { Plan } from "./plan.js";
import { isPlainString } from "./scalar-type.js";
import { formatFieldValue, formatQuoted } from "./scalar-text.js";
import {
  applySplices,
  colonEnd,
  lacksFinalLineEnding,
  lineEnding,
  pairEnd,
  type Splice,
} from "./splice.js";
import type { SyntaxNode, SyntaxPair } from "./syntax.js";

interface BlockStep {
  readonly name: BlockName;
  readonly rows: Layout["live"];
  readonly plan: Plan["live"];
  /** Whether the block must stand afterwards, `{}` if need be. */
  readonly ensure: boolean;
}

/** What an edit made. */
export interface Edited {
  readonly text: string;
  /** In the text as it was, with an ending for its last line where it lacked one. */
  readonly splices: readonly Splice[];
  readonly changes: readonly LineChange[];
}

/**
 * Carries out a plan on the text it was made for. A last line without an ending gets one for the
 * time being, so that every line is whole; the last line of the result has none then.
 */
export function carryOut(text: string, layout: Layout, root: SyntaxNode, plan: Plan): Edited {
  const bare = lacksFinalLineEnding(text);
  const whole = bare ? text + lineEnding(text, text.length) : text;
  const splices = spliceChanges(whole, layout, root, plan);
  const edited = applySplices(whole, splices);
  return {
    text: bare ? edited.replace(/\r?\n$/, "") : edited,
    splices,
    changes: lineChanges(whole, splices),
  };
}

/** The splices that carry out a plan; every line of the text has its ending. */
function spliceChanges(text: string, layout: Layout, root: SyntaxNode, plan: Plan): Splice[] {
  // First, since a row's new lines come before a row that is added behind it.
  const splices: Splice[] = nestFlat(text, layout, plan.nest);
  const create: NewPair[] = [];
  const blocks: readonly BlockStep[] = [
    { name: "api_keys", rows: layout.live, plan: plan.live, ensure: plan.drop.has("api_key") },
    { name: "retired_api_keys", rows: layout.retired, plan: plan.retired, ensure: false },
  ];
  for (const { name, rows, plan: blockPlan, ensure } of blocks) {
    const needed = ensure && blockOf(layout.pairs.get(name)) === undefined;
    const edit = editBlock({ text, layout, name, rows }, blockPlan, needed);
    splices.push(...edit.splices);
    if (edit.create !== undefined && (edit.create.length > 0 || needed)) {
      create.push({ kind: "group", name, pairs: edit.create });
    }
  }
  const { drop, rename } = adminEdits(text, layout, plan);
  splices.push(...rename);
  splices.push(...editRoot(text, layout, root, drop, create));
  return splices;
}

/** Takes settings out of the root and adds blocks to it. */
function editRoot(
  text: string,
  layout: Layout,
  rootNode: SyntaxNode,
  drop: readonly SyntaxPair[],
  create: readonly NewPair[],
): Splice[] {
  const { root } = layout;
  if (root === undefined) {
    const style = { indent: 0, step: 2 };
    const written = rootNode.end > rootNode.start;
    const clear = written ? [{ start: rootNode.start, end: rootNode.end, text: "" }] : [];
    return [...clear, ...insertLines(text, text.length, create, style)];
  }
  if (root.flow) return rewriteFlow(text, root, new Set(drop), create);
  const after = layout.pairs.get("api_keys") ?? root.pairs.at(-1);
  const style = { indent: indentOf(text, root), step: rootStep(text, layout) };
  const at = after === undefined ? text.length : linesOf(text, after).end;
  return [...removeLines(text, drop), ...insertLines(text, at, create, style)];
}

/** `"<digest>": name` becomes an entry with that id. */
function nestFlat(text: string, layout: Layout, nest: ReadonlyMap<string, string>): Splice[] {
  const block = blockOf(layout.pairs.get("api_keys"));
  if (block === undefined || nest.size === 0) return [];
  const step = nestStep(text, layout);
  return layout.live.flatMap(({ digest, pair }) => {
    const id = nest.get(digest);
    if (id === undefined) return [];
    const { start, end } = pair.value;
    if (block.flow) {
      const entry = `{${formatFlowPair({ kind: "field", name: "id", value: id })}}`;
      return [{ start, end, text: entry }];
    }
    const margin = " ".repeat(indentOf(text, block) + step);
    const eol = lineEnding(text, pair.key.start);
    const colon = colonEnd(text, pair) ?? pair.key.end;
    const line = `${margin}id: ${formatFieldValue("id", id, isPlainString)}`;
    const next = linesOf(text, pair).end;
    return [
      { start: colon, end, text: "" },
      { start: next, end: next, text: line + eol },
    ];
  });
}

function nestStep(text: string, layout: Layout): number {
  const block = blockOf(layout.pairs.get("api_keys"));
  const hasEntries = block?.pairs.some(({ value }) => value.kind === "mapping" && !value.flow);
  return block !== undefined && hasEntries === true ? stepOf(text, block) : rootStep(text, layout);
}

/** The raw admin key gives way to its digest, in its place; what is dropped goes with its lines. */
function adminEdits(
  text: string,
  layout: Layout,
  plan: Plan,
): { drop: SyntaxPair[]; rename: Splice[] } {
  const names = new Set(plan.drop);
  const rename: Splice[] = [];
  const raw = layout.pairs.get("admin_api_key");
  if (plan.adminDigest !== undefined && raw !== undefined) {
    names.delete("admin_api_key");
    names.add("admin_api_key_sha256");
    const name = layout.root?.flow === true ? '"admin_api_key_sha256"' : "admin_api_key_sha256";
    const end = pairEnd(text, raw);
    const eol = text[end - 1] === "\n" ? lineEnding(text, raw.key.start) : "";
    const written = `${name}: ${formatQuoted(plan.adminDigest)}${eol}`;
    rename.push({ start: raw.key.start, end, text: written });
  }
  const drop = [...names].flatMap((name) => {
    const pair = layout.pairs.get(name);
    return pair === undefined ? [] : [pair];
  });
  return { drop, rename };
}
