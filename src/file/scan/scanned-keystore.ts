import type { Entry } from "../../core/entry.js";
import { legacyEntry, type Keystore } from "../../core/keystore.js";
import type { RootKeys } from "../diagnose-root-keys.js";
import type { BlockEntries } from "./block-entries.js";
import { scannedGeneration } from "./scanned-generation.js";

/** The keys of a text that was scanned. */
export class ScannedKeystore implements Keystore {
  readonly adminDigest: string | undefined;
  readonly liveCount: number;
  readonly retiredCount: number;
  readonly #live: BlockEntries;
  readonly #retired: BlockEntries;
  readonly #legacy: Entry | undefined;
  #generation: string | undefined;

  constructor(live: BlockEntries, retired: BlockEntries, rootKeys: RootKeys) {
    this.#live = live;
    this.#retired = retired;
    this.#legacy = legacyOf(rootKeys, live);
    this.adminDigest = rootKeys.adminDigest;
    this.liveCount = live.table.count + (this.#legacy === undefined ? 0 : 1);
    this.retiredCount = retired.table.count;
  }

  get generation(): string {
    if (this.#generation === undefined) {
      const steps = this.generationSteps();
      while (steps.next().done !== true);
    }
    return this.#generation ?? "";
  }

  *generationSteps(): Generator<undefined, void> {
    this.#generation ??= yield* scannedGeneration(this.#legacy, this.#live, this.#retired);
  }

  find(digest: string): Entry | undefined {
    const live = this.#live.find(digest);
    if (live !== undefined) return live;
    if (digest === this.#legacy?.digest) return this.#legacy;
    return this.retiredCount === 0 ? undefined : this.#retired.find(digest);
  }

  *startingWith(prefix: string): Generator<Entry> {
    yield* this.#live.startingWith(prefix);
    if (this.#legacy?.digest.startsWith(prefix) === true) yield this.#legacy;
    yield* this.#retired.startingWith(prefix);
  }

  *perhapsOf(id: string): Generator<Entry> {
    yield* this.#live.holding(id);
    if (this.#legacy !== undefined) yield this.#legacy;
    yield* this.#retired.holding(id);
  }

  *perhapsRotated(): Generator<Entry> {
    yield* this.#retired.perhapsHaving("rotated_from");
    yield* this.#live.perhapsHaving("rotated_from");
  }

  *live(): Generator<Entry> {
    yield* this.#live.all();
    if (this.#legacy !== undefined) yield this.#legacy;
  }

  retired(): Iterable<Entry> {
    return this.#retired.all();
  }
}

/** Where its digest stands in `api_keys`, that entry wins. */
function legacyOf({ legacyKey, legacyFaulty }: RootKeys, live: BlockEntries): Entry | undefined {
  const legacy = legacyKey === undefined ? undefined : legacyEntry(legacyKey, legacyFaulty);
  return legacy !== undefined && live.table.has(legacy.digest) ? undefined : legacy;
}
