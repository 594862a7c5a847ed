import { isAskable } from "../../core/scope.js";
import { KeysError } from "../../errors.js";
import { parseUserHeaders } from "../user-header.js";
import { invalid } from "../values.js";
import { parseEndpoint, parseListen, parsePlainPath, type Endpoint } from "./endpoint.js";
import type { ProxySetup } from "./setup.js";

/** The options that say what a proxy's configuration is made from. */
export interface SetupOptions {
  /** Default `http://127.0.0.1:8787`. */
  readonly server?: string;
  /** Default: the system's roots. */
  readonly serverCa?: string;
  /** Default `http://127.0.0.1:3000`. */
  readonly upstream?: string;
  /** Default `8080`. */
  readonly listen?: string;
  readonly scope?: readonly string[];
  readonly workspace?: readonly string[];
  readonly userHeader?: readonly string[];
  readonly passCredential?: boolean;
  readonly snippet?: boolean;
}

const DEFAULT_SERVER = "http://127.0.0.1:8787";
const DEFAULT_UPSTREAM = "http://127.0.0.1:3000";
const DEFAULT_LISTEN = "8080";

// The names that every proxy takes: fewer than HTTP knows.
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+){0,5}$/;
const LONGEST_HEADER = 64;

/**
 * Checks every option for what may stand in a configuration.
 *
 * @throws KeysError `value-invalid`, and `usage` for a CA of a server that has no certificate.
 */
export function parseSetup(options: SetupOptions): ProxySetup {
  const server = parseEndpoint("--server", options.server ?? DEFAULT_SERVER);
  return {
    server,
    serverCa: options.serverCa === undefined ? undefined : parseServerCa(options.serverCa, server),
    upstream: parseEndpoint("--upstream", options.upstream ?? DEFAULT_UPSTREAM),
    listen: parseListen("--listen", options.listen ?? DEFAULT_LISTEN),
    requirement: {
      scopes: parseWords("--scope", options.scope),
      workspaces: parseWords("--workspace", options.workspace),
    },
    userHeaders: parseHeaders(options.userHeader ?? []),
    passCredential: options.passCredential ?? false,
    snippet: options.snippet ?? false,
  };
}

function parseServerCa(path: string, server: Endpoint): string {
  if (server.kind === "tcp" && server.tls) return parsePlainPath("--server-ca", path);
  throw new KeysError("usage", "--server-ca is for a server over TLS", {
    hint: "name it with --server https://HOST:PORT",
  });
}

function parseWords(option: string, values: readonly string[] = []): readonly string[] {
  const words = values.flatMap((value) => value.split(" "));
  if (words.every(isAskable)) return [...new Set(words)];
  throw invalid(
    option,
    "is nothing that can be asked for",
    "one name, such as apps:read, without `*`",
  );
}

function parseHeaders(names: readonly string[]): readonly string[] {
  if (names.every((name) => HEADER_NAME.test(name) && name.length <= LONGEST_HEADER)) {
    return parseUserHeaders("--user-header", names);
  }
  throw invalid("--user-header", "is no name for it", "letters, digits and -, such as Remote-User");
}
