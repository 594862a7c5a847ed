import type { Requirement } from "../../core/verify.js";

// Percent-encoded is whatever means something in a URL or in a proxy's configuration.
const ENCODED = /[^A-Za-z0-9._~:-]/g;

/**
 * What is required, as the query of `/verify` or, with `;` between, as a path segment:
 * `scope=apps:read&workspace=blue`. Empty where nothing is.
 */
export function formatRequirement(requirement: Requirement, separator: "&" | ";"): string {
  return [
    ...requirement.scopes.map((word) => `scope=${encode(word)}`),
    ...requirement.workspaces.map((word) => `workspace=${encode(word)}`),
  ].join(separator);
}

/**
 * The target to ask at `/verify`. Where nothing is required it is a path below it, whose query is
 * never read, with an empty query: some proxies would put the client's in its place.
 */
export function verifyTarget(requirement: Requirement): string {
  const query = formatRequirement(requirement, "&");
  return query === "" ? "/verify/any?" : `/verify?${query}`;
}

function encode(word: string): string {
  return word.replace(
    ENCODED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
