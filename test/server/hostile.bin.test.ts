import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { eventually } from "./eventually.js";
import { keystoreFile, keystoreText } from "./files.js";
import { startServe } from "./served.js";
import { ask, exchange, openRaw, statusesOf } from "./sockets.js";

const TOKEN = "a-token-that-only-the-tests-of-hostility-use";
const GOOD = keystoreText({ [TOKEN]: "alice" });
const HOST = "Host: x\r\n";
const KEY = `X-API-Key: ${TOKEN}\r\n`;

/** Requests that two readers may take for different ones, or that are none. */
const SHAPES: Readonly<Record<string, string>> = {
  "both lengths": `POST /introspect HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "two content lengths": `POST /introspect HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
  "a list of content lengths": `POST /introspect HTTP/1.1\r\n${HOST}Content-Length: 4, 4\r\n\r\nabcd`,
  "a signed content length": `POST /introspect HTTP/1.1\r\n${HOST}Content-Length: +4\r\n\r\nabcd`,
  "chunked, but not last": `POST /introspect HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  "an unknown coding": `POST /introspect HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  "a chunk size that is none": `POST /introspect HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n`,
  "a bare CR in a line": `GET /verify HTTP/1.1\r\n${HOST}X-A: b\rX-API-Key: ${TOKEN}\r\n\r\n`,
  "a bare LF at a line's end": `GET /verify HTTP/1.1\n${HOST}\r\n\r\n`,
  "bare LFs throughout": `GET /verify HTTP/1.1\nHost: x\nX-API-Key: ${TOKEN}\n\n`,
  "a folded line": `GET /verify HTTP/1.1\r\n${HOST}X-A: b\r\n X-API-Key: ${TOKEN}\r\n\r\n`,
  "NUL in a value": `GET /verify HTTP/1.1\r\n${HOST}X-API-Key: a\0b\r\n\r\n`,
  "NUL in a name": `GET /verify HTTP/1.1\r\n${HOST}X-API\0-Key: ab\r\n\r\n`,
  "a space before the colon": `GET /verify HTTP/1.1\r\n${HOST}X-API-Key : ${TOKEN}\r\n\r\n`,
  "a line without a colon": `GET /verify HTTP/1.1\r\n${HOST}nothing\r\n\r\n`,
  "no method": `/verify HTTP/1.1\r\n${HOST}\r\n`,
  "an unknown method": `FROB /verify HTTP/1.1\r\n${HOST}\r\n`,
  "an unknown protocol": `GET /verify HTTQ/1.1\r\n${HOST}\r\n`,
  "a version of two digits": `GET /verify HTTP/1.10\r\n${HOST}\r\n`,
  "a space in the target": `GET /ver ify HTTP/1.1\r\n${HOST}\r\n`,
  "no host": `GET /verify HTTP/1.1\r\n${KEY}\r\n`,
  "HTTP/2 at once": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "TLS at once": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "headers of 40 KiB": `GET /verify HTTP/1.1\r\n${HOST}X-A: ${"a".repeat(40_000)}\r\n\r\n`,
  "a target of 20 KiB": `GET /verify?${"a".repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`,
  "4,000 lines": `GET /verify HTTP/1.1\r\n${HOST}${"a: b\r\n".repeat(4000)}\r\n`,
  "a body of 100 KiB": `POST /introspect HTTP/1.1\r\n${HOST}Content-Length: 102400\r\n\r\n${"a".repeat(102_400)}`,
};

/** Of a process, in octets. */
function residentOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** A generator of numbers from 0 to below 1 that a seed determines (xorshift32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

describe("a hostile client", () => {
  it("gets a 4xx or a closed connection for what is no clear request, and a yes for none", async () => {
    const { url } = await startServe(await keystoreFile(GOOD), ["--log", "off"]);
    const port = Number(new URL(url).port);
    for (const [shape, octets] of Object.entries(SHAPES)) {
      const text = await exchange(port, octets, 4000);
      const statuses = statusesOf(text);
      expect(
        statuses.every((status) => status >= 400 && status < 500),
        `${shape}: ${statuses.join(" ")}`,
      ).toBe(true);
      expect(text, shape).not.toContain("X-Auth-Id");
    }
    expect((await ask(`${url}/verify`, { headers: { "x-api-key": TOKEN } })).status).toBe(200);
  });

  it("never has a smuggled second request answered with the first one's credential", async () => {
    const { url } = await startServe(await keystoreFile(GOOD), ["--log", "off"]);
    const port = Number(new URL(url).port);
    const inner = `GET /verify HTTP/1.1\r\n${HOST}\r\n`;
    const outer = `POST /verify HTTP/1.1\r\n${HOST}${KEY}Content-Length: ${inner.length}\r\n\r\n`;
    // The inner request is the outer one's body, whole: one answer.
    expect(statusesOf(await exchange(port, outer + inner, 1500))).toEqual([200]);
    // Pipelined, each has its own credential or none.
    const pipelined = `GET /verify HTTP/1.1\r\n${HOST}${KEY}\r\n${inner}`.repeat(20);
    const statuses = statusesOf(await exchange(port, pipelined, 1500));
    expect(statuses).toEqual(Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? 200 : 401)));
  });

  it("has a request understood however it is split", async () => {
    const { url } = await startServe(await keystoreFile(GOOD), ["--log", "off"]);
    const raw = await openRaw(Number(new URL(url).port));
    raw.socket.setNoDelay(true);
    for (const octet of `GET /verify HTTP/1.1\r\n${HOST}${KEY}\r\n`) {
      raw.socket.write(octet);
      await delay(1);
    }
    await eventually(() => statusesOf(raw.text())).toEqual([200]);
    raw.socket.destroy();
  });

  it("who sends slowly is cut off, and holds nobody else up", async () => {
    const { url } = await startServe(await keystoreFile(GOOD), ["--log", "off"]);
    const port = Number(new URL(url).port);
    const slow = await Promise.all(Array.from({ length: 50 }, () => openRaw(port)));
    const dripping = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write("X-A: b\r\n");
    }, 500);
    try {
      for (const { socket } of slow) socket.write(`GET /verify HTTP/1.1\r\n${HOST}`);
      expect((await ask(`${url}/verify`, { headers: { "x-api-key": TOKEN } })).status).toBe(200);
      await eventually(() => slow.filter(({ closed }) => !closed()).length).toBe(0);
      for (const { text } of slow) {
        expect(statusesOf(text()).every((status) => status >= 400 && status < 500)).toBe(true);
      }
    } finally {
      clearInterval(dripping);
      for (const { socket } of slow) socket.destroy();
    }
  });

  it("leaves memory as it was", { timeout: 120_000 }, async () => {
    const served = await startServe(await keystoreFile(GOOD), ["--log", "off"]);
    const port = Number(new URL(served.url).port);
    const large = ["headers of 40 KiB", "a target of 20 KiB", "a body of 100 KiB", "4,000 lines"];
    const round = async (): Promise<void> => {
      const sent = Array.from({ length: 20 }, (_, n) =>
        exchange(port, SHAPES[large[n % large.length] ?? ""] ?? "", 1500),
      );
      await Promise.all(sent);
    };
    // Until the heap has the size that it keeps.
    for (let n = 0; n < 15; n += 1) await round();
    const before = residentOf(served.pid);
    for (let n = 0; n < 30; n += 1) await round();
    const grown = residentOf(served.pid) - before;
    console.log(`after 600 hostile requests more: ${(grown / 2 ** 20).toFixed(1)} MiB`);
    expect(grown).toBeLessThan(48 * 2 ** 20);
  });
});

describe("10,000 random requests", () => {
  it.each([1, 2])(
    "give no 5xx and no crash (%i worker(s))",
    { timeout: 180_000 },
    async (workers) => {
      const args = ["--log", "off", "--workers", String(workers)];
      const served = await startServe(await keystoreFile(GOOD), args);
      const port = Number(new URL(served.url).port);
      const random = randomFrom(20_261_125 + workers);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
      const junk = (most: number): string =>
        Array.from({ length: Math.floor(random() * most) }, () =>
          String.fromCharCode(Math.floor(random() * 256)),
        ).join("");
      const paths = [
        "/verify",
        "/nginx",
        "/introspect",
        "/admin/keys",
        "/metrics",
        "/status",
        "/readyz",
      ];
      const more = [
        "/verify/-/workspace=a/x",
        "/api/v1/api-keys/validate",
        "/",
        "*",
        "http://x/verify",
      ];
      const lines = [
        KEY,
        "Authorization: Bearer\r\n",
        "Authorization: Basic YTpi\r\n",
        "Expect: 100-continue\r\n",
      ];
      const methods = [
        "GET",
        "POST",
        "PUT",
        "DELETE",
        "HEAD",
        "OPTIONS",
        "PATCH",
        "CONNECT",
        "PROPFIND",
      ];
      const make = (): string => {
        const bad = random() < 0.2 ? junk(8) : "";
        const target = pick([...paths, ...more]) + encodeURI(random() < 0.3 ? `/${junk(6)}` : "");
        const header =
          random() < 0.5 ? pick(lines) : `X-${String(Math.floor(random() * 9))}: ${junk(12)}\r\n`;
        const body = random() < 0.3 ? junk(60) : "";
        const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
        return `${pick(methods)} ${target} HTTP/1.1${bad}\r\n${HOST}${header}${length}Connection: close\r\n\r\n${body}`;
      };
      const statuses = new Map<number, number>();
      const client = async (count: number): Promise<void> => {
        for (let n = 0; n < count; n += 1) {
          const raw = await openRaw(port);
          raw.socket.end(make(), "latin1");
          await eventually(() => raw.closed()).toBe(true);
          for (const status of statusesOf(raw.text())) {
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
          }
        }
      };
      await Promise.all(Array.from({ length: 40 }, () => client(250)));
      console.log(`statuses: ${JSON.stringify([...statuses].sort())}`);
      expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
      expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(8000);
      expect(served.said()).not.toMatch(/fault|worker-died/);
      expect((await ask(`${served.url}/healthz`)).status).toBe(200);
    },
  );
});
