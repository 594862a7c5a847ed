import { IDENTITY_HEADERS } from "../../core/identity-header.js";
import { forbiddenHeaders, IDENTITY_NAMES, spellingsOf } from "./client-header.js";
import { authorityOf, type Endpoint } from "./endpoint.js";
import {
  KEPT_OF_REFUSAL,
  OWN_ERROR_PAGES,
  OWN_PROBLEMS,
  REFUSAL_PAGES,
  REFUSALS,
} from "./nginx-refusals.js";
import { formatRequirement } from "./requirement-text.js";
import { trustedProxyNote } from "./server-note.js";
import { SYSTEM_ROOTS, type ProxySetup } from "./setup.js";

const COMMAND = 'nginx -e stderr -p "$PWD" -c nginx.conf';
/** Where `auth_request` asks; `internal`, so that no client reaches it. */
const ASK = "/.keys-verify";

/** A configuration for nginx 1.18 and later, with `auth_request`. */
export function nginxConfig(setup: ProxySetup): string {
  if (setup.snippet) {
    return [
      "# For a server { } of nginx, such as: include keys.conf;",
      "# Leave underscores_in_headers off and ignore_invalid_headers on, as they are by default.",
      ...trustedProxyNote(setup.server),
      ...locations(setup, urlOf(setup.server), []),
      "",
    ].join("\n");
  }
  const scheme = setup.server.kind === "tcp" && setup.server.tls ? "https" : "http";
  return [
    `# ${COMMAND}`,
    ...trustedProxyNote(setup.server),
    "daemon off;",
    "pid nginx.pid;",
    "error_log stderr;",
    "worker_processes auto;",
    "events {",
    "    worker_connections 1024;",
    "}",
    "http {",
    "    access_log off;",
    "    client_body_temp_path nginx_client_body;",
    "    proxy_temp_path nginx_proxy;",
    "    fastcgi_temp_path nginx_fastcgi;",
    "    uwsgi_temp_path nginx_uwsgi;",
    "    scgi_temp_path nginx_scgi;",
    "    server_tokens off;",
    "    # Names with other marks than - are dropped, as by default.",
    "    underscores_in_headers off;",
    "    ignore_invalid_headers on;",
    "",
    "    upstream keys_server {",
    `        server ${serverOf(setup.server)};`,
    "        keepalive 16;",
    "    }",
    "",
    "    server {",
    `        listen ${setup.listen.host === undefined ? "" : `${setup.listen.host}:`}${setup.listen.port};`,
    ...[
      "# Problems for what nginx refuses by itself.",
      ...OWN_ERROR_PAGES,
      ...OWN_PROBLEMS,
      "",
      ...locations(setup, `${scheme}://keys_server`, OWN_ERROR_PAGES),
    ].map((line) => (line === "" ? "" : `        ${line}`)),
    "    }",
    "}",
    "",
  ].join("\n");
}

function locations(
  setup: ProxySetup,
  server: string,
  ownPages: readonly string[],
): readonly string[] {
  const { requirement, upstream, userHeaders, passCredential } = setup;
  const query = formatRequirement(requirement, "&");
  return [
    "location / {",
    `    auth_request ${ASK};`,
    ...KEPT_OF_REFUSAL.map(indented),
    ...IDENTITY_NAMES.map(
      (name) => `    auth_request_set ${variableOf(name)} $upstream_http_${snake(name)};`,
    ),
    ...[...REFUSAL_PAGES, ...ownPages].map(indented),
    "",
    "    # Only to WebSocket: h2c would let further requests through without a verdict.",
    '    set $keys_upgrade "";',
    '    set $keys_connection "";',
    "    if ($http_upgrade ~* ^websocket$) {",
    "        set $keys_upgrade websocket;",
    "        set $keys_connection upgrade;",
    "    }",
    "",
    `    proxy_pass ${urlOf(upstream)};`,
    ...secure(upstream, SYSTEM_ROOTS).map(indented),
    "    proxy_http_version 1.1;",
    "    proxy_request_buffering off;",
    "    proxy_max_temp_file_size 0;",
    "    client_max_body_size 0;",
    "    proxy_set_header Host $http_host;",
    "    proxy_set_header Upgrade $keys_upgrade;",
    "    proxy_set_header Connection $keys_connection;",
    "    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "    proxy_set_header X-Forwarded-Proto $scheme;",
    "    proxy_set_header X-Request-Id $request_id;",
    "    # Who it is, from the verdict alone.",
    ...IDENTITY_NAMES.map((name) => `    proxy_set_header ${name} ${variableOf(name)};`),
    ...userHeaders.map(
      (name) => `    proxy_set_header ${name} ${variableOf(IDENTITY_HEADERS.id)};`,
    ),
    "    # Whatever else a client could pass for it.",
    ...spoofed(userHeaders).map((name) => `    proxy_set_header ${name} "";`),
    ...credential(passCredential).map(indented),
    "}",
    "",
    `location = ${ASK} {`,
    "    internal;",
    `    proxy_pass ${server}/nginx${query === "" ? "" : `?${query}`};`,
    ...secure(setup.server, setup.serverCa ?? SYSTEM_ROOTS).map(indented),
    "    proxy_http_version 1.1;",
    "    proxy_pass_request_body off;",
    "    client_max_body_size 0;",
    "    # Nothing but the credential: a client's cookies are not for the verify server.",
    "    proxy_pass_request_headers off;",
    '    proxy_set_header Connection "";',
    '    proxy_set_header Content-Length "";',
    "    proxy_set_header Authorization $http_authorization;",
    "    proxy_set_header X-API-Key $http_x_api_key;",
    "    proxy_set_header X-Forwarded-For $remote_addr;",
    "    proxy_set_header X-Request-Id $request_id;",
    "}",
    "",
    ...REFUSALS,
  ];
}

/** What a client could send that an upstream would take for an identity header. */
function spoofed(userHeaders: readonly string[]): readonly string[] {
  const set = new Set([...IDENTITY_NAMES, ...userHeaders]);
  return forbiddenHeaders(userHeaders)
    .flatMap(spellingsOf)
    .filter((name) => !set.has(name));
}

function credential(pass: boolean): readonly string[] {
  return pass
    ? [
        "# The credential as it was judged: one line of each.",
        "proxy_set_header Authorization $http_authorization;",
        "proxy_set_header X-API-Key $http_x_api_key;",
      ]
    : [
        "# The credential stays here.",
        'proxy_set_header Authorization "";',
        'proxy_set_header X-API-Key "";',
        'proxy_set_header X_API_Key "";',
      ];
}

/** What makes nginx check the certificate of what it connects to: by default it does not. */
function secure(endpoint: Endpoint, roots: string): readonly string[] {
  if (endpoint.kind === "unix" || !endpoint.tls) return [];
  return [
    "proxy_ssl_server_name on;",
    `proxy_ssl_name ${endpoint.host};`,
    "proxy_ssl_verify on;",
    `proxy_ssl_trusted_certificate ${roots};`,
  ];
}

function urlOf(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return `http://unix:${endpoint.path}:`;
  return `${endpoint.tls ? "https" : "http"}://${authorityOf(endpoint)}`;
}

function serverOf(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? `unix:${endpoint.path}` : authorityOf(endpoint);
}

function snake(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

function variableOf(name: string): string {
  return `$keys_${snake(name).replace(/^x_(?:auth_|keys_)/, "")}`;
}

function indented(line: string): string {
  return `    ${line}`;
}
