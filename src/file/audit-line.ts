import { digestOf } from "../core/digest.js";
import type { KeyEffect } from "./audit-effect.js";

/** What the first line of a log has for the hash of the line before. */
export const GENESIS: string = "0".repeat(64);

/** The longest line that is written or taken for one, in octets: 1 MiB. */
export const MAX_LINE_BYTES: number = 1024 * 1024;

/** What came of an intent: as its writer says, or as the file did when a later one looked. */
export type AuditOutcome = "done" | "not-done" | "unclear";

/** One content of a keystore file: null where there was no file, or no keystore in it. */
export interface AuditState {
  /** SHA-256 of the file's octets. */
  readonly sha256: string | null;
  /** The generation of its keys (HTTP.md, 'Operations'). */
  readonly generation: string | null;
}

interface Common {
  /** RFC 3339, UTC. */
  readonly ts: string;
}

interface Origin extends Common {
  readonly actor: string;
  readonly sudo_user?: string | undefined;
  readonly action: string;
}

/** A change that is about to be made; one that touches many keys has several of these in a row. */
export interface IntentLine extends Origin {
  readonly kind: "intent";
  /** Ties the lines of one change together: 16 hex digits drawn for it. */
  readonly change: string;
  /** The keystore's real path. */
  readonly file: string;
  readonly before: AuditState;
  readonly after: AuditState;
  readonly keys: readonly KeyEffect[];
}

/** What came of a change: from its own writer (`outcome`) or a later one (`settled`). */
export interface OutcomeLine extends Common {
  readonly kind: "outcome" | "settled";
  readonly change: string;
  readonly outcome: AuditOutcome;
}

/** Something that changed no keystore. */
export interface NoteLine extends Origin {
  readonly kind: "note";
  readonly fingerprint?: string | undefined;
  readonly id?: string | undefined;
  readonly details?: Readonly<Record<string, string>> | undefined;
}

/** Stands behind what a crash left of a line, or of several. */
export interface TornLine extends Common {
  readonly kind: "torn";
  /** How many octets there are of it. */
  readonly octets: number;
  /** The hash of the last whole line before; `prev` is that of the torn octets. */
  readonly chain: string;
  /** The change that was open there, if one was, and what came of it. */
  readonly settles?: { readonly change: string; readonly outcome: AuditOutcome } | undefined;
}

/** What a line says, apart from its place in the chain. */
export type AuditContent = IntentLine | OutcomeLine | NoteLine | TornLine;

/** A line of the log. `prev` is the SHA-256 of the line before it, without its line end. */
export type AuditLine = AuditContent & { readonly prev: string };

const KINDS: ReadonlySet<unknown> = new Set(["intent", "outcome", "settled", "note", "torn"]);
const HASH = /^[0-9a-f]{64}$/;

/** A line as it is written, without its line end. */
export function formatAuditLine(content: AuditContent, prev: string): string {
  return JSON.stringify({ ...content, prev });
}

/** The hash of a line, which the next one carries. */
export function hashOfLine(line: string | Uint8Array): string {
  return digestOf(line);
}

/**
 * The hash that stands for what is torn: that of its only line; where there are several, of the
 * hash of those before and its own, and so on.
 */
export function tornHash(before: string | undefined, line: string): string {
  return before === undefined ? line : digestOf(before + line);
}

/** A line from its octets, or undefined for what is none. Members beyond these are ignored. */
export function parseAuditLine(octets: Uint8Array): AuditLine | undefined {
  // `{`: a cheap look spares most garbage the parser.
  if (octets.length > MAX_LINE_BYTES || octets[0] !== 0x7b) return undefined;
  try {
    const value = JSON.parse(
      Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString(),
    ) as unknown;
    return isLine(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLine(value: unknown): value is AuditLine {
  if (!isRecord(value) || !KINDS.has(value["kind"])) return false;
  if (!isText(value["ts"]) || !isHash(value["prev"])) return false;
  switch (value["kind"]) {
    case "intent":
      return (
        isOrigin(value) &&
        isText(value["change"]) &&
        isText(value["file"]) &&
        isState(value["before"]) &&
        isState(value["after"]) &&
        Array.isArray(value["keys"]) &&
        value["keys"].every(isEffect)
      );
    case "note":
      return isOrigin(value);
    case "torn":
      return isHash(value["chain"]) && (value["settles"] === undefined || isEnd(value["settles"]));
    default:
      return isEnd(value);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isHash(value: unknown): boolean {
  return isText(value) && HASH.test(value);
}

function isOrigin(value: Readonly<Record<string, unknown>>): boolean {
  return isText(value["actor"]) && isText(value["action"]);
}

function isState(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return [value["sha256"], value["generation"]].every((part) => part === null || isText(part));
}

function isEnd(value: unknown): boolean {
  if (!isRecord(value) || !isText(value["change"])) return false;
  return ["done", "not-done", "unclear"].some((outcome) => outcome === value["outcome"]);
}

function isEffect(value: unknown): boolean {
  if (!isRecord(value) || !isText(value["fingerprint"]) || !isRecord(value["changes"]))
    return false;
  return Object.values(value["changes"]).every(
    (pair) =>
      Array.isArray(pair) &&
      pair.length === 2 &&
      pair.every((each) => each === null || isText(each)),
  );
}
