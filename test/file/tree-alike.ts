import { contentEnd } from "../../src/file/splice.js";
import { composeKeystore } from "../../src/file/document.js";
import type { Policy } from "../../src/file/policy.js";
import { scanTree } from "../../src/file/scan/tree.js";
import { readSkeleton } from "../../src/file/skeleton-document.js";
import type { SyntaxNode } from "../../src/file/syntax.js";

/** What an edit looks at of a text's tree, and what is said of the text that it was made of. */
interface Seen {
  readonly root: unknown;
  readonly diagnostics: unknown;
}

/** The trees that the scanner and the `yaml` library make of the same octets. */
export interface TwoTrees {
  readonly scanned: Seen;
  readonly composed: Seen;
}

/** Makes both trees; undefined where the scanner makes none. */
export function treesOf(bytes: Uint8Array, policy: Policy): TwoTrees | undefined {
  if (scanTree(bytes) === undefined) return undefined;
  const [scanned, composed] = [readSkeleton, composeKeystore].map((read): Seen => {
    const { root, text, diagnostics } = read(bytes, policy);
    return { root: root && seen(root, text), diagnostics };
  }) as [Seen, Seen];
  return { scanned, composed };
}

/** A node with all that an edit looks at. */
function seen(node: SyntaxNode, text: string): unknown {
  const { tagged, anchored, start } = node;
  // Nothing at all stands nowhere: its place is found by the colon of its pair.
  if (node.kind === "scalar" && node.end === start) return { ...node, start: 0, end: 0 };
  const placed = { tagged, anchored, start, end: contentEnd(text, node) };
  if (node.kind !== "mapping") return { ...node, ...placed };
  const pairs = node.pairs.map(({ key, value }) => [seen(key, text), seen(value, text)]);
  return { kind: node.kind, flow: node.flow, ...placed, pairs };
}
