import {
  CREDENTIAL_HEADERS,
  forbiddenHeaders,
  IDENTITY_NAMES,
  spellingsOf,
} from "./client-header.js";
import type { Endpoint } from "./endpoint.js";
import { formatRequirement } from "./requirement-text.js";
import { trustedProxyNote } from "./server-note.js";
import { SYSTEM_ROOTS, type ProxySetup } from "./setup.js";

const COMMAND = "envoy -c envoy.yaml --use-dynamic-base-id --disable-hot-restart";
const TYPES = "type.googleapis.com/envoy";

/** A configuration for Envoy 1.25 (`early_header_mutation_extensions`) and later, with `ext_authz` over HTTP. */
export function envoyConfig(setup: ProxySetup): string {
  if (setup.snippet) {
    return [
      "# For an http_connection_manager of Envoy, with a cluster keys_server:",
      ...trustedProxyNote(setup.server),
      ...connectionManager(setup),
      "",
    ].join("\n");
  }
  const { listen, userHeaders } = setup;
  const address = listen.host?.replace(/^\[|\]$/g, "") ?? "0.0.0.0";
  return [
    `# ${COMMAND}`,
    ...trustedProxyNote(setup.server),
    ...(userHeaders.length === 0
      ? []
      : [
          `# The verify server sends ${userHeaders.join(", ")} with: keys serve ${userHeaders.map((name) => `--user-header ${name}`).join(" ")}`,
        ]),
    "static_resources:",
    "  listeners:",
    "    - name: web",
    "      address:",
    `        socket_address: { address: "${address}", port_value: ${listen.port} }`,
    "      filter_chains:",
    "        - filters:",
    "            - name: envoy.filters.network.http_connection_manager",
    "              typed_config:",
    `                "@type": ${TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    "                stat_prefix: web",
    "                use_remote_address: true",
    "                upgrade_configs:",
    "                  - upgrade_type: websocket",
    "                route_config:",
    "                  name: web",
    "                  virtual_hosts:",
    "                    - name: upstream",
    '                      domains: ["*"]',
    ...removed(setup).map((line) => `                      ${line}`),
    "                      routes:",
    '                        - match: { prefix: "/" }',
    "                          route: { cluster: upstream, timeout: 0s }",
    ...connectionManager(setup).map((line) => `                ${line}`),
    "  clusters:",
    ...cluster("keys_server", setup.server, setup.serverCa ?? SYSTEM_ROOTS),
    ...cluster("upstream", setup.upstream, SYSTEM_ROOTS),
    "",
  ].join("\n");
}

function connectionManager(setup: ProxySetup): readonly string[] {
  const { requirement, userHeaders } = setup;
  const asked = formatRequirement(requirement, ";");
  const prefix = asked === "" ? "/verify/any" : `/verify/-/${asked}`;
  return [
    "# Whatever a client could pass for who it is, before any filter sees it.",
    "common_http_protocol_options:",
    "  headers_with_underscores_action: DROP_HEADER",
    "early_header_mutation_extensions:",
    "  - name: envoy.http.early_header_mutation.header_mutation",
    "    typed_config:",
    `      "@type": ${TYPES}.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation`,
    "      mutations:",
    ...forbiddenHeaders(userHeaders)
      .flatMap(spellingsOf)
      .map((name) => `        - remove: "${name.toLowerCase()}"`),
    "http_filters:",
    "  - name: envoy.filters.http.ext_authz",
    "    typed_config:",
    `      "@type": ${TYPES}.extensions.filters.http.ext_authz.v3.ExtAuthz`,
    "      transport_api_version: V3",
    "      # No verdict, no entry: the verify server is down, or answers with a 5xx.",
    "      failure_mode_allow: false",
    "      status_on_error: { code: ServiceUnavailable }",
    "      # Besides method, path, host and authorization, which are always sent.",
    "      allowed_headers:",
    "        patterns:",
    '          - exact: "authorization"',
    '          - exact: "x-api-key"',
    '          - exact: "x-forwarded-for"',
    '          - exact: "x-request-id"',
    "      http_service:",
    "        server_uri:",
    `          uri: "${uriOf(setup.server)}"`,
    "          cluster: keys_server",
    "          timeout: 5s",
    "        # Envoy appends the client's path and query, which the server does not read.",
    `        path_prefix: "${prefix}"`,
    "        authorization_response:",
    "          allowed_upstream_headers:",
    "            patterns:",
    ...[...IDENTITY_NAMES, ...userHeaders].map(
      (name) => `              - exact: "${name.toLowerCase()}"`,
    ),
    "  - name: envoy.filters.http.router",
    "    typed_config:",
    `      "@type": ${TYPES}.extensions.filters.http.router.v3.Router`,
  ];
}

/** The router removes these after the verdict. */
function removed({ passCredential }: ProxySetup): readonly string[] {
  if (passCredential) return [];
  return [
    "# The credential stays here.",
    "request_headers_to_remove:",
    ...CREDENTIAL_HEADERS.map((name) => `  - "${name.toLowerCase()}"`),
  ];
}

function cluster(name: string, endpoint: Endpoint, roots: string): readonly string[] {
  const address =
    endpoint.kind === "unix"
      ? `pipe: { path: "${endpoint.path}" }`
      : `socket_address: { address: "${bare(endpoint.host)}", port_value: ${endpoint.port} }`;
  return [
    `    - name: ${name}`,
    `      type: ${endpoint.kind === "unix" ? "STATIC" : "STRICT_DNS"}`,
    "      connect_timeout: 5s",
    "      load_assignment:",
    `        cluster_name: ${name}`,
    "        endpoints:",
    "          - lb_endpoints:",
    `              - endpoint: { address: { ${address} } }`,
    ...secure(endpoint, roots).map((line) => `      ${line}`),
  ];
}

function secure(endpoint: Endpoint, roots: string): readonly string[] {
  if (endpoint.kind === "unix" || !endpoint.tls) return [];
  const host = bare(endpoint.host);
  return [
    "transport_socket:",
    "  name: envoy.transport_sockets.tls",
    "  typed_config:",
    `    "@type": ${TYPES}.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
    `    sni: "${host}"`,
    "    common_tls_context:",
    "      validation_context:",
    `        trusted_ca: { filename: "${roots}" }`,
    "        match_typed_subject_alt_names:",
    `          - { san_type: ${/^[\d.]+$|:/.test(host) ? "IP_ADDRESS" : "DNS"}, matcher: { exact: "${host}" } }`,
  ];
}

function uriOf(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? "http://keys" : `http://${endpoint.host}:${endpoint.port}`;
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
