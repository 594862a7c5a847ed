import { parseCredential } from "../core/credential.js";
import { decodeForm } from "./form.js";

/** How an OAuth client says who it is (RFC 6749 §2.3.1, RFC 6750 §2.1). */
export interface ClientCredentials {
  readonly method: "basic" | "post" | "bearer";
  /** One character an octet; undefined where the method needs none and none came. */
  readonly id: string | undefined;
  /** The token, one character an octet. */
  readonly secret: string;
}

/**
 * What reading them came to: `conflict` where there are several (RFC 6749 §5.2: `invalid_request`),
 * `unreadable-…` where what a scheme announces can't be read, which authenticates nobody.
 */
export type ClientCredentialsResult =
  ClientCredentials | "none" | "conflict" | "unreadable-basic" | "unreadable-bearer";

const BASIC = /^basic[ \t]+([A-Za-z0-9+/]+={0,2})[ \t]*$/i;
const SCHEME = /^[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)/;

/** Reads the credentials of a client: exactly one method, as RFC 6749 §2.3 demands. */
export function readClientCredentials(
  rawHeaders: readonly string[],
  form: ReadonlyMap<string, string>,
): ClientCredentialsResult {
  const id = form.get("client_id");
  const secret = form.get("client_secret");
  const lines = authorizations(rawHeaders);
  if (lines.length > 1) return "conflict";
  const [line] = lines;
  const scheme = line === undefined ? undefined : SCHEME.exec(line)?.[1]?.toLowerCase();
  if (scheme !== "basic" && scheme !== "bearer") {
    return secret === undefined ? "none" : { method: "post", id, secret };
  }
  if (secret !== undefined) return "conflict";
  if (scheme === "basic") return readBasic(line ?? "", id);
  const read = parseCredential(["Authorization", line ?? ""]);
  return read.kind === "credential"
    ? { method: "bearer", id, secret: read.credential.token }
    : "unreadable-bearer";
}

/** Split at the first `:`, and only then decoded: either part may hold an encoded one. */
function readBasic(line: string, formId: string | undefined): ClientCredentialsResult {
  const encoded = BASIC.exec(line.trim())?.[1];
  if (encoded === undefined) return "unreadable-basic";
  const text = Buffer.from(encoded, "base64").toString("latin1");
  const colon = text.indexOf(":");
  if (colon === -1) return "unreadable-basic";
  const id = decodeForm(text.slice(0, colon));
  const secret = decodeForm(text.slice(colon + 1));
  if (id === undefined || secret === undefined) return "unreadable-basic";
  if (formId !== undefined && formId !== id) return "conflict";
  return { method: "basic", id, secret };
}

function authorizations(rawHeaders: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === "authorization")
      lines.push(rawHeaders[index + 1] ?? "");
  }
  return lines;
}
