import { describe, expect, it } from "vitest";
import type { LimitDecision } from "../../src/core/limit-decision.js";
import { fingerprintOf, digestOf } from "../../src/core/digest.js";
import { formatRequestLine } from "../../src/server/json-lines.js";
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

const limited = entryOf("token-a", { id: "alice", rate_limit: "2/1m", scopes: "apps:read" });
const DEFAULT = { requests: 1, windowMs: 10_000 };

describe("a key's rate limit", () => {
  it("is told with every answer that it took part in, and ends in a 429", () => {
    const app = appOf(keystoreOf(limited));
    const first = app.get("/verify", "token-a");
    expect(first.status).toBe(200);
    expect(headerOf(first, "RateLimit-Policy")).toBe('"key";q=2;w=60');
    expect(headerOf(first, "RateLimit")).toBe('"key";r=1;t=60');
    app.setNow(NOW + 10_001);
    expect(headerOf(app.get("/verify", "token-a"), "RateLimit")).toBe('"key";r=0;t=50');
    app.setNow(NOW + 20_001);
    const denied = app.get("/verify", "token-a");
    expect(denied.status).toBe(429);
    expect(headerOf(denied, "RateLimit-Policy")).toBe('"key";q=2;w=60');
    expect(headerOf(denied, "RateLimit")).toBe('"key";r=0;t=40');
    expect(headerOf(denied, "Retry-After")).toBe("40");
    expect(headerOf(denied, "WWW-Authenticate")).toBeUndefined();
    expect(headerOf(denied, "X-Auth-Id")).toBeUndefined();
    expect(JSON.parse(denied.body)).toMatchObject({
      status: 429,
      error: "rate_limited",
      retry_after_ms: 39_999,
    });
    app.setNow(NOW + 59_999);
    expect(headerOf(app.get("/verify", "token-a"), "Retry-After")).toBe("1");
    app.setNow(NOW + 60_000);
    expect(app.get("/verify", "token-a").status).toBe(200);
  });

  it("is charged once a request, and only where all else was passed", () => {
    const app = appOf(
      keystoreOf(limited, entryOf("token-w", { id: "w", rate_limit: "1/1m", workspaces: "blue" })),
    );
    const denied = app.get("/verify?scope=admin", "token-a");
    expect(denied.status).toBe(403);
    expect(headerOf(denied, "RateLimit")).toBeUndefined();
    app.get("/verify?typo=1", "token-a");
    app.get("/verify", "token-x");
    expect(app.get("/verify?workspace=red", "token-w").status).toBe(403);
    expect(headerOf(app.get("/verify", "token-a"), "RateLimit")).toBe('"key";r=1;t=60');
    expect(headerOf(app.get("/verify?workspace=blue", "token-w"), "RateLimit")).toBe(
      '"key";r=0;t=60',
    );
  });

  it("is shared by /verify and /nginx, which tells it as a 403", () => {
    const app = appOf(keystoreOf(limited));
    expect(app.get("/verify", "token-a").status).toBe(200);
    expect(headerOf(app.get("/nginx", "token-a"), "RateLimit")).toBe('"key";r=0;t=60');
    const denied = app.get("/nginx", "token-a");
    expect(denied.status).toBe(403);
    expect(headerOf(denied, "X-Auth-Status")).toBe("429");
    expect(headerOf(denied, "Retry-After")).toBe("60");
    expect(errorOf(denied)).toBe("rate_limited");
  });

  it("is shared across a rotation, so that a new token is no fresh allowance", () => {
    const next = entryOf("token-b", {
      id: "alice",
      rate_limit: "2/1m",
      rotated_from: fingerprintOf(digestOf("token-a")),
    });
    const app = appOf(keystoreOf(limited));
    app.get("/verify", "token-a");
    app.state.reload({ store: storeOf(keystoreOf(limited, next)) });
    expect(app.get("/verify", "token-b").status).toBe(200);
    expect(app.get("/verify", "token-a").status).toBe(429);
    app.state.reload({ store: storeOf(keystoreOf(next)) });
    expect(app.get("/verify", "token-b").status).toBe(429);
  });

  it("applies at a reload to what has been charged before", () => {
    const app = appOf(keystoreOf(limited));
    app.get("/verify", "token-a");
    const raised = entryOf("token-a", { id: "alice", rate_limit: "3/1m" });
    app.state.reload({ store: storeOf(keystoreOf(raised)) });
    expect(headerOf(app.get("/verify", "token-a"), "RateLimit")).toBe('"key";r=1;t=60');
  });

  it("is the default's for keys without their own, and none for `none`", () => {
    const keystore = keystoreOf(
      limited,
      entryOf("token-b", { id: "bob" }),
      entryOf("token-c", { id: "carol", rate_limit: "none" }),
    );
    const app = appOf(keystore, { defaultLimit: DEFAULT });
    const statuses = (token: string) => [1, 2, 3].map(() => app.get("/verify", token).status);
    expect(statuses("token-a")).toEqual([200, 200, 429]);
    expect(statuses("token-b")).toEqual([200, 429, 429]);
    expect(statuses("token-c")).toEqual([200, 200, 200]);
    expect(headerOf(app.get("/verify", "token-c"), "RateLimit-Policy")).toBeUndefined();
  });

  it("may be asked of another process, and denies where that can't be reached", async () => {
    const decision: LimitDecision = {
      allowed: true,
      limit: DEFAULT,
      remaining: 7,
      resetMs: 1,
      retryAfterMs: 0,
    };
    const far = appOf(keystoreOf(limited), {
      services: { takeLimit: () => Promise.resolve(decision) },
    });
    const { reply } = await far.wait(requestOf("/verify", { "X-API-Key": "token-a" }));
    expect(reply.answer.status).toBe(200);
    expect(headerOf(reply.answer, "RateLimit")).toBe('"key";r=7;t=1');
    expect(far.used).toEqual([digestOf("token-a")]);

    const faults: unknown[] = [];
    const lost = appOf(keystoreOf(limited), {
      services: { takeLimit: () => Promise.reject(new Error("gone")) },
      onFault: (error) => faults.push(error),
    });
    const denied = await lost.wait(requestOf("/verify", { "X-API-Key": "token-a" }));
    expect(denied.reply.answer.status).toBe(503);
    expect(lost.used).toEqual([]);
    expect(faults).toHaveLength(1);
  });

  it("is named in the log", () => {
    const app = appOf(keystoreOf(entryOf("token-b", { id: "bob" })), { defaultLimit: DEFAULT });
    app.get("/verify", "token-b");
    const routed = app.ask(requestOf("/verify", { "X-API-Key": "token-b" }));
    const line = formatRequestLine({
      ...routed,
      atMs: NOW,
      ms: 1,
      remote: undefined,
      requestId: "",
    });
    expect(JSON.parse(line)).toMatchObject({
      verdict: "rate_limited",
      reason: "rate-limited",
      id: "bob",
      status: 429,
    });
  });
});

describe("last use", () => {
  it("is that of granted requests alone", () => {
    const app = appOf(keystoreOf(limited, entryOf("token-b", { id: "bob" })), {
      defaultLimit: DEFAULT,
    });
    app.get("/verify?scope=admin", "token-a");
    app.get("/verify", "nobody");
    expect(app.used).toEqual([]);
    for (let n = 0; n < 3; n += 1) app.get("/verify", "token-b");
    expect(app.used).toEqual([digestOf("token-b")]);
  });
});
