import { invalid } from "./values.js";

// RFC 9110 §5.1, without `_`: many programs take it for `-`, and others drop such lines.
const FIELD_NAME = /^[!#$%&'*+.^`|~0-9A-Za-z-]+$/;

/** Names that a reply uses for something else, that mean something to a proxy, or that say who it is. */
const TAKEN: ReadonlySet<string> = new Set([
  "x-auth-id",
  "x-auth-fingerprint",
  "x-auth-scopes",
  "x-auth-workspaces",
  "x-auth-mode",
  "x-auth-tenant",
  "x-auth-status",
  "x-auth-error",
  "x-keys-generation",
  "x-keys-expires",
  "x-api-key",
  "x-impersonate",
  "x-request-id",
  "authorization",
  "www-authenticate",
  "authentication-info",
  "cookie",
  "set-cookie",
  "cache-control",
  "retry-after",
  "ratelimit",
  "ratelimit-policy",
  // RFC 9110 §7.6.1: hop by hop, or framing.
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "host",
  "date",
  "server",
  "location",
  "vary",
  "allow",
  "age",
  "etag",
  "forwarded",
  "via",
]);
const TAKEN_FAMILY = /^(?:content|proxy|x-forwarded|access-control|sec)-/;

/**
 * Names of further headers that carry the contributor's id.
 *
 * @param source - the option or variable that they come from.
 * @throws KeysError `value-invalid` for what is no field name, is taken, or stands twice.
 */
export function parseUserHeaders(source: string, names: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    if (!FIELD_NAME.test(name)) {
      throw invalid(
        source,
        "is no name of a header",
        "a field name such as Remote-User: letters, digits and hyphens",
      );
    }
    if (TAKEN.has(lower) || TAKEN_FAMILY.test(lower)) {
      throw invalid(
        source,
        "names a header that means something else",
        "a header that the upstream reads the user from, such as Remote-User or X-WEBAUTH-USER",
      );
    }
    if (seen.has(lower)) throw invalid(source, "names a header twice", "name it once");
    seen.add(lower);
  }
  return names;
}
