import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { createClient, type Client, type ClientOptions } from "../../src/peer/client.js";
import { createVerifier } from "../../src/peer/verifier.js";
import { eventually } from "../server/eventually.js";
import { entryOf, keystoreOf, NOW, storeOf } from "../server/requests.js";
import { serveKeystore } from "../server/sockets.js";
import { PROBLEM, problem, rawServer, scriptedServer, yes } from "./scripted-server.js";

const clock = (): number => NOW;

function clientOf(options: ClientOptions): Client {
  const client = createClient(options);
  onTestFinished(() => {
    client.close();
  });
  return client;
}

const alice = entryOf("token-a", {
  id: "Älice",
  scopes: "events:write apps:*",
  workspaces: "blue green",
});
const keystore = keystoreOf(
  alice,
  entryOf("token-b", { id: "bob", expires_at: "2999-01-01T00:00:00Z" }),
  entryOf(
    "token-gone",
    { id: "g", state: "revoked", retired_at: "2026-11-01T00:00:00Z" },
    "retired",
  ),
);

describe("a verify server's verdicts", () => {
  async function served(): Promise<{
    client: Client;
    reload: (next: typeof keystore) => void;
    log: () => string;
    tick: (ms: number) => void;
  }> {
    let now = NOW;
    const { server, log } = await serveKeystore(keystore);
    onTestFinished(() => server.stop(0));
    const client = clientOf({ url: server.url, clock: () => now });
    return {
      client,
      log,
      tick: (ms) => {
        now += ms;
      },
      reload: (next) => {
        server.state.reload({ store: storeOf(next) });
      },
    };
  }

  it("say whose token it is, then out of memory", async () => {
    const { client } = await served();
    const identity = {
      id: "Älice",
      fingerprint: alice.fingerprint,
      scopes: ["events:write", "apps:*"],
      workspaces: ["blue", "green"],
      mode: "apikey",
      expiresAtMs: undefined,
    };
    const granted = { ok: true, kind: "granted", identity };
    expect(await client.verify("token-a")).toEqual({ ...granted, source: "server" });
    expect(await client.verify("token-a")).toEqual({ ...granted, source: "cache" });
    const bob = await client.verify({ rawHeaders: ["X-API-Key", "token-b"] });
    expect(bob).toMatchObject({
      identity: { workspaces: undefined, expiresAtMs: Date.parse("2999-01-01T00:00:00Z") },
    });
  });

  it.each([
    ["nobodys", {}, "invalid_token"],
    ["token-gone", {}, "invalid_token"],
    ["token-b", { scopes: ["apps:read"] }, "insufficient_scope"],
    ["token-a", { workspace: "red" }, "workspace_denied"],
  ] as const)("refuse %s asked %j: %s", async (token, asked, error) => {
    const { client } = await served();
    const no = { ok: false, kind: "refused", error, reason: undefined };
    expect(await client.verify(token, asked)).toMatchObject({ ...no, source: "server" });
    expect(await client.verify(token, asked)).toMatchObject({ ...no, source: "cache" });
  });

  it("about one scope say nothing of another", async () => {
    const { client } = await served();
    expect((await client.verify("token-a", { scopes: ["other"] })).ok).toBe(false);
    expect((await client.verify("token-a", { scopes: ["apps:read"] })).ok).toBe(true);
    expect((await client.verify("token-a", { workspaces: ["green"] })).ok).toBe(true);
    expect((await client.verify("token-a", { workspaces: ["red"] })).ok).toBe(false);
  });

  it("go without asking where there is nothing to ask", async () => {
    const { client, log } = await served();
    expect(await client.verify([])).toMatchObject({ error: "unauthenticated" });
    expect(await client.verify("two words")).toMatchObject({ error: "invalid_request" });
    expect(await client.verify("token-a", { scopes: ["*"] })).toMatchObject({
      kind: "undecided",
      error: "misconfigured",
    });
    expect(log()).toBe("");
  });

  it("are forgotten when a key is revoked there, though this one would remember", async () => {
    const { client, reload, tick } = await served();
    expect((await client.verify("token-a")).ok).toBe(true);
    reload(keystoreOf(entryOf("token-b", { id: "bob" })));
    tick(5000);
    await eventually(async () => (await client.verify("token-a")).ok).toBe(false);
  });
});

describe("memory", () => {
  async function remembering(
    headers: Readonly<Record<string, string>>,
    options: Partial<ClientOptions> = {},
  ): Promise<{
    ask: (token?: string) => Promise<string>;
    asked: () => number;
    wait: (ms: number) => void;
    client: Client;
  }> {
    let now = NOW;
    const server = await scriptedServer((request, response) => {
      const token = request.headers.authorization?.slice(7) ?? "";
      if (request.url === "/readyz") response.end('{"generation":"0123456789abcdef"}');
      else if (token === "bad") response.writeHead(401, PROBLEM).end(problem("invalid_token"));
      else response.writeHead(200, { ...yes(token), ...headers }).end();
    });
    const client = clientOf({
      url: server.url,
      clock: () => now,
      generationCheckMs: 0,
      ...options,
    } as ClientOptions);
    return {
      client,
      ask: async (token = "t") => {
        const verdict = await client.verify(token);
        return verdict.kind === "undecided" ? verdict.reason : verdict.source;
      },
      asked: () => server.seen.length,
      wait: (ms) => {
        now += ms;
      },
    };
  }

  it("keeps a yes for 300 s and a no for 10 s", async () => {
    const { ask, wait } = await remembering({});
    expect([await ask(), await ask(), await ask("bad"), await ask("bad")]).toEqual([
      "server",
      "cache",
      "server",
      "cache",
    ]);
    wait(9999);
    expect(await ask("bad")).toBe("cache");
    wait(1);
    expect(await ask("bad")).toBe("server");
    wait(289_999);
    expect(await ask()).toBe("cache");
    wait(1);
    expect(await ask()).toBe("server");
  });

  it("keeps a yes never past the key's end, by the server's clock or this one", async () => {
    const at = (ms: number): string => new Date(ms).toISOString();
    const here = await remembering({
      "X-Keys-Expires": at(NOW + 5000),
      Date: new Date(NOW - 60_000).toUTCString(),
    });
    expect([await here.ask(), await here.ask()]).toEqual(["server", "cache"]);
    here.wait(5000);
    expect(await here.ask()).toBe("server");
    expect(await here.ask()).toBe("server");
    const there = await remembering({
      "X-Keys-Expires": at(NOW + 5000),
      Date: new Date(NOW + 3000).toUTCString(),
    });
    expect([await there.ask(), await there.ask()]).toEqual(["server", "cache"]);
    there.wait(1000);
    expect(await there.ask()).toBe("server");
  });

  it.each([
    ["the key's end is not told", { "X-Keys-Expires": "" }],
    ["the generation is not told", { "X-Keys-Generation": "" }],
    ["a rate limit took part", { RateLimit: '"key";r=1;t=9' }],
  ])("keeps no yes where %s", async (_, headers) => {
    const { ask } = await remembering(headers);
    expect([await ask(), await ask()]).toEqual(["server", "server"]);
  });

  it("is bounded, and bad tokens push out no good one", async () => {
    const { ask } = await remembering({}, { maxEntries: 2 });
    await ask("a");
    await ask("b");
    await ask("bad");
    expect([await ask("a"), await ask("b"), await ask("bad")]).toEqual(["cache", "cache", "cache"]);
    await ask("c");
    expect([await ask("a"), await ask("b"), await ask("c")]).toContain("server");
  });

  it("is not lengthened by a clock that is set back, and can be emptied", async () => {
    const { ask, wait, client } = await remembering({});
    await ask();
    wait(-1);
    expect(await ask()).toBe("server");
    expect(await ask()).toBe("cache");
    client.forget();
    expect(await ask()).toBe("server");
    // What was on its way then is out of date too.
    const onItsWay = ask("late");
    await Promise.resolve();
    client.forget();
    await onItsWay;
    expect(await ask("late")).toBe("server");
  });

  it("shares one request between equal questions", async () => {
    const { client, asked } = await remembering({});
    const verdicts = await Promise.all([1, 2, 3].map(() => client.verify("t")));
    expect(verdicts.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(asked()).toBe(1);
  });

  it("shares no yes that a limit was charged for, and every other answer", async () => {
    let left = 2;
    const server = await scriptedServer((_, response) => {
      left -= 1;
      if (left < 0) response.writeHead(429, PROBLEM).end(problem("rate_limited"));
      else response.writeHead(200, yes("t", { RateLimit: `"key";r=${String(left)};t=60` })).end();
    });
    const client = clientOf({ url: server.url, clock });
    const verdicts = await Promise.all([1, 2, 3, 4, 5].map(() => client.verify("t")));
    const kinds = verdicts.map(({ kind }) => kind).sort();
    expect(kinds).toEqual(["granted", "granted", "limited", "limited", "limited"]);
    expect(server.seen.length).toBe(3);
  });

  it("is dropped when the server's generation moves, by an answer or by a look", async () => {
    let generation = "1111111111111111";
    const server = await scriptedServer((request, response) => {
      const token = request.headers.authorization?.slice(7) ?? "";
      if (request.url === "/readyz") response.end(JSON.stringify({ generation }));
      else response.writeHead(200, yes(token, { "X-Keys-Generation": generation })).end();
    });
    let now = NOW;
    const client = clientOf({ url: server.url, clock: () => now });
    const ask = async (token: string): Promise<unknown> => {
      const verdict = await client.verify(token);
      return verdict.ok && verdict.source;
    };
    await ask("a");
    generation = "2222222222222222";
    expect(await ask("a")).toBe("cache");
    expect(await ask("b")).toBe("server");
    expect(await ask("a")).toBe("server");
    generation = "3333333333333333";
    now += 4999;
    expect(await ask("a")).toBe("cache");
    expect(server.seen.filter(({ url }) => url === "/readyz")).toEqual([]);
    now += 1;
    expect(await ask("a")).toBe("cache");
    await eventually(() => ask("a")).toBe("server");
    const looks = server.seen.filter(({ url }) => url === "/readyz");
    expect(looks).toEqual([{ url: "/readyz", authorization: undefined }]);
  });
});

describe("no verdict", () => {
  it.each([
    [500, {}, "", "server-error"],
    [503, PROBLEM, problem("unavailable"), "server-error"],
    [503, PROBLEM, problem("misconfigured"), "ill-formed-requirement"],
    [302, { Location: "http://127.0.0.1:1/" }, "", "unexpected-answer"],
    [204, yes("t"), "", "unexpected-answer"],
    [401, {}, "<html>", "unexpected-answer"],
    [401, { "Content-Type": "application/json" }, problem("invalid_token"), "unexpected-answer"],
    [403, PROBLEM, problem("forbidden"), "unexpected-answer"],
    [404, PROBLEM, problem("not_found"), "unexpected-answer"],
    [200, {}, "", "unexpected-answer"],
    [200, yes("other"), "", "unexpected-answer"],
    [200, yes("t", { "X-Auth-Id": "" }), "", "unexpected-answer"],
    [200, yes("t", { "X-Auth-Mode": "impersonation" }), "", "unexpected-answer"],
    [200, yes("t"), "x".repeat(70_000), "unexpected-answer"],
  ])("comes of %i %j", async (status, headers, body, reason) => {
    const server = await scriptedServer((_, response) => {
      response.writeHead(status, headers).end(body);
    });
    const local = await createVerifier({ keystore: keystoreOf(entryOf("t", { id: "l" })) });
    const client = clientOf({ url: server.url, clock, onUnavailable: "local", verifier: local });
    for (const round of [1, 2]) {
      const verdict = await client.verify("t");
      expect(verdict).toMatchObject({ ok: false, kind: "undecided", reason });
      expect(server.seen.length).toBe(round);
    }
  });

  it("is remembered of 429 or 503, and Retry-After comes through", async () => {
    const answers = [
      [429, { ...PROBLEM, "Retry-After": "7" }, problem("rate_limited", { retry_after_ms: 6200 })],
      [429, { ...PROBLEM, "Retry-After": "7" }, problem("too_many_failures")],
      [429, { ...PROBLEM, "Retry-After": "7" }, '{"retry_after_ms":1e999}'],
      [429, {}, ""],
      [503, { ...PROBLEM, "Retry-After": "5" }, problem("unavailable")],
      [200, yes("t"), ""],
    ] as const;
    let next = 0;
    const server = await scriptedServer((_, response) => {
      const [status, headers, body] = answers[next] ?? answers[0];
      next += 1;
      response.writeHead(status, headers).end(body);
    });
    const client = clientOf({ url: server.url, clock });
    const ask = (): Promise<unknown> => client.verify("t");
    const limited = { ok: false, kind: "limited", source: "server" };
    expect(await ask()).toEqual({ ...limited, error: "rate_limited", retryAfterMs: 6200 });
    expect(await ask()).toEqual({ ...limited, error: "too_many_failures", retryAfterMs: 7000 });
    expect(await ask()).toEqual({ ...limited, error: "rate_limited", retryAfterMs: 7000 });
    expect(await ask()).toEqual({ ...limited, error: "rate_limited", retryAfterMs: 1000 });
    expect(await ask()).toMatchObject({ kind: "undecided", retryAfterMs: 5000 });
    expect(await ask()).toMatchObject({ ok: true });
  });

  it("comes of something that speaks no HTTP, nor holds the token", async () => {
    const server = createServer((socket) => socket.end("220 mail ESMTP\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const client = clientOf({ url: `http://127.0.0.1:${String(port)}`, clock });
    const verdict = await client.verify("token-secret");
    expect(verdict).toMatchObject({ kind: "undecided", reason: "unexpected-answer" });
    expect(inspect([verdict, client], { depth: 9 })).not.toContain("token-secret");
  });

  it("comes of a switch to another protocol, and the wait ends", async () => {
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket";
    const url = await rawServer(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n\r\n`);
    expect(await clientOf({ url }).verify("t")).toMatchObject({ reason: "unexpected-answer" });
  });

  it("follows no redirect and sends the token nowhere else", async () => {
    const other = await scriptedServer((_, response) => response.writeHead(200, yes("t")).end());
    const server = await scriptedServer((_, response) => {
      response.writeHead(307, { Location: `${other.url}/verify` }).end();
    });
    await clientOf({ url: server.url, clock }).verify("t");
    expect([server.seen.length, other.seen.length]).toEqual([1, 0]);
  });

  it("comes of a closed client", async () => {
    const client = createClient({ url: "http://127.0.0.1:1" });
    client.close();
    expect(await client.verify("t")).toMatchObject({ reason: "closed" });
  });
});

describe("a server that can't be reached", () => {
  const refusing = "http://127.0.0.1:1";

  it("is a time-out where it hangs, before or in the body", async () => {
    const server = await scriptedServer((request, response) => {
      if (request.headers.authorization === "Bearer half") {
        response.writeHead(200, { ...yes("half"), "Content-Length": "9" }).write("x");
      }
    });
    const client = clientOf({ url: server.url, clock, timeoutMs: 50 });
    for (const token of ["none", "half"]) {
      expect(await client.verify(token)).toEqual({
        ok: false,
        kind: "undecided",
        error: "unavailable",
        reason: "timeout",
      });
    }
  });

  it("is denied by default, and not asked for a while after five failures", async () => {
    const client = clientOf({ url: refusing, clock, halfOpenAfterMs: 60_000 });
    const reasons: unknown[] = [];
    for (let n = 0; n < 6; n += 1) {
      const verdict = await client.verify("t");
      reasons.push(verdict.kind === "undecided" && verdict.reason);
    }
    expect(reasons).toEqual([...Array<string>(5).fill("unreachable"), "circuit-open"]);
  });

  it("is asked again when it may be back", async () => {
    const server = await scriptedServer((_, response) => response.writeHead(200, yes("t")).end());
    await server.stop();
    const client = clientOf({ url: server.url, clock, breakAfter: 1, halfOpenAfterMs: 20 });
    expect(await client.verify("t")).toMatchObject({ reason: "unreachable" });
    await scriptedServer((_, response) => response.writeHead(200, yes("t")).end(), server.port);
    await eventually(async () => (await client.verify("t")).ok).toBe(true);
  });

  it("does not open the circuit by a 5xx", async () => {
    const server = await scriptedServer((_, response) => response.writeHead(500).end());
    const client = clientOf({ url: server.url, clock, breakAfter: 1 });
    for (let n = 0; n < 3; n += 1) {
      expect(await client.verify("t")).toMatchObject({ reason: "server-error" });
    }
    expect(server.seen.length).toBe(3);
  });

  it("can be stood in for by what it said before, within a bound and the key's end", async () => {
    let now = NOW;
    const server = await scriptedServer((request, response) => {
      const token = request.headers.authorization?.slice(7) ?? "";
      const end = token === "ending" ? new Date(NOW + 310_000).toISOString() : "-";
      const date = new Date(NOW).toUTCString();
      response.writeHead(200, yes(token, { "X-Keys-Expires": end, Date: date })).end();
    });
    const client = clientOf({
      url: server.url,
      clock: () => now,
      onUnavailable: "stale",
      maxStaleMs: 60_000,
    });
    for (const token of ["t", "ending"]) await client.verify(token);
    await server.stop();
    now += 300_000;
    expect(await client.verify("t")).toMatchObject({ ok: true, source: "stale" });
    expect(await client.verify("ending")).toMatchObject({ ok: true, source: "stale" });
    expect(await client.verify("unseen")).toMatchObject({ kind: "undecided" });
    now += 10_000;
    expect(await client.verify("ending")).toMatchObject({ kind: "undecided" });
    now += 49_999;
    expect(await client.verify("t")).toMatchObject({ ok: true, source: "stale" });
    now += 1;
    expect(await client.verify("t")).toMatchObject({ kind: "undecided" });
  });

  it("can be stood in for by a verifier", async () => {
    const verifier = await createVerifier({ keystore, clock });
    const client = clientOf({ url: refusing, clock, onUnavailable: "local", verifier });
    expect(await client.verify("token-b")).toMatchObject({
      ok: true,
      identity: { id: "bob" },
      source: "local",
    });
    expect(await client.verify("token-b", { scopes: ["x"] })).toMatchObject({
      error: "insufficient_scope",
    });
  });
});

it.each([
  { url: "ftp://a" },
  { url: "keys.example.com" },
  { url: "https://user:pw@a" },
  { url: "https://a/?x=1" },
  { url: "https://a", timeoutMs: 0 },
  { url: "https://a", timeout: 5 },
  { url: "https://a", onUnavailable: "stale" },
  { url: "https://a", onUnavailable: "local" },
  { url: "https://a", onUnavailable: "allow" },
])("refuses %j", (options) => {
  expect(() => createClient(options as ClientOptions)).toThrow(
    expect.objectContaining({ code: "value-invalid" }),
  );
});
