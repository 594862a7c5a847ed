import { describe, expect, it } from "vitest";
import { createFailureLimiter } from "../../src/server/failure-limiter.js";
import {
  addressBlock,
  clientAddress,
  NO_TRUSTED_PROXIES,
  parseTrustedProxies,
} from "../../src/server/client-address.js";
import {
  appOf,
  entryOf,
  errorOf,
  headerOf,
  keystoreOf,
  NOW,
  requestOf,
  type App,
} from "./requests.js";

const keystore = keystoreOf(
  entryOf("token-a", { id: "alice" }),
  entryOf("token-old", { id: "bob", expires_at: "2020-01-01T00:00:00Z" }),
);

function statusFrom(
  app: App,
  remote: string | undefined,
  token: string,
  forwarded?: string,
): number {
  const headers = {
    "X-API-Key": token,
    ...(forwarded === undefined ? {} : { "X-Forwarded-For": forwarded }),
  };
  return app.ask({ ...requestOf("/verify", headers), remote }).reply.answer.status;
}

function exhaust(app: App, remote: string | undefined, forwarded?: string): void {
  for (let n = 0; n < 100; n += 1) {
    expect(statusFrom(app, remote, `guess-${n}`, forwarded)).toBe(401);
  }
}

describe("failed look-ups", () => {
  it("from one address are told 429 after 100 in a minute, and a valid token still passes", () => {
    const app = appOf(keystore);
    exhaust(app, "192.0.2.1");
    expect(statusFrom(app, "192.0.2.1", "guess")).toBe(429);
    expect(statusFrom(app, "192.0.2.1", "token-old")).toBe(429);
    expect(statusFrom(app, "192.0.2.1", "token-a")).toBe(200);
    expect(statusFrom(app, "192.0.2.2", "guess")).toBe(401);
    app.setNow(NOW + 59_999);
    expect(statusFrom(app, "192.0.2.1", "guess")).toBe(429);
    app.setNow(NOW + 60_000);
    expect(statusFrom(app, "192.0.2.1", "guess")).toBe(401);
  });

  it("are answered by a problem with Retry-After and no challenge", () => {
    const app = appOf(keystore);
    exhaust(app, "192.0.2.1");
    app.setNow(NOW + 30_500);
    const request = { ...requestOf("/verify", { "X-API-Key": "guess" }), remote: "192.0.2.1" };
    const { reply } = app.ask(request);
    expect(errorOf(reply.answer)).toBe("too_many_failures");
    expect(headerOf(reply.answer, "Retry-After")).toBe("30");
    expect(headerOf(reply.answer, "WWW-Authenticate")).toBeUndefined();
    const nginx = app.ask({ ...request, path: "/nginx" }).reply.answer;
    expect(nginx.status).toBe(403);
    expect(headerOf(nginx, "X-Auth-Status")).toBe("429");
    expect(headerOf(nginx, "Retry-After")).toBe("30");
  });

  it("are presented credentials alone: none, a malformed one and a 403 don't count", () => {
    const app = appOf(keystore);
    for (let n = 0; n < 150; n += 1) {
      const remote = "192.0.2.1";
      expect(app.ask({ ...requestOf("/verify"), remote }).reply.answer.status).toBe(401);
      expect(statusFrom(app, remote, "")).toBe(400);
      const denied = { ...requestOf("/verify?scope=x", { "X-API-Key": "token-a" }), remote };
      expect(app.ask(denied).reply.answer.status).toBe(403);
    }
    expect(statusFrom(app, "192.0.2.1", "guess")).toBe(401);
  });

  it("are counted by /64, and IPv4 inside IPv6 as IPv4", () => {
    const app = appOf(keystore);
    exhaust(app, "2001:db8:0:1::1");
    expect(statusFrom(app, "2001:db8:0:1:ffff::2", "guess")).toBe(429);
    expect(statusFrom(app, "2001:db8:0:2::1", "guess")).toBe(401);
    exhaust(app, "::ffff:192.0.2.9");
    expect(statusFrom(app, "192.0.2.9", "guess")).toBe(429);
  });

  it("behind a trusted proxy are counted by the client, and by the proxy where it is not trusted", () => {
    const app = appOf(keystore, { trustedProxies: ["10.0.0.0/8"] });
    exhaust(app, "10.0.0.1", "203.0.113.5");
    expect(statusFrom(app, "10.0.0.1", "guess", "203.0.113.5")).toBe(429);
    expect(statusFrom(app, "10.0.0.1", "guess", "203.0.113.6")).toBe(401);
    exhaust(app, "192.0.2.1", "203.0.113.7");
    // Whoever it says it speaks for.
    expect(statusFrom(app, "192.0.2.1", "guess", "203.0.113.8")).toBe(429);
    expect(statusFrom(app, "192.0.2.1", "token-a", "203.0.113.8")).toBe(200);
  });

  it("over a Unix socket are counted as one client's, but where the socket is trusted", () => {
    const app = appOf(keystore);
    exhaust(app, undefined, "203.0.113.5");
    expect(statusFrom(app, undefined, "guess", "203.0.113.6")).toBe(429);
    const trusting = appOf(keystore, { trustedProxies: ["unix"] });
    exhaust(trusting, undefined, "203.0.113.5");
    expect(statusFrom(trusting, undefined, "guess", "203.0.113.6")).toBe(401);
  });

  it("may be counted by another process", async () => {
    const app = appOf(keystore, {
      services: { failedLookup: () => Promise.resolve({ blocked: true, retryAfterMs: 1 }) },
    });
    const { reply } = await app.wait(requestOf("/verify", { "X-API-Key": "guess" }));
    expect(reply.answer.status).toBe(429);
    expect(headerOf(reply.answer, "Retry-After")).toBe("1");
  });

  it("are remembered of 100,000 addresses at most", () => {
    const limiter = createFailureLimiter();
    for (let n = 0; n < 100_100; n += 1) limiter.failed(`address-${n}`, 0);
    expect(limiter.size).toBe(100_000);
  });
});

describe("the client's address", () => {
  const trusted = parseTrustedProxies(["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]);
  if (trusted === undefined) throw new Error("no proxies");
  const from = (remote: string | undefined, ...lines: string[]): string | undefined =>
    clientAddress(
      remote,
      lines.flatMap((line) => ["x-Forwarded-for", line]),
      trusted,
    );

  it.each([
    ["the peer where it is not trusted", "198.51.100.1", ["203.0.113.5"], "198.51.100.1"],
    ["the peer where no line came", "10.0.0.1", [], "10.0.0.1"],
    ["the right-most", "10.0.0.1", ["198.51.100.7, 203.0.113.5"], "203.0.113.5"],
    ["the right-most untrusted", "10.0.0.1", ["6.6.6.6, 203.0.113.5 ,10.9.9.9"], "203.0.113.5"],
    ["across lines", "10.0.0.1", ["6.6.6.6", "203.0.113.5, 2001:db8::5"], "203.0.113.5"],
    ["the left-most where all are trusted", "10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"],
    ["not beyond what is no address", "10.0.0.1", ["203.0.113.5, unknown, 10.0.0.2"], "10.0.0.2"],
    ["the peer where the right-most is none", "10.0.0.1", ["203.0.113.5, "], "10.0.0.1"],
    ["not a number for an address", "10.0.0.1", ["1"], "10.0.0.1"],
    ["without a port", "10.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"],
    ["of IPv6 in brackets", "10.0.0.1", ["[2001:db9::1]:4711"], "2001:db9::1"],
    ["of a trusted IPv4 inside IPv6", "::ffff:10.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"],
    ["of one single trusted address", "192.0.2.1", ["203.0.113.5"], "203.0.113.5"],
    ["the peer beside that", "192.0.2.2", ["203.0.113.5"], "192.0.2.2"],
  ] as const)("is %s", (_, remote, lines, expected) => {
    expect(from(remote, ...lines)).toBe(expected);
  });

  it("is what the log has", () => {
    const lines = ["X-Forwarded-For", "203.0.113.5"];
    const app = appOf(keystore, { trustedProxies: ["10.0.0.1"] });
    expect(app.clientOf("10.0.0.1", lines)).toBe("203.0.113.5");
    expect(app.clientOf("10.0.0.2", lines)).toBe("10.0.0.2");
    expect(appOf(keystore).clientOf("10.0.0.1", lines)).toBe("10.0.0.1");
  });

  it("is unknown over a Unix socket that nobody trusts", () => {
    expect(from(undefined, "203.0.113.5")).toBeUndefined();
    expect(addressBlock(undefined)).toBe("unix");
    expect(clientAddress("::1", [], NO_TRUSTED_PROXIES)).toBe("::1");
    expect(addressBlock("fe80::1%eth0")).toBe("fe80::/64");
  });
});

describe("parseTrustedProxies", () => {
  it.each([
    "",
    "10",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "::/129",
    "host",
    "0x7f.1",
    "::ffff:0:0/95",
  ])("takes no %j", (text) => {
    expect(parseTrustedProxies([text])).toBeUndefined();
  });

  it("takes a range of IPv4 written inside IPv6", () => {
    const trusted = parseTrustedProxies(["::ffff:10.0.0.0/104"]) ?? NO_TRUSTED_PROXIES;
    expect(clientAddress("10.2.3.4", ["X-Forwarded-For", "203.0.113.5"], trusted)).toBe(
      "203.0.113.5",
    );
  });
});
