import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { formatRequestLine } from "../../src/server/json-lines.js";
import { createServerLog } from "../../src/server/log.js";
import type { LoggedRequest } from "../../src/server/request-record.js";
import { appOf, entryOf, keystoreOf, NOW, requestOf } from "./requests.js";
import { eventually } from "./eventually.js";

const SECRET = "s3cret-token-that-nobody-may-read";
const app = appOf(
  keystoreOf(
    entryOf("token-a", { id: "alice" }),
    entryOf(SECRET, { id: "bob\u202e\u00e9", expires_at: "2020-01-01T00:00:00Z" }),
  ),
);

function logged(target: string, headers: Readonly<Record<string, string>>): LoggedRequest {
  return {
    ...app.ask(requestOf(target, headers)),
    atMs: NOW,
    ms: 0.123456,
    remote: "192.0.2.1",
    requestId: "r-1",
  };
}

function line(target: string, headers: Readonly<Record<string, string>>): object {
  return JSON.parse(formatRequestLine(logged(target, headers))) as object;
}

describe("the line of a request", () => {
  it("says when, what, why, who and from where", () => {
    expect(line("/verify", { "X-API-Key": "token-a" })).toEqual({
      ts: "2026-11-22T12:00:00.000Z",
      verdict: "ok",
      reason: null,
      id: "alice",
      fingerprint: digestOf("token-a").slice(0, 12),
      remote: "192.0.2.1",
      ms: 0.123,
      request_id: "r-1",
      route: "verify",
      status: 200,
    });
  });

  it.each([
    ["/verify", { "X-API-Key": "nobody" }, "invalid_token", "unknown", null],
    ["/verify", { "X-API-Key": SECRET }, "invalid_token", "expired", "bob\u202e\u00e9"],
    ["/verify", {}, "unauthenticated", "no-credential", null],
    ["/verify", { "X-API-Key": "" }, "invalid_request", "malformed", null],
    ["/verify?scope=x", { "X-API-Key": "token-a" }, "insufficient_scope", "scope-missing", "alice"],
    ["/verify?x=y", { "X-API-Key": "token-a" }, "misconfigured", null, null],
    ["/nowhere", {}, "not_found", null, null],
    ["/healthz", {}, null, null, null],
  ])("%s %o → %s, %s", (target, headers, verdict, reason, id) => {
    expect(line(target, headers)).toMatchObject({ verdict, reason, id });
  });

  it("tells each time what was decided of a key that was let in before", () => {
    const limited = appOf(keystoreOf(entryOf("token-l", { id: "lou", rate_limit: "2/1h" })));
    const told = Array.from({ length: 3 }, () => {
      const asked = limited.ask(requestOf("/verify", { "X-API-Key": "token-l" }));
      const text = formatRequestLine({
        ...asked,
        atMs: NOW,
        ms: 1,
        remote: undefined,
        requestId: "r-1",
      });
      return JSON.parse(text) as object;
    });
    const who = { id: "lou", fingerprint: digestOf("token-l").slice(0, 12) };
    expect(told).toMatchObject([
      { verdict: "ok", reason: null, status: 200, ...who },
      { verdict: "ok", reason: null, status: 200, ...who },
      { verdict: "rate_limited", reason: "rate-limited", status: 429, ...who },
    ]);
  });

  it("holds no token, wherever a client put it, and 12 digits of an unknown one's digest", () => {
    const text = formatRequestLine(
      logged(`/verify/${SECRET}x?token=${SECRET}x`, {
        Authorization: `Bearer ${SECRET}x`,
        "X-Request-Id": `${SECRET}x`,
        [`${SECRET}x`]: `${SECRET}x`,
      }),
    );
    const digest = digestOf(`${SECRET}x`);
    expect(text).not.toContain(SECRET);
    expect(text).toContain(digest.slice(0, 12));
    expect(text).not.toContain(digest.slice(0, 13));
  });

  it("is JSON, whatever stands in an id", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0 }), (id, atMs) => {
        const asked = { ...app.ask(requestOf("/verify", {})), atMs, ms: 1, remote: undefined };
        const text = formatRequestLine({
          ...asked,
          reply: { ...asked.reply, id },
          requestId: "r-1",
        });
        expect(text).toMatch(/^[ -~]+$/);
        expect(JSON.parse(text)).toMatchObject({ id, ts: new Date(atMs).toISOString() });
      }),
    );
  });

  it("is ASCII, so that no terminal obeys an id", () => {
    expect(formatRequestLine(logged("/verify", { "X-API-Key": SECRET }))).toMatch(/^[ -~]+$/);
  });
});

describe("createServerLog", () => {
  const event = { level: "info", event: "test", message: "x" } as const;

  it("gathers what comes while a write is under way, in order", async () => {
    const writes: string[] = [];
    const log = createServerLog(
      (text) => {
        writes.push(text);
        if (writes.length === 1) for (let n = 0; n < 3; n += 1) log.event(event, NOW + n);
        return Promise.resolve();
      },
      () => NOW,
    );
    log.event(event, NOW - 1);
    log.event(event, NOW - 1);
    await log.flush();
    expect(writes.map((text) => text.split("\n").length - 1)).toEqual([2, 3]);
  });

  it("gathers what comes within a moment", async () => {
    async function writesOfTwo(): Promise<number> {
      let writes = 0;
      const log = createServerLog(
        () => {
          writes += 1;
          return Promise.resolve();
        },
        () => NOW,
      );
      log.event(event, NOW);
      await setImmediate();
      log.event(event, NOW);
      await log.flush();
      return writes;
    }
    // A busy machine may take longer than that moment, but not each time.
    const counts: number[] = [];
    for (let n = 0; n < 20; n += 1) counts.push(await writesOfTwo());
    expect(Math.min(...counts)).toBe(1);
  });

  it("survives a reader that has gone", async () => {
    const log = createServerLog(
      () => Promise.reject(new Error("EPIPE")),
      () => NOW,
    );
    log.event(event, NOW);
    await expect(log.flush()).resolves.toBeUndefined();
  });

  it("drops what a stalled reader would let pile up, and says how much", async () => {
    const writes: string[] = [];
    let release = (): void => undefined;
    const log = createServerLog(
      (text) => {
        writes.push(text);
        return writes.length > 1
          ? Promise.resolve()
          : new Promise((resolve) => {
              release = resolve;
            });
      },
      () => NOW,
    );
    log.event(event, NOW);
    await eventually(() => writes.length).toBe(1);
    const big = { ...event, message: "y".repeat(1024 * 1024) };
    for (let n = 0; n < 12; n += 1) log.event(big, NOW);
    release();
    await log.flush();
    const lines = writes.join("").trimEnd().split("\n");
    expect(lines.length).toBeLessThan(12);
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ event: "log-dropped" });
  });
});

describe("the log as text", () => {
  it("has a line a request and event, aligned, ASCII alone", async () => {
    let text = "";
    const write = (more: string): Promise<void> => {
      text += more;
      return Promise.resolve();
    };
    const log = createServerLog(write, () => NOW, "text");
    log.request(logged("/verify", { "X-API-Key": "token-a" }));
    log.request(logged("/verify", { "X-API-Key": SECRET }));
    log.event(
      { level: "warning", event: "e", message: "a\nb \u202e", details: { n: 1, why: "x y" } },
      NOW,
    );
    await log.flush();
    const lines = text.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(text).toMatch(/^[\n -~]*$/);
    expect(text).not.toContain(SECRET);
    expect(lines[0]).toContain(" 200 verify     ok ");
    expect(lines[0]).toMatch(/ 0\.123ms r-1 id=alice$/);
    expect(lines[1]).toMatch(/ 401 .* reason=expired$/);
    expect(lines[2]).toMatch(/ WARNING e: a\\u000ab \\u202e n=1 why="x y"$/);
    expect(lines[0]?.indexOf("r-1")).toBe(lines[1]?.indexOf("r-1"));
  });
});
