import type { Endpoint } from "./endpoint.js";

/** Lines of a comment, each with the mark that all of them know, on what the verify server must be told of the proxy. */
export function trustedProxyNote(server: Endpoint): readonly string[] {
  return [
    "# Failed look-ups are limited by client address where the verify server believes this proxy:",
    `# keys serve ${trusted(server)}`,
  ];
}

function trusted(server: Endpoint): string {
  if (server.kind === "unix") return "--trusted-proxy unix";
  if (server.host === "localhost") return "--trusted-proxy 127.0.0.1 --trusted-proxy ::1";
  const host = server.host.replace(/^\[|\]$/g, "");
  if (host === "::1" || /^127\.[\d.]+$/.test(host)) return `--trusted-proxy ${host}`;
  return "--trusted-proxy and the address that this proxy comes from";
}
