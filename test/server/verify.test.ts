import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { generationOf } from "../../src/core/generation.js";
import {
  appOf,
  entryOf,
  errorOf,
  headerOf,
  keystoreOf,
  NOW,
  requestOf,
  storeOf,
} from "./requests.js";

const alice = entryOf("token-a", {
  id: "alice",
  scopes: "events:write apps:*",
  workspaces: "blue green",
});
const bob = entryOf("token-b", { id: "bob" });
const keystore = keystoreOf(
  alice,
  bob,
  entryOf("token-old", { id: "carol", expires_at: "2026-11-22T12:00:00Z" }),
  entryOf("token-new", { id: "carol", not_before: "2026-11-22T12:00:00.001Z" }),
  entryOf(
    "token-gone",
    { id: "dan", state: "revoked", retired_at: "2026-01-01T00:00:00Z" },
    "retired",
  ),
);
const app = appOf(keystore);

describe("/verify", () => {
  it("answers 200 with every identity header, none empty", () => {
    const answer = app.get("/verify", "token-a");
    expect(answer).toEqual({
      status: 200,
      headers: [
        "X-Auth-Id",
        "alice",
        "X-Auth-Fingerprint",
        digestOf("token-a").slice(0, 12),
        "X-Auth-Scopes",
        "events:write apps:*",
        "X-Auth-Workspaces",
        "blue green",
        "X-Auth-Mode",
        "apikey",
        "X-Auth-Tenant",
        "-",
        "X-Keys-Generation",
        generationOf(keystore),
        "X-Keys-Expires",
        "-",
        "Cache-Control",
        "no-store",
        "Content-Length",
        "0",
      ],
      body: "",
    });
  });

  it("tells when a key ends, for who remembers the answer", () => {
    const ending = appOf(
      keystoreOf(entryOf("t", { id: "al", expires_at: "2027-02-20T10:00:00Z" })),
    );
    expect(headerOf(ending.get("/verify", "t"), "X-Keys-Expires")).toBe("2027-02-20T10:00:00Z");
  });

  it("has markers where a key has no scopes and is bound to nothing", () => {
    const answer = app.get("/verify", "token-b");
    expect(headerOf(answer, "X-Auth-Scopes")).toBe("-");
    expect(headerOf(answer, "X-Auth-Workspaces")).toBe("*");
  });

  it("encodes an id so that it is one value of one header", () => {
    const odd = appOf(keystoreOf(entryOf("t", { id: "Ünal, x\u00a0y" })));
    expect(headerOf(odd.get("/verify", "t"), "X-Auth-Id")).toBe("%C3%9Cnal%2C%20x%C2%A0y");
    const dash = appOf(keystoreOf(entryOf("t", { id: "-" })));
    expect(headerOf(dash.get("/verify", "t"), "X-Auth-Id")).toBe("%2D");
  });

  it("has a challenge without an error where no credential is presented", () => {
    const answer = app.get("/verify");
    expect(answer.status).toBe(401);
    expect(headerOf(answer, "WWW-Authenticate")).toBe('Bearer realm="keys"');
    expect(errorOf(answer)).toBe("unauthenticated");
  });

  it("answers alike for unknown, retired, expired and not yet valid", () => {
    const answers = ["nobody", "token-gone", "token-old", "token-new"].map((token) =>
      JSON.stringify(app.get("/verify?scope=any", token)),
    );
    expect(new Set(answers).size).toBe(1);
    expect(app.get("/verify", "token-old").status).toBe(401);
    expect(errorOf(app.get("/verify", "token-old"))).toBe("invalid_token");
  });

  it("judges the instant of the request, not that of the load", () => {
    const clock = appOf(keystore);
    clock.setNow(NOW - 1);
    expect(clock.get("/verify", "token-old").status).toBe(200);
    clock.setNow(NOW);
    expect(clock.get("/verify", "token-old").status).toBe(401);
    clock.setNow(NOW + 1);
    expect(clock.get("/verify", "token-new").status).toBe(200);
  });

  it("says no-store on every answer", () => {
    const answers = [
      app.get("/verify"),
      app.get("/verify", "token-a"),
      app.get("/verify", "nobody"),
      app.get("/verify?scope=none", "token-a"),
      app.get("/verify?typo=1", "token-a"),
      app.ask(requestOf("/verify", { Authorization: "Bearer" })).reply.answer,
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 200, 401, 403, 503, 400]);
    for (const answer of answers) expect(headerOf(answer, "Cache-Control")).toBe("no-store");
  });

  it.each(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])(
    "takes %s",
    (method) => {
      const request = requestOf("/verify", { "X-API-Key": "token-a" }, method);
      expect(app.ask(request).reply.answer.status).toBe(200);
    },
  );

  it("makes the answer to a key once, and anew after a reload", () => {
    const one = appOf(keystore);
    const first = one.get("/verify", "token-a");
    expect(one.get("/verify?scope=apps:read", "token-a")).toBe(first);
    expect(one.get("/verify", "token-b")).not.toBe(first);
    one.state.reload({ store: storeOf(keystoreOf(alice)) });
    const second = one.get("/verify", "token-a");
    expect(headerOf(second, "X-Keys-Generation")).not.toBe(headerOf(first, "X-Keys-Generation"));
    expect(one.get("/verify", "token-b").status).toBe(401);
  });

  it("never reads a credential from the query", () => {
    for (const name of ["access_token", "api_key", "token"]) {
      expect(app.get(`/verify?${name}=token-a`).status).toBe(503);
      expect(app.get(`/verify/x?${name}=token-a`).status).toBe(401);
    }
  });
});

describe("what /verify is asked", () => {
  it.each([
    ["/verify?scope=events:write", 200],
    ["/verify?scope=events:write+apps:read", 200],
    ["/verify?scope=events:write&scope=apps:read", 200],
    ["/verify?scope=apps:read&workspace=blue", 200],
    ["/verify?workspace=blue&workspace=green", 200],
    ["/verify?scope=apps", 403],
    ["/verify?scope=events:write+admin", 403],
    ["/verify?scope=events:write&scope=admin", 403],
    ["/verify?workspace=red", 403],
    ["/verify?workspace=blue&workspace=red", 403],
    ["/verify/-/scope=events:write;workspace=blue/any/path?scope=admin", 200],
    ["/verify/-/scope=events:write", 200],
    ["/verify/-/scope=admin/any/path", 403],
    ["/verify/-/scope=admin/../scope=events:write/", 403],
    ["/verify/-/workspace=red/", 403],
    ["/verify/any/path?scope=admin", 200],
    ["/verify/?scope=admin", 200],
    ["/verify/-x/scope=admin", 200],
  ])("%s → %d", (target, status) => {
    expect(app.get(target, "token-a").status).toBe(status);
  });

  it("names the needed scopes in the challenge, and none for a workspace", () => {
    expect(
      headerOf(app.get("/verify?scope=admin+events:write", "token-a"), "WWW-Authenticate"),
    ).toBe('Bearer realm="keys", error="insufficient_scope", scope="admin events:write"');
    const denied = app.get("/verify?workspace=red", "token-a");
    expect(headerOf(denied, "WWW-Authenticate")).toBe(
      'Bearer realm="keys", error="insufficient_scope"',
    );
    expect(errorOf(denied)).toBe("workspace_denied");
  });

  it.each([
    "/verify?",
    "/verify?scope",
    "/verify?scope=",
    "/verify?scopes=events:write",
    "/verify?scope=events:write&role=x",
    "/verify?scope=*",
    "/verify?scope=%zz",
    "/verify?scope=a&",
    "/verify/-",
    "/verify/-?scope=a",
    "/verify/-/",
    "/verify/-//path",
    "/verify/-/path",
    "/verify/-/scope=/path",
    "/verify/-/scope=apps:*/path",
    "/verify/-/scope=a&workspace=b;/path",
  ])("%s denies everybody, before the credential is looked at", (target) => {
    for (const request of [
      requestOf(target, { Authorization: "Bearer token-a" }),
      requestOf(target, { Authorization: "Bearer nobody" }),
      requestOf(target, { Authorization: "Bearer" }),
      requestOf(target),
    ]) {
      const { answer } = app.ask(request).reply;
      expect(answer.status).toBe(503);
      expect(errorOf(answer)).toBe("misconfigured");
      expect(headerOf(answer, "Retry-After")).toBeDefined();
    }
  });

  it.each([
    "/verifyx",
    "/Verify",
    "/verify%2Fx",
    "/%76erify",
    "//verify",
    "/verify;scope=a",
    "/verify#x",
    "/x/../verify",
    "*",
    "verify",
    "",
  ])("%s is not it", (target) => {
    expect(app.get(target, "token-a").status).toBe(404);
  });

  it("takes the absolute form that a proxy may send", () => {
    expect(app.get("http://keys.example/verify?scope=admin", "token-a").status).toBe(403);
    expect(app.get("http://keys.example:8787/verify", "token-a").status).toBe(200);
    expect(app.get("http://keys.example?x=/verify", "token-a").status).toBe(404);
  });
});

describe("/nginx", () => {
  it.each([
    ["/nginx", "Bearer token-a", 200, "200", undefined],
    ["/nginx?scope=admin", "Bearer token-a", 403, "403", "insufficient_scope"],
    ["/nginx", "Bearer nobody", 401, "401", "invalid_token"],
    ["/nginx", "Basic a", 401, "401", "unauthenticated"],
    ["/nginx", "Bearer", 401, "400", "invalid_request"],
    ["/nginx?scope=", "Bearer token-a", 403, "503", "misconfigured"],
  ])("%s with %s → %d, and what it truly is", (target, authorization, status, trueStatus, code) => {
    const { answer } = app.ask(requestOf(target, { Authorization: authorization })).reply;
    expect(answer.status).toBe(status);
    expect(headerOf(answer, "X-Auth-Status")).toBe(trueStatus);
    expect(headerOf(answer, "X-Auth-Error")).toBe(code);
    if (answer.body !== "") expect(JSON.parse(answer.body)).toMatchObject({ status, error: code });
  });

  it("has the identity, the challenges and Retry-After of /verify", () => {
    expect(headerOf(app.get("/nginx", "token-a"), "X-Auth-Id")).toBe("alice");
    const malformed = app.ask(requestOf("/nginx", { Authorization: "Bearer" })).reply.answer;
    expect(headerOf(malformed, "WWW-Authenticate")).toContain('error="invalid_request"');
    expect(headerOf(app.get("/nginx?x=y", "token-a"), "Retry-After")).toBeDefined();
  });

  it("does not leak its own headers into /verify", () => {
    app.get("/nginx", "token-a");
    expect(headerOf(app.get("/verify", "token-a"), "X-Auth-Status")).toBeUndefined();
  });
});

interface CredentialVector {
  headers: [string, string][];
  credential?: { token: string } | null;
  error?: string;
}

describe("credential vectors", () => {
  const vectors = JSON.parse(
    readFileSync(new URL("../vectors/credential.json", import.meta.url), "utf8"),
  ) as CredentialVector[];

  it.each(vectors.map((vector, index) => [index, vector] as const))("%i", (_, vector) => {
    const token = vector.credential?.token;
    const one = appOf(keystoreOf(entryOf(token ?? "unused", { id: "alice" })));
    const { reply } = one.ask(requestOf("/verify", vector.headers.flat()));
    const expected = vector.error === undefined ? (token === undefined ? 401 : 200) : 400;
    expect(reply.answer.status).toBe(expected);
    if (expected === 200) {
      // With another token of the same shape it is a no.
      const other = appOf(keystoreOf(entryOf(`${token ?? ""}x`, { id: "alice" })));
      expect(other.ask(requestOf("/verify", vector.headers.flat())).reply.answer.status).toBe(401);
    } else {
      const error = expected === 400 ? "invalid_request" : "unauthenticated";
      expect(errorOf(reply.answer)).toBe(error);
    }
  });
});
