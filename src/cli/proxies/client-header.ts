import {
  EXPIRES_HEADER,
  IDENTITY_HEADERS,
  IMPERSONATION_HEADER,
} from "../../core/identity-header.js";

/** The headers that carry a credential. */
export const CREDENTIAL_HEADERS = ["Authorization", "X-API-Key"] as const;

/** The identity headers that a proxy copies from a verdict. */
export const IDENTITY_NAMES: readonly string[] = Object.values(IDENTITY_HEADERS);

/** The headers that no client may send to an upstream, by their proper names. */
export function forbiddenHeaders(userHeaders: readonly string[]): readonly string[] {
  return [...IDENTITY_NAMES, ...userHeaders, EXPIRES_HEADER, IMPERSONATION_HEADER];
}

/**
 * A header's name in every spelling with `-` and `_`, its proper one first: a CGI or WSGI upstream
 * takes `X_Auth_Id`, and `X-Auth_Id` too, for `X-Auth-Id`.
 */
export function spellingsOf(name: string): readonly string[] {
  const [first = "", ...rest] = name.split("-");
  return rest.reduce<readonly string[]>(
    (spelled, part) => ["-", "_"].flatMap((mark) => spelled.map((start) => start + mark + part)),
    [first],
  );
}

/** A regular expression for a name in any case, with any mark for each `-`; without anchors. */
export function spellingPattern(name: string): string {
  return name.toLowerCase().split("-").join("[^a-z0-9]");
}
