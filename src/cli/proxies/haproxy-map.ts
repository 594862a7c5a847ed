import { generationOf } from "../../core/generation.js";
import { stateAt, type Entry } from "../../core/entry.js";
import {
  formatHeaderValue,
  formatScopesHeader,
  formatWorkspacesHeader,
} from "../../core/identity-header.js";
import type { Keystore } from "../../core/keystore.js";

/** The first line of a map that keys wrote. */
export const MAP_MARK = "# keys: a map for HAProxy, digest to key";

/** Under which the map holds the keystore's generation: no digest. */
export const GENERATION_KEY = "generation";

/** A key without an end has this one: the end of the year 9999, in seconds since 1970. */
const NO_END = 253_402_300_800;

/** What HAProxy looks up: a value for each digest, and the generation. */
export type HaproxyMap = ReadonlyMap<string, string>;

/**
 * The keys of a keystore that are in service or will be, as HAProxy looks them up. A value is
 * `id|fingerprint|/scope/…/|/workspace/…/|begin|end`, words encoded as identity headers have them,
 * so that `|`, `/` and white space only ever separate. Begin and end are whole seconds since 1970,
 * rounded so that the key is in service for no instant longer than it says.
 */
export function createHaproxyMap(keystore: Keystore, nowMs: number): HaproxyMap {
  const map = new Map<string, string>();
  for (const entry of keystore.live()) {
    if (entry.faulty || entry.id === undefined || stateAt(entry, nowMs) !== "live") continue;
    map.set(entry.digest, valueOf(entry, entry.id));
  }
  return map.set(GENERATION_KEY, generationOf(keystore));
}

/** A map as its file holds it. */
export function formatHaproxyMap(map: HaproxyMap): string {
  const lines = [...map].map(([key, value]) => `${key} ${value}`);
  return [MAP_MARK, ...lines, ""].join("\n");
}

function valueOf(entry: Entry, id: string): string {
  const words = (header: string): string => `/${header.replaceAll(" ", "/")}/`;
  const { notBefore, expiresAt } = entry;
  return [
    formatHeaderValue(id),
    entry.fingerprint,
    words(formatScopesHeader(entry.scopes)),
    words(formatWorkspacesHeader(entry.workspaces)),
    notBefore === undefined ? 0 : Math.ceil(notBefore / 1000),
    expiresAt === undefined ? NO_END : Math.floor(expiresAt / 1000),
  ].join("|");
}
