/**
 * A value as identity headers carry it: every octet of its UTF-8 but `[A-Za-z0-9._~@+:-]` is
 * percent-encoded, and a value that is just `-` is `%2D`, since `-` alone says 'none' (HTTP.md,
 * 'For reverse proxies').
 */
export function formatHeaderValue(text: string): string {
  if (text === "-") return "%2D";
  let encoded = "";
  for (const octet of Buffer.from(text, "utf8")) {
    const character = String.fromCharCode(octet);
    encoded += /[A-Za-z0-9._~@+:-]/.test(character)
      ? character
      : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** Scopes as a header value: each word encoded, `*` standing as it is; `-` for none. */
export function formatScopesHeader(scopes: readonly string[]): string {
  if (scopes.length === 0) return "-";
  return scopes.map((scope) => formatHeaderValue(scope).replaceAll("%2A", "*")).join(" ");
}

/** Workspaces as a header value: each word encoded; `*` for a key that is bound to none. */
export function formatWorkspacesHeader(workspaces: readonly string[] | undefined): string {
  return workspaces === undefined ? "*" : workspaces.map(formatHeaderValue).join(" ");
}
