import type { Entry } from "../core/entry.js";
import {
  EXPIRES_HEADER,
  formatHeaderValue,
  formatScopesHeader,
  formatWorkspacesHeader,
  IDENTITY_HEADERS,
} from "../core/identity-header.js";
import { formatInstant } from "../core/instant.js";
import type { Answer, Presentation } from "../core/problem.js";
import { KeysError } from "../errors.js";

/** Who a request comes from, every value as its header carries it. */
export interface Identity {
  readonly id: string;
  readonly fingerprint: string;
  readonly scopes: string;
  readonly workspaces: string;
  readonly mode: "apikey" | "system" | "impersonation" | "none";
  readonly tenant: string;
  readonly expires: string;
}

/** Who nobody is known to be, where no credential is needed. */
export const ANONYMOUS: Identity = {
  id: "anonymous",
  fingerprint: "-",
  scopes: "-",
  workspaces: "-",
  mode: "none",
  tenant: "-",
  expires: "-",
};

/** The headers of a key. `X-Keys-Expires` is for clients that remember a yes. */
export function identityHeaders(
  entry: Entry,
  generation: string,
  userHeaders: readonly string[] = [],
): readonly string[] {
  if (entry.id === undefined) throw new KeysError("internal", "a key without an id was let in");
  const identity: Identity = {
    id: formatHeaderValue(entry.id),
    fingerprint: entry.fingerprint,
    scopes: formatScopesHeader(entry.scopes),
    workspaces: formatWorkspacesHeader(entry.workspaces),
    mode: "apikey",
    tenant: "-",
    expires: entry.expiresAt === undefined ? "-" : formatInstant(entry.expiresAt),
  };
  return headersOf(identity, generation, userHeaders);
}

/**
 * The headers that tell an upstream who it is, every one on every success and none empty, so that
 * nothing a client sent can stand in for one (HTTP.md, 'For reverse proxies').
 *
 * @param userHeaders - further names under which the id is sent.
 */
export function headersOf(
  identity: Identity,
  generation: string,
  userHeaders: readonly string[],
): readonly string[] {
  return [
    IDENTITY_HEADERS.id,
    identity.id,
    IDENTITY_HEADERS.fingerprint,
    identity.fingerprint,
    IDENTITY_HEADERS.scopes,
    identity.scopes,
    IDENTITY_HEADERS.workspaces,
    identity.workspaces,
    IDENTITY_HEADERS.mode,
    identity.mode,
    IDENTITY_HEADERS.tenant,
    identity.tenant,
    IDENTITY_HEADERS.generation,
    generation,
    EXPIRES_HEADER,
    identity.expires,
    ...userHeaders.flatMap((name) => [name, identity.id]),
  ];
}

/** A yes: 200 without a body. */
export function successAnswer(identity: readonly string[], presentation: Presentation): Answer {
  const extra = presentation.headers(200);
  return {
    status: 200,
    headers: [...identity, ...extra, "Cache-Control", "no-store", "Content-Length", "0"],
    body: "",
  };
}
