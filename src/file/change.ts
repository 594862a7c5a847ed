import type { RetiredState } from "../core/entry.js";

/**
 * What a command means to change in a keystore, apart from how it is written. A list of changes is
 * carried out in order, as one edit of the file: wholly or not at all.
 */
export type Change =
  /** A new entry at the end of `api_keys`; the block is made where there is none. */
  | {
      readonly kind: "add";
      readonly digest: string;
      /** In the order they are written; `id` first. */
      readonly fields: ReadonlyMap<string, string>;
    }
  /**
   * Out of service: moves a live entry to `retired_api_keys`, or the legacy `api_key` likewise (an
   * entry is made for it). For a key already retired it only sets `state`, `retired_at`, `reason`.
   */
  | {
      readonly kind: "retire";
      readonly digest: string;
      readonly state: RetiredState;
      /** Milliseconds since 1970. */
      readonly retiredAt: number;
      readonly reason?: string | undefined;
      /** Fields to set in the same edit, such as `rotated_to`. */
      readonly fields?: ReadonlyMap<string, string> | undefined;
    }
  /** Back into service: moves a retired entry to `api_keys`, without state, time and reason. */
  | { readonly kind: "restore"; readonly digest: string }
  /** Sets fields of an entry, live or retired; null removes the field. */
  | {
      readonly kind: "set";
      readonly digest: string;
      readonly fields: ReadonlyMap<string, string | null>;
    }
  /** Drops an entry, live or retired, and the legacy `api_key` of the same digest. */
  | { readonly kind: "purge"; readonly digest: string }
  /** Legacy keys and flat entries become what they should be (KEYSTORE.md, 'What else is read'). */
  | {
      readonly kind: "migrate";
      /** Who the raw `api_key` belongs to; its entry has no `created_at`, since nobody knows. */
      readonly legacyId: string;
    };
