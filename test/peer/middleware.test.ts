import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import express, { type Express } from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { describe, expect, expectTypeOf, it, onTestFinished } from "vitest";
import { createClient } from "../../src/peer/client.js";
import * as forExpress from "../../src/peer/express.js";
import * as forFastify from "../../src/peer/fastify.js";
import * as forHono from "../../src/peer/hono.js";
import type { Identity, Verdict } from "../../src/peer/verdict.js";
import { createVerifier } from "../../src/peer/verifier.js";
import { eventually } from "../server/eventually.js";
import { appOf, entryOf, keystoreOf, NOW, requestOf } from "../server/requests.js";

const keystore = keystoreOf(
  entryOf("token-a", { id: "alice", scopes: "apps:*", workspaces: "blue green" }),
  entryOf("token-b", { id: "bob" }),
  entryOf("token-l", { id: "lim", rate_limit: "1/1m" }),
);

// Not by `import`: its types want those of a browser, which this project is without.
const require = createRequire(import.meta.url);
const { serve } = require("@hono/node-server") as {
  serve: (options: object) => ReturnType<typeof createServer>;
};

/** What a test app asks: `/` nothing, `/scoped` a scope, `/late` one after `auth`, `/ws/:name`. */
type Authority = forExpress.Authority;
interface Shared {
  readonly onVerdict?: (verdict: Verdict) => void;
  readonly onFault?: (error: unknown) => void;
}

async function listening(server: ReturnType<typeof createServer>): Promise<string> {
  if (!server.listening) await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function expressApp(authority: Authority, shared: Shared): Promise<string> {
  const { auth, requireScope } = forExpress;
  const app: Express = express();
  const who: express.RequestHandler = (req, res) => {
    expectTypeOf(req.identity).toEqualTypeOf<Identity | undefined>();
    res.json(req.identity ?? null);
  };
  app.get("/", auth({ ...authority, ...shared }), who);
  app.get("/optional", auth({ ...authority, optional: true }), who);
  app.get("/scoped", auth({ ...authority, scopes: ["apps:read"] }), who);
  app.get("/late", auth({ ...authority, realm: "late" }), requireScope("apps:read"), who);
  app.get(
    "/forged",
    (req, _res, next) => {
      req.identity = { id: "forged", scopes: ["*"] } as unknown as Identity;
      next();
    },
    requireScope("apps:read"),
    who,
  );
  app.get(
    "/ws/:name",
    auth<express.Request<{ name: string }>>({
      ...authority,
      workspaces: ({ params }) => [params.name],
    }),
    who,
  );
  return listening(createServer(app).listen(0, "127.0.0.1"));
}

async function fastifyApp(authority: Authority, shared: Shared): Promise<string> {
  const { auth, requireScope } = forFastify;
  const app = Fastify();
  const who = (req: { readonly identity: Identity | undefined }): Identity | null =>
    req.identity ?? null;
  void app.register((inner, _, done) => {
    // The route stands before the plugin, and is behind it all the same.
    inner.get("/", (req) => {
      expectTypeOf(req.identity).toEqualTypeOf<Identity | undefined>();
      return who(req);
    });
    inner.register(auth({ ...authority, ...shared }));
    done();
  });
  void app.register((inner, _, done) => {
    inner.register(auth({ ...authority, optional: true }));
    inner.get("/optional", who);
    done();
  });
  void app.register((inner, _, done) => {
    inner.register(auth({ ...authority, scopes: ["apps:read"] }));
    inner.get("/scoped", who);
    done();
  });
  void app.register((inner, _, done) => {
    inner.register(auth({ ...authority, realm: "late" }));
    inner.get("/late", { onRequest: requireScope("apps:read") }, who);
    done();
  });
  void app.register((inner, _, done) => {
    inner.addHook("onRequest", async (req) => {
      req.identity = { id: "forged", scopes: ["*"] } as unknown as Identity;
      return Promise.resolve();
    });
    inner.get("/forged", { onRequest: requireScope("apps:read") }, who);
    done();
  });
  void app.register((inner, _, done) => {
    const workspaces = ({ params }: { params: unknown }): string[] => [
      (params as { name: string }).name,
    ];
    inner.register(auth({ ...authority, workspaces }));
    inner.get("/ws/:name", who);
    done();
  });
  onTestFinished(() => app.close());
  return app.listen({ port: 0, host: "127.0.0.1" });
}

function honoApp(authority: Authority, shared: Shared): Promise<string> {
  const { auth, requireScope } = forHono;
  const app = new Hono();
  app.get("/", auth({ ...authority, ...shared }), (c) => {
    expectTypeOf(c.get("identity")).toEqualTypeOf<Identity>();
    return c.json(c.get("identity"));
  });
  app.get("/optional", auth({ ...authority, optional: true }), (c) => {
    expectTypeOf(c.get("identity")).toEqualTypeOf<Identity | undefined>();
    return c.json(c.get("identity") ?? null);
  });
  app.get("/scoped", auth({ ...authority, scopes: ["apps:read"] }), (c) =>
    c.json(c.get("identity")),
  );
  app.get("/late", auth({ ...authority, realm: "late" }), requireScope("apps:read"), (c) =>
    c.json(c.get("identity")),
  );
  const forged = new Hono<forHono.IdentityEnv>();
  forged.use(async (c, next) => {
    c.set("identity", { id: "forged", scopes: ["*"] } as unknown as Identity);
    await next();
  });
  forged.get("/forged", requireScope("apps:read"), (c) => c.json(c.get("identity")));
  app.route("/", forged);
  app.get(
    "/ws/:name",
    auth({ ...authority, workspaces: (c) => [c.req.param("name") ?? ""] }),
    (c) => c.json(c.get("identity")),
  );
  return listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
}

interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Header lines as they are given, doubles too. */
async function get(url: string, lines: readonly string[] = [], method = "GET"): Promise<Got> {
  const { host } = new URL(url);
  const outgoing = request(url, { method, headers: ["Host", host, ...lines], agent: false });
  outgoing.end();
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of incoming as AsyncIterable<Buffer>) body += chunk.toString();
  return { status: incoming.statusCode, headers: incoming.headers, body };
}

const bearer = (token: string): string[] => ["Authorization", `Bearer ${token}`];

/** What the verify server answers to the same. */
async function served(target: string, lines: readonly string[]): Promise<Partial<Got>> {
  const { answer } = (await appOf(keystore).wait(requestOf(target, lines))).reply;
  const headers: Record<string, string> = {};
  for (let at = 0; at < answer.headers.length; at += 2) {
    headers[answer.headers[at]?.toLowerCase() ?? ""] = answer.headers[at + 1] ?? "";
  }
  return { status: answer.status, headers, body: answer.body };
}

describe.each([
  ["express", expressApp],
  ["fastify", fastifyApp],
  ["hono", honoApp],
] as const)("%s", (_, start) => {
  async function appWith(shared: Shared = {}): Promise<string> {
    const verifier = await createVerifier({ keystore, clock: () => NOW });
    return start({ verifier }, shared);
  }

  it("lets in who has a key, and tells whose it is", async () => {
    const verdicts: Verdict[] = [];
    const url = await appWith({ onVerdict: (verdict) => verdicts.push(verdict) });
    const { status, body } = await get(`${url}/`, [...bearer("token-b"), "X-Auth-Id", "mallory"]);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ id: "bob", scopes: [], mode: "apikey" });
    expect(verdicts).toMatchObject([{ ok: true, identity: { id: "bob" } }]);
    for (const lines of [
      ["X-API-Key", "token-b"],
      ["authorization", "apikey  token-b"],
    ]) {
      expect((await get(`${url}/`, lines)).status).toBe(200);
    }
  });

  it.each([
    ["no credential", "/", [], 401],
    ["another scheme", "/", ["Authorization", "Basic eDp5"], 401],
    ["a scheme without a token", "/", ["Authorization", "Bearer"], 400],
    ["two Authorization lines", "/", [...bearer("token-a"), ...bearer("token-b")], 400],
    ["two with another scheme", "/", ["Authorization", "Basic eDp5", ...bearer("token-b")], 400],
    ["two credentials", "/", [...bearer("token-a"), "X-API-Key", "token-a"], 400],
    ["an unknown token", "/", bearer("nobodys"), 401],
    ["a spoofed identity alone", "/", ["X-Auth-Id", "alice", "X-Auth-Scopes", "*"], 401],
    ["a token in the query", "/?access_token=token-a&api_key=token-a", [], 401],
    ["a missing scope", "/scoped", bearer("token-b"), 403],
    ["another workspace", "/ws/red", bearer("token-a"), 403],
  ])("answers as the verify server does: %s", async (_name, path, lines, status) => {
    const got = await get((await appWith()) + path, lines);
    const asked = path === "/scoped" ? "?scope=apps:read" : "";
    const workspace = path.startsWith("/ws/") ? "?workspace=red" : "";
    const like = await served(`/verify${asked}${workspace}`, lines);
    expect(got.status).toBe(status);
    expect(got).toMatchObject(like);
  });

  it("is over the limit as the verify server is", async () => {
    const url = await appWith();
    const first = await get(`${url}/`, bearer("token-l"));
    expect(first.headers).toMatchObject({
      "ratelimit-policy": '"key";q=1;w=60',
      ratelimit: '"key";r=0;t=60',
    });
    const second = await get(`${url}/`, bearer("token-l"));
    expect(second.status).toBe(429);
    expect(second.headers).toMatchObject({
      "retry-after": "60",
      ratelimit: '"key";r=0;t=60',
      "content-type": "application/problem+json",
    });
    expect(JSON.parse(second.body)).toMatchObject({
      error: "rate_limited",
      retry_after_ms: 60_000,
    });
  });

  it("asks scopes and workspaces, of the path too", async () => {
    const url = await appWith();
    const statusOf = async (path: string, token: string): Promise<number | undefined> =>
      (await get(url + path, bearer(token))).status;
    expect(await statusOf("/scoped", "token-a")).toBe(200);
    expect(await statusOf("/ws/blue", "token-a")).toBe(200);
    // Not a workspace at all: nobody can tell, so nobody gets in.
    expect(await statusOf("/ws/%2A", "token-a")).toBe(503);
    expect(await statusOf("/late", "token-a")).toBe(200);
    const { status, headers } = await get(`${url}/late`, bearer("token-b"));
    expect(status).toBe(403);
    expect(headers["www-authenticate"]).toBe(
      'Bearer realm="late", error="insufficient_scope", scope="apps:read"',
    );
  });

  it("trusts no identity but its own", async () => {
    const { status, body } = await get(`${await appWith()}/forged`, bearer("token-a"));
    expect(status).toBe(401);
    expect(JSON.parse(body)).toMatchObject({ error: "unauthenticated" });
  });

  it("may let in who has no credential, and judges one all the same", async () => {
    const url = `${await appWith()}/optional`;
    expect((await get(url)).body).toBe("null");
    expect(JSON.parse((await get(url, bearer("token-b"))).body)).toMatchObject({ id: "bob" });
    expect((await get(url, bearer("nobodys"))).status).toBe(401);
  });

  it("answers HEAD without a body", async () => {
    const url = await appWith();
    expect(await get(`${url}/`, bearer("nobodys"), "HEAD")).toMatchObject({
      status: 401,
      body: "",
    });
    expect(await get(`${url}/`, bearer("token-b"), "HEAD")).toMatchObject({
      status: 200,
      body: "",
    });
  });

  it("denies with 503 where nobody can be asked, or something is broken", async () => {
    const client = createClient({ url: "http://127.0.0.1:1" });
    const unreachable = await start({ client }, {});
    const got = await get(`${unreachable}/`, bearer("token-a"));
    expect(got.status).toBe(503);
    expect(got.headers["retry-after"]).toBe("5");
    expect(JSON.parse(got.body)).toMatchObject({ error: "unavailable" });
    const faults: unknown[] = [];
    const broken = await appWith({
      onVerdict: () => {
        throw new Error("a defect");
      },
      onFault: (error) => faults.push(error),
    });
    const fault = await get(`${broken}/`, bearer("token-a"));
    expect(fault.status).toBe(503);
    expect(fault.body).not.toContain("defect");
    expect(faults).toHaveLength(1);
    const both = await appWith({
      onVerdict: () => {
        throw new Error("a defect");
      },
      onFault: () => {
        throw new Error("another");
      },
    });
    expect((await get(`${both}/`, bearer("token-a"))).status).toBe(503);
  });
});

it("in Express ends no process where somebody answered meanwhile", async () => {
  const verifier = await createVerifier({ keystore, clock: () => NOW });
  const app: Express = express();
  let faults = 0;
  app.use((_req, res, next) => {
    next();
    res.sendStatus(504);
  });
  app.use(forExpress.auth({ verifier }), (_req, res) => {
    res.json({});
  });
  app.use(((error, { method }, res, next) => {
    if (method === "GET" && res.headersSent) faults += 1;
    else next(error);
  }) as express.ErrorRequestHandler);
  const url = await listening(createServer(app).listen(0, "127.0.0.1"));
  // Its key has a limit, which has headers to set.
  expect((await get(url, bearer("token-l"))).status).toBe(504);
  await eventually(() => Promise.resolve(faults)).toBe(1);
});

it("hands on what its caller's next throws, and ends no process", async () => {
  const verifier = await createVerifier({ keystore, clock: () => NOW });
  const middleware = forExpress.auth({ verifier });
  const told: unknown[] = [];
  const server = createServer((req, res) => {
    middleware(req, res, (error) => {
      if (error === undefined) throw new Error("a defect");
      told.push(error);
      res.writeHead(500).end();
    });
  });
  const url = await listening(server.listen(0, "127.0.0.1"));
  expect((await get(url, bearer("token-a"))).status).toBe(500);
  expect(told).toEqual([new Error("a defect")]);
});

describe("options", () => {
  it.each([
    { scope: ["apps:read"] },
    { scopes: ["apps:*"] },
    { scopes: "apps:read" },
    { workspaces: [""] },
    { optional: true, scopes: ["apps:read"] },
    { realm: 'a"b' },
    { verifier: undefined },
    { client: createClient({ url: "http://127.0.0.1:1" }) },
  ])("refuses %j at once", async (more) => {
    const verifier = await createVerifier({ keystore });
    for (const { auth } of [forExpress, forFastify, forHono]) {
      expect(() => auth({ verifier, ...more } as never)).toThrow(
        expect.objectContaining({ code: "value-invalid" }),
      );
    }
  });

  it("of requireScope too", () => {
    for (const { requireScope } of [forExpress, forFastify, forHono]) {
      for (const scopes of [[], ["*"], ["a b"]]) {
        expect(() => requireScope(...scopes)).toThrow(
          expect.objectContaining({ code: "value-invalid" }),
        );
      }
    }
  });
});
