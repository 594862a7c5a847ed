import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { mintToken, temporaryDirectory } from "../helpers/keystores.js";
import { key, keystore, retiredAs, serve, type Got, type Served } from "./served.js";

const SYSTEM = mintToken();
const directory = { "system-token": `${SYSTEM}\n` };
const alice = key("alice", { scopes: "a" });
const revoked = key("eve", retiredAs("revoked"));
const text = keystore([alice], [revoked]);

/** Asks as the system token for a tenant. */
const forTenant = (served: Served, tenant: string, target = "/verify"): Promise<Got> =>
  served.as(SYSTEM, target, { headers: { "x-impersonate": tenant } });
const told = ({ status, headers }: Got): unknown => [
  status,
  headers["x-auth-mode"],
  headers["x-auth-id"],
  headers["x-auth-tenant"],
];

describe("the system token", () => {
  const served = serve(text, { files: directory }, "--system-token-file", "DIR/system-token");

  it("alone is the system, with every scope", async () => {
    const got = await served.as(SYSTEM, "/verify?scope=anything&workspace=any");
    expect(told(got)).toEqual([200, "system", "system", "-"]);
    expect(got.headers["x-auth-scopes"]).toBe("*");
  });

  it("may not impersonate unless that is allowed, and does not fall back", async () => {
    expect((await forTenant(served, "acme")).status).toBe(401);
    expect((await forTenant(served, "")).status).toBe(401);
  });

  it("is nobody else's header: X-Impersonate with another credential is ignored", async () => {
    const headers = { "x-impersonate": "acme" };
    expect(told(await served.as(alice.token, "/verify", { headers }))).toEqual([
      ...[200, "apikey", "alice", "-"],
    ]);
    expect((await served.ask("/verify", { headers })).status).toBe(401);
  });

  it("may not stand in the keystore, nor in a file that others can read", async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, "keys.yaml"), text, { mode: 0o600 });
    const check = async (token: string, mode: number): Promise<number | undefined> => {
      const name = `token-${mode}-${token.slice(-4)}`;
      writeFileSync(join(cwd, name), token, { mode });
      return (await runKeys(["serve", "--check", "--system-token-file", name], { cwd })).exitCode;
    };
    expect(await check(SYSTEM, 0o600)).toBe(0);
    expect(await check(SYSTEM, 0o644)).not.toBe(0);
    expect(await check(alice.token, 0o600)).toBe(3);
  });
});

describe("impersonation, allowed", () => {
  const args = ["--system-token-file", "DIR/system-token", "--allow-impersonation"];
  const served = serve(text, { files: directory }, ...args);

  it("names the tenant, and a safe segment that no other tenant has", async () => {
    expect(told(await forTenant(served, "acme"))).toEqual([200, "impersonation", "acme", "acme"]);
    const segments = new Map<string, string>();
    for (const tenant of [
      ...["alice_example.com", "Alice@Example.com", "alice@example.com", "ALICE", "alice", "a/b"],
      ...["a b", "..x", "x".repeat(65), "x".repeat(64), `${"x".repeat(64)}y`, "%2e%2e", "-"],
    ]) {
      const { status, headers } = await forTenant(served, tenant);
      if (status !== 200) continue;
      const segment = decodeURIComponent(String(headers["x-auth-tenant"]));
      expect(segment).toMatch(/^[a-z0-9._-]{1,64}$/);
      expect([".", ".."]).not.toContain(segment);
      expect(segments.get(segment), `${tenant} has the segment of another`).toBeUndefined();
      segments.set(segment, tenant);
    }
    expect(segments.size).toBeGreaterThan(8);
    expect(segments.get("alice")).toBe("alice");
  });

  it("is refused for a name that is none, and without a fall back", async () => {
    for (const tenant of ["", "   ", "x".repeat(1000)]) {
      expect([tenant, (await forTenant(served, tenant)).status]).toEqual([tenant, 401]);
    }
    const twice = ["Authorization", `Bearer ${SYSTEM}`, "X-Impersonate", "a", "X-Impersonate", "b"];
    expect((await served.ask("/verify", { headers: twice })).status).toBe(401);
  });

  it("is audited, every time", async () => {
    await forTenant(served, "audited-tenant");
    const log = readFileSync(`${served.file()}.audit.jsonl`, "utf8");
    expect(log).toContain("audited-tenant");
    expect(`${log}${served.said()}`).not.toContain(SYSTEM);
  });
});

describe("--allow-unauthenticated", () => {
  const served = serve(text, {}, "--allow-unauthenticated");

  it("lets nobody in particular through, where nothing is asked", async () => {
    expect(told(await served.ask("/verify"))).toEqual([200, "none", "anonymous", "-"]);
    expect(told(await served.ask("/nginx"))).toEqual([200, "none", "anonymous", "-"]);
    expect((await served.ask("/verify?scope=a")).status).toBe(401);
    expect((await served.ask("/verify?workspace=a")).status).toBe(401);
  });

  it("judges a credential that is presented as ever", async () => {
    expect(told(await served.as(alice.token, "/verify"))).toEqual([200, "apikey", "alice", "-"]);
    expect((await served.as(revoked.token, "/verify")).status).toBe(401);
    expect((await served.as("unknown", "/verify")).status).toBe(401);
    expect((await served.ask("/verify", { headers: { authorization: "Bearer" } })).status).toBe(
      400,
    );
  });
});
