import type { Entry } from "../core/entry.js";
import {
  formatHeaderValue,
  formatScopesHeader,
  formatWorkspacesHeader,
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
    "X-Auth-Id",
    formatHeaderValue(entry.id),
    "X-Auth-Fingerprint",
    entry.fingerprint,
    "X-Auth-Scopes",
    formatScopesHeader(entry.scopes),
    "X-Auth-Workspaces",
    formatWorkspacesHeader(entry.workspaces),
    "X-Auth-Mode",
    "apikey",
    "X-Auth-Tenant",
    "-",
    "X-Keys-Generation",
    generation,
    "X-Keys-Expires",
    entry.expiresAt === undefined ? "-" : formatInstant(entry.expiresAt),
  ];
}
