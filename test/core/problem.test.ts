import { describe, expect, it } from "vitest";
import { createRefusalAnswers, problemAnswer, type Answer } from "../../src/core/problem.js";
import { MALFORMED, NO_CREDENTIAL, type Refusal } from "../../src/core/verify.js";

const answers = createRefusalAnswers("keys");

function header(answer: Answer, name: string): string | undefined {
  const at = answer.headers.findIndex((text, index) => index % 2 === 0 && text === name);
  return at === -1 ? undefined : answer.headers[at + 1];
}

function refusal(error: Refusal["error"], more: Partial<Refusal> = {}): Refusal {
  return { ok: false, error, reason: "unknown", ...more };
}

describe("createRefusalAnswers", () => {
  it.each([
    [NO_CREDENTIAL, 401, 'Bearer realm="keys"'],
    [MALFORMED, 400, 'Bearer realm="keys", error="invalid_request"'],
    [refusal("invalid_token"), 401, 'Bearer realm="keys", error="invalid_token"'],
    [refusal("workspace_denied"), 403, 'Bearer realm="keys", error="insufficient_scope"'],
    [
      refusal("insufficient_scope", { scopes: ["apps:read", "b", "b"] }),
      403,
      'Bearer realm="keys", error="insufficient_scope", scope="apps:read b"',
    ],
  ])("answers %o with its status and challenge", (verdict, status, challenge) => {
    const answer = answers(verdict);
    expect(answer.status).toBe(status);
    expect(header(answer, "WWW-Authenticate")).toBe(challenge);
    expect(JSON.parse(answer.body)).toMatchObject({ status, error: verdict.error });
  });

  it("gives unknown, retired, expired and not yet valid the same octets", () => {
    const reasons = ["unknown", "revoked", "disabled", "expired", "rotated", "not-yet-valid"];
    const texts = reasons.map((reason) =>
      JSON.stringify(answers(refusal("invalid_token", { reason: reason as Refusal["reason"] }))),
    );
    expect(new Set(texts).size).toBe(1);
  });

  it("names the realm it was given", () => {
    const challenge = header(createRefusalAnswers("my service")(NO_CREDENTIAL), "WWW-Authenticate");
    expect(challenge).toBe('Bearer realm="my service"');
  });
});

describe("problemAnswer", () => {
  it("is a problem of RFC 9457 that no cache keeps, with its true length", () => {
    const answer = problemAnswer("not_found");
    expect(header(answer, "Content-Type")).toBe("application/problem+json");
    expect(header(answer, "Cache-Control")).toBe("no-store");
    expect(header(answer, "Content-Length")).toBe(String(Buffer.byteLength(answer.body)));
    expect(Object.keys(JSON.parse(answer.body) as object)).toEqual([
      "type",
      "title",
      "status",
      "detail",
      "error",
    ]);
  });

  it("says when to ask again where no verdict could be reached", () => {
    expect(header(problemAnswer("misconfigured"), "Retry-After")).toMatch(/^[1-9]\d*$/);
    expect(header(problemAnswer("unavailable"), "Retry-After")).toMatch(/^[1-9]\d*$/);
    expect(header(problemAnswer("not_found"), "Retry-After")).toBeUndefined();
  });

  it("has no challenge where no credential was judged", () => {
    expect(header(problemAnswer("misconfigured"), "WWW-Authenticate")).toBeUndefined();
    expect(header(problemAnswer("bad_request"), "WWW-Authenticate")).toBeUndefined();
  });
});
