/** Longest list of scopes or workspaces, in octets. */
const LIST_OCTETS = 1024;

/** RFC 6749 §3.3: scope-token. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * The scopes of a space-separated list, each once, in order; undefined where the text is empty, too
 * long, not a list of scope-tokens (RFC 6749 §3.3: one space between two), or holds a `*` that is
 * neither a whole token nor a last `:*`.
 */
export function parseScopes(text: string): readonly string[] | undefined {
  return parseList(text, isGrantable);
}

/** The workspaces of a space-separated list: as {@link parseScopes}, without any `*`. */
export function parseWorkspaces(text: string): readonly string[] | undefined {
  return parseList(text, isAskable);
}

/** Whether a text may be asked for, as a scope or a workspace: one scope-token without a `*`. */
export function isAskable(word: string): boolean {
  return SCOPE_TOKEN.test(word) && !word.includes("*");
}

/**
 * Whether granted scopes satisfy an asked one: `*` satisfies every scope, `apps:*` every scope
 * that starts `apps:` (not `apps`), any other only itself.
 */
export function satisfiesScope(granted: readonly string[], asked: string): boolean {
  return granted.some(
    (scope) =>
      scope === asked ||
      scope === "*" ||
      (scope.endsWith(":*") && asked.startsWith(scope.slice(0, -1))),
  );
}

function isGrantable(word: string): boolean {
  if (!SCOPE_TOKEN.test(word)) return false;
  const star = word.indexOf("*");
  return star === -1 || word === "*" || (star === word.length - 1 && word.endsWith(":*"));
}

function parseList(text: string, isWord: (word: string) => boolean): readonly string[] | undefined {
  if (text.length === 0 || text.length > LIST_OCTETS) return undefined;
  const words = text.split(" ");
  return words.every(isWord) ? [...new Set(words)] : undefined;
}
