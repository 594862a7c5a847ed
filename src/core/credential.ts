/** Longest token, in octets. */
const TOKEN_OCTETS = 4096;

/** One recognised credential of a request. */
export interface Credential {
  readonly scheme: "bearer" | "apikey" | "x-api-key";
  /** The token as Node gives header values: one character an octet. */
  readonly token: string;
}

/** What reading a request's header lines came to. */
export type CredentialResult =
  | { readonly kind: "none" }
  | { readonly kind: "malformed" }
  | { readonly kind: "credential"; readonly credential: Credential };

const NONE: CredentialResult = { kind: "none" };
const MALFORMED: CredentialResult = { kind: "malformed" };

// A token is octets of 0x21–0x7E and 0x80–0xFF.
const TOKEN = /^[\x21-\x7e\x80-\xff]+$/;
const AUTHORIZATION = /^(bearer|apikey)(?:[ \t]+(.*))?$/is;

/**
 * Reads the credential from raw header lines (HTTP.md, 'Reading the credential'; RFC 6750 §2.1).
 * The query string and the body are never looked at.
 *
 * @param rawHeaders - names and values in turn, as `IncomingMessage.rawHeaders`: a joined form
 *   would hide a second line.
 */
export function parseCredential(rawHeaders: readonly string[]): CredentialResult {
  let authorization: string | undefined;
  let apiKey: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    // By length first: most headers are neither, and need not be folded to see it.
    if (name.length === 13 && name.toLowerCase() === "authorization") {
      if (authorization !== undefined) return MALFORMED;
      authorization = trim(rawHeaders[index + 1] ?? "");
    } else if (name.length === 9 && name.toLowerCase() === "x-api-key") {
      if (apiKey !== undefined) return MALFORMED;
      apiKey = trim(rawHeaders[index + 1] ?? "");
    }
  }
  // As nearly every client writes it; what follows says the same of it.
  if (apiKey === undefined && authorization?.startsWith("Bearer ") === true) {
    return credential("bearer", trim(authorization.slice(7)));
  }
  const match = authorization === undefined ? null : AUTHORIZATION.exec(authorization);
  if (match !== null && apiKey !== undefined) return MALFORMED;
  if (match !== null) {
    const scheme = match[1]?.toLowerCase() === "bearer" ? "bearer" : "apikey";
    return credential(scheme, trim(match[2] ?? ""));
  }
  return apiKey === undefined ? NONE : credential("x-api-key", apiKey);
}

/** Whether a text, one character an octet, is a token: 1 to 4,096 octets of 0x21–0x7E or 0x80–0xFF. */
export function isToken(token: string): boolean {
  return token.length <= TOKEN_OCTETS && TOKEN.test(token);
}

function credential(scheme: Credential["scheme"], token: string): CredentialResult {
  if (!isToken(token)) return MALFORMED;
  return { kind: "credential", credential: { scheme, token } };
}

/** Without the spaces and tabs around it; by index, since a regular expression is quadratic here. */
function trim(value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value, start)) start += 1;
  while (end > start && isBlank(value, end - 1)) end -= 1;
  return value.slice(start, end);
}

function isBlank(value: string, index: number): boolean {
  const code = value.charCodeAt(index);
  return code === 0x20 || code === 0x09;
}
