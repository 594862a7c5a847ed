import { blockOf, isMergeKey, isString, type Layout } from "./layout.js";
import { contentEnd } from "./splice.js";
import type { SyntaxNode, SyntaxPair } from "./syntax.js";

/** A field of a row: its name and text, or its source where it is not plain text. */
export type FieldModel = readonly [name: string, text: string];

/** A row of a block: a digest (or the source of what is none) with its fields or its source. */
export interface RowModel {
  readonly name: string;
  readonly fields: readonly FieldModel[] | string;
}

/**
 * What a text says, apart from how it is laid out: what an edit must leave as it was, and what it
 * must make. Everything that is not read here counts by its source.
 */
export interface Model {
  /** Root settings that are not blocks, in order: name and source. */
  readonly settings: readonly FieldModel[];
  /** Undefined where the block is not there, null where it is no mapping. */
  readonly live: readonly RowModel[] | null | undefined;
  readonly retired: readonly RowModel[] | null | undefined;
}

/** The model of a text that was laid out. */
export function modelOf(text: string, layout: Layout): Model {
  const settings: FieldModel[] = [];
  for (const pair of layout.root?.pairs ?? []) {
    if (pair === layout.pairs.get("api_keys") || pair === layout.pairs.get("retired_api_keys")) {
      continue;
    }
    settings.push([nameOf(text, pair.key), valueOf(text, pair.value)]);
  }
  return {
    settings,
    live: rows(text, layout.pairs.get("api_keys")),
    retired: rows(text, layout.pairs.get("retired_api_keys")),
  };
}

function rows(text: string, pair: SyntaxPair | undefined): RowModel[] | null | undefined {
  if (pair === undefined) return undefined;
  const block = blockOf(pair);
  if (block === undefined) return null;
  return block.pairs.map((row) => ({
    name: nameOf(text, row.key).toLowerCase(),
    fields:
      row.value.kind === "mapping" && !row.value.tagged
        ? row.value.pairs.map(
            ({ key, value }) => [nameOf(text, key), valueOf(text, value)] as const,
          )
        : valueOf(text, row.value),
  }));
}

function nameOf(text: string, key: SyntaxNode): string {
  return isString(key) && !isMergeKey(key) ? key.text : `source ${sourceOf(text, key)}`;
}

function valueOf(text: string, value: SyntaxNode): string {
  return isString(value) ? `text ${value.text}` : `source ${sourceOf(text, value)}`;
}

/** The source of a node; of one that is moved the indentation may change. */
function sourceOf(text: string, node: SyntaxNode): string {
  const source = text.slice(node.start, contentEnd(text, node));
  return `${String(node.tagged)} ${String(node.anchored)} ${source.replace(/\n[ \t]+/g, "\n ")}`;
}
