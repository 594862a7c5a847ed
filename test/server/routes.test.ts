import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generationOf } from "../../src/core/generation.js";
import { KeysError } from "../../src/errors.js";
import { appOf, entryOf, errorOf, headerOf, keystoreOf, NOW, requestOf } from "./requests.js";

const keystore = keystoreOf(entryOf("token-a", { id: "alice" }));

describe("the probes", () => {
  it("/healthz says that it is up", () => {
    expect(appOf(keystore).get("/healthz")).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  });

  it("/version says keyhold's version", () => {
    expect(JSON.parse(appOf(keystore).get("/version").body)).toMatchObject({ version: "1.2.3" });
  });

  it("/readyz says which generation is in force and for how long", () => {
    const app = appOf(keystore);
    app.setNow(NOW + 61_999);
    const answer = app.get("/readyz");
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      ready: true,
      generation: generationOf(keystore),
      age_s: 61,
      degraded: [],
    });
  });

  it("/readyz is 200 while degraded and 503 while stopping", () => {
    const app = appOf(keystore);
    app.state.reload({ error: new KeysError("file-not-found", "gone") });
    expect(app.get("/readyz").status).toBe(200);
    expect(JSON.parse(app.get("/readyz").body)).toMatchObject({ degraded: ["keystore-missing"] });
    app.state.beginStop();
    expect(app.get("/readyz").status).toBe(503);
    expect(JSON.parse(app.get("/readyz").body)).toMatchObject({ ready: false });
  });

  it.each(["/healthz", "/readyz", "/version"])("%s takes GET and HEAD alone", (path) => {
    const app = appOf(keystore);
    expect(app.ask(requestOf(path, {}, "HEAD")).reply.answer.status).toBe(200);
    const { answer } = app.ask(requestOf(path, {}, "POST")).reply;
    expect(answer.status).toBe(405);
    expect(headerOf(answer, "Allow")).toBe("GET, HEAD");
    expect(errorOf(answer)).toBe("method_not_allowed");
  });
});

describe("the routes", () => {
  it.each(["/", "/nginx/x", "/healthz/", "/metrics/", "/admin", "/admin/keys2", "/introspect/"])(
    "%s is a 404 problem",
    (path) => {
      const answer = appOf(keystore).get(path, "token-a");
      expect(answer.status).toBe(404);
      expect(errorOf(answer)).toBe("not_found");
    },
  );

  it("deny where the server has a defect, and tell it", async () => {
    const faults: unknown[] = [];
    const defect = new TypeError("defect");
    const app = appOf(keystore, {
      now: () => {
        throw defect;
      },
      onFault: (error) => faults.push(error),
    });
    const { reply } = await app.wait(requestOf("/verify", { "X-API-Key": "token-a" }));
    const { answer } = reply;
    expect(answer.status).toBe(503);
    expect(errorOf(answer)).toBe("unavailable");
    expect(faults).toEqual([defect]);
  });
});

describe("whatever is sent", () => {
  it("there is an answer, and a yes only to the right token", () => {
    const app = appOf(keystore);
    const target = fc.oneof(
      fc.string(),
      fc
        .tuple(
          fc.constantFrom("/verify", "/verify/", "/verify/-/", "/verify/-", "/nginx", "/readyz"),
          fc.string(),
        )
        .map((parts) => parts.join("")),
      fc
        .tuple(
          fc.constantFrom("/verify?", "/nginx?", "/verify/-/"),
          fc.stringMatching(/^[scopewrka=&;+%0-9*/ -]{0,30}$/),
        )
        .map((parts) => parts.join("")),
    );
    const name = fc.constantFrom("Authorization", "authorization", "X-API-Key", "Cookie");
    const value = fc.oneof(
      fc.constantFrom("Bearer token-a", "token-a", "Bearer nobody", "Bearer", "ApiKey token-a", ""),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)) }),
    );
    const headers = fc.array(fc.tuple(name, value), { maxLength: 3 });
    fc.assert(
      fc.property(target, headers, fc.constantFrom("GET", "HEAD", "POST"), (url, lines, method) => {
        const { route, reply } = app.ask(requestOf(url, lines.flat(), method));
        expect([200, 400, 401, 403, 404, 405, 503]).toContain(reply.answer.status);
        if (reply.answer.status === 503) expect(reply.outcome).toBe("misconfigured");
        if (reply.answer.status === 200 && route !== "readyz") {
          expect(lines.flat().join(" ")).toContain("token-a");
        }
      }),
      { numRuns: 5000 },
    );
  });
});
