import { fingerprintOf } from "./fingerprint.js";
import { parseInstant } from "./instant.js";
import { parseRateLimit, type RateLimit } from "./rate-limit.js";
import { parseScopes, parseWorkspaces } from "./scope.js";

/** The fields of an entry that keyhold knows (KEYSTORE.md, 'Fields of an entry'). */
export const ENTRY_FIELDS = [
  "id",
  "label",
  "created_at",
  "expires_at",
  "not_before",
  "scopes",
  "rate_limit",
  "workspaces",
  "rotated_from",
  "rotated_to",
  "state",
  "retired_at",
  "reason",
] as const;

/** The name of a known field. */
export type EntryField = (typeof ENTRY_FIELDS)[number];

/** Why a key is retired. Only `disabled` can come back. */
export type RetiredState = "revoked" | "disabled" | "expired" | "rotated";

/** Every state that a key is shown in: `expired` also for a live entry past its end. */
export type KeyState = "live" | RetiredState;

/** Where a key stands in the file: a live entry, a retired entry, or the legacy `api_key`. */
export type EntryPlace = "live" | "retired" | "legacy";

/** The states that stand under `retired_api_keys`. */
const RETIRED_STATES: readonly RetiredState[] = ["revoked", "disabled", "expired", "rotated"];

/**
 * One key: what the file says of it, and what follows from that. Instants are milliseconds since
 * 1970. `faulty` marks an entry with an error in it: it is listed, and authenticates nobody.
 */
export interface Entry {
  readonly digest: string;
  readonly fingerprint: string;
  readonly place: EntryPlace;
  /** The contributor, or undefined in a faulty entry that names none. */
  readonly id: string | undefined;
  readonly label: string | undefined;
  readonly createdAt: number | undefined;
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  /** Empty where the key has none. */
  readonly scopes: readonly string[];
  readonly rateLimit: RateLimit | "none" | undefined;
  /** Undefined where the key is not bound to any. */
  readonly workspaces: readonly string[] | undefined;
  readonly state: RetiredState | undefined;
  readonly retiredAt: number | undefined;
  readonly reason: string | undefined;
  readonly faulty: boolean;
  /** Every field as it stands in the file, unknown ones too, in order. */
  readonly fields: ReadonlyMap<string, string>;
}

/** What {@link createEntry} needs besides the fields. */
export interface EntryOptions {
  readonly place: EntryPlace;
  /** True where a diagnostic of error severity stands against the entry. */
  readonly faulty?: boolean;
}

/**
 * An entry from its fields. Never throws: a field that can't be read is as if absent, and the entry
 * is faulty, so that what was meant to protect can't fall away in silence.
 */
export function createEntry(
  digest: string,
  fields: ReadonlyMap<string, string>,
  options: EntryOptions,
): Entry {
  let faulty = options.faulty ?? false;
  function read<T>(field: EntryField, parse: (text: string) => T | undefined): T | undefined {
    const text = fields.get(field);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) faulty = true;
    return value;
  }
  const entry = {
    digest,
    fingerprint: fingerprintOf(digest),
    place: options.place,
    id: fields.get("id"),
    label: fields.get("label"),
    createdAt: read("created_at", parseInstant),
    expiresAt: read("expires_at", parseInstant),
    notBefore: read("not_before", parseInstant),
    scopes: read("scopes", parseScopes) ?? [],
    rateLimit: read("rate_limit", parseRateLimit),
    workspaces: read("workspaces", parseWorkspaces),
    state: read("state", parseRetiredState),
    retiredAt: read("retired_at", parseInstant),
    reason: fields.get("reason"),
    fields,
  };
  return { ...entry, faulty: faulty || entry.id === undefined };
}

/** The state of a text under `retired_api_keys`, or undefined where it is none. */
export function parseRetiredState(text: string): RetiredState | undefined {
  return RETIRED_STATES.find((state) => state === text);
}

/** The state a key is shown in at an instant: a live entry past its end is `expired`. */
export function stateAt(entry: Entry, nowMs: number): KeyState {
  if (entry.place === "retired") return entry.state ?? "revoked";
  return entry.expiresAt !== undefined && nowMs >= entry.expiresAt ? "expired" : "live";
}
