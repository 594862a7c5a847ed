import { describe, expect, it } from "vitest";
import { key, keystore, retiredAs, serve, type Got } from "./served.js";

const FOREVER = "2999-01-01T00:00:00Z";
const PAST = "2020-01-01T00:00:00Z";
const alice = key("alice", { scopes: "events:write apps:*", expires_at: FOREVER });
const bound = key("bob", { workspaces: "blue green" });
const limited = key("carol", { rate_limit: "2/1h", scopes: "a" });
const expired = key("dave", { expires_at: PAST });
const early = key("eve", { not_before: FOREVER });
const gone = (["revoked", "disabled", "expired", "rotated"] as const).map((state) =>
  key(state, retiredAs(state)),
);
const served = serve(keystore([alice, bound, limited, expired, early], gone));

function said({ status, headers, json }: Got): unknown {
  return [status, headers["www-authenticate"], json["error"]];
}

describe("verdicts", () => {
  it("no credential", async () => {
    const got = await served.ask("/verify");
    expect(said(got)).toEqual([401, 'Bearer realm="keys"', "unauthenticated"]);
  });

  it("malformed", async () => {
    const got = await served.ask("/verify", { headers: { authorization: "Bearer" } });
    const challenge = 'Bearer realm="keys", error="invalid_request"';
    expect(said(got)).toEqual([400, challenge, "invalid_request"]);
  });

  it("unknown, retired, expired, not yet valid: the same octets", async () => {
    const answers = await Promise.all(
      ["unknown", ...[expired, early, ...gone].map(({ token }) => token)].map((token) =>
        served.as(token, "/verify?scope=events:write"),
      ),
    );
    const [first] = answers;
    if (first === undefined) throw new Error("nothing was asked");
    const challenge = 'Bearer realm="keys", error="invalid_token"';
    expect(said(first)).toEqual([401, challenge, "invalid_token"]);
    const octets = ({ status, rawHeaders, body }: Got): unknown => {
      const at = rawHeaders.indexOf("Date");
      return [status, rawHeaders.filter((_, index) => at === -1 || index !== at + 1), body];
    };
    for (const answer of answers) expect(octets(answer)).toEqual(octets(first));
    // The log has the reason that the client is not told.
    for (const reason of [
      "unknown",
      "expired",
      "not-yet-valid",
      "revoked",
      "disabled",
      "rotated",
    ]) {
      await expect.poll(() => served.said()).toContain(`"${reason}"`);
    }
  });

  it("scope missing", async () => {
    const got = await served.as(alice.token, "/verify?scope=events:write+events:read");
    expect(said(got)).toEqual([
      403,
      'Bearer realm="keys", error="insufficient_scope", scope="events:write events:read"',
      "insufficient_scope",
    ]);
    expect((await served.as(bound.token, "/verify?scope=x")).status).toBe(403);
  });

  it("workspace not the key's", async () => {
    const got = await served.as(bound.token, "/verify?workspace=red");
    const challenge = 'Bearer realm="keys", error="insufficient_scope"';
    expect(said(got)).toEqual([403, challenge, "workspace_denied"]);
    for (const query of ["", "?workspace=blue", "?workspace=blue&workspace=green"]) {
      expect((await served.as(bound.token, `/verify${query}`)).status).toBe(200);
    }
    expect((await served.as(bound.token, "/verify?workspace=blue+red")).status).not.toBe(200);
    expect((await served.as(alice.token, "/verify?workspace=any")).status).toBe(200);
  });

  it("over its limit, which only a request is charged to that passed all before", async () => {
    for (const query of ["?scope=b", "?scope=b", "?scope=b"]) {
      expect((await served.as(limited.token, `/verify${query}`)).status).toBe(403);
    }
    const first = await served.as(limited.token, "/verify?scope=a");
    expect([first.status, first.headers["ratelimit-policy"]]).toEqual([200, '"key";q=2;w=3600']);
    expect(first.headers["ratelimit"]).toMatch(/^"key";r=1;t=\d+$/);
    const second = await served.as(limited.token, "/verify");
    expect(second.headers["ratelimit"]).toMatch(/^"key";r=0;t=\d+$/);
    const third = await served.as(limited.token, "/verify");
    expect([third.status, third.json["error"]]).toEqual([429, "rate_limited"]);
    expect(third.headers["www-authenticate"]).toBeUndefined();
    const retry = Number(third.headers["retry-after"]);
    expect(retry).toBeGreaterThanOrEqual(1);
    expect(retry).toBe(Math.ceil(Number(third.json["retry_after_ms"]) / 1000));
    expect(third.headers["ratelimit"]).toMatch(/^"key";r=0;t=\d+$/);
    // A key without a limit has none to tell of.
    expect((await served.as(alice.token, "/verify")).headers["ratelimit"]).toBeUndefined();
  });

  it("cannot decide: a requirement that is ill-formed, whoever asks", async () => {
    for (const query of [
      ...[
        "?scopes=a",
        "?scope=",
        "?scope",
        "?workspace=",
        "?scope=a&x=1",
        "?scope=*",
        "?scope=a:*",
      ],
      ...["?scope=a%22b", "?scope=%ff", "?scope=a%", "?", "?scope=a&&scope=b"],
    ]) {
      for (const sent of [{}, { headers: { "x-api-key": alice.token } }]) {
        const got = await served.ask(`/verify${query}`, sent);
        expect([query, got.status, got.json["error"]]).toEqual([query, 503, "misconfigured"]);
        expect(Number(got.headers["retry-after"])).toBeGreaterThanOrEqual(1);
      }
    }
  });

  it("is a problem (RFC 9457) wherever it is a no", async () => {
    const got = await served.ask("/verify");
    expect(got.headers["content-type"]).toBe("application/problem+json");
    expect(Object.keys(got.json)).toEqual(["type", "title", "status", "detail", "error"]);
  });
});

describe("failed look-ups", () => {
  const holder = key("alice");
  const admin = key("admin");
  const guarded = serve(
    keystore([holder], [], `admin_api_key_sha256: "${admin.digest}"\n`),
    {},
    ...["--trusted-proxy", "127.0.0.1/32"],
  );
  const from = (address: string, token: string, target = "/verify"): Promise<Got> =>
    guarded.as(token, target, { headers: { "x-forwarded-for": address } });

  it("too many from one address, only in place of a 401", async () => {
    for (let count = 0; count < 100; count += 1) {
      expect((await from("192.0.2.1", `wrong-${count}`)).status).toBe(401);
    }
    const blocked = await from("192.0.2.1", "wrong");
    expect([blocked.status, blocked.json["error"]]).toEqual([429, "too_many_failures"]);
    expect(Number(blocked.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    // A valid token always passes, no credential is no look-up, and nobody else is punished.
    expect((await from("192.0.2.1", holder.token)).status).toBe(200);
    expect(
      (await guarded.ask("/verify", { headers: { "x-forwarded-for": "192.0.2.1" } })).status,
    ).toBe(401);
    expect((await from("192.0.2.2", "wrong")).status).toBe(401);
    // What the client says in front of the proxy's own word counts for nothing.
    expect((await from("198.51.100.7, 192.0.2.1", "wrong")).status).toBe(429);
  });

  it("one IPv6 /64 is one address, and admin calls count", async () => {
    for (let count = 0; count < 100; count += 1) {
      const target = count % 2 === 0 ? "/verify" : "/admin/keys";
      expect((await from(`2001:db8::${count + 1}`, "wrong", target)).status).toBe(401);
    }
    expect((await from("2001:db8::ffff", "wrong", "/admin/keys")).status).toBe(429);
    expect((await from("2001:db8:0:1::1", "wrong")).status).toBe(401);
    expect((await from("2001:db8::1", admin.token, "/admin/keys")).status).toBe(200);
  });
});
