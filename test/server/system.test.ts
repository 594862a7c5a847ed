import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { formatToken } from "../../src/core/token.js";
import { formatRequestLine } from "../../src/server/json-lines.js";
import type { KeysRequest } from "../../src/server/message.js";
import {
  appOf,
  entryOf,
  errorOf,
  headerOf,
  keystoreOf,
  NOW,
  requestOf,
  type App,
  type AppOptions,
} from "./requests.js";

const SYSTEM = "the-system-token";
const MINTED = formatToken("key", Buffer.alloc(32, 7));
const keystore = keystoreOf(entryOf("token-a", { id: "alice", scopes: "apps:read" }));
const withSystem: AppOptions = { systemDigest: digestOf(SYSTEM) };
const impersonating: AppOptions = { ...withSystem, allowImpersonation: true };

function asSystem(target: string, ...impersonated: string[]): KeysRequest {
  const lines = impersonated.flatMap((value) => ["X-Impersonate", value]);
  return requestOf(target, ["Authorization", `Bearer ${SYSTEM}`, ...lines]);
}

async function answerTo(app: App, request: KeysRequest) {
  return (await app.wait(request)).reply.answer;
}

describe("the system token", () => {
  it("alone is the system, with every scope and workspace and every identity header", async () => {
    const app = appOf(keystore, { ...withSystem, userHeaders: ["Remote-User"] });
    const answer = await answerTo(app, asSystem("/verify?scope=anything&workspace=red"));
    expect(answer.status).toBe(200);
    const { generation } = app.state.snapshot();
    expect(Object.fromEntries(pairs(answer.headers))).toMatchObject({
      "X-Auth-Id": "system",
      "X-Auth-Fingerprint": digestOf(SYSTEM).slice(0, 12),
      "X-Auth-Scopes": "*",
      "X-Auth-Workspaces": "*",
      "X-Auth-Mode": "system",
      "X-Auth-Tenant": "-",
      "X-Keys-Generation": generation,
      "Remote-User": "system",
      "Cache-Control": "no-store",
    });
    expect(app.notes).toEqual([]);
  });

  it("is nobody's where none is configured, and by Bearer alone", async () => {
    expect((await answerTo(appOf(keystore), asSystem("/verify"))).status).toBe(401);
    const app = appOf(keystore, withSystem);
    expect(app.ask(requestOf("/verify", { "X-API-Key": SYSTEM })).reply.answer.status).toBe(401);
    const apiKey = requestOf("/verify", { Authorization: `ApiKey ${SYSTEM}` });
    expect(app.ask(apiKey).reply.answer.status).toBe(401);
  });

  it("does not help an ill-formed requirement", async () => {
    expect((await answerTo(appOf(keystore, withSystem), asSystem("/verify?x=y"))).status).toBe(503);
  });
});

describe("impersonation", () => {
  it("is the tenant, with its segment, audited before the answer", async () => {
    const app = appOf(keystore, impersonating);
    const answer = await answerTo(app, asSystem("/verify", "Alice@Example.com"));
    expect(answer.status).toBe(200);
    expect(headerOf(answer, "X-Auth-Mode")).toBe("impersonation");
    expect(headerOf(answer, "X-Auth-Id")).toBe("Alice@Example.com");
    const segment = `alice_example.com.${digestOf("Alice@Example.com").slice(0, 8)}`;
    expect(headerOf(answer, "X-Auth-Tenant")).toBe(segment);
    expect(app.notes).toEqual([
      {
        actor: "system",
        action: "impersonate",
        fingerprint: digestOf(SYSTEM).slice(0, 12),
        id: "Alice@Example.com",
        details: { segment },
      },
    ]);
  });

  it("reads UTF-8 from the header's octets", async () => {
    const app = appOf(keystore, impersonating);
    const octets = Buffer.from("Ünal", "utf8").toString("latin1");
    const answer = await answerTo(app, asSystem("/verify", octets));
    expect(headerOf(answer, "X-Auth-Id")).toBe("%C3%9Cnal");
    expect(app.notes[0]?.id).toBe("Ünal");
  });

  it.each([
    ["empty", [""]],
    ["blank", ["\u00c2\u00a0"]],
    ["two", ["a", "b"]],
    ["with a control character", ["a\tb"]],
    ["not UTF-8", ["\xff"]],
    ["too long", ["x".repeat(257)]],
    ["reserved", ["system"]],
    ["reserved", ["anonymous"]],
  ])("that is %s is a 401, without fallback to the wider access", async (_, values) => {
    const app = appOf(keystore, impersonating);
    const answer = await answerTo(app, asSystem("/verify", ...values));
    expect(answer.status).toBe(401);
    expect(errorOf(answer)).toBe("invalid_token");
    expect(app.notes).toEqual([]);
  });

  it.each([
    ["the system token", SYSTEM],
    ["the token of a key", "token-a"],
    ["a token with a word before it", `Bearer ${SYSTEM}`],
    ["a minted token that nobody knows", MINTED],
  ])("that is %s is refused, and stands in no log", async (_, value) => {
    const app = appOf(keystore, impersonating);
    const routed = await app.wait(asSystem("/verify", value));
    expect(routed.reply.answer.status).toBe(401);
    expect(app.notes).toEqual([]);
    const logged = { ...routed, atMs: NOW, ms: 0, remote: undefined, requestId: "r" };
    expect(JSON.stringify(routed.reply) + formatRequestLine(logged)).not.toContain(value);
  });

  it("that is not allowed is a 401 that counts as a failed look-up", async () => {
    const app = appOf(keystore, withSystem);
    for (let n = 0; n < 100; n += 1) {
      expect((await answerTo(app, asSystem("/verify", "alice"))).status).toBe(401);
    }
    expect((await answerTo(app, asSystem("/verify", "alice"))).status).toBe(429);
    expect((await answerTo(app, asSystem("/verify"))).status).toBe(200);
  });

  it("is ignored with any other credential", () => {
    const app = appOf(keystore, impersonating);
    const headers = { "X-API-Key": "token-a", "X-Impersonate": "bob" };
    const { answer } = app.ask(requestOf("/verify", headers)).reply;
    expect(headerOf(answer, "X-Auth-Id")).toBe("alice");
    expect(headerOf(answer, "X-Auth-Mode")).toBe("apikey");
    expect(app.ask(requestOf("/verify", { "X-Impersonate": "bob" })).reply.answer.status).toBe(401);
  });

  it("that can't be audited is no yes", async () => {
    const app = appOf(keystore, {
      ...impersonating,
      services: { audit: () => Promise.reject(new Error("disk full")) },
    });
    const { reply } = await app.wait(asSystem("/verify", "alice"));
    expect(reply.answer.status).toBe(503);
    expect(errorOf(reply.answer)).toBe("unavailable");
    expect(reply.reason).toBe("audit-unwritable");
  });
});

describe("unauthenticated access", () => {
  const open = appOf(keystore, { allowUnauthenticated: true, userHeaders: ["X-WEBAUTH-USER"] });

  it("is anonymous, with every identity header, where nothing is asked", () => {
    for (const target of ["/verify", "/verify/any/path?scope=x", "/nginx"]) {
      const answer = open.get(target);
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(pairs(answer.headers))).toMatchObject({
        "X-Auth-Id": "anonymous",
        "X-Auth-Fingerprint": "-",
        "X-Auth-Scopes": "-",
        "X-Auth-Workspaces": "-",
        "X-Auth-Mode": "none",
        "X-Auth-Tenant": "-",
        "X-WEBAUTH-USER": "anonymous",
      });
    }
  });

  it.each(["/verify?scope=a", "/verify?workspace=a", "/verify/-/scope=a/x"])(
    "is none at %s",
    (target) => {
      expect(open.get(target).status).toBe(401);
    },
  );

  it("judges a presented credential as ever", () => {
    expect(open.get("/verify", "nobody").status).toBe(401);
    expect(headerOf(open.get("/verify", "token-a"), "X-Auth-Id")).toBe("alice");
    expect(open.ask(requestOf("/verify", { "X-API-Key": "" })).reply.answer.status).toBe(400);
  });

  it("is not there unless it is asked for", () => {
    expect(appOf(keystore).get("/verify").status).toBe(401);
  });
});

describe("further user headers", () => {
  it("carry the id on every success, encoded as the first does", () => {
    const app = appOf(keystoreOf(entryOf("t", { id: "Ünal" })), {
      userHeaders: ["Remote-User", "X-WEBAUTH-USER"],
    });
    const answer = app.get("/verify", "t");
    expect(headerOf(answer, "Remote-User")).toBe("%C3%9Cnal");
    expect(headerOf(answer, "X-WEBAUTH-USER")).toBe("%C3%9Cnal");
    expect(headerOf(app.get("/nginx", "t"), "Remote-User")).toBe("%C3%9Cnal");
    expect(headerOf(app.get("/verify", "no"), "Remote-User")).toBeUndefined();
  });
});

describe("the log", () => {
  it.each([
    [[], "ok", "system", "system"],
    [["bob"], "ok", "impersonation", "bob"],
    [[""], "invalid_token", "impersonation-refused", "system"],
  ])("says who the system token was for: %j", async (values, verdict, reason, id) => {
    const routed = await appOf(keystore, impersonating).wait(asSystem("/verify", ...values));
    const text = formatRequestLine({ ...routed, atMs: NOW, ms: 1, remote: "::1", requestId: "r" });
    expect(JSON.parse(text)).toMatchObject({
      verdict,
      reason,
      id,
      fingerprint: digestOf(SYSTEM).slice(0, 12),
    });
    expect(text).not.toContain(SYSTEM);
  });
});

function pairs(headers: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    list.push([headers[index] ?? "", headers[index + 1] ?? ""]);
  }
  return list;
}
