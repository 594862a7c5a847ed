import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** The word that declares whoever comes over the Unix socket a trusted proxy. */
const UNIX = "unix";

/** The proxies whose `X-Forwarded-For` is believed. */
export interface TrustedProxies {
  readonly ranges: readonly Range[];
  /** Whether peers over the Unix socket are. */
  readonly unix: boolean;
}

/** Nobody's `X-Forwarded-For` is believed. */
export const NO_TRUSTED_PROXIES: TrustedProxies = { ranges: [], unix: false };

/**
 * Reads the proxies to trust: each an address, a range in CIDR notation, or `unix`.
 *
 * @returns undefined where one of them is none of these.
 */
export function parseTrustedProxies(texts: readonly string[]): TrustedProxies | undefined {
  const ranges: Range[] = [];
  for (const text of texts) {
    if (text === UNIX) continue;
    const range = parseRange(text);
    if (range === undefined) return undefined;
    ranges.push(range);
  }
  return { ranges, unix: texts.includes(UNIX) };
}

/**
 * The address of the client (HTTP.md, 'Verdicts'): the peer's, and where that is a trusted proxy's,
 * the right-most of `X-Forwarded-For` that is not. An element that is no address ends the search:
 * whatever stands to its left comes from nobody that is known.
 *
 * @param remote - the peer's IP address; undefined over a Unix socket.
 * @returns undefined for a peer over a Unix socket of whose client nothing is known.
 */
export function clientAddress(
  remote: string | undefined,
  rawHeaders: readonly string[],
  trusted: TrustedProxies,
): string | undefined {
  let client = remote === undefined ? undefined : parseAddress(remote);
  if (!isTrusted(client, trusted)) return client?.toString();
  const elements = forwardedFor(rawHeaders);
  for (let index = elements.length - 1; index >= 0; index -= 1) {
    const address = parseAddress(withoutPort(elements[index] ?? ""));
    if (address === undefined) break;
    client = address;
    if (!isTrusted(address, trusted)) break;
  }
  return client?.toString();
}

/**
 * What failed look-ups are counted by: an IPv4 address, or the /64 of an IPv6 address, all of which
 * one client may use. Peers without an address are counted as one.
 */
export function addressBlock(address: string | undefined): string {
  const parsed = address === undefined ? undefined : parseAddress(address);
  if (parsed === undefined) return UNIX;
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  const network = new ipaddr.IPv6([...parsed.parts.slice(0, 4), 0, 0, 0, 0]);
  return `${network.toString()}/64`;
}

function isTrusted(address: Address | undefined, { ranges, unix }: TrustedProxies): boolean {
  if (address === undefined) return unix;
  return ranges.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
}

function forwardedFor(rawHeaders: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === "x-forwarded-for") {
      lines.push(rawHeaders[index + 1] ?? "");
    }
  }
  return lines.length === 0 ? [] : lines.join(",").split(",");
}

/** An element without white space, and without the port that some proxies add. */
function withoutPort(element: string): string {
  const text = element.trim();
  const match = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? /^([\d.]+):\d+$/.exec(text);
  return match?.[1] ?? text;
}

/** An address in its plain form; IPv4 inside IPv6 is IPv4, and a zone is left away. */
function parseAddress(text: string): Address | undefined {
  // Stricter than the library, for which `1` and `0x7f.1` are addresses.
  if (isIP(text) === 0) return undefined;
  return ipaddr.process(text.replace(/%.*$/, ""));
}

function parseRange(text: string): Range | undefined {
  const [base = "", bits, ...rest] = text.split("/");
  if (isIP(base) === 0 || base.includes("%") || rest.length > 0) return undefined;
  const written = ipaddr.parse(base);
  const longest = written.kind() === "ipv4" ? 32 : 128;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return undefined;
  const length = bits === undefined ? longest : Number(bits);
  if (length > longest) return undefined;
  const network = ipaddr.process(base);
  // A range of addresses that carry IPv4 inside is one of IPv4.
  if (network.kind() === written.kind()) return [network, length];
  return length < 96 ? undefined : [network, length - 96];
}
