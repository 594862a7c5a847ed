import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.js";
import { entryOf, keystoreOf } from "./requests.js";
import {
  ask,
  exchange,
  openRaw,
  serveKeystore,
  statusesOf,
  type ServedKeystore,
} from "./sockets.js";

const PATH = "/api/v1/api-keys/validate";
const GOOD = '{"apiKey":"token-a"}';

let served: ServedKeystore;
let port: number;

beforeAll(async () => {
  served = await serveKeystore(keystoreOf(entryOf("token-a", { id: "alice" })));
  port = served.server.port;
});
afterAll(() => served.server.stop(0));

function post(lines: string, body = "", path = PATH): string {
  return `POST ${path} HTTP/1.1\r\nHost: keys\r\n${lines}\r\n${body}`;
}

const LAST = "Connection: close\r\n";

describe("a body that is read", () => {
  it("may come with a length, in chunks, or octet by octet", async () => {
    const whole = post(`Content-Length: ${GOOD.length}\r\n${LAST}`, GOOD);
    expect(await exchange(port, whole)).toContain('"valid":true');
    const size = GOOD.length.toString(16);
    const chunked = post(
      `Transfer-Encoding: chunked\r\n${LAST}`,
      `${size}\r\n${GOOD}\r\n0\r\n\r\n`,
    );
    expect(await exchange(port, chunked)).toContain('"valid":true');
    const raw = await openRaw(port);
    for (const octet of whole) {
      raw.socket.write(octet);
      await delay(1);
    }
    await eventually(raw.text).toContain('"valid":true');
    raw.socket.destroy();
  });

  it("does not keep the connection from being used again", async () => {
    const one = post(`Content-Length: ${GOOD.length}\r\n`, GOOD);
    const last = post(`Content-Length: ${GOOD.length}\r\n${LAST}`, GOOD);
    expect(statusesOf(await exchange(port, one + one + last))).toEqual([200, 200, 200]);
  });

  it("is an empty one where none is announced, and the connection goes on", async () => {
    const none = post("");
    const asking = post("Expect: 100-continue\r\n");
    const last = post(`Content-Length: ${GOOD.length}\r\n${LAST}`, GOOD);
    expect(statusesOf(await exchange(port, none + none + last))).toEqual([400, 400, 200]);
    expect(statusesOf(await exchange(port, asking + last))).toEqual([100, 400, 200]);
  });

  it("may be 64 KiB long and no octet more", async () => {
    const fill = (length: number): string => GOOD.padEnd(length, " ");
    const sent = { method: "POST", headers: { "content-length": "65536" }, body: fill(65_536) };
    expect(await ask(`${served.server.url}${PATH}`, sent)).toMatchObject({ status: 200 });
    const more = { method: "POST", headers: { "content-length": "65537" }, body: fill(65_537) };
    const got = await ask(`${served.server.url}${PATH}`, more);
    expect(got.status).toBe(413);
    expect(JSON.parse(got.body)).toMatchObject({ error: "body_too_large" });
    expect(got.headers.connection).toBe("close");
  });

  it("is refused by its announced length, before it comes", async () => {
    const raw = await openRaw(port);
    raw.socket.write(post("Content-Length: 100000000\r\n"));
    await eventually(() => statusesOf(raw.text())).toEqual([413]);
    await eventually(raw.closed).toBe(true);
  });

  it("is refused in chunks once it is too large, and nothing after it is taken for a request", async () => {
    const raw = await openRaw(port);
    raw.socket.write(post("Transfer-Encoding: chunked\r\n"));
    const chunk = `4000\r\n${"z".repeat(0x4000)}\r\n`;
    for (let n = 0; n < 5 && !raw.closed(); n += 1) raw.socket.write(chunk);
    await eventually(() => statusesOf(raw.text())).toEqual([413]);
    raw.socket.write(`0\r\n\r\n${post(`Content-Length: ${GOOD.length}\r\n`, GOOD)}`);
    await eventually(raw.closed).toBe(true);
    expect(statusesOf(raw.text())).toEqual([413]);
  });

  it("is asked for with 100 Continue, but not where it is too large or nobody wants it", async () => {
    const raw = await openRaw(port);
    raw.socket.write(post(`Expect: 100-continue\r\nContent-Length: ${GOOD.length}\r\n${LAST}`));
    await eventually(() => statusesOf(raw.text())).toEqual([100]);
    raw.socket.write(GOOD);
    await eventually(() => statusesOf(raw.text())).toEqual([100, 200]);
    const large = await openRaw(port);
    large.socket.write(post("Expect: 100-continue\r\nContent-Length: 65537\r\n"));
    await eventually(() => statusesOf(large.text())).toEqual([413]);
    const unwanted = await openRaw(port);
    unwanted.socket.write(post("Expect: 100-continue\r\nContent-Length: 5\r\n", "", "/healthz"));
    await eventually(() => statusesOf(unwanted.text())).toEqual([405]);
    for (const { socket } of [raw, large, unwanted]) socket.destroy();
  });

  it("that breaks off early gets no answer and harms nobody", async () => {
    for (let n = 0; n < 20; n += 1) {
      const raw = await openRaw(port);
      raw.socket.write(post("Content-Length: 1000\r\n", "{"));
      await delay(2);
      raw.socket.destroy();
    }
    const broken = await exchange(port, post("Transfer-Encoding: chunked\r\n", "zz\r\n"));
    expect(statusesOf(broken)).toEqual([400]);
    expect(served.log()).not.toContain("fault");
    expect(await ask(`${served.server.url}/healthz`)).toMatchObject({ status: 200 });
  });
});

describe("over a socket", () => {
  it("introspection, validation, status and metrics answer", async () => {
    const { url } = served.server;
    const metadata = await ask(`${url}/.well-known/oauth-authorization-server`);
    expect(JSON.parse(metadata.body)).toMatchObject({ issuer: url });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const form = { method: "POST", headers, body: "token=x" };
    expect(await ask(`${url}/introspect`, form)).toMatchObject({ status: 401 });
    expect((await ask(`${url}/metrics`)).body).toContain("# EOF");
    expect(JSON.parse((await ask(`${url}/status`)).body)).toMatchObject({ workers_current: 1 });
  });

  it("HEAD has the headers of GET and no body", async () => {
    const got = await ask(`${served.server.url}/metrics`, { method: "HEAD" });
    expect([got.status, got.body]).toEqual([200, ""]);
    expect(Number(got.headers["content-length"])).toBeGreaterThan(100);
  });

  it("a client's address is its socket's, and its failures are limited", async () => {
    const statuses = new Set<number | undefined>();
    for (let n = 0; n < 102; n += 1) {
      const headers = { "x-api-key": `guess-${n}`, "x-forwarded-for": `203.0.113.${n}` };
      statuses.add((await ask(`${served.server.url}/verify`, { headers })).status);
    }
    expect(statuses).toEqual(new Set([401, 429]));
    const headers = { "x-api-key": "token-a" };
    expect(await ask(`${served.server.url}/verify`, { headers })).toMatchObject({ status: 200 });
  });
});
