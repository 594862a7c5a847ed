import { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { entryOf, keystoreOf } from "./requests.js";
import { ask, openRaw, serveKeystore, statusesOf } from "./sockets.js";
import { eventually } from "./eventually.js";

const keystore = keystoreOf(entryOf("token-a", { id: "alice" }));

/** How long a stop took, in milliseconds. */
async function timed(stop: Promise<void>): Promise<number> {
  const begun = performance.now();
  await stop;
  return performance.now() - begun;
}

describe("a stop", () => {
  it("closes idle connections and those that never spoke, without waiting out the grace", async () => {
    const { server } = await serveKeystore(keystore);
    const agent = new Agent({ keepAlive: true });
    await ask(`${server.url}/verify`, { agent });
    const silent = await openRaw(server.port);
    expect(await timed(server.stop(10_000))).toBeLessThan(2000);
    await eventually(silent.closed).toBe(true);
    agent.destroy();
  });

  it("answers what is in flight, and says that the connection ends", async () => {
    const { server } = await serveKeystore(keystore);
    const raw = await openRaw(server.port);
    raw.socket.write("GET /verify HTTP/1.1\r\nHost: a\r\n");
    await delay(50);
    const stopped = server.stop(10_000);
    await delay(400);
    raw.socket.write("X-API-Key: token-a\r\n\r\n");
    await eventually(raw.closed).toBe(true);
    expect(statusesOf(raw.text())).toEqual([200]);
    expect(raw.text()).toMatch(/connection: close/i);
    await stopped;
  });

  it("says 503 in /readyz to who asks meanwhile", async () => {
    const { server } = await serveKeystore(keystore);
    const raw = await openRaw(server.port);
    raw.socket.write("GET /readyz HTTP/1.1\r\nHost: a\r\n");
    await delay(50);
    const stopped = server.stop(10_000);
    raw.socket.write("\r\n");
    await eventually(raw.closed).toBe(true);
    expect(statusesOf(raw.text())).toEqual([503]);
    expect(raw.text()).toContain('"ready":false');
    await stopped;
  });

  it("answers a request that was on its way on an idle connection", async () => {
    const { server } = await serveKeystore(keystore);
    const raw = await openRaw(server.port);
    const request = "GET /verify HTTP/1.1\r\nHost: a\r\nX-API-Key: token-a\r\n\r\n";
    raw.socket.write(request);
    await eventually(() => statusesOf(raw.text())).toEqual([200]);
    const stopped = server.stop(10_000);
    raw.socket.write(request);
    await eventually(() => statusesOf(raw.text())).toEqual([200, 200]);
    await stopped;
  });

  it("ends within the grace whatever a client does", async () => {
    const { server } = await serveKeystore(keystore);
    const raw = await openRaw(server.port);
    raw.socket.write("GET /verify HTTP/1.1\r\n");
    await delay(50);
    const took = await timed(server.stop(500));
    expect(took).toBeGreaterThan(400);
    expect(took).toBeLessThan(1500);
  });

  it("can be hurried", async () => {
    const { server } = await serveKeystore(keystore);
    const raw = await openRaw(server.port);
    raw.socket.write("GET /verify HTTP/1.1\r\n");
    await delay(50);
    const stopped = server.stop(60_000);
    await server.stop(0);
    expect(await timed(stopped)).toBeLessThan(500);
  });
});
