import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseRateLimit, type RateLimit } from "../core/rate-limit.js";
import { KeysError } from "../errors.js";
import type { ListenAddress } from "../server/address.js";
import { parseTrustedProxies } from "../server/client-address.js";
import type { TlsFiles } from "../server/tls.js";
import type { Context } from "./context.js";
import { GivenSettings, type GivenOptions, type ServeSettingName } from "./given-setting.js";
import { parseUserHeaders } from "./user-header.js";
import { invalid } from "./values.js";

/** How to serve, as it was asked for: every value is in range, no file has been looked at. */
export interface ServeSettings {
  readonly address: ListenAddress;
  readonly tls: TlsFiles | undefined;
  /** 1 to 256. */
  readonly workers: number;
  /** For keys without their own. */
  readonly rateLimit: RateLimit | "none";
  /** Without `"`, `\` and anything but visible ASCII and spaces. */
  readonly realm: string;
  readonly issuer: string | undefined;
  readonly userHeaders: readonly string[];
  readonly sweep: boolean;
  readonly idOnlyPeers: boolean;
  /** Absolute; undefined for the file beside the keystore. */
  readonly auditFile: string | undefined;
  /** Absolute; undefined for the file beside the keystore. */
  readonly usageFile: string | undefined;
  readonly allowEmpty: boolean;
  readonly allowUnauthenticated: boolean;
  /** Absolute. */
  readonly systemTokenFile: string | undefined;
  readonly allowImpersonation: boolean;
  readonly log: LogFormat;
  /** Addresses and ranges. */
  readonly trustedProxies: readonly string[];
}

/** What becomes of requests in the log. */
export type LogFormat = "json" | "text" | "off";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = "8787";
const DEFAULT_REALM = "keys";
const HIGHEST_PORT = 65_535;
const MOST_WORKERS = 256;
/** Octets of `sun_path` on Linux, without the last; shorter elsewhere. */
const SOCKET_OCTETS = 107;

const REALM = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,256}$/;

/**
 * Reads every setting of `keys serve` from options and environment.
 *
 * @throws KeysError `value-invalid`, naming option or variable; `usage` for what does not go
 *   together.
 */
export function readServeSettings(context: Context, options: GivenOptions): ServeSettings {
  const given = new GivenSettings(context, options);
  const path = (name: ServeSettingName): string | undefined => pathOf(context, given, name);
  const systemTokenFile = path("system-token-file");
  const allowImpersonation = given.isOn("allow-impersonation");
  if (allowImpersonation && systemTokenFile === undefined) {
    throw new KeysError("usage", "impersonation is allowed, but nobody is there who may do it", {
      hint: "name the trusted caller's token with --system-token-file, or leave out --allow-impersonation",
    });
  }
  return {
    address: addressOf(context, given),
    tls: tlsOf(path("tls-cert"), path("tls-key")),
    workers: workersOf(given),
    rateLimit: rateLimitOf(given),
    realm: realmOf(given),
    issuer: issuerOf(given),
    userHeaders: userHeadersOf(given),
    sweep: given.isOn("sweep"),
    idOnlyPeers: peersOf(given),
    auditFile: path("audit-file"),
    usageFile: path("usage-file"),
    allowEmpty: given.isOn("allow-empty"),
    allowUnauthenticated: given.isOn("allow-unauthenticated"),
    systemTokenFile,
    allowImpersonation,
    log: logOf(given),
    trustedProxies: trustedProxiesOf(given),
  };
}

function trustedProxiesOf(given: GivenSettings): readonly string[] {
  const found = given.find("trusted-proxy");
  if (found === undefined) return [];
  if (parseTrustedProxies(found.values) === undefined) {
    throw invalid(
      found.source,
      "is no address",
      "an address, a range such as `10.0.0.0/8`, or `unix` for whoever comes over the socket",
    );
  }
  return found.values;
}

function addressOf(context: Context, given: GivenSettings): ListenAddress {
  const [socket, host, port] = (["socket", "host", "port"] as const).map((name) =>
    given.find(name),
  );
  const network = host?.by === "option" || port?.by === "option" ? "option" : "variable";
  const isNetworkGiven = host !== undefined || port !== undefined;
  if (socket !== undefined && isNetworkGiven && socket.by === network) {
    throw new KeysError("usage", `${socket.source} goes with neither host nor port`, {
      hint: "listen on a unix socket, or on an address and a port",
    });
  }
  // An option goes before a variable, also where they name different kinds of address.
  if (socket !== undefined && (!isNetworkGiven || socket.by === "option")) {
    return { socket: socketOf(context, given) };
  }
  return { host: hostOf(given), port: portOf(given) };
}

function socketOf(context: Context, given: GivenSettings): string {
  const path = pathOf(context, given, "socket") ?? "";
  if (Buffer.byteLength(path) > SOCKET_OCTETS) {
    const { source } = given.value("socket") ?? { source: "--socket" };
    throw invalid(source, "is too long for a unix socket", `${SOCKET_OCTETS} octets at most`);
  }
  return path;
}

function hostOf(given: GivenSettings): string {
  const { source, text } = given.value("host") ?? { source: "--host", text: DEFAULT_HOST };
  if (/^[A-Za-z0-9.:%_-]+$/.test(text)) return text;
  throw invalid(source, "is no address", "an address of this machine, such as 127.0.0.1 or ::");
}

function portOf(given: GivenSettings): number {
  const { source, text } = given.value("port") ?? { source: "--port", text: DEFAULT_PORT };
  if (/^\d{1,5}$/.test(text) && Number(text) <= HIGHEST_PORT) return Number(text);
  throw invalid(source, "is no port", "0 to 65535; 0 takes any that is free");
}

function tlsOf(cert: string | undefined, key: string | undefined): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { certPath: cert, keyPath: key };
  throw new KeysError("usage", "a certificate goes with its key, and a key with its certificate", {
    hint: "give both --tls-cert and --tls-key",
  });
}

function workersOf(given: GivenSettings): number {
  const { source, text } = given.value("workers") ?? { source: "--workers", text: "1" };
  if (text === "auto") return Math.min(availableParallelism(), MOST_WORKERS);
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= MOST_WORKERS) return Number(text);
  throw invalid(source, "is no number of workers", `1 to ${MOST_WORKERS}, or auto`);
}

function rateLimitOf(given: GivenSettings): RateLimit | "none" {
  const { source, text } = given.value("rate-limit") ?? { source: "", text: "none" };
  const limit = parseRateLimit(text);
  if (limit !== undefined) return limit;
  throw invalid(
    source,
    "is no rate limit",
    "a count and a window of 1s to 30d, such as 60/1m, or none",
  );
}

function realmOf(given: GivenSettings): string {
  const { source, text } = given.value("realm") ?? { source: "", text: DEFAULT_REALM };
  if (REALM.test(text)) return text;
  throw invalid(
    source,
    "is no realm",
    'visible ASCII characters and spaces, without " and \\; 256 at most',
  );
}

function issuerOf(given: GivenSettings): string | undefined {
  const issuer = given.value("issuer");
  if (issuer === undefined) return undefined;
  const { source, text } = issuer;
  // RFC 8414 §2: no query, no fragment. Given out as it stands, so it must be a URL as it stands.
  const isUrl = /^https?:\/\/[A-Za-z0-9._~:@[\]/%-]+$/.test(text) && URL.canParse(text);
  if (isUrl && !text.includes("@")) return text;
  throw invalid(source, "is no issuer", "an https URL without query and fragment");
}

function userHeadersOf(given: GivenSettings): readonly string[] {
  const headers = given.find("user-header");
  return headers === undefined ? [] : parseUserHeaders(headers.source, headers.values);
}

function peersOf(given: GivenSettings): boolean {
  const peers = given.value("peers");
  if (peers === undefined) return false;
  if (peers.text === "id-only") return true;
  throw invalid(peers.source, "is no kind of peers", "id-only, or leave it out");
}

function logOf(given: GivenSettings): LogFormat {
  const { source, text } = given.value("log") ?? { source: "", text: "json" };
  if (text === "json" || text === "text" || text === "off") return text;
  throw invalid(source, "is no form of a log", "json, text or off");
}

function pathOf(
  context: Context,
  given: GivenSettings,
  name: ServeSettingName,
): string | undefined {
  const path = given.value(name);
  if (path === undefined) return undefined;
  if (path.text !== "" && !path.text.includes("\0")) return resolve(context.io.cwd, path.text);
  throw invalid(path.source, "names no file", "a path");
}
