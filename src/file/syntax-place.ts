import type { DiagnosticCode } from "./diagnostic.js";
import type { SyntaxNode, SyntaxPair } from "./syntax.js";

/** The code of an alias or a tag that hides what a node is. */
export function whatHides(node: SyntaxNode): DiagnosticCode | undefined {
  if (node.kind === "alias") return "alias-not-allowed";
  return node.tagged ? "tag-not-allowed" : undefined;
}

/** Where a value stands, or its key where there is none. */
export function placeOf(pair: SyntaxPair): number {
  return pair.value.end > pair.value.start ? pair.value.start : pair.key.start;
}
