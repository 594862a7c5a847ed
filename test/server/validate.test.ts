import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import {
  appOf,
  bodyRequest,
  entryOf,
  errorOf,
  keystoreOf,
  requestOf,
  type App,
  type AppOptions,
} from "./requests.js";

const keystore = keystoreOf(
  entryOf("token-a", { id: "alice", scopes: "stt", rate_limit: "60/1m" }),
  entryOf("token-all", { id: "root", scopes: "stt *" }),
  entryOf("token-none", { id: "bob", rate_limit: "none" }),
  entryOf("token-wild", { id: "carol", scopes: "apps:* stt" }),
  entryOf("t\u00c3\u00b6k", { id: "dan" }),
  entryOf("token-old", { id: "eve", scopes: "stt", expires_at: "2020-01-01T00:00:00Z" }),
);

const PATH = "/api/v1/api-keys/validate";

function post(app: App, body: string | Uint8Array) {
  return app.ask(bodyRequest("POST", PATH, body)).reply.answer;
}

function validate(value: unknown, options: AppOptions = {}): unknown {
  const answer = post(appOf(keystore, options), JSON.stringify(value));
  expect(answer.status).toBe(200);
  return JSON.parse(answer.body);
}

const UNLIMITED = { requests: 1_000_000, window: 60 };

describe("validation", () => {
  it.each([
    [
      { apiKey: "token-a", scope: "stt" },
      { valid: true, userId: "alice", scopes: ["stt"], rateLimit: { requests: 60, window: 60 } },
    ],
    [
      { apiKey: "token-a" },
      { valid: true, userId: "alice", scopes: ["stt"], rateLimit: { requests: 60, window: 60 } },
    ],
    [
      { apiKey: "token-all", scope: "tts" },
      { valid: true, userId: "root", scopes: [], rateLimit: UNLIMITED },
    ],
    [
      { apiKey: "token-none", scope: null },
      { valid: true, userId: "bob", scopes: ["-"], rateLimit: UNLIMITED },
    ],
    [
      { apiKey: "token-wild", scope: "apps:read" },
      {
        valid: true,
        userId: "carol",
        scopes: ["apps:*", "stt", "apps:read"],
        rateLimit: UNLIMITED,
      },
    ],
    [
      { apiKey: "token-wild", scope: "stt" },
      { valid: true, userId: "carol", scopes: ["apps:*", "stt"], rateLimit: UNLIMITED },
    ],
    [{ apiKey: "tök" }, { valid: true, userId: "dan", scopes: ["-"], rateLimit: UNLIMITED }],
    [
      { apiKey: "token-a", scope: "tts" },
      { valid: false, error: "API key does not have scope: tts" },
    ],
    [
      { apiKey: "token-none", scope: "stt" },
      { valid: false, error: "API key does not have scope: stt" },
    ],
    [
      { apiKey: "token-all", scope: "*" },
      { valid: false, error: "API key does not have scope: *" },
    ],
    [
      { apiKey: "token-all", scope: "" },
      { valid: false, error: "API key does not have scope: " },
    ],
  ])("of %o", (body, expected) => {
    expect(validate(body)).toEqual(expected);
  });

  it("answers alike for unknown, expired and what can be no token", () => {
    for (const apiKey of ["nobody", "token-old", "", "a b", "x".repeat(5000)]) {
      expect(validate({ apiKey, scope: "stt" })).toEqual({
        valid: false,
        error: "Invalid or revoked API key",
      });
    }
  });

  it("names the default limit for keys without their own", () => {
    const options = { defaultLimit: { requests: 5, windowMs: 3_600_000 } };
    expect(validate({ apiKey: "token-all" }, options)).toMatchObject({
      rateLimit: { requests: 5, window: 3600 },
    });
    expect(validate({ apiKey: "token-none" }, options)).toMatchObject({ rateLimit: UNLIMITED });
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"apiKey":1}',
    '{"apiKey":null}',
    '{"apiKey":"token-a","scope":1}',
    Uint8Array.of(0x7b, 0xff, 0x7d),
  ])("refuses %j", (body) => {
    const answer = post(appOf(keystore), body);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toBe("bad_request");
  });

  it("never charges, and is a use of the key where it is valid", () => {
    const app = appOf(keystoreOf(entryOf("token-a", { id: "alice", rate_limit: "1/1h" })));
    for (let n = 0; n < 5; n += 1) post(app, '{"apiKey":"token-a"}');
    expect(app.get("/verify", "token-a").status).toBe(200);
    expect(new Set(app.used)).toEqual(new Set([digestOf("token-a")]));
    expect(app.used).toHaveLength(6);
  });

  it("takes POST alone", () => {
    expect(appOf(keystore).ask(requestOf(PATH)).reply.answer.status).toBe(405);
  });
});
