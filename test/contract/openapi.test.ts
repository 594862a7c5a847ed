import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { disagreements, DOCUMENT_PATH, PATHS, type Exchange } from "./openapi.js";

const SOUND: Exchange = {
  method: "GET",
  target: "/verify?scope=a",
  status: 401,
  headers: {
    "www-authenticate": 'Bearer realm="keys"',
    "cache-control": "no-store",
    "content-type": "application/problem+json",
  },
  body: JSON.stringify({
    ...{ type: "about:blank", title: "Unauthorized", status: 401, detail: "no key" },
    error: "unauthenticated",
  }),
};

describe("docs/openapi.yaml", () => {
  it("is OpenAPI 3.1", async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(DOCUMENT_PATH);
    expect(errors).toBeUndefined();
    expect([valid, validator.version]).toEqual([true, "3.1"]);
  });

  it("describes every route of the contract", () => {
    expect([...PATHS].sort()).toEqual(
      [
        ...["/verify", "/verify/-/{requirement}/{rest}", "/verify/{rest}", "/nginx", "/introspect"],
        ...["/.well-known/oauth-authorization-server", "/api/v1/api-keys/validate"],
        ...["/admin/keys", "/admin/keys/{digest}", "/healthz", "/readyz", "/version", "/status"],
        "/metrics",
      ].sort(),
    );
  });

  it("holds against an answer as it should be, and against none that is not", () => {
    expect(disagreements(SOUND)).toEqual([]);
    const changes: readonly Partial<Exchange>[] = [
      { target: "/elsewhere" },
      { method: "TRACE" },
      { status: 403 },
      { headers: { ...SOUND.headers, "www-authenticate": undefined } },
      { headers: { ...SOUND.headers, "www-authenticate": "Basic" } },
      { headers: { ...SOUND.headers, "content-type": "text/html" } },
      { headers: { ...SOUND.headers, "x-auth-id": "alice" } },
      { body: "{}" },
      { body: SOUND.body.replace("unauthenticated", "insufficient_scope") },
    ];
    for (const change of changes) {
      expect(disagreements({ ...SOUND, ...change }), JSON.stringify(change)).not.toEqual([]);
    }
  });
});
