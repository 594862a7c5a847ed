import * as oauth from "oauth4webapi";
import { describe, expect, it } from "vitest";
import { key, keystore, retiredAs, serve, type Got, type Sent } from "./served.js";

const CREATED = "2026-01-01T00:00:00Z";
const EXPIRES = "2999-01-01T00:00:00Z";
const client = key("a+b@x:y", { scopes: "keys:introspect" });
const alice = key("alice", {
  ...{ scopes: "events:write apps:read", created_at: CREATED, expires_at: EXPIRES },
  rate_limit: "1/1h",
});
const plain = key("bob");
const expired = key("carol", { expires_at: "2020-01-01T00:00:00Z" });
const early = key("dave", { not_before: EXPIRES });
const revoked = key("eve", retiredAs("revoked"));
const served = serve(keystore([client, alice, plain, expired, early], [revoked]));

const encoded = (text: string): string => new URLSearchParams([["", text]]).toString().slice(1);
const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString("base64")}`;

function introspect(form: Readonly<Record<string, string>>, sent: Sent = {}): Promise<Got> {
  return served.ask("/introspect", {
    method: "POST",
    body: new URLSearchParams(form).toString(),
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      ...(sent.headers as Record<string, string>),
    },
  });
}

const mine = { headers: { authorization: `Bearer ${client.token}` } };

describe("POST /introspect", () => {
  it("tells a live token whole, members without a value left out", async () => {
    const got = await introspect({ token: alice.token, token_type_hint: "refresh_token" }, mine);
    expect(got.status).toBe(200);
    expect(got.headers["content-type"]).toMatch(/^application\/json/);
    expect(got.json).toEqual({
      ...{ active: true, sub: "alice", client_id: "alice", token_type: "Bearer" },
      scope: "events:write apps:read",
      iat: Date.parse(CREATED) / 1000,
      exp: Date.parse(EXPIRES) / 1000,
      jti: alice.fingerprint,
    });
    expect((await introspect({ token: plain.token }, mine)).json).toEqual({
      ...{ active: true, sub: "bob", client_id: "bob", token_type: "Bearer" },
      jti: plain.fingerprint,
    });
  });

  it("says of anything else that it is not active, and nothing more", async () => {
    const tokens = ["unknown", "", ...[expired, early, revoked].map(({ token }) => token)];
    for (const token of tokens.filter((text) => text !== "")) {
      const { status, body } = await introspect({ token }, mine);
      expect([status, body]).toEqual([200, '{"active":false}']);
    }
  });

  it("charges no limit", async () => {
    for (let count = 0; count < 3; count += 1) {
      expect((await introspect({ token: alice.token }, mine)).json["active"]).toBe(true);
    }
    expect((await served.as(alice.token, "/verify")).status).toBe(200);
    expect((await served.as(alice.token, "/verify")).status).toBe(429);
    expect((await introspect({ token: alice.token }, mine)).json["active"]).toBe(true);
  });

  it("takes the caller as Basic, in the form, or as Bearer", async () => {
    const form = { token: plain.token };
    for (const [fields, headers] of [
      [form, { authorization: basic("a+b@x:y", client.token) }],
      [{ ...form, client_id: "a+b@x:y", client_secret: client.token }, {}],
      [form, mine.headers],
    ] as const) {
      expect((await introspect(fields, { headers })).json["active"]).toBe(true);
    }
  });

  it("refuses any other caller with invalid_client", async () => {
    const form = { token: plain.token };
    for (const [fields, headers] of [
      [form, {}],
      [form, { authorization: basic("alice", client.token) }],
      [form, { authorization: basic("a+b@x:y", "wrong") }],
      [form, { authorization: basic("bob", plain.token) }],
      [form, { authorization: "Basic !" }],
      [form, { authorization: `Bearer ${plain.token}` }],
      [{ ...form, client_id: "bob", client_secret: client.token }, {}],
      [{ ...form, client_secret: client.token }, {}],
    ] as readonly (readonly [Record<string, string>, Record<string, string>])[]) {
      const got = await introspect(fields, { headers });
      expect([got.status, got.json]).toEqual([401, { error: "invalid_client" }]);
      expect(got.headers["content-type"]).toMatch(/^application\/json/);
      const usedBasic = headers["authorization"]?.startsWith("Basic") === true;
      expect(got.headers["www-authenticate"]?.startsWith("Basic") ?? false).toBe(usedBasic);
    }
  });

  it("takes no other method, and no token from the query", async () => {
    expect((await served.ask("/introspect")).status).toBe(405);
    const sent = { method: "POST", ...mine };
    expect((await served.ask(`/introspect?token=${plain.token}`, sent)).status).toBe(400);
  });
});

describe("GET /.well-known/oauth-authorization-server", () => {
  it("names the address that it listens on, never the Host", async () => {
    const got = await served.ask("/.well-known/oauth-authorization-server", {
      headers: { host: "evil.example" },
    });
    expect(got.status).toBe(200);
    expect(got.json).toMatchObject({
      issuer: served.url(),
      introspection_endpoint: `${served.url()}/introspect`,
      response_types_supported: [],
    });
  });

  describe("with --issuer", () => {
    const named = serve(keystore([client]), {}, "--issuer", "https://keys.example.com");
    it("names that", async () => {
      const { json } = await named.ask("/.well-known/oauth-authorization-server");
      expect(json["issuer"]).toBe("https://keys.example.com");
    });
  });

  describe("on a wildcard host", () => {
    const wild = serve(keystore([client]), {}, "--host", "0.0.0.0");
    it("is not there", async () => {
      expect((await wild.ask("/.well-known/oauth-authorization-server")).status).toBe(404);
    });
  });
});

describe("oauth4webapi, a client that nobody here wrote", () => {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the server of this test is on loopback, without TLS
  const insecure = { [oauth.allowInsecureRequests]: true };
  const odd: oauth.Client = { client_id: "a+b@x:y" };

  it("discovers, and introspects as each kind of client", async () => {
    const issuer = new URL(served.url());
    const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
    const server = await oauth.processDiscoveryResponse(issuer, found);
    const ask = async (auth: oauth.ClientAuth, token: string): Promise<unknown> => {
      const response = await oauth.introspectionRequest(server, odd, auth, token, insecure);
      return oauth.processIntrospectionResponse(server, odd, response);
    };
    const bearer: oauth.ClientAuth = (_server, _client, _body, headers) => {
      headers.set("authorization", `Bearer ${client.token}`);
    };
    for (const auth of [
      oauth.ClientSecretBasic(client.token),
      oauth.ClientSecretPost(client.token),
      bearer,
    ]) {
      expect(await ask(auth, plain.token)).toMatchObject({ active: true, sub: "bob" });
      expect(await ask(auth, "unknown")).toEqual({ active: false });
      expect(await ask(auth, revoked.token)).toEqual({ active: false });
    }
    for (const wrong of [oauth.ClientSecretBasic("wrong"), oauth.ClientSecretPost("wrong")]) {
      await expect(ask(wrong, plain.token)).rejects.toThrow();
    }
  });
});
