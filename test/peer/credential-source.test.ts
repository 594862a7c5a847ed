import { expect, it } from "vitest";
import { readCredential } from "../../src/peer/credential-source.js";

const bearer = (token: string): object => ({
  kind: "credential",
  credential: { scheme: "bearer", token },
});

it("takes a token as text, hashed as UTF-8, or as octets", () => {
  expect(readCredential("secret")).toEqual(bearer("secret"));
  expect(readCredential("é")).toEqual(bearer("Ã©"));
  expect(readCredential(Buffer.from([0x61, 0xe9]))).toEqual(bearer("a\xe9"));
});

it.each(["", "two words", "line\n", "\x7f", "x".repeat(4097)])("%j is malformed", (token) => {
  expect(readCredential(token)).toEqual({ kind: "malformed" });
});

it("takes header lines, a Node request, a Fetch request", () => {
  const lines = ["Host", "a", "authorization", "Bearer s"];
  const headers = { authorization: "Bearer s" };
  for (const source of [
    lines,
    { rawHeaders: lines },
    new Request("http://a/?token=other", { headers }),
    { headers: new Headers(headers) },
  ]) {
    expect(readCredential(source)).toEqual(bearer("s"));
  }
});

it("reads the lines as they came where a request has joined ones too", () => {
  const rawHeaders = ["Authorization", "Bearer a", "Authorization", "Bearer b"];
  const joined = { rawHeaders, headers: new Headers({ authorization: "Bearer a" }) };
  expect(readCredential(joined)).toEqual({ kind: "malformed" });
});

it.each([
  ["Bearer a", "Bearer b"],
  ["Basic eA==", "Bearer b"],
  ["Basic eA==", "ApiKey"],
])("sees a second line that Fetch has joined: %j, %j", (first, second) => {
  const headers = new Headers();
  headers.append("Authorization", first);
  headers.append("Authorization", second);
  expect(readCredential({ headers })).toEqual({ kind: "malformed" });
});

it("sees two X-API-Key lines, and two kinds of credential", () => {
  const two = new Headers([
    ["X-API-Key", "a"],
    ["x-api-key", "b"],
  ]);
  expect(readCredential({ headers: two })).toEqual({ kind: "malformed" });
  const kinds = new Headers({ "X-API-Key": "a", Authorization: "Bearer b" });
  expect(readCredential({ headers: kinds })).toEqual({ kind: "malformed" });
});

it("leaves another scheme alone, commas and all", () => {
  const headers = new Headers({ Authorization: 'Digest username="bearer", realm="x"' });
  expect(readCredential({ headers })).toEqual({ kind: "none" });
});

it("does not take a query, nor headers as a plain object", () => {
  const request = new Request("http://a/?access_token=s&api_key=s");
  expect(readCredential(request)).toEqual({ kind: "none" });
  const plain = { headers: { authorization: "Bearer s" } } as unknown as Request;
  expect(() => readCredential(plain)).toThrow(expect.objectContaining({ code: "value-invalid" }));
});
