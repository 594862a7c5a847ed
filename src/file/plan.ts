import { digestOf } from "../core/digest.js";
import { formatInstant } from "../core/instant.js";
import type { Keystore } from "../core/keystore.js";
import { KeysError } from "../errors.js";
import type { Change } from "./change.js";
import { isNull, type Layout, type Row } from "./layout.js";
import { rootText } from "./root-text.js";
import type { RootKey } from "./shown-name.js";

/** Stands for the contributor of a revoked row that names none that can be read. */
const UNKNOWN_ID = "unknown";

/** A row that is added to a block. */
export interface Addition {
  readonly digest: string;
  /** The row of the other block that it is moved from; undefined for a new one. */
  readonly from: Row | undefined;
  /** Fields to set on it (null removes); of a new row all its fields. */
  readonly fields: ReadonlyMap<string, string | null>;
}

/** What an edit does to one of the two blocks. */
export interface BlockPlan {
  readonly remove: Set<string>;
  readonly append: Addition[];
  /** Fields to set in place, by digest; null removes. */
  readonly set: Map<string, ReadonlyMap<string, string | null>>;
}

/** What an edit does, worked out against one text. */
export interface Plan {
  readonly live: BlockPlan;
  readonly retired: BlockPlan;
  /** Rows `"<digest>": name` of `api_keys` that become entries, with the id they get. */
  readonly nest: Map<string, string>;
  readonly drop: Set<RootKey>;
  /** The digest that takes the place of the raw `admin_api_key`. */
  adminDigest: string | undefined;
}

/**
 * Works out what changes mean for one text.
 *
 * @throws KeysError `key-not-found` for a digest that does not stand where the change needs it,
 *   `digest-exists` for one that is added and stands in the file already.
 */
export function planChanges(layout: Layout, keystore: Keystore, changes: readonly Change[]): Plan {
  const planner = new Planner(layout, keystore);
  for (const change of changes) planner.take(change);
  return planner.plan;
}

class Planner {
  readonly plan: Plan = {
    live: { remove: new Set(), append: [], set: new Map() },
    retired: { remove: new Set(), append: [], set: new Map() },
    nest: new Map(),
    drop: new Set(),
    adminDigest: undefined,
  };
  readonly #layout: Layout;
  readonly #keystore: Keystore;
  readonly #live: ReadonlyMap<string, Row>;
  readonly #retired: ReadonlyMap<string, Row>;
  readonly #legacyDigest: string | undefined;

  constructor(layout: Layout, keystore: Keystore) {
    this.#layout = layout;
    this.#keystore = keystore;
    this.#live = new Map(layout.live.map((row) => [row.digest, row]));
    this.#retired = new Map(layout.retired.map((row) => [row.digest, row]));
    const legacy = rootText(layout.pairs, "api_key");
    this.#legacyDigest = legacy === undefined ? undefined : digestOf(legacy);
  }

  take(change: Change): void {
    switch (change.kind) {
      case "add":
        this.#add(change.digest, change.fields);
        break;
      case "retire":
        this.#retire(change);
        break;
      case "restore":
        this.#restore(change.digest);
        break;
      case "set":
        this.#set(change.digest, change.fields);
        break;
      case "purge":
        this.#purge(change.digest);
        break;
      case "migrate":
        this.#migrate(change.legacyId);
        break;
    }
  }

  #add(digest: string, fields: ReadonlyMap<string, string>): void {
    if (this.#live.has(digest) || this.#retired.has(digest) || digest === this.#legacyDigest) {
      throw new KeysError("digest-exists", "this digest stands in the keystore already", {
        hint: "`keys show` tells whose it is; a retired key never comes back under the same token",
      });
    }
    this.plan.live.append.push({ digest, from: undefined, fields });
  }

  #retire(change: Extract<Change, { kind: "retire" }>): void {
    const { digest } = change;
    const fields = new Map<string, string | null>([
      ...(change.fields ?? []),
      ["state", change.state],
      ["retired_at", formatInstant(change.retiredAt)],
    ]);
    if (change.reason !== undefined) fields.set("reason", change.reason);
    const row = this.#live.get(digest);
    const isLegacy = digest === this.#legacyDigest;
    if (row === undefined && !isLegacy && !this.#retired.has(digest)) throw notFound();
    const inService = row !== undefined || isLegacy;
    if (row !== undefined) this.plan.live.remove.add(digest);
    if (isLegacy) this.plan.drop.add("api_key");
    if (this.#retired.has(digest)) {
      // It stood in both: the record of its retirement is there already.
      if (!inService) this.plan.retired.set.set(digest, fields);
      return;
    }
    const value = row?.pair.value;
    if (value?.kind === "mapping" && !value.tagged) {
      this.plan.retired.append.push({ digest, from: row, fields });
      return;
    }
    // The legacy key, or a row that is no entry: a new one takes its place among the retired.
    const id = this.#keystore.find(digest)?.id ?? UNKNOWN_ID;
    this.plan.retired.append.push({
      digest,
      from: undefined,
      fields: new Map<string, string | null>([["id", id], ...fields]),
    });
  }

  #restore(digest: string): void {
    const row = this.#retired.get(digest);
    if (row === undefined) throw notFound();
    const fields = new Map([
      ["state", null],
      ["retired_at", null],
      ["reason", null],
    ]);
    this.plan.retired.remove.add(digest);
    this.plan.live.append.push({ digest, from: row, fields });
  }

  #set(digest: string, fields: ReadonlyMap<string, string | null>): void {
    const block = this.#live.has(digest)
      ? this.plan.live
      : this.#retired.has(digest)
        ? this.plan.retired
        : undefined;
    if (block === undefined) throw notFound();
    block.set.set(digest, new Map([...(block.set.get(digest) ?? []), ...fields]));
  }

  #purge(digest: string): void {
    const places: boolean[] = [
      this.#live.has(digest),
      this.#retired.has(digest),
      digest === this.#legacyDigest,
    ];
    if (!places.includes(true)) throw notFound();
    if (places[0] === true) this.plan.live.remove.add(digest);
    if (places[1] === true) this.plan.retired.remove.add(digest);
    if (places[2] === true) this.plan.drop.add("api_key");
  }

  #migrate(legacyId: string): void {
    for (const { digest, pair } of this.#layout.live) {
      const { value } = pair;
      if (value.kind === "scalar" && !value.tagged && !isNull(value)) {
        this.plan.nest.set(digest, value.text);
      }
    }
    if (this.#legacyDigest !== undefined) {
      this.plan.drop.add("api_key");
      if (!this.#live.has(this.#legacyDigest)) {
        const fields = new Map([["id", legacyId]]);
        this.plan.live.append.push({ digest: this.#legacyDigest, from: undefined, fields });
      }
    }
    const admin = rootText(this.#layout.pairs, "admin_api_key");
    if (admin === undefined) return;
    this.plan.drop.add("admin_api_key");
    if (rootText(this.#layout.pairs, "admin_api_key_sha256") === undefined) {
      this.plan.adminDigest = digestOf(admin);
    }
  }
}

function notFound(): KeysError {
  return new KeysError("key-not-found", "no such key stands in the keystore", {
    hint: "`keys list --state all` shows them all",
  });
}
