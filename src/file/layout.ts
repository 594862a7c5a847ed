import { isPlainNull, isPlainString } from "./scalar-type.js";
import { ROOT_KEYS, type RootKey } from "./shown-name.js";
import type { MappingNode, ScalarNode, SyntaxNode, SyntaxPair } from "./syntax.js";

/** One row of a block: its key and value, and the digest where the key is one. */
export interface Row {
  readonly pair: SyntaxPair;
  /** The digest in lower case. */
  readonly digest: string;
  /** True where the same digest stands more than once in the block. */
  readonly repeated: boolean;
}

/** Where in the tree the things stand that are read here. */
export interface Layout {
  /** The root mapping; undefined for a text that holds nothing. */
  readonly root: MappingNode | undefined;
  /** The first pair of each root setting that is read here. */
  readonly pairs: ReadonlyMap<RootKey, SyntaxPair>;
  /** Second and later pairs of the same name. */
  readonly repeats: readonly SyntaxPair[];
  /** A merge key at the root, whose settings are not seen. */
  readonly merges: readonly SyntaxPair[];
  /** Keys at the root or in a block that readers may take for others: aliases, tagged ones. */
  readonly hidden: readonly SyntaxNode[];
  readonly live: readonly Row[];
  readonly retired: readonly Row[];
}

const ROOT_NAMES: ReadonlySet<string> = new Set<string>(ROOT_KEYS);
const HEX_64 = /^[0-9a-f]{64}$/i;

/**
 * Finds the settings and rows in a root.
 *
 * @returns undefined where the root is neither a mapping nor nothing at all.
 */
export function layOut(root: SyntaxNode): Layout | undefined {
  if (isNull(root)) return emptyLayout();
  if (root.kind !== "mapping") return undefined;
  const pairs = new Map<RootKey, SyntaxPair>();
  const repeats: SyntaxPair[] = [];
  const merges: SyntaxPair[] = [];
  const hidden: SyntaxNode[] = [];
  for (const pair of root.pairs) {
    if (isMergeKey(pair.key)) merges.push(pair);
    const name = pair.key.kind === "scalar" ? pair.key.text : undefined;
    const isReadHere = name !== undefined && ROOT_NAMES.has(name);
    if (pair.key.kind === "alias" || (isReadHere && pair.key.tagged)) hidden.push(pair.key);
    if (name === undefined || !ROOT_NAMES.has(name)) continue;
    if (pairs.has(name as RootKey)) repeats.push(pair);
    else pairs.set(name as RootKey, pair);
  }
  return {
    root,
    pairs,
    repeats,
    merges,
    hidden,
    live: rowsOf(pairs.get("api_keys")),
    retired: rowsOf(pairs.get("retired_api_keys")),
  };
}

/** The mapping of a block, unless there is none or something hides it. */
export function blockOf(pair: SyntaxPair | undefined): MappingNode | undefined {
  return pair?.value.kind === "mapping" && !pair.value.tagged ? pair.value : undefined;
}

/** Whether a node is nothing, `~` or `null`, and not tagged as something else. */
export function isNull(node: SyntaxNode): boolean {
  return node.kind === "scalar" && node.style === "plain" && !node.tagged && isPlainNull(node.text);
}

/** Whether a node is a text to every reader. */
export function isString(node: SyntaxNode): node is ScalarNode {
  return (
    node.kind === "scalar" && !node.tagged && (node.style !== "plain" || isPlainString(node.text))
  );
}

/** Whether a key is a merge key: `<<` without quotes. */
export function isMergeKey(key: SyntaxNode): boolean {
  return key.kind === "scalar" && key.style === "plain" && key.text === "<<";
}

/** Whether a block has a key that hides what it stands for: a merge key, an alias, a tagged one. */
export function hidesRows(block: MappingNode | undefined): boolean {
  return (
    block?.pairs.some(({ key }) => key.kind === "alias" || key.tagged || isMergeKey(key)) ?? false
  );
}

function rowsOf(pair: SyntaxPair | undefined): Row[] {
  const found: { pair: SyntaxPair; digest: string }[] = [];
  const counts = new Map<string, number>();
  for (const row of blockOf(pair)?.pairs ?? []) {
    if (!isString(row.key) || !HEX_64.test(row.key.text)) continue;
    const digest = row.key.text.toLowerCase();
    counts.set(digest, (counts.get(digest) ?? 0) + 1);
    found.push({ pair: row, digest });
  }
  return found.map((row) => ({ ...row, repeated: (counts.get(row.digest) ?? 0) > 1 }));
}

function emptyLayout(): Layout {
  return {
    root: undefined,
    pairs: new Map(),
    repeats: [],
    merges: [],
    hidden: [],
    live: [],
    retired: [],
  };
}
