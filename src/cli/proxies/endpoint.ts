import { invalid } from "../values.js";

/** Where a proxy reaches a server, or listens. Every part is of characters that no syntax uses. */
export type Endpoint =
  | {
      readonly kind: "tcp";
      readonly tls: boolean;
      /** A name, an IPv4 address, or an IPv6 address in brackets. */
      readonly host: string;
      readonly port: number;
    }
  | { readonly kind: "unix"; readonly path: string };

/** Where a proxy listens. */
export interface ListenEndpoint {
  /** An IP address, IPv6 in brackets; undefined for every address of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

// Names and paths go into five syntaxes: what could mean something in one of them is refused.
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,252})$/;
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/;
const PATH = /^[A-Za-z0-9._/-]{1,100}$/;
const LISTEN = /^(?:(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]{2,45}\]):)?(\d{1,5})$/;
const HIGHEST_PORT = 65_535;

const FORMS = "http://HOST:PORT, https://HOST:PORT or unix:/PATH, without user, path and query";

/** A server from `http://127.0.0.1:8787` or `unix:/run/keys.sock`. @throws KeysError `value-invalid` */
export function parseEndpoint(option: string, text: string): Endpoint {
  if (text.startsWith("unix:")) {
    return { kind: "unix", path: parsePlainPath(option, text.slice("unix:".length)) };
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(option, "is no address of a server", FORMS);
  }
  const { protocol, hostname, port, username, password, pathname, search, hash } = url;
  const tls = protocol === "https:";
  const plain = [username, password, search, hash].every((part) => part === "");
  if ((!tls && protocol !== "http:") || !plain || pathname !== "/" || /[\s?#@\\]/.test(text)) {
    throw invalid(option, "is no address of a server", FORMS);
  }
  if ((!NAME.test(hostname) && !IPV6.test(hostname)) || port === "0") {
    throw invalid(option, "has a host or port that can't be", FORMS);
  }
  return { kind: "tcp", tls, host: hostname, port: port === "" ? (tls ? 443 : 80) : Number(port) };
}

/** Where to listen, from `8080` or `127.0.0.1:8080`. @throws KeysError `value-invalid` */
export function parseListen(option: string, text: string): ListenEndpoint {
  const match = LISTEN.exec(text);
  const port = Number(match?.[2] ?? 0);
  const octets = match?.[1]?.startsWith("[") === true ? [] : (match?.[1] ?? "0").split(".");
  if (match === null || port < 1 || port > HIGHEST_PORT || octets.some((n) => Number(n) > 255)) {
    throw invalid(option, "is no port", "1 to 65535, or ADDRESS:PORT such as 127.0.0.1:8080");
  }
  return { host: match[1], port };
}

/** A path that can stand in every configuration as it is. @throws KeysError `value-invalid` */
export function parsePlainPath(option: string, text: string): string {
  if (PATH.test(text) && !text.startsWith("-")) return text;
  throw invalid(
    option,
    "is no path that a configuration can hold",
    "letters, digits and . _ - / only; 100 characters at most",
  );
}

/** `host:port`, or the path of a socket. */
export function authorityOf(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? endpoint.path : `${endpoint.host}:${endpoint.port}`;
}

/** `host:port`, the host left out where every address is meant. */
export function formatListen({ host, port }: ListenEndpoint): string {
  return `${host ?? ""}:${port}`;
}
