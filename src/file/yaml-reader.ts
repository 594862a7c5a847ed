import type { Document, Node, ParsedNode } from "yaml";
import type { DiagnosticCode } from "./diagnostic.js";
import type { MappingNode, ScalarNode, SyntaxNode, SyntaxPair } from "./syntax.js";
import { yamlLibrary } from "./yaml-library.js";

/** Something that keeps a text from being one portable YAML document. */
export interface SyntaxProblem {
  readonly code: DiagnosticCode;
  /** UTF-16 units from the start of the text. */
  readonly offset: number;
  /** Instead of the code's own sentence; never the parser's, which may quote the text. */
  readonly message?: string;
}

/** What {@link readSyntax} made of a text. */
export interface SyntaxResult {
  readonly problems: readonly SyntaxProblem[];
  /** The document's root; undefined where the text is no single well-formed document. */
  readonly root: SyntaxNode | undefined;
}

// YAML 1.2.2 §5.1, c-printable: everything but these.
const NOT_PRINTABLE =
  // eslint-disable-next-line no-control-regex -- finding control characters is what this is for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const ODD_BREAK = /[\u0085\u2028\u2029]|\r(?!\n)/g;

/** Our sentence for what the parser found; its own may quote the file. */
const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
  BAD_INDENT: "the indentation does not fit what stands above",
  TAB_AS_INDENT: "a tab is used for indentation",
  MISSING_CHAR: "a quote, bracket, comma or space is missing",
  UNEXPECTED_TOKEN: "something stands here that does not belong",
  BLOCK_AS_IMPLICIT_KEY: "a value can't hold another mapping on the same line",
  BLOCK_IN_FLOW: "an indented block can't stand inside brackets",
  MULTILINE_IMPLICIT_KEY: "a name must stand on one line",
  KEY_OVER_1024_CHARS: "a name is longer than 1,024 characters",
  BAD_DQ_ESCAPE: "an escape inside double quotes is none",
  BAD_SCALAR_START: "a plain value can't start with this character",
  BAD_ALIAS: "an alias is malformed",
  BAD_PROP_ORDER: "an anchor or tag stands in the wrong place",
};

/**
 * Reads a text with the `yaml` library, as plain text values only: what a plain scalar means is
 * judged in `scalar-type.ts`. Duplicate keys are left to the caller, whose check is linear.
 */
export function readSyntax(text: string): SyntaxResult {
  const problems: SyntaxProblem[] = [];
  let lineEnd = -1;
  for (const { index } of text.matchAll(NOT_PRINTABLE)) {
    // One a line is enough: a file of another kind is full of them.
    if (index < lineEnd) continue;
    const end = text.indexOf("\n", index);
    lineEnd = end === -1 ? text.length : end;
    problems.push({
      code: "yaml-syntax",
      offset: index,
      message: "a character that YAML does not allow stands here",
    });
  }
  if (problems.length > 0) return { problems, root: undefined };
  problems.push(...oddBreaks(text));
  const documents = compose(text, problems);
  const [document, second] = documents;
  if (second !== undefined) {
    problems.push({ code: "multiple-documents", offset: second.range[0] });
  }
  for (const error of documents.flatMap((each) => each.errors)) {
    const message = SYNTAX_MESSAGES[error.code];
    problems.push({
      code: "yaml-syntax",
      offset: error.pos[0],
      ...(message === undefined ? {} : { message }),
    });
  }
  const broken = problems.some(({ code }) => code === "yaml-syntax");
  if (document === undefined || second !== undefined || broken)
    return { problems, root: undefined };
  const builder = new TreeBuilder(problems);
  const root = builder.node(document.contents, document.range[0]);
  const unknownAlias = problems.some(({ code }) => code === "yaml-syntax");
  return { problems, root: unknownAlias ? undefined : root };
}

function compose(text: string, problems: SyntaxProblem[]): Document.Parsed[] {
  const { Composer, Parser } = yamlLibrary();
  const composer = new Composer({ schema: "failsafe", uniqueKeys: false });
  const documents: Document.Parsed[] = [];
  for (const token of new Parser().parse(text)) {
    if (token.type === "directive") {
      problems.push({ code: "directive-not-allowed", offset: token.offset });
    }
    documents.push(...(composer.next(token) as Iterable<Document.Parsed>));
  }
  documents.push(...(composer.end(true, text.length) as Iterable<Document.Parsed>));
  return documents;
}

/** Line breaks that a YAML 1.1 reader knows and ours does not, outside double quotes. */
function oddBreaks(text: string): SyntaxProblem[] {
  if (text.search(ODD_BREAK) === -1) return [];
  const problems: SyntaxProblem[] = [];
  let offset = 0;
  const { Lexer } = yamlLibrary();
  for (const lexeme of new Lexer().lex(text)) {
    // The lexer's own marks are not part of the text.
    if (!text.startsWith(lexeme, offset)) continue;
    const lone = lexeme.startsWith('"') ? /\r(?!\n)/g : ODD_BREAK;
    for (const match of lexeme.matchAll(lone)) {
      const at = offset + match.index;
      // A CR that ends a lexeme may be half of a CRLF.
      if (text[at] === "\r" && text[at + 1] === "\n") continue;
      problems.push({ code: "line-break-not-portable", offset: at });
    }
    offset += lexeme.length;
  }
  return problems;
}

class TreeBuilder {
  readonly #problems: SyntaxProblem[];
  readonly #anchors = new Set<string>();
  readonly #yaml = yamlLibrary();

  constructor(problems: SyntaxProblem[]) {
    this.#problems = problems;
  }

  node(node: ParsedNode | Node | null | undefined, missingAt: number): SyntaxNode {
    if (node === null || node === undefined) return emptyScalar(missingAt);
    const [start, end] = node.range ?? [missingAt, missingAt];
    if (this.#yaml.isAlias(node)) {
      if (!this.#anchors.has(node.source)) {
        this.#problems.push({
          code: "yaml-syntax",
          offset: start,
          message: "an alias names an anchor that does not stand above",
        });
      }
      return { kind: "alias", start, end, tagged: false, anchored: false };
    }
    if (node.anchor !== undefined) this.#anchors.add(node.anchor);
    const placed = {
      start,
      end,
      tagged: node.tag !== undefined,
      anchored: node.anchor !== undefined,
    };
    if (this.#yaml.isScalar(node)) return scalarNode(node, placed);
    if (this.#yaml.isSeq(node)) {
      for (const item of node.items) this.#visit(item, end);
      return { kind: "sequence", ...placed };
    }
    const pairs: SyntaxPair[] = [];
    if (this.#yaml.isMap(node)) {
      for (const { key, value } of node.items) {
        const keyNode = this.node(key as Node | null, start);
        pairs.push({ key: keyNode, value: this.node(value as Node | null, keyNode.end) });
      }
    }
    const mapping: MappingNode = {
      kind: "mapping",
      flow: "flow" in node && node.flow,
      pairs,
      ...placed,
    };
    return mapping;
  }

  /** Collects the anchors and aliases of something that is not kept. */
  #visit(item: unknown, at: number): void {
    if (this.#yaml.isPair(item)) {
      this.#visit(item.key, at);
      this.#visit(item.value, at);
    } else {
      this.node(item as Node | null, at);
    }
  }
}

function scalarNode(
  node: { type?: string | undefined; source?: string | undefined },
  placed: Omit<ScalarNode, "kind" | "style" | "text">,
): ScalarNode {
  const style =
    node.type === "QUOTE_DOUBLE"
      ? "double"
      : node.type === "QUOTE_SINGLE"
        ? "single"
        : node.type === "PLAIN"
          ? "plain"
          : "block";
  return { kind: "scalar", style, text: node.source ?? "", ...placed };
}

function emptyScalar(at: number): ScalarNode {
  return {
    kind: "scalar",
    style: "plain",
    text: "",
    start: at,
    end: at,
    tagged: false,
    anchored: false,
  };
}
