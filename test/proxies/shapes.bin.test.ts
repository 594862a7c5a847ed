import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runKeys } from "../helpers/bin.js";
import { exchange } from "../server/sockets.js";
import { makeKeys, type Keys } from "./keys.js";
import { openStage, type Stage } from "./proxy.js";

// Traefik and Envoy are not run: what they document that they send is sent to the real server.

const IDENTITY = [
  "X-Auth-Id",
  "X-Auth-Fingerprint",
  "X-Auth-Scopes",
  "X-Auth-Workspaces",
  "X-Auth-Mode",
  "X-Auth-Tenant",
  "X-Keys-Generation",
];

interface Printed {
  readonly text: string;
  /** The YAML, read; its shape is the proxy's own. */
  readonly document: Node;
}
/** A part of a YAML document that is asked for by path. */
interface Node {
  at(...path: readonly (string | number)[]): unknown;
}

async function printed(stage: Stage, ...args: readonly string[]): Promise<Printed> {
  const { exitCode, stdout, stderr } = await runKeys(["config", ...args], { cwd: stage.directory });
  expect(exitCode, stderr).toBe(0);
  const root = parse(stdout, { strict: true }) as unknown;
  return {
    text: stdout,
    document: {
      at: (...path) =>
        path.reduce<unknown>(
          (node, key) => (node as Record<string | number, unknown> | undefined)?.[key],
          root,
        ),
    },
  };
}

describe("the shape of Traefik's and Envoy's requests", () => {
  let keys: Keys;
  let stage: Stage;
  let server: URL;
  beforeAll(async () => {
    keys = makeKeys();
    stage = openStage(keys.text);
    server = new URL((await stage.serve("--rate-limit", "none")).url);
  });
  afterAll(() => stage.close());

  /** The status and the id that the server gives for a request as it stands. */
  async function ask(lines: readonly string[]): Promise<readonly [string, string | undefined]> {
    const answer = await exchange(Number(server.port), [...lines, "", ""].join("\r\n"), 5000);
    return [
      /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? answer,
      /^X-Auth-Id: (.*)\r$/im.exec(answer)?.[1],
    ];
  }

  const NASTY = [
    "/",
    "/a/b?scope=evil&workspace=evil",
    "/-/scope=other",
    "/-/scope=",
    "//",
    "/..//../verify",
    "/%2e%2e/%2f?%",
    "/?",
    "/?token=x#",
    "/;scope=other;workspace=green",
    "/a;b=c//d?e=f?g",
    `/${"p".repeat(4000)}?q`,
    "*",
  ];

  function envoyRequest(prefix: string, method: string, path: string, token?: string): string[] {
    return [
      `${method} ${prefix}${path} HTTP/1.1`,
      "host: app.example",
      "content-length: 0",
      "connection: close",
      ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    ];
  }

  async function envoyPrefix(...options: readonly string[]): Promise<string> {
    const { document } = await printed(stage, "envoy", ...options);
    const http = ["filter_chains", 0, "filters", 0, "typed_config", "http_filters"] as const;
    const service = [
      "static_resources",
      "listeners",
      0,
      ...http,
      0,
      "typed_config",
      "http_service",
    ];
    return String(document.at(...service, "path_prefix"));
  }

  it.each(NASTY)("asks the same of a key whatever path Envoy appends: %s", async (path) => {
    const prefix = await envoyPrefix("--scope", "apps:read", "--workspace", "blue");
    const isStar = path === "*";
    for (const method of ["GET", "POST", "PATCH", isStar ? "OPTIONS" : "HEAD"]) {
      const yes = await ask(envoyRequest(prefix, method, path, keys.bound));
      // A path that is none ends the requirement in a way that is not one: nobody gets in.
      expect(yes).toEqual(isStar ? ["503", undefined] : ["200", "bound"]);
      expect((await ask(envoyRequest(prefix, method, path, keys.bare)))[0]).toBe(
        isStar ? "503" : "403",
      );
      expect((await ask(envoyRequest(prefix, method, path, keys.elsewhere)))[0]).toBe(
        isStar ? "503" : "403",
      );
      expect((await ask(envoyRequest(prefix, method, path)))[0]).toBe(isStar ? "503" : "401");
    }
  });

  it.each(NASTY)("asks nothing of a key where nothing is required: %s", async (path) => {
    const prefix = await envoyPrefix();
    expect(await ask(envoyRequest(prefix, "GET", path, keys.bare))).toEqual(["200", "bare"]);
    expect((await ask(envoyRequest(prefix, "GET", path, keys.revoked)))[0]).toBe("401");
  });

  it("takes X-API-Key from Envoy, which sends it where it is allowed", async () => {
    const prefix = await envoyPrefix("--scope", "apps:read");
    const request = [...envoyRequest(prefix, "DELETE", "/x"), `x-api-key: ${keys.good}`];
    expect(await ask(request)).toEqual(["200", "good"]);
  });

  it("prints for Envoy what its documents demand", async () => {
    const { document, text } = await printed(
      stage,
      "envoy",
      ...["--scope", "a'b%", "--upstream", "https://app.example", "--server", "unix:/run/k.sock"],
      ...["--listen", "127.0.0.1:9000", "--user-header", "Remote-User"],
    );
    expect(text).toMatch(/^# envoy -c envoy\.yaml/);
    const listener = ["static_resources", "listeners", 0];
    const manager = [...listener, "filter_chains", 0, "filters", 0, "typed_config"];
    expect(document.at(...listener, "address", "socket_address")).toEqual({
      address: "127.0.0.1",
      port_value: 9000,
    });
    const authorization = [...manager, "http_filters", 0, "typed_config"];
    expect(document.at(...authorization, "failure_mode_allow")).toBe(false);
    expect(document.at(...authorization, "allowed_headers", "patterns")).toContainEqual({
      exact: "x-api-key",
    });
    expect(document.at(...authorization, "http_service", "path_prefix")).toBe(
      "/verify/-/scope=a%27b%25",
    );
    const copied = ["http_service", "authorization_response", "allowed_upstream_headers"];
    expect(document.at(...authorization, ...copied, "patterns")).toEqual(
      [...IDENTITY, "Remote-User"].map((name) => ({ exact: name.toLowerCase() })),
    );
    expect(document.at(...manager, "http_filters", 1, "name")).toBe("envoy.filters.http.router");
    const early = ["early_header_mutation_extensions", 0, "typed_config", "mutations"];
    for (const name of [...IDENTITY, "X-Keys-Expires", "X-Impersonate", "Remote-User"]) {
      for (const spelling of [name, name.replaceAll("-", "_")]) {
        expect(document.at(...manager, ...early)).toContainEqual({
          remove: spelling.toLowerCase(),
        });
      }
    }
    const host = [...manager, "route_config", "virtual_hosts", 0];
    expect(document.at(...host, "request_headers_to_remove")).toEqual([
      "authorization",
      "x-api-key",
    ]);
    const passing = await printed(stage, "envoy", "--pass-credential");
    expect(passing.document.at(...host, "request_headers_to_remove")).toBeUndefined();
  });

  it("prints for Traefik what its documents demand, and the server answers its request", async () => {
    const { document, text } = await printed(
      stage,
      "traefik",
      ...["--server", server.origin, "--scope", "apps:read", "--workspace", "blue"],
      ...["--upstream", "http://[::1]:3000", "--user-header", "Remote-User"],
    );
    expect(text).toMatch(/^# traefik .*--entrypoints\.web\.address=:8080 /);
    expect(document.at("http", "routers", "web", "middlewares")).toEqual([
      "keys-strip",
      "keys-auth",
      "keys-drop",
    ]);
    expect(document.at("http", "services", "upstream", "loadBalancer", "servers", 0, "url")).toBe(
      "http://[::1]:3000",
    );
    const middlewares = ["http", "middlewares"];
    const strip = document.at(...middlewares, "keys-strip", "headers", "customRequestHeaders");
    for (const name of [...IDENTITY, "X-Keys-Expires", "X-Impersonate", "Remote-User"]) {
      expect(strip).toMatchObject({ [name]: "", [name.replaceAll("-", "_")]: "" });
    }
    const forward = [...middlewares, "keys-auth", "forwardAuth"];
    expect(document.at(...forward, "authRequestHeaders")).toEqual(["Authorization", "X-API-Key"]);
    expect(document.at(...forward, "authResponseHeaders")).toEqual([...IDENTITY, "Remote-User"]);
    expect(
      document.at(...middlewares, "keys-drop", "headers", "customRequestHeaders"),
    ).toMatchObject({ Authorization: "", "X-API-Key": "" });
    const address = new URL(String(document.at(...forward, "address")));
    const request = (token: string, uri: string): string[] => [
      `GET ${address.pathname}${address.search} HTTP/1.1`,
      `Host: ${address.host}`,
      "User-Agent: Go-http-client/1.1",
      `Authorization: Bearer ${token}`,
      "X-Forwarded-Method: POST",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: app.example",
      `X-Forwarded-Uri: ${uri}`,
      "X-Forwarded-For: 192.0.2.1",
      "Connection: close",
    ];
    for (const uri of NASTY) {
      expect(await ask(request(keys.bound, uri))).toEqual(["200", "bound"]);
      expect((await ask(request(keys.bare, uri)))[0]).toBe("403");
    }
  });
});
