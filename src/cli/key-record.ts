import type { Entry, KeyState } from "../core/entry.js";
import { stateAt } from "../core/entry.js";
import { formatInstant } from "../core/instant.js";
import type { LastUse } from "../file/usage.js";

/** A key as `list` and `show` give it in JSON. */
export interface KeyRecord {
  readonly digest: string;
  readonly fingerprint: string;
  readonly id: string | null;
  readonly label: string | null;
  readonly scopes: readonly string[];
  /** Null where the key is bound to none. */
  readonly workspaces: readonly string[] | null;
  readonly rate_limit: string | null;
  readonly created_at: string | null;
  readonly expires_at: string | null;
  readonly not_before: string | null;
  readonly last_used_at: string | null;
  readonly state: KeyState;
  readonly retired_at: string | null;
  readonly reason: string | null;
}

/** A key just made, as `create`, `rotate` and `init` give it in JSON. */
export interface IssuedRecord {
  /** Null where it went to a file, or was never known. */
  readonly token: string | null;
  readonly digest: string;
  readonly fingerprint: string;
  readonly id: string | null;
  readonly label: string | null;
  readonly scopes: readonly string[];
  readonly workspaces: readonly string[] | null;
  readonly rate_limit: string | null;
  readonly created_at: string | null;
  readonly expires_at: string | null;
  readonly file: string;
}

/** A key as commands that change keys name it. */
export interface ChangedRecord {
  readonly fingerprint: string;
  readonly id: string | null;
  /** What it is now; `purged` where it is gone. */
  readonly state: KeyState | "purged";
}

/** {@link KeyRecord} of an entry, as it is at an instant. */
export function keyRecord(entry: Entry, nowMs: number, lastUsed: LastUse): KeyRecord {
  return {
    digest: entry.digest,
    fingerprint: entry.fingerprint,
    id: entry.id ?? null,
    label: entry.label ?? null,
    scopes: entry.scopes,
    workspaces: entry.workspaces ?? null,
    rate_limit: rateLimit(entry),
    created_at: instant(entry.createdAt),
    expires_at: instant(entry.expiresAt),
    not_before: instant(entry.notBefore),
    last_used_at: instant(lastUsed.get(entry.digest)),
    state: stateAt(entry, nowMs),
    retired_at: instant(entry.retiredAt),
    reason: entry.reason ?? null,
  };
}

/** {@link IssuedRecord} of an entry. */
export function issuedRecord(entry: Entry, token: string | null, file: string): IssuedRecord {
  return {
    token,
    digest: entry.digest,
    fingerprint: entry.fingerprint,
    id: entry.id ?? null,
    label: entry.label ?? null,
    scopes: entry.scopes,
    workspaces: entry.workspaces ?? null,
    rate_limit: rateLimit(entry),
    created_at: instant(entry.createdAt),
    expires_at: instant(entry.expiresAt),
    file,
  };
}

/** {@link ChangedRecord} of an entry, as it is at an instant. */
export function changedRecord(entry: Entry, nowMs: number): ChangedRecord {
  return { fingerprint: entry.fingerprint, id: entry.id ?? null, state: stateAt(entry, nowMs) };
}

function instant(ms: number | undefined): string | null {
  return ms === undefined ? null : formatInstant(ms);
}

/** As it stands in the file; null where it can't be read. */
function rateLimit(entry: Entry): string | null {
  return entry.rateLimit === undefined ? null : (entry.fields.get("rate_limit") ?? null);
}
