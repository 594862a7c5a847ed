import { parseScopes, parseWorkspaces } from "./scope.js";

/**
 * The headers that tell an upstream who it is (HTTP.md, 'For reverse proxies'). This table is the
 * one that the server sends by and that proxies are configured by.
 */
export const IDENTITY_HEADERS = {
  id: "X-Auth-Id",
  fingerprint: "X-Auth-Fingerprint",
  scopes: "X-Auth-Scopes",
  workspaces: "X-Auth-Workspaces",
  mode: "X-Auth-Mode",
  tenant: "X-Auth-Tenant",
  generation: "X-Keys-Generation",
} as const;

/**
 * When the key ends, for a client that remembers a yes. Every success has it; it is not for
 * upstreams, so that proxies drop what a client sends for it and copy none.
 */
export const EXPIRES_HEADER = "X-Keys-Expires";

/** The header by which a trusted caller acts for a tenant; never one that a client may send. */
export const IMPERSONATION_HEADER = "X-Impersonate";

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

const ENCODED = /^(?:[A-Za-z0-9._~@+:*-]|%[0-9A-Fa-f]{2})+$/;

/**
 * The text of an identity header's value; undefined where it is none that {@link formatHeaderValue}
 * gives: empty, an octet that must be encoded, escapes that are not UTF-8.
 */
export function parseHeaderValue(value: string): string | undefined {
  if (!ENCODED.test(value) || value === "-") return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** The scopes of a header value, empty for `-`; undefined where it is no list of scopes. */
export function parseScopesHeader(value: string): readonly string[] | undefined {
  if (value === "-") return [];
  return parseWords(value, parseScopes);
}

/** The workspaces of a header value, or `"unbound"` for `*`; undefined where it is no such list. */
export function parseWorkspacesHeader(value: string): readonly string[] | "unbound" | undefined {
  return value === "*" ? "unbound" : parseWords(value, parseWorkspaces);
}

function parseWords(
  value: string,
  parse: (text: string) => readonly string[] | undefined,
): readonly string[] | undefined {
  const words = value.split(" ").map(parseHeaderValue);
  return words.includes(undefined) ? undefined : parse(words.join(" "));
}
