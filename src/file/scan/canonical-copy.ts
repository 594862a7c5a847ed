import { COLON, LF, PORTABLE } from "./octet.js";
import { INSTANT_LENGTH, instantAt } from "./quick-instant.js";
import { behindSpaces, isQuote, stands } from "./standing.js";

const DIGITS = 64;
const WIDEST_INDENT = 64;
const ID = Buffer.from("id: ");
const CREATED_AT = Buffer.from("created_at: ");

const BEHIND_DIGEST = Buffer.from('",[["created_at","');
const BEHIND_INSTANT = Buffer.from('"],["id","');
const BEHIND_ID = Buffer.from('"]]]');

/**
 * Writes the canonical form (`canonicalRow`) of a sound row of nothing but an id and an instant of
 * creation, where these stand as `create --id` writes them.
 *
 * @param head - what the form starts with, up to the digest.
 * @returns where it ends; 0 where the row is written in another way.
 */
export function copyCanonicalRow(
  bytes: Buffer,
  digestAt: number,
  head: Buffer,
  target: Buffer,
  offset: number,
): number {
  const digestEnd = digestAt + DIGITS;
  if (!isQuote(bytes[digestEnd]) || bytes[digestEnd + 1] !== COLON || bytes[digestEnd + 2] !== LF) {
    return 0;
  }
  const name = behindSpaces(bytes, digestEnd + 3, WIDEST_INDENT);
  if (!stands(bytes, name, ID)) return 0;
  const isQuoted = isQuote(bytes[name + ID.length]);
  const id = name + ID.length + (isQuoted ? 1 : 0);
  let idEnd = id;
  while (PORTABLE[bytes[idEnd] ?? 0] === 1) idEnd += 1;
  const line = isQuoted ? idEnd + 1 : idEnd;
  if ((isQuoted && bytes[idEnd] !== bytes[id - 1]) || bytes[line] !== LF) return 0;
  const created = behindSpaces(bytes, line + 1, WIDEST_INDENT);
  if (!stands(bytes, created, CREATED_AT)) return 0;
  const instant = created + CREATED_AT.length + 1;
  if (!isQuote(bytes[instant - 1]) || bytes[instant + INSTANT_LENGTH] !== bytes[instant - 1]) {
    return 0;
  }
  // Escapes may stand for the same; they are read elsewhere.
  if (Number.isNaN(instantAt(bytes, instant))) return 0;
  let at = offset + head.copy(target, offset);
  at += bytes.copy(target, at, digestAt, digestEnd);
  at += BEHIND_DIGEST.copy(target, at);
  at += bytes.copy(target, at, instant, instant + INSTANT_LENGTH);
  at += BEHIND_INSTANT.copy(target, at);
  at += bytes.copy(target, at, id, idEnd);
  return at + BEHIND_ID.copy(target, at);
}
