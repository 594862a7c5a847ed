import { createHash, type Hash } from "node:crypto";
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
  if (keystore.generation !== undefined) return keystore.generation;
  const hash = new GenerationHash();
  const rows = [...keystore.live(), ...keystore.retired()].map(canonicalRow).sort();
  for (const row of rows) hash.add(row);
  return hash.digest();
}

/** An entry in the canonical form. */
export function canonicalRow(entry: Entry): string {
  const fields = [...entry.fields].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return JSON.stringify([entry.place, entry.digest, fields]);
}

/** Takes rows in canonical form one after the other, in the order of places and digests. */
export class GenerationHash {
  readonly #hash: Hash = createHash("sha256");
  #isFirst = true;

  /** Adds a row, or several with a comma between them. */
  add(rows: string | Uint8Array): void {
    this.#hash.update(this.#isFirst ? "[" : ",").update(rows);
    this.#isFirst = false;
  }

  digest(): string {
    return this.#hash
      .update(this.#isFirst ? "[]" : "]")
      .digest("hex")
      .slice(0, 16);
  }
}
