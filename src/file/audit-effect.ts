import { digestOf } from "../core/digest.js";
import { fingerprintOf } from "../core/fingerprint.js";
import { ENTRY_FIELDS, parseRetiredState, type Entry, type EntryField } from "../core/entry.js";
import { parseInstant } from "../core/instant.js";
import type { Keystore } from "../core/keystore.js";
import { holdsMintedToken } from "../core/minted-token.js";
import { parseRateLimit } from "../core/rate-limit.js";
import { parseScopes, parseWorkspaces } from "../core/scope.js";
import type { KeystoreDocument } from "./document.js";
import { rootText } from "./root-text.js";

/** What a change does to one key. */
export interface KeyEffect {
  readonly fingerprint: string;
  /** The contributor; null for the admin key, and where none can be read. */
  readonly id: string | null;
  /**
   * Old and new by field; null where it is absent. `state` is always among the fields that count:
   * `live`, `legacy` (the raw `api_key`), or why the key is retired.
   */
  readonly changes: Readonly<Record<string, readonly [old: string | null, now: string | null]>>;
}

/** Longest value that is written out, in UTF-16 units: whatever a sound field holds fits. */
const LONGEST = 1024;

const PARSERS: Readonly<Partial<Record<EntryField, (text: string) => unknown>>> = {
  created_at: parseInstant,
  expires_at: parseInstant,
  not_before: parseInstant,
  retired_at: parseInstant,
  scopes: parseScopes,
  workspaces: parseWorkspaces,
  rate_limit: parseRateLimit,
  state: parseRetiredState,
};

/**
 * What lies between two contents of a keystore, key by key: those that were there first, then the
 * new ones. Fields that keyhold doesn't know are left out, and so is every value that might be a
 * secret in the wrong place.
 */
export function effectsBetween(before: KeystoreDocument, after: KeystoreDocument): KeyEffect[] {
  // Of an edit it is known which rows it touched: the others need not be looked at.
  const { touched } = after;
  const [old, now] = [before, after].map(({ keystore }) => entriesOf(keystore, touched)) as [
    ReadonlyMap<string, Entry>,
    ReadonlyMap<string, Entry>,
  ];
  const effects: KeyEffect[] = [];
  for (const [digest, entry] of old) {
    const effect = effectOn(entry, now.get(digest));
    if (effect !== undefined) effects.push(effect);
  }
  for (const [digest, entry] of now) {
    const effect = old.has(digest) ? undefined : effectOn(undefined, entry);
    if (effect !== undefined) effects.push(effect);
  }
  const [raw, rawNow] = [before, after].map(({ pairs }) => rootText(pairs, "admin_api_key"));
  if (raw !== undefined && rawNow === undefined) {
    const fingerprint = fingerprintOf(digestOf(raw));
    const kept = after.keystore?.adminDigest === digestOf(raw) ? "digest" : null;
    effects.push({ fingerprint, id: null, changes: { admin_api_key: ["raw", kept] } });
  }
  return effects;
}

/** Live before retired, as {@link Keystore.find} has it. */
function entriesOf(
  keystore: Keystore | undefined,
  touched: ReadonlySet<string> | undefined,
): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  if (touched !== undefined) {
    for (const digest of touched) {
      const entry = keystore?.find(digest);
      if (entry !== undefined) entries.set(digest, entry);
    }
    return entries;
  }
  for (const entry of keystore?.live() ?? []) entries.set(entry.digest, entry);
  for (const entry of keystore?.retired() ?? []) {
    if (!entries.has(entry.digest)) entries.set(entry.digest, entry);
  }
  return entries;
}

function effectOn(old: Entry | undefined, now: Entry | undefined): KeyEffect | undefined {
  const changes: Record<string, readonly [string | null, string | null]> = {};
  const [state, stateNow] = [stateOf(old), stateOf(now)];
  if (state !== stateNow) changes["state"] = [state, stateNow];
  for (const field of ENTRY_FIELDS) {
    if (field === "state") continue;
    const [text, textNow] = [old?.fields.get(field), now?.fields.get(field)];
    if (text !== textNow) changes[field] = [shown(field, text), shown(field, textNow)];
  }
  const entry = now ?? old;
  if (entry === undefined || Object.keys(changes).length === 0) return undefined;
  return { fingerprint: entry.fingerprint, id: shown("id", entry.id), changes };
}

function stateOf(entry: Entry | undefined): string | null {
  if (entry === undefined) return null;
  return entry.place === "retired" ? (entry.state ?? "retired") : entry.place;
}

function shown(field: EntryField, text: string | undefined): string | null {
  if (text === undefined) return null;
  const parse = PARSERS[field];
  const isSound = parse === undefined ? text.length <= LONGEST : parse(text) !== undefined;
  if (!isSound) return "<invalid>";
  return holdsMintedToken(text) ? "<token>" : text;
}
