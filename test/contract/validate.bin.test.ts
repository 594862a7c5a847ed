import { describe, expect, it } from "vitest";
import { key, keystore, retiredAs, serve, type Got } from "./served.js";

const alice = key("alice", { scopes: "stt", rate_limit: "1/1m" });
const all = key("bob", { scopes: "* stt" });
const none = key("carol");
const wild = key("dave", { scopes: "apps:* stt" });
const expired = key("eve", { expires_at: "2020-01-01T00:00:00Z" });
const revoked = key("frank", retiredAs("revoked"));
const served = serve(keystore([alice, all, none, wild, expired], [revoked]));

function validate(body: unknown): Promise<Got> {
  return served.ask("/api/v1/api-keys/validate", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

const UNLIMITED = { requests: 1_000_000, window: 60 };

describe("POST /api/v1/api-keys/validate", () => {
  it("is 200 for a yes, with scopes and a limit in every case", async () => {
    const yes = async (apiKey: string, scope?: string): Promise<unknown> => {
      const { status, json } = await validate({ apiKey, scope });
      expect([status, json["valid"]]).toEqual([200, true]);
      return [json["userId"], json["scopes"], json["rateLimit"]];
    };
    expect(await yes(alice.token, "stt")).toEqual(["alice", ["stt"], { requests: 1, window: 60 }]);
    expect(await yes(all.token, "anything")).toEqual(["bob", [], UNLIMITED]);
    expect(await yes(none.token)).toEqual(["carol", ["-"], UNLIMITED]);
    const [, scopes] = (await yes(wild.token, "apps:read")) as [string, string[]];
    expect([...scopes].sort()).toEqual(["apps:*", "apps:read", "stt"]);
  });

  it("is 200 for a no: unknown, retired and expired the same, a missing scope named", async () => {
    for (const apiKey of ["unknown", revoked.token, expired.token]) {
      const { status, body } = await validate({ apiKey, scope: "stt" });
      expect([status, body]).toEqual([200, '{"valid":false,"error":"Invalid or revoked API key"}']);
    }
    const { status, json } = await validate({ apiKey: alice.token, scope: "tts" });
    expect(status).toBe(200);
    expect(json).toEqual({ valid: false, error: "API key does not have scope: tts" });
    expect((await validate({ apiKey: none.token, scope: "stt" })).json["valid"]).toBe(false);
  });

  it("never charges", async () => {
    for (let count = 0; count < 3; count += 1) {
      expect((await validate({ apiKey: alice.token })).json["valid"]).toBe(true);
    }
    expect((await served.as(alice.token, "/verify")).status).toBe(200);
  });

  it.each([["{"], ["[]"], ["null"], ["{}"], ['{"apiKey":1}'], ['{"apiKey":null}'], [""]])(
    "is 400 for %s",
    async (body) => {
      expect((await validate(body)).status).toBe(400);
    },
  );
});
