import type { Entry } from "../core/entry.js";
import {
  formatHeaderValue,
  formatScopesHeader,
  formatWorkspacesHeader,
  IDENTITY_HEADERS,
} from "../core/identity-header.js";
import { formatInstant } from "../core/instant.js";
import { KeysError } from "../errors.js";

/**
 * The headers that tell an upstream who it is, every one on every success and none empty, so that
 * nothing a client sent can stand in for one (HTTP.md, 'For reverse proxies'). `X-Keys-Expires` is
 * for clients that remember a yes: the instant at which the key ends, `-` for never.
 */
export function identityHeaders(entry: Entry, generation: string): readonly string[] {
  if (entry.id === undefined) throw new KeysError("internal", "a key without an id was let in");
  return [
    IDENTITY_HEADERS.id,
    formatHeaderValue(entry.id),
    IDENTITY_HEADERS.fingerprint,
    entry.fingerprint,
    IDENTITY_HEADERS.scopes,
    formatScopesHeader(entry.scopes),
    IDENTITY_HEADERS.workspaces,
    formatWorkspacesHeader(entry.workspaces),
    IDENTITY_HEADERS.mode,
    "apikey",
    IDENTITY_HEADERS.tenant,
    "-",
    IDENTITY_HEADERS.generation,
    generation,
    "X-Keys-Expires",
    entry.expiresAt === undefined ? "-" : formatInstant(entry.expiresAt),
  ];
}
