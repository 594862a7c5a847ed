import { describe, expect, it } from "vitest";
import { key, keystore, serve } from "./served.js";

const alice = key("alice", { scopes: "events:write apps:read", workspaces: "blue green" });
const wide = key("Zoë %-*", { scopes: "* apps:*" });
const dash = key("-", { workspaces: "-" });
const limited = key("carol", { rate_limit: "1/1h" });
const served = serve(
  keystore([alice, wide, dash, limited]),
  {},
  "--user-header",
  "Remote-User",
  "--user-header",
  "X-WEBAUTH-USER",
);

describe("a success", () => {
  it("is 200 with every identity header, whatever a client sends", async () => {
    const headers = {
      ...{ "x-auth-id": "mallory", "x-auth-scopes": "*", "x-auth-tenant": "t", "remote-user": "m" },
      ...{ "x-impersonate": "mallory", "x-auth-mode": "system" },
    };
    const got = await served.as(alice.token, "/verify", { headers });
    expect(got.status).toBe(200);
    expect(got.headers).toMatchObject({
      "x-auth-id": "alice",
      "x-auth-fingerprint": alice.fingerprint,
      "x-auth-scopes": "events:write apps:read",
      "x-auth-workspaces": "blue green",
      "x-auth-mode": "apikey",
      "x-auth-tenant": "-",
      "cache-control": "no-store",
      "remote-user": "alice",
      "x-webauth-user": "alice",
    });
    expect(got.headers["x-keys-generation"]).toMatch(/^[0-9a-f]{16}$/);
  });

  it("percent-encodes what is not plain, and keeps its markers", async () => {
    const odd = await served.as(wide.token, "/verify?scope=anything");
    expect(odd.headers).toMatchObject({
      "x-auth-id": "Zo%C3%AB%20%25-%2A",
      "x-auth-scopes": "* apps:*",
      "x-auth-workspaces": "*",
      "remote-user": "Zo%C3%AB%20%25-%2A",
    });
    expect((await served.as(dash.token, "/verify")).headers).toMatchObject({
      ...{ "x-auth-id": "%2D", "x-auth-scopes": "-", "x-auth-workspaces": "%2D" },
    });
  });

  it.each(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(
    "takes %s",
    async (method) => {
      const body = ["POST", "PUT", "PATCH"].includes(method) ? { body: "x=1" } : {};
      const { status, headers } = await served.as(alice.token, "/verify/p", { method, ...body });
      expect([status, headers["x-auth-id"]]).toEqual([200, "alice"]);
      expect((await served.ask("/verify/p", { method })).status).toBe(401);
    },
  );
});

describe("what is required", () => {
  it("stands in the query of exactly /verify", async () => {
    const status = async (target: string): Promise<number> =>
      (await served.as(alice.token, target)).status;
    expect(await status("/verify?scope=apps:read&workspace=blue")).toBe(200);
    expect(await status("/verify?scope=apps:read+events:write")).toBe(200);
    expect(await status("/verify?scope=apps:read&scope=apps:write")).toBe(403);
    expect(await status("/verify?scope=apps%3Aread")).toBe(200);
    // Behind a slash it is the client's.
    expect(await status("/verify/?scope=apps:write")).toBe(200);
    expect(await status("/verify/x?scopes=&x")).toBe(200);
  });

  it("stands in a segment for proxies that append the client's path and query", async () => {
    const status = async (target: string): Promise<number> =>
      (await served.as(alice.token, target)).status;
    expect(await status("/verify/-/scope=apps:read;workspace=blue/any/path?scope=x&y")).toBe(200);
    expect(await status("/verify/-/scope=apps:read;workspace=blue")).toBe(200);
    expect(await status("/verify/-/scope=apps:write/scope=apps:read/")).toBe(403);
    expect(await status("/verify/-/workspace=red/?workspace=blue")).toBe(403);
    for (const typo of [
      "",
      "scopes=a/",
      "scope=/",
      "scope=a;x=1/",
      "scope=*/",
      "/scope=apps:read",
    ]) {
      expect(await status(`/verify/-/${typo}`)).toBe(503);
    }
  });

  it("is what /nginx is asked, in statuses that auth_request knows", async () => {
    const told = async (target: string, headers: Record<string, string>): Promise<unknown> => {
      const got = await served.ask(target, { headers });
      return [got.status, got.headers["x-auth-status"], got.json["error"]];
    };
    const mine = { "x-api-key": alice.token };
    expect(await told("/nginx?scope=apps:read", mine)).toEqual([200, "200", undefined]);
    expect(await told("/nginx", {})).toEqual([401, "401", "unauthenticated"]);
    expect(await told("/nginx", { authorization: "Bearer" })).toEqual([
      401,
      "400",
      "invalid_request",
    ]);
    expect(await told("/nginx", { "x-api-key": "x" })).toEqual([401, "401", "invalid_token"]);
    expect(await told("/nginx?scope=x", mine)).toEqual([403, "403", "insufficient_scope"]);
    expect(await told("/nginx?scopes=x", mine)).toEqual([403, "503", "misconfigured"]);
    const over = { headers: { "x-api-key": limited.token } };
    expect((await served.ask("/nginx", over)).status).toBe(200);
    const denied = await served.ask("/nginx", over);
    expect([denied.status, denied.headers["x-auth-status"]]).toEqual([403, "429"]);
    expect(Number(denied.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  });
});
