import { isLoopback } from "../server/address.js";
import type { Context } from "./context.js";
import { invalid, refuseToken } from "./refuse-token.js";

const HINT = "http:// or https://, a host, and nothing after the path: https://keys.example.com";

/**
 * The URL of a server as an operator names it, without a slash at its end. What could hold a secret
 * (user information, a query, a fragment) is refused and never repeated.
 *
 * @param what - the option or operand, as messages call it.
 * @throws KeysError `value-invalid`
 */
export function parseServerUrl(what: string, text: string): string {
  refuseToken(what, text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || !/^https?:\/\//i.test(text)) {
    throw invalid(what, "is no URL of a server", HINT);
  }
  if (url.username !== "" || url.password !== "") {
    throw invalid(what, "holds a user name or a password", HINT);
  }
  if (/[?#]/.test(text)) throw invalid(what, "holds a query or a fragment", HINT);
  return url.href.replace(/\/+$/, "");
}

/** Says that a secret travels in the clear, where it does. */
export async function warnOfPlainHttp({ talk }: Context, base: string): Promise<void> {
  const { protocol, hostname } = new URL(base);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (protocol === "https:" || host === "localhost" || isLoopback(host)) return;
  await talk.warn(`the admin token travels in the clear to ${base}: use https`);
}
