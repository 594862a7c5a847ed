const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The members of a JSON body, whatever its content type says; no members where it is another value
 * than an object. Undefined where it is no JSON (RFC 8259).
 */
export function parseJsonBody(
  body: Uint8Array | undefined,
): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(body));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return undefined;
  }
}
