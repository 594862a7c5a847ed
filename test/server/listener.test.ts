import { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entryOf, keystoreOf } from "./requests.js";
import {
  ask,
  exchange,
  openRaw,
  serveKeystore,
  statusesOf,
  type ServedKeystore,
} from "./sockets.js";
import { eventually } from "./eventually.js";

const LAST = "Connection: close\r\n";
const GOOD = "X-API-Key: token-a\r\n";

let served: ServedKeystore;
let port: number;
let url: string;

beforeAll(async () => {
  served = await serveKeystore(keystoreOf(entryOf("token-a", { id: "alice" })));
  ({ port, url } = served.server);
});

afterAll(() => served.server.stop(0));

function request(method: string, target: string, ...lines: string[]): string {
  return `${method} ${target} HTTP/1.1\r\nHost: keys\r\n${lines.join("")}\r\n`;
}

describe("an answer on the wire", () => {
  it("has the identity for a good token, a challenge for none", async () => {
    const yes = await ask(`${url}/verify`, { headers: { authorization: "Bearer token-a" } });
    expect(yes.status).toBe(200);
    expect(yes.headers).toMatchObject({
      "x-auth-id": "alice",
      "x-auth-scopes": "-",
      "x-auth-workspaces": "*",
      "cache-control": "no-store",
      "content-length": "0",
    });
    const no = await ask(`${url}/verify`);
    expect(no.status).toBe(401);
    expect(no.headers["www-authenticate"]).toBe('Bearer realm="keys"');
    expect(no.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(no.body)).toMatchObject({ error: "unauthenticated" });
  });

  it("has no body for HEAD, and the headers of GET", async () => {
    const text = await exchange(port, request("HEAD", "/verify", LAST));
    expect(statusesOf(text)).toEqual([401]);
    expect(text).toMatch(/content-length: [1-9]/i);
    expect(text.endsWith("\r\n\r\n")).toBe(true);
  });

  it("is the same for each of pipelined requests, in order", async () => {
    const text = await exchange(
      port,
      request("GET", "/verify", GOOD) +
        request("GET", "/verify") +
        request("POST", "/verify", GOOD, "Content-Length: 5\r\n") +
        "hello" +
        request("GET", "/healthz") +
        request("GET", "/verify", GOOD, LAST),
    );
    expect(statusesOf(text)).toEqual([200, 401, 200, 200, 200]);
  });

  it("comes when a request arrives in pieces", async () => {
    const raw = await openRaw(port);
    for (const octet of request("GET", "/verify", GOOD, LAST)) {
      raw.socket.write(octet);
      await delay(1);
    }
    await eventually(() => statusesOf(raw.text())).toEqual([200]);
    raw.socket.destroy();
  });
});

describe("header lines", () => {
  it.each([
    ["two Authorization lines", "Authorization: Bearer token-a\r\n".repeat(2)],
    [
      "another scheme and a Bearer",
      "Authorization: Basic eDp5\r\nAuthorization: Bearer token-a\r\n",
    ],
    ["two X-API-Key lines", "X-API-Key: token-a\r\nx-api-key: b\r\n"],
    ["a Bearer and an X-API-Key", `Authorization: Bearer token-a\r\n${GOOD}`],
    ["a second one after 3,000 others", `${GOOD}${"a:\r\n".repeat(3000)}X-API-Key: b\r\n`],
  ])("%s are malformed", async (_, lines) => {
    const text = await exchange(port, request("GET", "/verify", lines, LAST));
    expect(statusesOf(text)).toEqual([400]);
    expect(text).toContain('error="invalid_request"');
  });

  it("may carry a token of octets beyond ASCII", async () => {
    const odd = await serveKeystore(keystoreOf(entryOf("t\u00f6k", { id: "alice" })));
    const text = await exchange(
      odd.server.port,
      request("GET", "/verify", "X-API-Key: t\u00f6k\r\n", LAST),
    );
    expect(statusesOf(text)).toEqual([200]);
    await odd.server.stop(0);
  });
});

describe("a body that nobody reads", () => {
  it("leaves the connection usable where it came along", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sent = { method: "POST", headers: { "x-api-key": "token-a" }, body: "x=1", agent };
    const all = [await ask(`${url}/verify`, sent), await ask(`${url}/verify`, sent)];
    expect(all.map(({ status, headers }) => [status, headers.connection])).toEqual([
      [200, "keep-alive"],
      [200, "keep-alive"],
    ]);
    agent.destroy();
  });

  it("is not waited for where it does not come, and the connection is not used again", async () => {
    const raw = await openRaw(port);
    raw.socket.write(request("GET", "/verify", GOOD, "Content-Length: 1000\r\n"));
    await eventually(() => statusesOf(raw.text())).toEqual([200]);
    expect(raw.text()).toMatch(/connection: close/i);
    // What a proxy would send next must be nobody's body and nobody's request.
    raw.socket.write(request("GET", "/verify", GOOD).repeat(20));
    await eventually(() => raw.closed()).toBe(true);
    expect(statusesOf(raw.text())).toEqual([200]);
  });

  it("is no request of its own where it comes later, and neither is what follows it", async () => {
    const before = served.log().split("\n").length;
    const raw = await openRaw(port);
    raw.socket.write(request("POST", "/verify", GOOD, "Content-Length: 1000\r\n"));
    await eventually(() => statusesOf(raw.text())).toEqual([200]);
    raw.socket.write("z".repeat(1000) + request("GET", "/verify", GOOD).repeat(3));
    await eventually(raw.closed).toBe(true);
    expect(statusesOf(raw.text())).toEqual([200]);
    expect(served.log().split("\n").length - before).toBe(1);
  });

  it.each(["Content-Length: 10000000\r\n", "Transfer-Encoding: chunked\r\n"])(
    "does not cost a client its answer, however large: %s",
    async (line) => {
      const raw = await openRaw(port);
      raw.socket.write(request("POST", "/verify", GOOD, line));
      const chunk = `1000\r\n${"z".repeat(4096)}\r\n`;
      for (let n = 0; n < 100 && !raw.closed(); n += 1) {
        raw.socket.write(line.startsWith("C") ? "z".repeat(4096) : chunk);
        await delay(1);
      }
      await eventually(() => raw.closed()).toBe(true);
      expect(statusesOf(raw.text())).toEqual([200]);
    },
  );

  it("is not asked for with 100 Continue", async () => {
    const raw = await openRaw(port);
    raw.socket.write(
      request("POST", "/verify", GOOD, "Content-Length: 5\r\n", "Expect: 100-continue\r\n"),
    );
    await eventually(() => raw.closed()).toBe(true);
    expect(statusesOf(raw.text())).toEqual([200]);
  });

  it("may be that of an upgrade, which is not made", async () => {
    const lines = ["Connection: Upgrade\r\n", "Upgrade: websocket\r\n"];
    const raw = await openRaw(port);
    raw.socket.write(request("GET", "/verify", GOOD, ...lines));
    await eventually(() => statusesOf(raw.text())).toEqual([200]);
    raw.socket.destroy();
  });
});

describe("limits", () => {
  it.each([
    ["8 KiB of target", request("GET", `/${"x".repeat(8 * 1024 - 1)}`, LAST), 404],
    ["more target", request("GET", `/${"x".repeat(8 * 1024)}`, LAST), 414],
    ["much more target", request("GET", `/${"x".repeat(60_000)}`, LAST), 414],
    [
      "15 KiB of headers",
      request("GET", "/healthz", `Cookie: ${"x".repeat(15_000)}\r\n`, LAST),
      200,
    ],
    [
      "15 KiB of headers and 8 KiB of target",
      request(
        "GET",
        `/verify/${"x".repeat(8_000)}`,
        `Cookie: ${"x".repeat(15_000)}\r\n`,
        GOOD,
        LAST,
      ),
      200,
    ],
    ["more headers", request("GET", "/healthz", `Cookie: ${"x".repeat(17_000)}\r\n`), 431],
    ["much more headers", request("GET", "/healthz", `Cookie: ${"x".repeat(1_000_000)}\r\n`), 431],
    ["many header lines", request("GET", "/healthz", "a: b\r\n".repeat(4_000)), 431],
  ])("%s", async (_, octets, status) => {
    expect(statusesOf(await exchange(port, octets))).toEqual([status]);
  });

  it("give a problem that is complete and no challenge", async () => {
    const text = await exchange(port, "GET /verify HTTP/1.1\r\nbroken header line\r\n\r\n");
    expect(statusesOf(text)).toEqual([400]);
    expect(text).toMatch(/content-type: application\/problem\+json/i);
    expect(text).not.toMatch(/www-authenticate/i);
    expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4))).toMatchObject({
      error: "bad_request",
    });
  });

  it.each([
    ["two lengths", request("POST", "/verify", "Content-Length: 1\r\nContent-Length: 2\r\n")],
    [
      "length and chunks",
      request("POST", "/verify", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    ],
    ["a bare CR", "GET /verify HTTP/1.1\r\nHost: a\rX-API-Key: token-a\r\n\r\n"],
    ["a folded line", request("GET", "/verify", "X-API-Key:\r\n token-a\r\n")],
    ["white space before the colon", request("GET", "/verify", "X-API-Key : token-a\r\n")],
    ["no Host", "GET /verify HTTP/1.1\r\nX-API-Key: token-a\r\n\r\n"],
    ["no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ])("%s: 400 and the connection is closed", async (_, octets) => {
    const raw = await openRaw(port);
    raw.socket.write(octets, "latin1");
    await eventually(() => raw.closed()).toBe(true);
    expect(statusesOf(raw.text())).toEqual([400]);
  });

  it("are five seconds for the header lines, whatever trickles in", async () => {
    const raw = await openRaw(port);
    raw.socket.write("GET /verify HTTP/1.1\r\nHost: a\r\n");
    const begun = performance.now();
    while (!raw.closed() && performance.now() - begun < 9000) {
      raw.socket.write("a: b\r\n");
      await delay(100);
    }
    const took = performance.now() - begun;
    expect(statusesOf(raw.text())).toEqual([408]);
    expect(took).toBeGreaterThan(4500);
    expect(took).toBeLessThan(7000);
  });
});

describe("the log", () => {
  it("has a line a request, and what the parser refused", async () => {
    const before = served.log().split("\n").length;
    await ask(`${url}/verify`, { headers: { "x-api-key": "token-a" } });
    await ask(`${url}/healthz`);
    await exchange(port, "nonsense\r\n\r\n");
    await eventually(() => served.log().split("\n").length - before).toBe(3);
    const lines = served
      .log()
      .trimEnd()
      .split("\n")
      .slice(-3)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ route, verdict, status }) => [route, verdict, status])).toEqual([
      ["verify", "ok", 200],
      ["healthz", null, 200],
      [null, "bad_request", 400],
    ]);
    for (const { remote } of lines) expect(remote).toBe("127.0.0.1");
  });

  it("takes the id of a request from a proxy where it is a UUID, and only then", async () => {
    const uuid = "0c6f1d5e-3a51-4f0e-8a4e-6b1c9d2e7f00";
    await ask(`${url}/verify`, { headers: { "x-request-id": uuid } });
    await ask(`${url}/verify`, { headers: { "x-request-id": "token-in-the-wrong-place" } });
    await eventually(() => served.log()).toContain(`"request_id":"${uuid}"`);
    expect(served.log()).not.toContain("token-in-the-wrong-place");
  });
});
