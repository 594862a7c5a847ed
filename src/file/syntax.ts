/**
 * The text of a keystore as a tree with places: what the readers of `file` make, and what
 * diagnosing and editing work on, so that neither knows which YAML reader made it. Offsets count
 * UTF-16 units of the text; `end` is exclusive.
 */
export type SyntaxNode = ScalarNode | MappingNode | OtherNode;

interface Placed {
  readonly start: number;
  readonly end: number;
  /** True where a tag, `!!str` too, stands before the node. */
  readonly tagged: boolean;
  /** True where an anchor stands before the node. */
  readonly anchored: boolean;
}

/** A single value, as text. */
export interface ScalarNode extends Placed {
  readonly kind: "scalar";
  readonly style: "plain" | "single" | "double" | "block";
  /** The value, escapes and folding resolved; empty also for no value at all. */
  readonly text: string;
}

/** A mapping, in block or flow form. */
export interface MappingNode extends Placed {
  readonly kind: "mapping";
  readonly flow: boolean;
  readonly pairs: readonly SyntaxPair[];
}

/** An alias or a sequence: never looked into. */
export interface OtherNode extends Placed {
  readonly kind: "alias" | "sequence";
}

/** A key with its value; a missing value is an empty plain scalar. */
export interface SyntaxPair {
  readonly key: SyntaxNode;
  readonly value: SyntaxNode;
}
