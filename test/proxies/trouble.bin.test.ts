import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import * as fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { describeWith } from "../helpers/requires.js";
import { bearer, hello, send } from "./client.js";
import { makeKeys, type Keys } from "./keys.js";
import {
  CADDY,
  HAPROXY,
  NGINX,
  openStage,
  until,
  type Program,
  type RunningProxy,
  type Stage,
} from "./proxy.js";
import { startUpstream, valuesOf, type Upstream } from "./upstream.js";

/** A stage for one test. */
async function staged(keys: Keys): Promise<{ stage: Stage; upstream: Upstream }> {
  const stage = openStage(keys.text);
  const upstream = await startUpstream();
  onTestFinished(async () => {
    await stage.close();
    await upstream.close();
  });
  return { stage, upstream };
}

/** A verify server that answers one thing to everything. */
async function answering(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  socketPath?: string,
): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, headers);
    response.end();
  });
  if (socketPath === undefined) server.listen(0, "127.0.0.1");
  else server.listen({ path: socketPath, writableAll: true });
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  if (socketPath !== undefined) return `unix:${socketPath}`;
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function trouble(program: Program): void {
  describeWith(program.requirement, `${program.name} in trouble`, () => {
    const keys = makeKeys();

    it("denies while the verify server is down, and again lets in when it is back", async () => {
      const { stage, upstream } = await staged(keys);
      const server = await stage.serve();
      const { port } = await stage.proxy(
        program,
        "--server",
        server.url,
        "--upstream",
        upstream.url,
      );
      const ask = async (): Promise<number | undefined> =>
        (await send(port, { lines: [bearer(keys.good)] })).status;
      expect(await ask()).toBe(200);
      server.kill("SIGKILL");
      await server.ended;
      const down = await ask();
      expect([502, 503]).toContain(down);
      expect([502, 503]).toContain(await hello(port, keys.good));
      expect((await send(port, { method: "POST", body: Buffer.from("a") })).status).toBe(down);
      expect(upstream.seen.length).toBe(1);
      await stage.serve("--port", new URL(server.url).port);
      await until(
        async () => ((await ask()) === 200 ? true : undefined),
        () => "no yes",
      );
    });

    it.each([
      [429, { "Retry-After": "7", "X-Auth-Status": "429" }],
      [503, { "Retry-After": "5", "X-Auth-Status": "503" }],
    ])("passes %i on to the client, with Retry-After", async (status, headers) => {
      const { stage, upstream } = await staged(keys);
      const url = await answering(program === NGINX ? 403 : status, headers);
      const { port } = await stage.proxy(program, "--server", url, "--upstream", upstream.url);
      const answer = await send(port, { lines: [bearer(keys.good)] });
      expect([answer.status, answer.headers["retry-after"]]).toEqual([
        status,
        headers["Retry-After"],
      ]);
      expect(upstream.seen).toEqual([]);
    });

    it.each([100, 301, 400, 404, 431, 500])("lets nobody in on a %i", async (status) => {
      const { stage, upstream } = await staged(keys);
      const url = await answering(status === 100 ? 302 : status, { Location: upstream.url });
      const { port } = await stage.proxy(program, "--server", url, "--upstream", upstream.url);
      const answer = await send(port, { lines: [bearer(keys.good)] });
      expect(answer.status).toBeGreaterThanOrEqual(300);
      expect(upstream.seen).toEqual([]);
    });

    it("keeps a client's own identity out even where the server names none", async () => {
      const { stage, upstream } = await staged(keys);
      const url = await answering(200);
      const { port } = await stage.proxy(program, "--server", url, "--upstream", upstream.url);
      const { seen } = await send(port, { lines: [bearer(keys.good), ["X-Auth-Id", "evil"]] });
      expect(JSON.stringify(seen)).not.toContain("evil");
    });

    it("sends the verify server the credential and nothing else of the client's", async () => {
      const { stage, upstream } = await staged(keys);
      const server = await startUpstream();
      onTestFinished(() => server.close());
      const { port } = await stage.proxy(
        program,
        "--server",
        server.url,
        "--upstream",
        upstream.url,
      );
      await send(port, {
        method: "POST",
        path: "/secret/path?and=query",
        body: Buffer.from("body"),
        lines: [
          bearer("one"),
          ["X-API-Key", "two"],
          ["Cookie", "session=secret"],
          ["X-Forwarded-For", "192.0.2.66"],
          ["Proxy-Authorization", "secret"],
          ["Referer", "secret"],
          ["User-Agent", "secret"],
          ["X-Auth-Id", "secret"],
          ["X-Impersonate", "secret"],
          ["X-Custom", "secret"],
          ["X-Token", "secret"],
          ["X-Auth-Token", "secret"],
          ["X_Token", "secret"],
          ["DPR", "secret"],
          ["Forwarded", "secret"],
          ["Content-Type", "secret"],
        ],
      });
      const [seen] = server.seen;
      expect(seen?.method).toBe("GET");
      expect(seen?.octets).toBe(0);
      expect(seen && valuesOf(seen, "authorization")).toEqual(["Bearer one"]);
      expect(seen && valuesOf(seen, "x-api-key")).toEqual(["two"]);
      expect(seen && valuesOf(seen, "x-forwarded-for")).toEqual(["127.0.0.1"]);
      expect(seen?.url).toBe(program === NGINX ? "/nginx" : "/verify/any");
      expect(JSON.stringify(seen)).not.toContain("secret");
    });

    it("passes the credential on where it is asked to, as it was judged", async () => {
      const { stage, upstream } = await staged(keys);
      const { url } = await stage.serve();
      const { port } = await stage.proxy(
        program,
        ...["--server", url, "--upstream", upstream.url, "--pass-credential"],
      );
      const { seen } = await send(port, { lines: [bearer(keys.good)] });
      expect(valuesOf(seen, "authorization")).toEqual([`Bearer ${keys.good}`]);
      const other = await send(port, { lines: [["X-API-Key", keys.good]] });
      expect(valuesOf(other.seen, "x-api-key")).toEqual([keys.good]);
    });

    it("asks and protects through unix sockets", async () => {
      const { stage } = await staged(keys);
      const upstream = await startUpstream(path.join(stage.directory, "app.sock"));
      onTestFinished(() => upstream.close());
      const server = `unix:${path.join(stage.directory, "auth.sock")}`;
      await answering(200, { "X-Auth-Id": "alice" }, server.slice("unix:".length));
      const { port } = await stage.proxy(program, "--server", server, "--upstream", upstream.url);
      const { status, seen } = await send(port, { lines: [bearer(keys.good)] });
      expect([status, valuesOf(seen, "x-auth-id")]).toEqual([200, ["alice"]]);
    });

    it("writes nothing outside its directory", async () => {
      const { stage, upstream } = await staged(keys);
      const { url } = await stage.serve();
      const proxy = await stage.proxy(program, "--server", url, "--upstream", upstream.url);
      expect((await send(proxy.port, { lines: [bearer(keys.good)] })).status).toBe(200);
      const links = openFilesOf(proxy.child.pid ?? 0);
      const elsewhere = links.filter(
        (link) => link.startsWith("/") && !link.startsWith(stage.directory) && isWritten(link),
      );
      expect(elsewhere).toEqual([]);
    });
  });
}

/** What a process has open, as the system shows it. */
function openFilesOf(pid: number): readonly string[] {
  const folder = `/proc/${String(pid)}/fd`;
  return fs.readdirSync(folder).flatMap((name) => {
    try {
      return [fs.readlinkSync(path.join(folder, name))];
    } catch {
      return [];
    }
  });
}

function isWritten(link: string): boolean {
  return !/^\/(?:dev|proc|sys|usr|lib|etc)\//.test(link);
}

describe("without a verdict", () => {
  trouble(NGINX);
  trouble(CADDY);
});

describeWith(HAPROXY.requirement, "haproxy in trouble", () => {
  let keys: Keys;
  let stage: Stage;
  let upstream: Upstream;
  let proxy: RunningProxy;
  beforeAll(async () => {
    keys = makeKeys();
    stage = openStage(keys.text);
    upstream = await startUpstream();
    proxy = await stage.proxy(
      HAPROXY,
      ...["--map", "keys.map", "--upstream", upstream.url, "--pass-credential"],
    );
  });
  afterAll(async () => {
    await stage.close();
    await upstream.close();
  });

  it("passes the credential on where it is asked to", async () => {
    const { seen } = await send(proxy.port, { lines: [bearer(keys.good)] });
    expect(valuesOf(seen, "authorization")).toEqual([`Bearer ${keys.good}`]);
  });

  it("does not start without its map", async () => {
    fs.rmSync(path.join(stage.directory, "keys.map"));
    await proxy.stop();
    await expect(Promise.race([proxy.restart(), died(proxy)])).rejects.toThrow();
  });
});

/** Rejects once the process that was started last has ended by itself. */
async function died(proxy: RunningProxy): Promise<never> {
  await until(
    () => (proxy.child.exitCode !== null && proxy.talk().includes("keys.map") ? true : undefined),
    () => proxy.talk(),
  );
  throw new Error("it ended");
}
