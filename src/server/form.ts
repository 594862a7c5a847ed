const FORM = /^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;

/**
 * The parameters of a form (RFC 6749, Appendix B), each value one character an octet. Those without
 * a value are left out (§3.1).
 *
 * @returns undefined where it is no form: another content type, an escape that is none, a parameter
 *   given twice (RFC 6749 §3.1).
 */
export function parseForm(
  rawHeaders: readonly string[],
  body: Uint8Array,
): ReadonlyMap<string, string> | undefined {
  if (!isForm(rawHeaders)) return undefined;
  const parameters = new Map<string, string>();
  const seen = new Set<string>();
  for (const pair of Buffer.from(body).toString("latin1").split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decodeForm(equals === -1 ? pair : pair.slice(0, equals));
    const value = decodeForm(equals === -1 ? "" : pair.slice(equals + 1));
    if (name === undefined || value === undefined || seen.has(name)) return undefined;
    seen.add(name);
    if (value !== "") parameters.set(name, value);
  }
  return parameters;
}

/** One name or value of a form, decoded to one character an octet; undefined where it is none. */
export function decodeForm(text: string): string | undefined {
  if (BAD_ESCAPE.test(text)) return undefined;
  return text
    .replaceAll("+", " ")
    .replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function isForm(rawHeaders: readonly string[]): boolean {
  const types: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === "content-type")
      types.push(rawHeaders[index + 1] ?? "");
  }
  return types.length === 1 && FORM.test(types[0] ?? "");
}
