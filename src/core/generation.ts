import { digestOf } from "./digest.js";
import type { Entry } from "./entry.js";
import type { Keystore } from "./keystore.js";

/**
 * The generation of a keystore: the first 16 hex digits of SHA-256 over a canonical form of the
 * keys alone, sorted, so that every server, worker and command computes the same for the same
 * keys, whatever their order, quoting or comments (HTTP.md, 'Operations'). The form is JSON: an
 * array of `[place, digest, [[field, value]…]]`, sorted by place and digest, fields by name; the
 * legacy key counts with its digest.
 */
export function generationOf(keystore: Keystore): string {
  const rows = [...keystore.live(), ...keystore.retired()].map(canonical).sort();
  return digestOf(`[${rows.join(",")}]`).slice(0, 16);
}

function canonical(entry: Entry): string {
  const fields = [...entry.fields].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return JSON.stringify([entry.place, entry.digest, fields]);
}
