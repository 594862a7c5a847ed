import { describe, expect, it } from "vitest";
import { key, keystore, serve, sha256 } from "./served.js";

const alice = key("alice");
const { token } = alice;
const octets = "caf\u00e9-\u0080\u00ff-token";
const longest = `t${"x".repeat(4095)}`;
const raw = (text: string, id: string): typeof alice => ({
  ...key(id),
  yaml: `  "${sha256(Buffer.from(text, "latin1"))}":\n    id: ${id}\n`,
});
const served = serve(keystore([alice, raw(octets, "bob"), raw(longest, "carol")]));

/** Status and error of an answer to header lines, or whose key it was. */
async function told(...lines: readonly string[]): Promise<unknown> {
  const { status, headers, json } = await served.ask("/verify", { headers: lines });
  return status === 200 ? headers["x-auth-id"] : `${status} ${String(json["error"])}`;
}

const MALFORMED = "400 invalid_request";

describe("reading the credential", () => {
  it.each([
    ["Authorization: Bearer", ["Authorization", `Bearer ${token}`]],
    ["Authorization: ApiKey", ["Authorization", `ApiKey ${token}`]],
    ["X-API-Key", ["X-API-Key", token]],
    ["a scheme in any case", ["AUTHORIZATION", `bEARER ${token}`]],
    ["another scheme in any case", ["authorization", `apikey ${token}`]],
    ["several spaces and tabs", ["Authorization", `Bearer \t  ${token}`]],
    ["white space around", ["Authorization", ` \t Bearer ${token} \t `]],
    ["white space around X-API-Key", ["X-API-Key", ` \t${token}\t `]],
    ["another scheme beside X-API-Key", ["Authorization", "Basic eDp5", "X-API-Key", token]],
  ])("takes %s", async (_, lines) => {
    expect(await told(...lines)).toBe("alice");
  });

  it("hashes the octets as they are", async () => {
    expect(await told("Authorization", `Bearer ${octets}`)).toBe("bob");
    expect(await told("X-API-Key", octets)).toBe("bob");
  });

  it("takes 4,096 octets and no more", async () => {
    expect(await told("X-API-Key", longest)).toBe("carol");
    expect(await told("X-API-Key", `${longest}x`)).toBe(MALFORMED);
  });

  it.each([
    ["a scheme without a token", ["Authorization", "Bearer"]],
    ["a scheme with white space alone", ["Authorization", "ApiKey \t "]],
    ["white space inside", ["Authorization", `Bearer ${token} x`]],
    ["an empty X-API-Key", ["X-API-Key", ""]],
    ["a tab inside X-API-Key", ["X-API-Key", `${token}\tx`]],
    [
      "two Authorization lines",
      ["Authorization", `Bearer ${token}`, "Authorization", `Bearer ${token}`],
    ],
    [
      "a second line of another scheme",
      ["Authorization", `Bearer ${token}`, "Authorization", "Basic eDp5"],
    ],
    ["two lines of another scheme", ["Authorization", "Basic eDp5", "Authorization", "Basic eDp5"]],
    ["two X-API-Key lines", ["X-API-Key", token, "x-api-key", token]],
    ["two credentials", ["Authorization", `Bearer ${token}`, "X-API-Key", token]],
  ])("calls malformed: %s", async (_, lines) => {
    expect(await told(...lines)).toBe(MALFORMED);
  });

  it("finds none where there is none, or another scheme alone", async () => {
    expect(await told()).toBe("401 unauthenticated");
    expect(await told("Authorization", "Basic eDp5")).toBe("401 unauthenticated");
    expect(await told("Authorization", `Bearerx ${token}`)).toBe("401 unauthenticated");
    expect(await told("Cookie", `token=${token}; X-API-Key=${token}`)).toBe("401 unauthenticated");
  });

  it("never reads the query string", async () => {
    for (const name of ["access_token", "token", "api_key", "apiKey"]) {
      const path = await served.ask(`/verify/x?${name}=${token}`);
      expect([path.status, path.json["error"]]).toEqual([401, "unauthenticated"]);
      const query = await served.ask(`/verify?${name}=${token}`);
      expect([query.status, query.json["error"]]).toEqual([503, "misconfigured"]);
    }
  });

  it("has shown no token of all these", () => {
    expect(served.said()).not.toContain(token);
    expect(served.said()).not.toContain(longest.slice(0, 100));
  });
});
