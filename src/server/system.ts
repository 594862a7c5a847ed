import { timingSafeEqual } from "node:crypto";
import type { Credential } from "../core/credential.js";
import { fingerprintOf } from "../core/digest.js";
import { idProblem, isReservedId } from "../core/id.js";
import { formatHeaderValue, IMPERSONATION_HEADER } from "../core/identity-header.js";
import { tenantSegment } from "../core/tenant-segment.js";
import type { Identity } from "./identity.js";

const HEADER = IMPERSONATION_HEADER.toLowerCase();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Who a trusted caller says it acts for. */
export type Impersonation =
  | { readonly kind: "none" }
  /** Present, and nothing that can be acted for: no answer but no. */
  | { readonly kind: "invalid" }
  | { readonly kind: "tenant"; readonly tenant: string };

/**
 * Whether two digests (64 hex digits) are the same, in a time that does not tell where they differ.
 */
export function isSameDigest(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, "hex"), Buffer.from(b, "hex")];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Whether a credential is the system token: sent as Bearer, compared in constant time. */
export function isSystem(
  credential: Credential,
  digest: string,
  systemDigest: string | undefined,
): systemDigest is string {
  return (
    systemDigest !== undefined &&
    credential.scheme === "bearer" &&
    isSameDigest(digest, systemDigest)
  );
}

/** Reads `X-Impersonate`: one line, UTF-8, what may be an id and is not reserved. */
export function readImpersonation(rawHeaders: readonly string[]): Impersonation {
  let value: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== HEADER) continue;
    if (value !== undefined) return { kind: "invalid" };
    value = rawHeaders[index + 1] ?? "";
  }
  if (value === undefined) return { kind: "none" };
  const tenant = decode(value);
  if (tenant === undefined || idProblem(tenant) !== undefined || isReservedId(tenant)) {
    return { kind: "invalid" };
  }
  return { kind: "tenant", tenant };
}

/** The trusted caller itself. */
export function systemIdentity(systemDigest: string): Identity {
  return {
    id: "system",
    fingerprint: fingerprintOf(systemDigest),
    scopes: "*",
    workspaces: "*",
    mode: "system",
    tenant: "-",
    expires: "-",
  };
}

/** The trusted caller acting for a tenant. */
export function impersonationIdentity(systemDigest: string, tenant: string): Identity {
  return {
    ...systemIdentity(systemDigest),
    id: formatHeaderValue(tenant),
    mode: "impersonation",
    tenant: formatHeaderValue(tenantSegment(tenant)),
  };
}

/** Node gives header values one character an octet. */
function decode(value: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(value, "latin1"));
  } catch {
    return undefined;
  }
}
