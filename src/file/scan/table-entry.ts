import { fingerprintOf } from "../../core/fingerprint.js";
import {
  parseRetiredState,
  type Entry,
  type EntryField,
  type EntryPlace,
  type RetiredState,
} from "../../core/entry.js";
import { parseInstant } from "../../core/instant.js";
import { parseRateLimit, type RateLimit } from "../../core/rate-limit.js";
import { parseScopes, parseWorkspaces } from "../../core/scope.js";
import { numberOf } from "./entry-lines.js";

/** Where a {@link TableEntry} reads from. */
export interface EntryText {
  /** The text of a field that the row has. */
  field(row: number, field: EntryField): string | undefined;
  fields(row: number): ReadonlyMap<string, string>;
}

/** A row of a table. */
export interface EntryRow {
  readonly number: number;
  readonly digest: string;
  /** The fields it has: bit n for the field of number n. */
  readonly has: number;
  readonly place: EntryPlace;
  readonly faulty: boolean;
}

/**
 * An entry that was found sound when it was scanned. It is read from the text when it is asked, by
 * the same functions as any other, and what was read is kept.
 */
export class TableEntry implements Entry {
  readonly digest: string;
  readonly place: EntryPlace;
  readonly faulty: boolean;
  // What every verdict asks for is read at once.
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  readonly workspaces: readonly string[] | undefined;
  readonly #source: EntryText;
  readonly #row: number;
  /** The fields it has, by their numbers. */
  readonly #has: number;
  #id: string | undefined;
  #scopes: readonly string[] | undefined;
  #rateLimit: RateLimit | "none" | undefined;
  #fields: ReadonlyMap<string, string> | undefined;

  constructor(source: EntryText, row: EntryRow) {
    const { number, digest, has, place, faulty } = row;
    this.digest = digest;
    this.place = place;
    this.faulty = faulty;
    this.#source = source;
    this.#row = number;
    this.#has = has;
    this.expiresAt = this.#read(EXPIRES_AT, "expires_at", parseInstant);
    this.notBefore = this.#read(NOT_BEFORE, "not_before", parseInstant);
    this.workspaces = this.#read(WORKSPACES, "workspaces", parseWorkspaces);
  }

  get fingerprint(): string {
    return fingerprintOf(this.digest);
  }

  get id(): string | undefined {
    return (this.#id ??= this.#text(ID, "id"));
  }

  get label(): string | undefined {
    return this.#text(LABEL, "label");
  }

  get createdAt(): number | undefined {
    return this.#read(CREATED_AT, "created_at", parseInstant);
  }

  get scopes(): readonly string[] {
    return (this.#scopes ??= this.#read(SCOPES, "scopes", parseScopes) ?? []);
  }

  get rateLimit(): RateLimit | "none" | undefined {
    return (this.#rateLimit ??= this.#read(RATE_LIMIT, "rate_limit", parseRateLimit));
  }

  get state(): RetiredState | undefined {
    return this.#read(STATE, "state", parseRetiredState);
  }

  get retiredAt(): number | undefined {
    return this.#read(RETIRED_AT, "retired_at", parseInstant);
  }

  get reason(): string | undefined {
    return this.#text(REASON, "reason");
  }

  get fields(): ReadonlyMap<string, string> {
    return (this.#fields ??= this.#source.fields(this.#row));
  }

  #text(number: number, field: EntryField): string | undefined {
    if ((this.#has & (1 << number)) === 0) return undefined;
    return this.#source.field(this.#row, field);
  }

  #read<T>(number: number, field: EntryField, parse: (text: string) => T): T | undefined {
    const text = this.#text(number, field);
    return text === undefined ? undefined : parse(text);
  }
}

const ID = numberOf("id");
const LABEL = numberOf("label");
const CREATED_AT = numberOf("created_at");
const EXPIRES_AT = numberOf("expires_at");
const NOT_BEFORE = numberOf("not_before");
const SCOPES = numberOf("scopes");
const RATE_LIMIT = numberOf("rate_limit");
const WORKSPACES = numberOf("workspaces");
const STATE = numberOf("state");
const RETIRED_AT = numberOf("retired_at");
const REASON = numberOf("reason");
