import { isToken, parseCredential, type CredentialResult } from "../core/credential.js";
import { KeysError } from "../errors.js";

/** What of Fetch's `Headers` is used. */
export interface FetchHeaders {
  get(name: string): string | null;
}

/**
 * Where a credential is read from:
 *
 * - a token: text, which is hashed as its UTF-8, or its octets;
 * - anything with `rawHeaders`, such as Node's `IncomingMessage` and Express's request;
 * - anything with Fetch's `headers`, such as a `Request`;
 * - header lines, names and values in turn.
 *
 * The query string and the body are never looked at.
 */
export type CredentialSource =
  | string
  | Uint8Array
  | { readonly rawHeaders: readonly string[] }
  | { readonly headers: FetchHeaders }
  | readonly string[];

/** A recognised scheme behind a comma: two lines that Fetch has joined into one. */
const SECOND_CREDENTIAL = /,[ \t]*(?:bearer|apikey)(?:[ \t,]|$)/i;
// eslint-disable-next-line no-control-regex -- U+0000–7F is what ASCII is
const NOT_ASCII = /[^\u0000-\u007f]/;
const FETCH_NAMES = ["Authorization", "X-API-Key"] as const;

/**
 * Reads the one credential of a source (HTTP.md, 'Reading the credential').
 *
 * @throws KeysError `value-invalid` where the source is of none of the kinds above.
 */
export function readCredential(source: CredentialSource): CredentialResult {
  if (typeof source === "string") {
    const isAscii = !NOT_ASCII.test(source);
    return presented(isAscii ? source : Buffer.from(source, "utf8").toString("latin1"));
  }
  if (source instanceof Uint8Array) return presented(Buffer.from(source).toString("latin1"));
  return parseCredential(headerLinesOf(source));
}

/** @param token - one character an octet. */
function presented(token: string): CredentialResult {
  if (!isToken(token)) return { kind: "malformed" };
  return { kind: "credential", credential: { scheme: "bearer", token } };
}

function headerLinesOf(source: Exclude<CredentialSource, string | Uint8Array>): readonly string[] {
  if (isLines(source)) return source;
  // First, where a request has both: these are the lines as they came.
  if ("rawHeaders" in source && isLines(source.rawHeaders)) return source.rawHeaders;
  if ("headers" in source && typeof source.headers.get === "function") {
    return fetchLines(source.headers);
  }
  throw new KeysError("value-invalid", "there is nothing to read a credential from", {
    hint: "give a token, a request with its raw header lines, or a Fetch request",
  });
}

/** The lines that matter. Fetch joins several of a name with a comma, which hides the second. */
function fetchLines(headers: FetchHeaders): readonly string[] {
  const lines: string[] = [];
  for (const name of FETCH_NAMES) {
    const value = headers.get(name);
    if (value === null) continue;
    lines.push(name, value);
    if (name === "Authorization" && SECOND_CREDENTIAL.test(value)) lines.push(name, value);
  }
  return lines;
}

function isLines(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}
