import { ENTRY_FIELDS, type EntryField } from "../core/entry.js";
import { isDigest } from "../core/fingerprint.js";
import { countCharacters } from "../core/id.js";

/** Root settings that are read here. */
export const ROOT_KEYS = [
  "api_keys",
  "retired_api_keys",
  "api_key",
  "admin_api_key_sha256",
  "admin_api_key",
] as const;

/** The name of a root setting that is read here. */
export type RootKey = (typeof ROOT_KEYS)[number];

// Letters in words: a token practically always has digits, or no separators.
const HARMLESS = /^[A-Za-z][a-z]{0,11}(?:[_-]?[A-Za-z][a-z]{0,11}){0,3}$/;
const LONGEST_NAME = 32;

const NEAR_MISSES: ReadonlyMap<string, EntryField> = new Map([
  ...[
    "expires",
    "expire",
    "expiry",
    "expiration",
    "expiresat",
    "expireson",
    "validuntil",
    "exp",
  ].map((name) => [name, "expires_at"] as const),
  ...["notbefore", "nbf", "validfrom"].map((name) => [name, "not_before"] as const),
  ...["scope", "scopes"].map((name) => [name, "scopes"] as const),
  ...["ratelimit", "ratelimits"].map((name) => [name, "rate_limit"] as const),
  ...["workspace", "workspaces"].map((name) => [name, "workspaces"] as const),
]);

const KNOWN: ReadonlySet<string> = new Set<string>(ENTRY_FIELDS);

/** Whether a name is that of a field keyhold knows. */
export function isEntryField(name: string): name is EntryField {
  return KNOWN.has(name);
}

/** The field that a misspelt name stands for, where it is one that protects. */
export function nearMiss(name: string): EntryField | undefined {
  if (isEntryField(name)) return undefined;
  return NEAR_MISSES.get(name.toLowerCase().replace(/[_-]/g, ""));
}

/** A key of a block as it may be shown: a digest as it is, anything else as its length only. */
export function shownDigest(text: string): string {
  if (isDigest(text.toLowerCase())) return text;
  return `<not a digest, ${countOf(text)}>`;
}

/** A field's name as it may be shown: it could be a token put in the wrong place. */
export function shownField(name: string): string {
  if (isEntryField(name)) return name;
  if (name.length <= LONGEST_NAME && HARMLESS.test(name)) return name;
  return `<a name of ${countOf(name)}>`;
}

function countOf(text: string): string {
  const count = countCharacters(text);
  return count === 1 ? "1 character" : `${String(count)} characters`;
}
