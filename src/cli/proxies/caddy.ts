import { IDENTITY_HEADERS } from "../../core/identity-header.js";
import { problemAnswer } from "../../core/problem.js";
import {
  CREDENTIAL_HEADERS,
  forbiddenHeaders,
  IDENTITY_NAMES,
  spellingsOf,
} from "./client-header.js";
import { authorityOf, type Endpoint } from "./endpoint.js";
import { verifyTarget } from "./requirement-text.js";
import { trustedProxyNote } from "./server-note.js";
import type { ProxySetup } from "./setup.js";

const COMMAND =
  'XDG_CONFIG_HOME="$PWD/.caddy" XDG_DATA_HOME="$PWD/.caddy" caddy run --config Caddyfile --adapter caddyfile';

/**
 * What `forward_auth` must not pass on, as patterns of names: every letter that none of
 * Authorization, X-Api-Key and X-Forwarded-For holds, then beginnings of names without such a
 * letter. Caddy has no list of headers to pass, and `-*`, everything but what is set, makes 2.6
 * panic.
 */
const WITHHELD = [
  ...["b", "c", "g", "j", "l", "m", "q", "s", "v", "_"].map((letter) => `*${letter}*`),
  ...["d", "e", "f", "h", "i", "k", "n", "o", "p", "r", "t", "u", "w", "y", "z"].flatMap(
    (letter) => (letter === "f" ? ["f*"] : [`${letter}*`, `X-${letter}*`]),
  ),
  "X-Au*",
  "X-Forwarded-Uri",
];

const unavailable = problemAnswer("unavailable");

/** What is answered where the verify server is down: Caddy's own is a 502 without a body. */
const UNDECIDED = [
  "",
  "handle_errors {",
  "\t# No verdict: the verify server is down.",
  "\t@keys_undecided not vars keys_judged yes",
  "\thandle @keys_undecided {",
  "\t\theader Cache-Control no-store",
  "\t\theader Content-Type application/problem+json",
  "\t\theader Retry-After 5",
  `\t\trespond \`${unavailable.body}\` ${unavailable.status}`,
  "\t}",
  "\thandle {",
  "\t\trespond {http.error.status_code}",
  "\t}",
  "}",
];

/** A configuration for Caddy 2.6 and later, with `forward_auth`. */
export function caddyConfig(setup: ProxySetup): string {
  if (setup.snippet) {
    return [
      "# For a site of Caddy, such as: import keys.caddy",
      ...trustedProxyNote(setup.server),
      ...route(setup),
      "",
    ].join("\n");
  }
  return [
    `# ${COMMAND}`,
    ...trustedProxyNote(setup.server),
    "{",
    "\tadmin off",
    "\tauto_https off",
    "}",
    // An address here would be the only Host that the site answers to.
    `http://:${setup.listen.port} {`,
    ...(setup.listen.host === undefined
      ? []
      : [`\tbind ${setup.listen.host.replace(/^\[|\]$/g, "")}`]),
    ...[...route(setup), ...UNDECIDED].map((line) => (line === "" ? "" : `\t${line}`)),
    "}",
    "",
  ].join("\n");
}

function route(setup: ProxySetup): readonly string[] {
  const { server, serverCa, upstream, requirement, userHeaders, passCredential } = setup;
  const stripped = forbiddenHeaders(userHeaders).flatMap(spellingsOf);
  return [
    "# In this order, which is not Caddy's own.",
    "route {",
    "\t# Whatever a client could pass for who it is.",
    ...stripped.map((name) => `\trequest_header -${name}`),
    "\t# A client could have Caddy drop a header by naming it in Connection; and an upgrade to h2c",
    "\t# would let further requests through without a verdict.",
    "\t@keys_websocket header_regexp Upgrade (?i)^websocket$",
    "\t@keys_plain not header_regexp Upgrade (?i)^websocket$",
    "\trequest_header @keys_plain -Upgrade",
    "\trequest_header @keys_plain -Connection",
    "\trequest_header @keys_websocket Upgrade websocket",
    "\trequest_header @keys_websocket Connection Upgrade",
    "",
    `\tforward_auth ${addressOf(server)} {`,
    `\t\turi ${verifyTarget(requirement)}`,
    ...(serverCa === undefined
      ? []
      : ["\t\ttransport http {", `\t\t\ttls_trusted_ca_certs ${serverCa}`, "\t\t}"]),
    "\t\t# Nothing but the credential: a client's cookies are not for the verify server.",
    ...WITHHELD.map((pattern) => `\t\theader_up -${pattern}`),
    "\t\tcopy_headers {",
    ...IDENTITY_NAMES.map((name) => `\t\t\t${name}`),
    "\t\t}",
    "\t}",
    // Not a second copy of X-Auth-Id above: in 2.6 that takes the place of the first.
    ...userHeaders.map(
      (name) => `\trequest_header ${name} {http.request.header.${IDENTITY_HEADERS.id}}`,
    ),
    "",
    ...(passCredential
      ? []
      : [
          "\t# The credential stays here.",
          ...CREDENTIAL_HEADERS.flatMap(spellingsOf).map((name) => `\trequest_header -${name}`),
        ]),
    "\tvars keys_judged yes",
    `\treverse_proxy ${addressOf(upstream)}`,
    "}",
  ];
}

function addressOf(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return `unix/${endpoint.path}`;
  return `${endpoint.tls ? "https" : "http"}://${authorityOf(endpoint)}`;
}
