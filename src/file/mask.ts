import { isDigest } from "../core/fingerprint.js";
import { blockOf, layOut, isString } from "./layout.js";
import { isEntryField, ROOT_KEYS } from "./shown-name.js";
import type { SyntaxNode } from "./syntax.js";
import { yamlLibrary } from "./yaml-library.js";
import { readSyntax } from "./yaml-reader.js";

const MASK = "***";
const ROOT_NAMES: ReadonlySet<string> = new Set<string>(ROOT_KEYS);

/** Lexemes that hold no text of the file's: marks, punctuation, white space, line endings. */
const STRUCTURE =
  // eslint-disable-next-line no-control-regex -- the lexer marks its state with control characters
  /^(?:[\s\u0002\u0018\u001f\ufeff]*|[-?:,[\]{}]|---|\.\.\.)$/;

/**
 * A keystore's text, line by line the same but with everything masked that could be a secret: all
 * scalars but digests, known fields with their values and the names of the settings read here; all
 * comments, tags and anchors. Diffs are made of two such texts.
 */
export function maskedText(text: string): string {
  const shown = shownOffsets(text);
  const parts: string[] = [];
  let offset = 0;
  const { Lexer } = yamlLibrary();
  for (const lexeme of new Lexer().lex(text)) {
    // The lexer's own marks are not part of the text.
    if (!text.startsWith(lexeme, offset)) continue;
    if (shown.has(offset) || STRUCTURE.test(lexeme)) parts.push(lexeme);
    else if (lexeme.startsWith("#")) parts.push(`# ${MASK}`);
    else parts.push(MASK, lexeme.replace(/[^\n]/g, ""));
    offset += lexeme.length;
  }
  return parts.join("");
}

/** Where the scalars start that may be shown. */
function shownOffsets(text: string): ReadonlySet<number> {
  const shown = new Set<number>();
  const { root } = readSyntax(text);
  const layout = root === undefined ? undefined : layOut(root);
  for (const { key } of layout?.root?.pairs ?? []) {
    if (isString(key) && ROOT_NAMES.has(key.text)) shown.add(key.start);
  }
  showDigest(layout?.pairs.get("admin_api_key_sha256")?.value, shown);
  for (const name of ["api_keys", "retired_api_keys"] as const) {
    for (const row of blockOf(layout?.pairs.get(name))?.pairs ?? []) {
      if (!showDigest(row.key, shown) || row.value.kind !== "mapping") continue;
      for (const { key, value } of row.value.pairs) {
        if (!isString(key) || !isEntryField(key.text)) continue;
        shown.add(key.start);
        if (isString(value) && value.style !== "block") shown.add(value.start);
      }
    }
  }
  return shown;
}

function showDigest(node: SyntaxNode | undefined, shown: Set<number>): boolean {
  if (node === undefined || !isString(node) || !isDigest(node.text.toLowerCase())) return false;
  shown.add(node.start);
  return true;
}
