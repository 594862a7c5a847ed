import { formatHeaderValue, IDENTITY_HEADERS } from "../../core/identity-header.js";
import { createRefusalAnswers } from "../../core/problem.js";
import type { Refusal } from "../../core/verify.js";
import { CREDENTIAL_HEADERS, forbiddenHeaders, spellingPattern } from "./client-header.js";
import { authorityOf, formatListen, type Endpoint } from "./endpoint.js";
import { GENERATION_KEY } from "./haproxy-map.js";
import type { ProxySetup } from "./setup.js";

const COMMAND = "haproxy -db -f haproxy.cfg";
const REALM = "keys";

/** What HAProxy's configuration names besides. */
export interface HaproxySetup extends ProxySetup {
  /** The map file, as HAProxy finds it. */
  readonly map: string;
  /** The socket of the runtime API, as HAProxy makes it. */
  readonly socket: string;
}

/**
 * A configuration for HAProxy 2.6 and later, which hashes tokens and looks them up in a map by
 * itself: no server is asked.
 */
export function haproxyConfig(setup: HaproxySetup): string {
  if (setup.snippet) {
    return ["# For a frontend of HAProxy in mode http.", ...rules(setup), ""].join("\n");
  }
  return [
    `# ${COMMAND}`,
    "# The map is read at start; `keys config haproxy --map FILE --keep` applies what changes later.",
    "# Rate limits of keys are not counted: for those, ask a verify server from another proxy.",
    "global",
    `    stats socket unix@${setup.socket} mode 600 level admin`,
    "    # After a reload, the old process holds an old map for so long at most.",
    "    hard-stop-after 30s",
    "    log stderr format raw daemon notice",
    "",
    "defaults",
    "    mode http",
    "    timeout connect 5s",
    "    timeout client 1m",
    "    timeout server 1m",
    "    timeout http-request 10s",
    "    timeout tunnel 1h",
    "",
    "frontend web",
    `    bind ${setup.listen.host === undefined ? `:${setup.listen.port}` : formatListen(setup.listen)}`,
    ...rules(setup).map((line) => (line === "" ? "" : `    ${line}`)),
    "    option forwardfor",
    "    default_backend upstream",
    "",
    "backend upstream",
    `    server upstream ${serverOf(setup.upstream)}`,
    "",
  ].join("\n");
}

function rules(setup: HaproxySetup): readonly string[] {
  const { requirement, userHeaders, passCredential, map } = setup;
  const digest = `sha2(256),hex,lower,map_str(${map})`;
  const field = (n: number): string => `var(txn.keys_entry),field(${n},|)`;
  const words = (n: number): string =>
    `%[${field(n)},regsub("^/","",),regsub("/$","",),regsub("/"," ",g)]`;
  const scopes = [...new Set(requirement.scopes)];
  const workspaces = [...new Set(requirement.workspaces)];
  return [
    "# Whatever a client could pass for who it is, in any case and with any mark for -.",
    ...forbiddenHeaders(userHeaders).map(
      (name) => `http-request del-header '^(?i)${spellingPattern(name)}$' -m reg`,
    ),
    "# A client could have a later proxy drop a header by naming it in Connection; and an upgrade",
    "# to h2c would let further requests through without a verdict.",
    "http-request set-var(txn.keys_websocket) bool(true) if { req.fhdr(upgrade) -i websocket }",
    "acl keys_websocket var(txn.keys_websocket) -m bool",
    "http-request set-header Upgrade websocket if keys_websocket",
    "http-request set-header Connection Upgrade if keys_websocket",
    "http-request del-header Upgrade if !keys_websocket",
    "http-request del-header Connection if !keys_websocket",
    "",
    "# The credential: one, whole, of a known scheme.",
    "acl keys_scheme req.fhdr(authorization) -m reg '^(?i)(bearer|apikey)([ \\t]|$)'",
    `acl keys_token req.fhdr(authorization) -m reg '^(?i)(bearer|apikey)[ \\t]+${TOKEN}$'`,
    "acl keys_header req.fhdr_cnt(x-api-key) gt 0",
    `acl keys_header_token req.fhdr(x-api-key) -m reg '^${TOKEN}$'`,
    ...deny({ ok: false, error: "invalid_request", reason: "malformed" }, [
      "{ req.fhdr_cnt(authorization) gt 1 }",
      "{ req.fhdr_cnt(x-api-key) gt 1 }",
      "keys_scheme keys_header",
      "keys_scheme !keys_token",
      "keys_header !keys_header_token",
    ]),
    ...deny({ ok: false, error: "unauthenticated", reason: "no-credential" }, [
      "!keys_scheme !keys_header",
    ]),
    "",
    "# Its digest, looked up. http_auth_bearer ends a token at a comma, and knows no tab.",
    "acl keys_comma req.fhdr(authorization) -m sub ,",
    `http-request set-var(txn.keys_entry) http_auth_bearer,${digest} if keys_scheme !keys_comma`,
    `http-request set-var(txn.keys_entry) req.fhdr(authorization),word(2,\\ \\t),${digest} if keys_scheme !{ var(txn.keys_entry) -m found }`,
    `http-request set-var(txn.keys_entry) req.fhdr(x-api-key),${digest} if keys_header`,
    `http-request set-var(txn.keys_begin) ${field(5)}`,
    `http-request set-var(txn.keys_end) ${field(6)}`,
    "acl keys_known var(txn.keys_entry) -m found",
    "acl keys_begun date(),sub(txn.keys_begin) ge 0",
    "acl keys_not_over date(),sub(txn.keys_end) lt 0",
    ...deny({ ok: false, error: "invalid_token", reason: "unknown" }, [
      "!keys_known",
      "!keys_begun",
      "!keys_not_over",
    ]),
    ...(scopes.length === 0 ? [] : ["", "# What the key must hold."]),
    ...scopes.map(
      (scope, n) =>
        `acl keys_scope_${n} ${field(3)} -m sub -- ${satisfying(scope).map(quoted).join(" ")}`,
    ),
    ...(scopes.length === 0
      ? []
      : deny(
          { ok: false, error: "insufficient_scope", reason: "scope-missing", scopes },
          scopes.map((_, n) => `!keys_scope_${n}`),
        )),
    ...(workspaces.length === 0 ? [] : ["", "# Where the key must be at home."]),
    ...workspaces.map(
      (workspace, n) =>
        `acl keys_workspace_${n} ${field(4)} -m sub -- ${["/*/", `/${formatHeaderValue(workspace)}/`].map(quoted).join(" ")}`,
    ),
    ...(workspaces.length === 0
      ? []
      : deny(
          { ok: false, error: "workspace_denied", reason: "workspace-denied" },
          workspaces.map((_, n) => `!keys_workspace_${n}`),
        )),
    "",
    "# Who it is, from the map alone.",
    ...[IDENTITY_HEADERS.id, ...userHeaders].map((name) => setHeader(name, `%[${field(1)}]`)),
    setHeader(IDENTITY_HEADERS.fingerprint, `%[${field(2)}]`),
    setHeader(IDENTITY_HEADERS.scopes, words(3)),
    setHeader(IDENTITY_HEADERS.workspaces, words(4)),
    setHeader(IDENTITY_HEADERS.mode, "apikey"),
    setHeader(IDENTITY_HEADERS.tenant, "-"),
    setHeader(IDENTITY_HEADERS.generation, `%[str(${GENERATION_KEY}),map_str(${map})]`),
    ...(passCredential
      ? []
      : [
          "# The credential stays here.",
          ...CREDENTIAL_HEADERS.map(
            (name) => `http-request del-header '^(?i)${spellingPattern(name)}$' -m reg`,
          ),
        ]),
  ];
}

/** A token's octets (HTTP.md, 'Reading the credential'). */
const TOKEN = "[\\x21-\\x7e\\x80-\\xff]{1,4096}";

const refusals = createRefusalAnswers(REALM);

/** Denies where any of the conditions holds, as the verify server would. */
function deny(refusal: Refusal, conditions: readonly string[]): readonly string[] {
  const { status, headers, body } = refusals(refusal);
  const sent: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [name = "", value = ""] = headers.slice(index, index + 2);
    // HAProxy sets these itself.
    if (name === "Content-Type" || name === "Content-Length") continue;
    sent.push(`hdr ${name} ${quoted(value.replaceAll("%", "%%"))}`);
  }
  return [
    `http-request deny deny_status ${status} content-type application/problem+json string ${quoted(body)} ${sent.join(" ")} if ${conditions.join(" || ")}`,
  ];
}

function setHeader(name: string, format: string): string {
  return `http-request set-header ${name} ${quoted(format)}`;
}

/** The granted scopes that satisfy an asked one, as they stand in the map (`satisfiesScope`). */
function satisfying(scope: string): readonly string[] {
  const wild = [...scope.matchAll(/:/g)].map(
    ({ index }) => `${formatHeaderValue(scope.slice(0, index + 1))}*`,
  );
  return [formatHeaderValue(scope), "*", ...wild].map((word) => `/${word}/`);
}

/** A text that HAProxy takes as it is: within single quotes nothing means anything. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function serverOf(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return `unix@${endpoint.path}`;
  const { tls, host } = endpoint;
  const secure = tls
    ? ` ssl verify required ca-file @system-ca sni str(${host.replace(/^\[|\]$/g, "")})`
    : "";
  return `${authorityOf(endpoint)}${secure}`;
}
