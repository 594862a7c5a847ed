import type { Entry } from "../core/entry.js";
import { KeysError } from "../errors.js";
import type { Identity } from "./verdict.js";

/** The identity that a granted key stands for. Frozen: whoever gets it can't change whose it is. */
export function identityOf(entry: Entry): Identity {
  // `verifyDigest` lets no such key in.
  if (entry.id === undefined) throw new KeysError("internal", "a key without an id was let in");
  return freezeIdentity({
    id: entry.id,
    fingerprint: entry.fingerprint,
    scopes: entry.scopes,
    workspaces: entry.workspaces,
    mode: "apikey",
    expiresAtMs: entry.expiresAt,
  });
}

/** An identity that nobody can change, nor its lists. */
export function freezeIdentity(identity: Identity): Identity {
  const { scopes, workspaces } = identity;
  return Object.freeze({
    ...identity,
    scopes: Object.freeze([...scopes]),
    workspaces: workspaces === undefined ? undefined : Object.freeze([...workspaces]),
  });
}
