import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration } from "../../src/core/duration.js";
import { createEntry, stateAt } from "../../src/core/entry.js";
import { idProblem, isFreeText, isPortableId } from "../../src/core/id.js";
import {
  formatHeaderValue,
  formatScopesHeader,
  formatWorkspacesHeader,
} from "../../src/core/identity-header.js";
import { formatInstant, parseInstant } from "../../src/core/instant.js";
import { parseRateLimit } from "../../src/core/rate-limit.js";
import { isAskable, parseScopes, parseWorkspaces, satisfiesScope } from "../../src/core/scope.js";

describe("instants", () => {
  it.each([
    ["2027-02-20T10:00:00Z", "2027-02-20T10:00:00Z"],
    ["2027-02-20T10:00:00.5Z", "2027-02-20T10:00:00.500Z"],
    ["2027-02-20T10:00:00.123456789+02:30", "2027-02-20T07:30:00.123Z"],
    ["2024-02-29T23:59:59-23:59", "2024-03-01T23:58:59Z"],
    ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"],
  ])("%s is %s", (text, utc) => {
    const ms = parseInstant(text);
    expect(ms === undefined ? undefined : formatInstant(ms)).toBe(utc);
  });

  it.each([
    "2027-02-30T10:00:00Z",
    "2023-02-29T10:00:00Z",
    "2027-13-01T10:00:00Z",
    "2027-00-01T10:00:00Z",
    "2027-02-20T24:00:00Z",
    "2027-02-20T10:60:00Z",
    "2027-02-20T10:00:60Z",
    "2027-02-20T10:00:00",
    "2027-02-20T10:00Z",
    "2027-02-20t10:00:00Z",
    "2027-02-20T10:00:00z",
    "2027-02-20 10:00:00Z",
    "2027-02-20T10:00:00.Z",
    "2027-02-20T10:00:00+24:00",
    "2027-02-20T10:00:00+02",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "10000-01-01T00:00:00Z",
    "2027-02-20",
    " 2027-02-20T10:00:00Z",
    "",
  ])("%j is none", (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
        expect(parseInstant(formatInstant(ms))).toBe(ms);
      }),
    );
  });
});

describe("durations", () => {
  it.each([
    ["30s", 30_000],
    ["12h", 43_200_000],
    ["90d", 7_776_000_000],
    ["2w", 1_209_600_000],
    ["1y", 31_536_000_000],
    ["5m", 300_000],
  ])("%s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "0d", "-1d", "1", "d", "1.5h", "1 d", "01d", "1D", "1h30m", "99999999999999y"])(
    "%j is none",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe("scopes", () => {
  it.each<[string, readonly string[] | undefined]>([
    ["a b:c", ["a", "b:c"]],
    ["* apps:*", ["*", "apps:*"]],
    ["a a", ["a"]],
    ["", undefined],
    [" a", undefined],
    ["a  b", undefined],
    ["a*", undefined],
    ["a*b", undefined],
    ["*:a", undefined],
    ["a:*:b", undefined],
    ['a"b', undefined],
    ["a\\b", undefined],
    ["é", undefined],
    ["x".repeat(1024), ["x".repeat(1024)]],
    ["x".repeat(1025), undefined],
  ])("%j", (text, expected) => {
    expect(parseScopes(text)).toEqual(expected);
  });

  it("satisfies what it covers and nothing else", () => {
    expect(satisfiesScope(["*"], "anything")).toBe(true);
    expect(satisfiesScope(["apps:*"], "apps:read")).toBe(true);
    expect(satisfiesScope(["apps:*"], "apps:")).toBe(true);
    expect(satisfiesScope(["apps:*"], "apps")).toBe(false);
    expect(satisfiesScope(["apps:*"], "appsx:read")).toBe(false);
    expect(satisfiesScope(["apps"], "apps:read")).toBe(false);
    expect(satisfiesScope([], "apps")).toBe(false);
  });

  it("workspaces hold no star, and a star is never asked for", () => {
    expect(parseWorkspaces("blue green")).toEqual(["blue", "green"]);
    expect(parseWorkspaces("*")).toBeUndefined();
    expect(isAskable("apps:*")).toBe(false);
    expect(isAskable("")).toBe(false);
  });
});

describe("rate limits", () => {
  it.each([
    ["60/1m", { requests: 60, windowMs: 60_000 }],
    ["5/1s", { requests: 5, windowMs: 1000 }],
    ["1/30d", { requests: 1, windowMs: 2_592_000_000 }],
    ["none", "none"],
    ["0/1m", undefined],
    ["60/31d", undefined],
    ["60/1", undefined],
    ["60", undefined],
    ["None", undefined],
    ["1e3/1m", undefined],
    ["99999999999999999999/1m", undefined],
  ])("%s", (text, expected) => {
    expect(parseRateLimit(text)).toEqual(expected);
  });
});

describe("ids and texts", () => {
  it("names what is wrong with an id", () => {
    expect(idProblem("alice")).toBeUndefined();
    expect(idProblem("été 日本")).toBeUndefined();
    expect(idProblem("")).toBe("id-blank");
    expect(idProblem(" \u00a0 ")).toBe("id-blank");
    expect(idProblem("a\u0085")).toBe("id-control-character");
    expect(idProblem("😀".repeat(256))).toBeUndefined();
    expect(idProblem("a".repeat(257))).toBe("id-too-long");
  });

  it("knows which ids travel as they are", () => {
    for (const id of ["alice", "0", "a@b.c", "a:b+c-d_e"]) expect(isPortableId(id)).toBe(true);
    for (const id of ["", "-a", ".a", "a b", "é", "a/b"]) expect(isPortableId(id)).toBe(false);
  });

  it("takes any text without control characters for a label", () => {
    expect(isFreeText("")).toBe(true);
    expect(isFreeText("a\nb")).toBe(false);
    expect(isFreeText("a".repeat(257))).toBe(false);
  });
});

describe("identity headers", () => {
  it("encode every octet that is not plainly safe", () => {
    expect(formatHeaderValue("a.B_0~@+:-")).toBe("a.B_0~@+:-");
    expect(formatHeaderValue("é %*")).toBe("%C3%A9%20%25%2A");
    expect(formatHeaderValue("-")).toBe("%2D");
    expect(formatScopesHeader([])).toBe("-");
    expect(formatScopesHeader(["*", "apps:*", "-", "a/b"])).toBe("* apps:* %2D a%2Fb");
    expect(formatWorkspacesHeader(undefined)).toBe("*");
    expect(formatWorkspacesHeader(["blue", "-"])).toBe("blue %2D");
  });
});

describe("entries", () => {
  const digest = "ab".repeat(32);

  it("are faulty where a field that protects can't be read", () => {
    const names = ["expires_at", "not_before", "scopes", "rate_limit", "workspaces"];
    for (const name of names) {
      const fields = new Map([
        ["id", "a"],
        [name, "?*?"],
      ]);
      expect(createEntry(digest, fields, { place: "live" }).faulty, name).toBe(true);
    }
    expect(createEntry(digest, new Map(), { place: "live" }).faulty).toBe(true);
    expect(createEntry(digest, new Map([["id", "a"]]), { place: "live" }).faulty).toBe(false);
  });

  it("are expired from the instant of their end on", () => {
    const fields = new Map([
      ["id", "a"],
      ["expires_at", "2026-01-01T00:00:00Z"],
    ]);
    const entry = createEntry(digest, fields, { place: "live" });
    const end = Date.parse("2026-01-01T00:00:00Z");
    expect(stateAt(entry, end - 1)).toBe("live");
    expect(stateAt(entry, end)).toBe("expired");
  });
});
