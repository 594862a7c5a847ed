import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRequirement, parseRequirementSegment } from "../../src/core/requirement.js";

describe("parseRequirement", () => {
  it.each([
    ["scope=apps:read", { scopes: ["apps:read"], workspaces: [] }],
    ["workspace=blue", { scopes: [], workspaces: ["blue"] }],
    ["scope=a&workspace=blue&scope=b", { scopes: ["a", "b"], workspaces: ["blue"] }],
    ["scope=a+b", { scopes: ["a", "b"], workspaces: [] }],
    ["scope=a%20b&workspace=x+y", { scopes: ["a", "b"], workspaces: ["x", "y"] }],
    ["scope=a%2Bb", { scopes: ["a+b"], workspaces: [] }],
    ["scope=apps%3aread", { scopes: ["apps:read"], workspaces: [] }],
    ["scope=a=b", { scopes: ["a=b"], workspaces: [] }],
    ["scope=100%25", { scopes: ["100%"], workspaces: [] }],
    ["scope=a%26workspace=b", { scopes: ["a&workspace=b"], workspaces: [] }],
  ])("reads %s", (query, requirement) => {
    expect(parseRequirement(query)).toEqual(requirement);
  });

  it.each([
    ["nothing after the mark", ""],
    ["an unknown parameter", "scopes=a"],
    ["an unknown parameter after a good one", "scope=a&role=admin"],
    ["a name in another case", "Scope=a"],
    ["an encoded name", "%73cope=a"],
    ["a name of every object", "constructor=a"],
    ["no name", "=a"],
    ["no value", "scope="],
    ["no equals sign", "scope"],
    ["an empty parameter", "scope=a&&workspace=b"],
    ["a trailing ampersand", "scope=a&"],
    ["an empty word", "scope=a++b"],
    ["a word that is only a space", "scope=+"],
    ["a star", "scope=*"],
    ["a star at the end", "scope=apps:*"],
    ["an encoded star", "scope=apps:%2A"],
    ["a star in a workspace", "workspace=*"],
    ["a cut escape", "scope=a%2"],
    ["an escape that is none", "scope=a%zz"],
    ["a control character", "scope=a%0Ab"],
    ["NUL", "scope=a%00"],
    ["a quote", "scope=a%22b"],
    ["a backslash", "scope=a%5Cb"],
    ["a letter beyond ASCII", "scope=%C3%A9"],
    ["a raw octet beyond ASCII", "scope=\u00e9"],
    ["a second question mark's worth of nothing", "scope=a&workspace"],
  ])("finds %s ill-formed", (_, query) => {
    expect(parseRequirement(query)).toBeUndefined();
  });

  it("asks for everything that a well-formed query names, whatever its encoding", () => {
    const word = fc.stringMatching(/^[!#-)+-[\]-~]+$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.array(word), (scopes, workspaces) => {
        const query = [
          `scope=${scopes.map(encodeURIComponent).join("+")}`,
          ...workspaces.map((name) => `workspace=${encodeURIComponent(name)}`),
        ].join("&");
        expect(parseRequirement(query)).toEqual({ scopes, workspaces });
      }),
    );
  });
});

describe("parseRequirementSegment", () => {
  it("reads the same grammar with semicolons", () => {
    expect(parseRequirementSegment("scope=a+b;workspace=blue;scope=c%3Bd")).toEqual({
      scopes: ["a", "b", "c;d"],
      workspaces: ["blue"],
    });
  });

  it.each(["", "x", ";", "scope=a;", "scope=a&workspace=b;", "scope=*", "verify"])(
    "finds %j ill-formed",
    (segment) => {
      expect(parseRequirementSegment(segment)).toBeUndefined();
    },
  );
});
