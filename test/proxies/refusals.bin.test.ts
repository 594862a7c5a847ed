import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWith } from "../helpers/requires.js";
import { bearer, send, type Answered, type Lines } from "./client.js";
import { makeKeys, type Keys } from "./keys.js";
import { CADDY, HAPROXY, NGINX, openStage, type Program, type Stage } from "./proxy.js";
import { startUpstream, type Upstream } from "./upstream.js";

/** What a refusal says, in the way that programs read it. */
function problemOf({ status, headers, body }: Answered): Record<string, unknown> {
  const problem = JSON.parse(body) as Record<string, unknown>;
  expect(headers["content-type"]).toBe("application/problem+json");
  expect(headers["cache-control"]).toBe("no-store");
  expect(problem).toMatchObject({ type: "about:blank", status });
  for (const member of ["title", "detail"]) expect(problem[member]).toEqual(expect.any(String));
  return { status, error: problem["error"] };
}

function refusals(program: Program, asks: boolean): void {
  describeWith(program.requirement, `${program.name}'s refusals`, () => {
    let keys: Keys;
    let stage: Stage;
    let upstream: Upstream;
    let port = 0;
    let server: readonly string[] = ["--map", "keys.map"];
    let kill: () => Promise<unknown>;

    beforeAll(async () => {
      keys = makeKeys();
      stage = openStage(keys.text);
      upstream = await startUpstream();
      if (asks) {
        const served = await stage.serve();
        server = ["--server", served.url];
        kill = () => {
          served.kill("SIGKILL");
          return served.ended;
        };
      }
      const asked = ["--scope", "apps:read", "--workspace", "blue"];
      ({ port } = await stage.proxy(program, "--upstream", upstream.url, ...server, ...asked));
    });
    afterAll(async () => {
      await stage.close();
      await upstream.close();
    });

    it("are problems that no cache keeps, each with one challenge", async () => {
      const cases: [Lines, number, string][] = [
        [[], 401, "unauthenticated"],
        [[["Authorization", "Bearer"]], 400, "invalid_request"],
        [[bearer(keys.unknown)], 401, "invalid_token"],
        [[bearer(keys.expired)], 401, "invalid_token"],
        [[bearer(keys.bare)], 403, "insufficient_scope"],
        [[bearer(keys.elsewhere)], 403, "workspace_denied"],
      ];
      for (const [lines, status, error] of cases) {
        for (const method of ["GET", "POST"]) {
          const answer = await send(port, { method, lines });
          expect(problemOf(answer)).toEqual({ status, error });
          // Two would be joined.
          expect(answer.headers["www-authenticate"]?.split("Bearer ").length, error).toBe(2);
        }
      }
    });

    it.each([400, 401, 403, 404, 414, 500, 503])(
      "of the upstream pass as they are: %i",
      async (given) => {
        const app = createServer((_request, response) => {
          response.writeHead(given, { "Content-Type": "text/plain" }).end("its own");
        }).listen(0, "127.0.0.1");
        await once(app, "listening");
        const url = `http://127.0.0.1:${String((app.address() as AddressInfo).port)}`;
        const proxy = await stage.proxy(program, "--upstream", url, ...server);
        const { status, headers, body } = await send(proxy.port, { lines: [bearer(keys.good)] });
        expect([status, headers["content-type"], body]).toEqual([given, "text/plain", "its own"]);
        await proxy.stop();
        app.closeAllConnections();
        app.close();
      },
    );

    it("are not what is answered where the upstream is down", async () => {
      const nobody = "unix:/nowhere/app.sock";
      const proxy = await stage.proxy(program, "--upstream", nobody, ...server);
      const { status, headers } = await send(proxy.port, { lines: [bearer(keys.good)] });
      expect(status).toBe(program === HAPROXY ? 503 : 502);
      expect(headers["content-type"]).not.toBe("application/problem+json");
      await proxy.stop();
    });

    if (asks) {
      it("say when to come again, in the body too", async () => {
        expect((await send(port, { lines: [bearer(keys.limited)] })).status).toBe(200);
        const answer = await send(port, { lines: [bearer(keys.limited)] });
        expect(problemOf(answer)).toEqual({ status: 429, error: "rate_limited" });
        const { retry_after_ms: wait } = JSON.parse(answer.body) as { retry_after_ms: number };
        expect(Math.ceil(wait / 1000)).toBe(Number(answer.headers["retry-after"]));
        expect(answer.headers["ratelimit"]).toMatch(/^"key";r=0;t=\d+$/);
        expect(answer.headers["www-authenticate"]).toBeUndefined();
      });

      it("are problems where too many look-ups failed", async () => {
        let last: Answered | undefined;
        for (let n = 0; n < 102 && last?.status !== 429; n += 1) {
          last = await send(port, { lines: [bearer(keys.unknown)] });
        }
        expect(last && problemOf(last)).toEqual({ status: 429, error: "too_many_failures" });
        expect(Number(last?.headers["retry-after"])).toBeGreaterThan(0);
      });

      it("are problems while the server is down", async () => {
        await kill();
        for (const lines of [[bearer(keys.good)], []]) {
          const answer = await send(port, { lines });
          expect(problemOf(answer)).toEqual({ status: 503, error: "unavailable" });
          expect(answer.headers["retry-after"]).toBe("5");
        }
      });
    }

    if (program === NGINX) {
      it("are problems where nginx refuses by itself", async () => {
        const host = "Host: a\r\n";
        const long = "a".repeat(9000);
        const cases: [string, number, string][] = [
          ["GET / HTTP/1.1\r\n", 400, "bad_request"],
          ["G\u0001T / HTTP/1.1\r\n", 400, "bad_request"],
          [`GET /%%x HTTP/1.1\r\n${host}`, 400, "bad_request"],
          [`GET / HTTP/9.1\r\n${host}`, 400, "bad_request"],
          [`POST / HTTP/1.1\r\n${host}Transfer-Encoding: x\r\n`, 400, "bad_request"],
          [`GET /.keys-verify HTTP/1.1\r\n${host}`, 404, "not_found"],
          [`GET /.keys-problem/bad_request HTTP/1.1\r\n${host}`, 404, "not_found"],
          [`TRACE / HTTP/1.1\r\n${host}`, 405, "method_not_allowed"],
          [`GET /${long} HTTP/1.1\r\n${host}`, 414, "target_too_long"],
          [`GET / HTTP/1.1\r\n${host}Cookie: ${long}\r\n`, 431, "headers_too_large"],
        ];
        const before = upstream.seen.length;
        for (const [text, status, error] of cases) {
          const answer = await sendText(port, `${text}Connection: close\r\n\r\n`);
          expect(problemOf(answer), text.slice(0, 80)).toEqual({ status, error });
        }
        expect(upstream.seen.length).toBe(before);
      });
    }
  });
}

/** Sends octets as they are, and reads until the end. */
async function sendText(port: number, text: string): Promise<Answered> {
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  let given = "";
  socket.on("data", (chunk: Buffer) => {
    given += chunk.toString();
  });
  await once(socket, "close");
  const [head = "", body = ""] = given.split("\r\n\r\n", 2);
  const [first = "", ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name = "", value = ""] = line.split(": ", 2);
      return [name.toLowerCase(), value];
    }),
  );
  const seen = { method: "", url: "", headers: [], octets: 0 };
  return { status: Number(first.split(" ")[1]), headers, body, seen };
}

describe("refusals", () => {
  refusals(NGINX, true);
  refusals(CADDY, true);
  refusals(HAPROXY, false);
});
