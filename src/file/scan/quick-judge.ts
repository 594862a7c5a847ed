import { ENTRY_FIELDS } from "../../core/entry.js";
import { idProblem, isPortableId } from "../../core/id.js";
import { EXPIRES_SOON_MS, fieldProblem } from "../diagnose-entry.js";
import type { Policy } from "../policy.js";
import { isPlainString } from "../scalar-type.js";
import { numberOf, OTHER_FIELD } from "./entry-lines.js";
import {
  ALPHANUMERIC,
  COLON,
  CR,
  DECLINED,
  DOUBLE_QUOTE,
  LF,
  PORTABLE,
  SPACE,
  SUSPICIOUS_START,
} from "./octet.js";
import { INSTANT_LENGTH, instantAt, instantOf } from "./quick-instant.js";
import type { Scalars } from "./scalars.js";

const LONGEST_TEXT = 256;

const ID = numberOf("id");
const LABEL = numberOf("label");
const CREATED = numberOf("created_at");
const EXPIRES = numberOf("expires_at");
const NOT_BEFORE = numberOf("not_before");
const STATE = numberOf("state");
const RETIRED_AT = numberOf("retired_at");
const REASON = numberOf("reason");

const ID_ONLY = 1 << ID;
const RETIRED_ONLY = (1 << STATE) | (1 << RETIRED_AT) | (1 << REASON);
const RETIRED_NEEDS = ID_ONLY | (1 << STATE) | (1 << RETIRED_AT);

/**
 * Tells of an entry, field by field as it is scanned, whether there is certainly nothing to say
 * about it. It only ever sorts out the plain cases: all others are judged by `diagnoseEntry`.
 */
export class QuickJudge {
  /** The fields of the entry: bit n for the field of number n. */
  fields = 0;
  readonly #soonMs: number;
  readonly #isDemanding: boolean;
  readonly #reservedIds: readonly string[];
  #isLive = true;
  #isSound = true;
  #isReserved = false;
  #created = Number.NaN;
  #expires = Number.NaN;
  #notBefore = Number.NaN;

  constructor(policy: Policy) {
    const { nowMs, requireExpiry, requireScopes, maxAgeMs, idOnlyPeers, reservedIds = [] } = policy;
    this.#soonMs = nowMs + EXPIRES_SOON_MS;
    this.#isDemanding =
      requireExpiry === true ||
      requireScopes === true ||
      idOnlyPeers === true ||
      maxAgeMs !== undefined;
    this.#reservedIds = reservedIds;
  }

  /** Whether anything is demanded of ids, or of entries besides that they are sound. */
  get isExacting(): boolean {
    return this.#isDemanding || this.#reservedIds.length > 0;
  }

  begin(isLive: boolean): void {
    this.fields = 0;
    this.#isLive = isLive;
    this.#isSound = true;
    this.#isReserved = false;
    this.#created = Number.NaN;
    this.#expires = Number.NaN;
    this.#notBefore = Number.NaN;
  }

  /**
   * Takes an id or an instant in the form that is written, with one space before it.
   *
   * @param behind - the offset behind the colon of the field's name.
   * @returns where its value ends; {@link DECLINED} where it is anything else, and was not taken.
   */
  takePlain(field: number, scalars: Scalars, behind: number): number {
    if (field === OTHER_FIELD || (this.fields & (1 << field)) !== 0) return DECLINED;
    if (scalars.at(behind) !== SPACE) return DECLINED;
    const offset = behind + 1;
    let end = DECLINED;
    if (field === ID && this.#reservedIds.length === 0) {
      end = portableEnd(scalars, offset);
    } else if (field === CREATED || field === EXPIRES) {
      const instant = quotedInstant(scalars, offset);
      if (Number.isNaN(instant)) return DECLINED;
      if (field === CREATED) this.#created = instant;
      else this.#expires = instant;
      end = offset + INSTANT_LENGTH + 2;
    }
    if (end !== DECLINED) this.fields |= 1 << field;
    return end;
  }

  /** Takes a field whose value is the scalar just read. */
  take(field: number, scalars: Scalars): void {
    if (field === OTHER_FIELD || (this.fields & (1 << field)) !== 0) {
      this.#isSound = false;
      return;
    }
    this.fields |= 1 << field;
    if (this.#isSound) this.#isSound = isText(scalars) && this.#isGood(field, scalars);
  }

  /** Whether the entry as such is sound: no unknown field, none twice, none that can't be read. */
  get isSound(): boolean {
    const { fields } = this;
    const complete = this.#isLive
      ? (fields & ID_ONLY) !== 0 && (fields & RETIRED_ONLY) === 0
      : (fields & RETIRED_NEEDS) === RETIRED_NEEDS;
    if (!this.#isSound || !complete) return false;
    // A comparison with NaN is false: what is not there contradicts nothing.
    return !(this.#expires <= this.#created) && !(this.#notBefore >= this.#expires);
  }

  /** Whether a sound entry may yet be spoken of, because of the time or of what is demanded. */
  get isTimely(): boolean {
    if (!this.#isLive) return true;
    return !this.#isDemanding && !this.#isReserved && !(this.#expires <= this.#soonMs);
  }

  /** Until when nothing is to be said of a timely entry, in milliseconds since 1970. */
  get quietUntilMs(): number {
    const isPassing = this.#isLive && (this.fields & (1 << EXPIRES)) !== 0;
    return isPassing ? this.#expires - EXPIRES_SOON_MS : Number.POSITIVE_INFINITY;
  }

  #isGood(field: number, scalars: Scalars): boolean {
    switch (field) {
      case ID:
        if (this.#reservedIds.length > 0) {
          this.#isReserved = this.#reservedIds.includes(scalars.text());
        }
        return isPortable(scalars) || isGoodId(scalars.text());
      case CREATED:
        this.#created = instantOf(scalars);
        return !Number.isNaN(this.#created);
      case EXPIRES:
        this.#expires = instantOf(scalars);
        return !Number.isNaN(this.#expires);
      case NOT_BEFORE:
        this.#notBefore = instantOf(scalars);
        return !Number.isNaN(this.#notBefore);
      case RETIRED_AT:
        return !Number.isNaN(instantOf(scalars));
      case LABEL:
      case REASON:
        return isShortAscii(scalars) || isGoodText(field, scalars);
      default:
        return isGoodText(field, scalars);
    }
  }
}

/** Whether the scalar is a text to every reader. */
function isText(scalars: Scalars): boolean {
  if (scalars.style !== "plain") return true;
  return SUSPICIOUS_START[scalars.at(scalars.from)] !== 1 || isPlainString(scalars.text());
}

function isGoodText(field: number, scalars: Scalars): boolean {
  const name = ENTRY_FIELDS[field];
  return name !== undefined && fieldProblem(name, scalars.text()) === undefined;
}

function isGoodId(text: string): boolean {
  return idProblem(text) === undefined && isPortableId(text);
}

/** Behind an id without quotes that no reader takes for anything else. */
function portableEnd(scalars: Scalars, offset: number): number {
  const first = scalars.at(offset);
  if (ALPHANUMERIC[first] !== 1 || SUSPICIOUS_START[first] === 1) return DECLINED;
  let end = offset + 1;
  while (PORTABLE[scalars.at(end)] === 1) end += 1;
  const isWhole = scalars.at(end) === LF || scalars.at(end) === CR;
  const isShort = end - offset <= LONGEST_TEXT && scalars.at(end - 1) !== COLON;
  return isWhole && isShort ? end : DECLINED;
}

/** An instant in double quotes; NaN for anything else. */
function quotedInstant(scalars: Scalars, offset: number): number {
  const isQuoted =
    scalars.at(offset) === DOUBLE_QUOTE && scalars.at(offset + INSTANT_LENGTH + 1) === DOUBLE_QUOTE;
  return isQuoted ? instantAt(scalars.bytes, offset + 1) : Number.NaN;
}

function isPortable(scalars: Scalars): boolean {
  const quotes = scalars.style === "plain" ? 0 : 1;
  const [from, to] = [scalars.from + quotes, scalars.to - quotes];
  if (to - from > LONGEST_TEXT || to === from) return false;
  if (ALPHANUMERIC[scalars.at(from)] !== 1) return false;
  for (let at = from + 1; at < to; at += 1) if (PORTABLE[scalars.at(at)] !== 1) return false;
  return true;
}

/** The scanner lets no control character through that is not escaped. */
function isShortAscii(scalars: Scalars): boolean {
  return !scalars.escaped && !scalars.wide && scalars.to - scalars.from <= LONGEST_TEXT;
}
