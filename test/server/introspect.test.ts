import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import {
  appOf,
  bodyRequest,
  entryOf,
  errorOf,
  headerOf,
  keystoreOf,
  requestOf,
  type App,
} from "./requests.js";

const CALLER = "p%:+ss w\u00f6rd".replace(/ /g, "_");
const keystore = keystoreOf(
  entryOf("token-a", {
    id: "alice",
    scopes: "events:write apps:*",
    created_at: "2026-11-01T00:00:00Z",
    expires_at: "2027-11-01T00:00:00.900Z",
    rate_limit: "1/1h",
  }),
  entryOf("token-b", { id: "bob" }),
  entryOf("token-old", { id: "carol", expires_at: "2020-01-01T00:00:00Z" }),
  entryOf(CALLER, { id: "svc:one@\u00fc", scopes: "keys:introspect" }),
  entryOf("svc-token", { id: "svc", scopes: "keys:*" }),
);

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

/** Every octet of a latin1 text that is not plain, as a form carries it. */
function encode(text: string): string {
  return text.replace(
    /[^A-Za-z0-9]/g,
    (octet) => `%${octet.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function basic(id: string, secret: string): Record<string, string> {
  return {
    ...FORM,
    Authorization: `Basic ${Buffer.from(`${id}:${secret}`, "latin1").toString("base64")}`,
  };
}

const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

function ask(
  app: App,
  body: string,
  headers: Record<string, string> = { ...FORM, Authorization: "Bearer svc-token" },
) {
  return app.ask(bodyRequest("POST", "/introspect", body, headers)).reply.answer;
}

describe("introspection", () => {
  it("looks up no token that /verify calls malformed, not a caller's either", () => {
    const malformed = ["a b", "a\tb", "a\u007fb", "\u0000", "x".repeat(4097)];
    const held = malformed.map((token, n) =>
      entryOf(token, { id: `odd${String(n)}`, scopes: "keys:introspect" }),
    );
    const app = appOf(keystoreOf(...held, entryOf("svc-token", { id: "svc", scopes: "keys:*" })));
    for (const [n, token] of malformed.entries()) {
      const verify = app.ask(requestOf("/verify", { Authorization: `Bearer ${token}` })).reply;
      expect(verify.answer.status).toBe(400);
      const asked = app.ask(
        bodyRequest("POST", "/introspect", `token=${encode(token)}`, {
          ...FORM,
          Authorization: "Bearer svc-token",
        }),
      ).reply;
      expect([asked.answer.body, asked.digest]).toEqual(['{"active":false}', undefined]);
      const caller = `token=x&client_id=odd${String(n)}&client_secret=${encode(token)}`;
      expect(ask(app, caller, FORM).status).toBe(401);
    }
  });

  it("tells of a live token what RFC 7662 names, and leaves out what it has no value for", () => {
    const app = appOf(keystore);
    const answer = ask(app, "token=token-a&token_type_hint=whatever");
    expect(answer.status).toBe(200);
    expect(headerOf(answer, "Content-Type")).toBe("application/json");
    expect(headerOf(answer, "Cache-Control")).toBe("no-store");
    expect(JSON.parse(answer.body)).toEqual({
      active: true,
      sub: "alice",
      scope: "events:write apps:*",
      iat: Date.parse("2026-11-01T00:00:00Z") / 1000,
      exp: Date.parse("2027-11-01T00:00:00Z") / 1000,
      token_type: "Bearer",
      client_id: "alice",
      jti: digestOf("token-a").slice(0, 12),
    });
    expect(JSON.parse(ask(app, "token=token-b").body)).toEqual({
      active: true,
      sub: "bob",
      token_type: "Bearer",
      client_id: "bob",
      jti: digestOf("token-b").slice(0, 12),
    });
  });

  it("says of anything else that it is inactive, and nothing more", () => {
    const app = appOf(keystore);
    for (const token of ["nobody", "token-old", "a%20b", "%00", "x".repeat(5000)]) {
      const answer = ask(app, `token=${token}`);
      expect([answer.status, answer.body]).toEqual([200, '{"active":false}']);
    }
  });

  it("charges no limit, and is a use of both keys", () => {
    const app = appOf(keystore);
    for (let n = 0; n < 3; n += 1) ask(app, "token=token-a");
    expect(app.get("/verify", "token-a").status).toBe(200);
    expect(app.used.slice(0, 2)).toEqual([digestOf("svc-token"), digestOf("token-a")]);
  });

  it.each([
    ["Basic", "token=token-b", basic(encode(utf8("svc:one@\u00fc")), encode(CALLER))],
    ["Basic with a colon in the secret", "token=token-b", basic("svc", "svc-token")],
    ["post", "token=token-b&client_id=svc&client_secret=svc-token", FORM],
    ["Bearer", "token=token-b", { ...FORM, Authorization: "bearer  svc-token" }],
    [
      "a content type with parameters",
      "token=token-b",
      {
        "content-type": "Application/x-www-form-urlencoded; charset=UTF-8",
        Authorization: "Bearer svc-token",
      },
    ],
  ])("knows its caller by %s", (_, body, headers) => {
    expect(JSON.parse(ask(appOf(keystore), body, headers).body)).toMatchObject({ active: true });
  });

  it.each([
    ["nobody", "token=token-b", FORM, "Bearer"],
    ["an unknown secret", "token=token-b", basic("svc", "nope"), "Basic"],
    ["another's id", "token=token-b", basic("alice", "svc-token"), "Basic"],
    ["a key without the scope", "token=token-b", basic("bob", "token-b"), "Basic"],
    ["an expired key", "token=token-b", { ...FORM, Authorization: "Bearer token-old" }, "Bearer"],
    ["a secret without an id", "token=token-b&client_secret=svc-token", FORM, "Bearer"],
    ["an X-API-Key", "token=token-b", { ...FORM, "X-API-Key": "svc-token" }, "Bearer"],
    ["another scheme", "token=token-b", { ...FORM, Authorization: "Digest x" }, "Bearer"],
  ])("refuses %s as a client", (_, body, headers, scheme) => {
    const answer = ask(appOf(keystore), body, headers);
    expect(answer.status).toBe(401);
    expect(answer.body).toBe('{"error":"invalid_client"}');
    expect(headerOf(answer, "Content-Type")).toBe("application/json");
    expect(headerOf(answer, "WWW-Authenticate")).toBe(`${scheme} realm="keys"`);
  });

  it.each(["Basic *", "Basic c3Zj", "Basic"])("calls %j no client", (authorization) => {
    const answer = ask(appOf(keystore), "token=token-b", { ...FORM, Authorization: authorization });
    expect([answer.status, answer.body]).toEqual([401, '{"error":"invalid_client"}']);
    expect(headerOf(answer, "WWW-Authenticate")).toBe('Basic realm="keys"');
  });

  it.each([
    ["no token", "a=b", undefined],
    ["an empty token", "token=", undefined],
    ["a token twice", "token=a&token=b", undefined],
    ["a parameter twice, once empty", "token=a&x=&x=1", undefined],
    ["an escape that is none", "token=%zz", undefined],
    [
      "another content type",
      "token=token-b",
      { "Content-Type": "application/json", Authorization: "Bearer svc-token" },
    ],
    ["no content type", "token=token-b", { Authorization: "Bearer svc-token" }],
    [
      "two methods",
      "token=token-b&client_secret=svc-token&client_id=svc",
      basic("svc", "svc-token"),
    ],
    ["another client_id than Basic's", "token=token-b&client_id=alice", basic("svc", "svc-token")],
  ])("calls %s an invalid request", (_, body, headers) => {
    const answer = ask(appOf(keystore), body, headers);
    expect([answer.status, answer.body]).toEqual([400, '{"error":"invalid_request"}']);
  });

  it("counts its callers' failures as failed look-ups, and not what is introspected", () => {
    const app = appOf(keystore);
    for (let n = 0; n < 150; n += 1) ask(app, `token=guess-${n}`);
    for (let n = 0; n < 100; n += 1) {
      expect(ask(app, "token=token-b", basic("svc", `guess-${n}`)).status).toBe(401);
    }
    const answer = ask(app, "token=token-b", basic("svc", "guess"));
    expect(answer.status).toBe(429);
    expect(errorOf(answer)).toBe("too_many_failures");
    expect(ask(app, "token=token-b").status).toBe(200);
    expect(app.get("/verify", "guess").status).toBe(429);
  });

  it("takes POST alone", () => {
    const { answer } = appOf(keystore).ask(requestOf("/introspect?token=token-a")).reply;
    expect(answer.status).toBe(405);
    expect(headerOf(answer, "Allow")).toBe("POST");
  });
});

describe("the authorization server's metadata", () => {
  const path = "/.well-known/oauth-authorization-server";

  it("names the issuer, from the option before the address", () => {
    const listensAt = (): string => "http://127.0.0.1:8787";
    const answer = appOf(keystore, { issuer: "https://keys.example/", listensAt }).get(path);
    expect(JSON.parse(answer.body)).toMatchObject({
      issuer: "https://keys.example/",
      introspection_endpoint: "https://keys.example/introspect",
      response_types_supported: [],
    });
    expect(JSON.parse(appOf(keystore, { listensAt }).get(path).body)).toMatchObject({
      issuer: "http://127.0.0.1:8787",
      introspection_endpoint: "http://127.0.0.1:8787/introspect",
    });
  });

  it("is not there where nothing names it, whatever Host says", () => {
    const request = requestOf(path, { Host: "evil.example" });
    expect(appOf(keystore).ask(request).reply.answer.status).toBe(404);
    expect(appOf(keystore, { listensAt: () => undefined }).get(path).status).toBe(404);
  });
});
