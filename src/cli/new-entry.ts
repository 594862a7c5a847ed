import { digestOf } from "../core/digest.js";
import { createEntry } from "../core/entry.js";
import { isKnownWeakDigest } from "../core/weak.js";
import type { Keystore } from "../core/keystore.js";
import { DEFAULT_PREFIX, formatToken, SECRET_BYTES } from "../core/token.js";
import { KeysError } from "../errors.js";
import type { Io } from "./io.js";
import { parsePrefixOption } from "./values.js";

/** The fields of a new entry, as they are written; undefined ones are left out. */
export interface NewFields {
  readonly id: string;
  readonly label?: string | undefined;
  readonly created_at: string;
  readonly expires_at?: string | undefined;
  readonly not_before?: string | undefined;
  readonly scopes?: string | undefined;
  readonly rate_limit?: string | undefined;
  readonly workspaces?: string | undefined;
  readonly rotated_from?: string | undefined;
}

/** A token just made, with its digest. */
export interface MintedToken {
  readonly token: string;
  readonly digest: string;
}

/** A new token from 32 random octets. */
export function mintToken(io: Io, prefix: string | undefined): MintedToken {
  const name = prefix === undefined ? DEFAULT_PREFIX : parsePrefixOption(prefix);
  const token = formatToken(name, io.randomBytes(SECRET_BYTES));
  return { token, digest: digestOf(token) };
}

/** The fields in the order in which they are written. */
export function entryFields(fields: NewFields): ReadonlyMap<string, string> {
  const { id, label, created_at, expires_at, not_before, scopes, rate_limit } = fields;
  const { workspaces, rotated_from } = fields;
  const ordered = Object.entries({
    id,
    label,
    created_at,
    expires_at,
    not_before,
    scopes,
    rate_limit,
    workspaces,
    rotated_from,
  });
  return new Map(ordered.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/**
 * Refuses fields that would make the keystore invalid together.
 *
 * @throws KeysError `value-invalid`
 */
export function checkLifetime(fields: ReadonlyMap<string, string>): void {
  const { createdAt, notBefore, expiresAt } = createEntry("", fields, { place: "live" });
  if (expiresAt === undefined) return;
  if (createdAt !== undefined && expiresAt <= createdAt) {
    throw new KeysError("value-invalid", "the key would expire before it was made", {
      hint: "give a time to come with --expires",
    });
  }
  if (notBefore !== undefined && notBefore >= expiresAt) {
    throw new KeysError("value-invalid", "the key would expire before it is valid", {
      hint: "the time of --expires has to be later than that of --not-before",
    });
  }
}

/**
 * Refuses a digest that can't become a new key.
 *
 * @throws KeysError `token-weak`, `digest-exists`
 */
export function checkNewDigest(keystore: Keystore, digest: string): void {
  if (isKnownWeakDigest(digest)) {
    throw new KeysError("token-weak", "that is the digest of a value that everybody knows", {
      hint: "mint a token: `keys create --id NAME`",
    });
  }
  const entry = keystore.find(digest);
  if (entry !== undefined) {
    const place = entry.place === "retired" ? "retired" : "in service";
    throw new KeysError(
      "digest-exists",
      `that key is there already: ${entry.fingerprint}, ${place}`,
      {
        hint: "one token is one contributor's, and a retired one does not come back: mint another",
      },
    );
  }
  if (keystore.adminDigest === digest) {
    throw new KeysError("digest-exists", "that is the admin key, which is never a contributor's", {
      hint: "mint a token for the contributor: `keys create --id NAME`",
    });
  }
}
