import { KeysError } from "../../errors.js";
import {
  CREDENTIAL_HEADERS,
  forbiddenHeaders,
  IDENTITY_NAMES,
  spellingsOf,
} from "./client-header.js";
import { authorityOf, formatListen, type Endpoint } from "./endpoint.js";
import { verifyTarget } from "./requirement-text.js";
import { trustedProxyNote } from "./server-note.js";
import type { ProxySetup } from "./setup.js";

/**
 * A configuration for Traefik 3, with `forwardAuth`: what its file provider reads. What listens is
 * told by the command, since Traefik keeps that apart.
 *
 * @throws KeysError `value-invalid` for a unix socket, which Traefik can't ask.
 */
export function traefikConfig(setup: ProxySetup): string {
  const { requirement, userHeaders, passCredential } = setup;
  const stripped = forbiddenHeaders(userHeaders).flatMap(spellingsOf);
  const middlewares = [
    "    # Whatever a client could pass for who it is.",
    "    keys-strip:",
    ...removal(stripped),
    "    keys-auth:",
    "      forwardAuth:",
    `        address: "${urlOf("--server", setup.server)}${verifyTarget(requirement)}"`,
    "        trustForwardHeader: false",
    ...(setup.serverCa === undefined ? [] : ["        tls:", `          ca: "${setup.serverCa}"`]),
    "        # Nothing but the credential: a client's cookies are not for the verify server.",
    "        authRequestHeaders:",
    ...CREDENTIAL_HEADERS.map((name) => `          - "${name}"`),
    "        authResponseHeaders:",
    ...[...IDENTITY_NAMES, ...userHeaders].map((name) => `          - "${name}"`),
    ...(passCredential
      ? []
      : [
          "    # The credential stays here.",
          "    keys-drop:",
          ...removal(CREDENTIAL_HEADERS.flatMap(spellingsOf)),
        ]),
  ];
  const chain = ["keys-strip", "keys-auth", ...(passCredential ? [] : ["keys-drop"])];
  if (setup.snippet) {
    return [
      `# For the file provider of Traefik; a router's middlewares, in this order: ${chain.join(", ")}`,
      ...trustedProxyNote(setup.server),
      "http:",
      "  middlewares:",
      ...middlewares,
      "",
    ].join("\n");
  }
  return [
    `# traefik --global.checknewversion=false --global.sendanonymoususage=false --entrypoints.web.address=${formatListen(setup.listen)} --providers.file.filename=traefik.yml`,
    ...trustedProxyNote(setup.server),
    ...(userHeaders.length === 0
      ? []
      : [
          `# The verify server sends ${userHeaders.join(", ")} with: keys serve ${userHeaders.map((name) => `--user-header ${name}`).join(" ")}`,
        ]),
    "http:",
    "  routers:",
    "    web:",
    "      entryPoints:",
    '        - "web"',
    '      rule: "PathPrefix(`/`)"',
    "      middlewares:",
    ...chain.map((name) => `        - "${name}"`),
    '      service: "upstream"',
    "  services:",
    "    upstream:",
    "      loadBalancer:",
    "        servers:",
    `          - url: "${urlOf("--upstream", setup.upstream)}"`,
    "  middlewares:",
    ...middlewares,
    "",
  ].join("\n");
}

/** Traefik removes a header that is set to nothing. */
function removal(names: readonly string[]): readonly string[] {
  return [
    "      headers:",
    "        customRequestHeaders:",
    ...names.map((name) => `          ${name}: ""`),
  ];
}

function urlOf(option: string, endpoint: Endpoint): string {
  if (endpoint.kind === "unix") {
    throw new KeysError("value-invalid", `the value of ${option} is a socket`, {
      hint: "traefik can't ask a unix socket: let it listen on a port of 127.0.0.1",
    });
  }
  return `${endpoint.tls ? "https" : "http"}://${authorityOf(endpoint)}`;
}
