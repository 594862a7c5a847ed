import fc from "fast-check";
import { expect, it } from "vitest";
import {
  formatHeaderValue,
  formatScopesHeader,
  formatWorkspacesHeader,
  parseHeaderValue,
  parseScopesHeader,
  parseWorkspacesHeader,
} from "../../src/core/identity-header.js";

it("gives every text back that was put into a header", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
      expect(parseHeaderValue(formatHeaderValue(text))).toBe(text);
    }),
  );
});

it.each([[["apps:read", "-"]], [["*"]], [["apps:*", "it's"]], [[]]])("scopes %j", (scopes) => {
  expect(parseScopesHeader(formatScopesHeader(scopes))).toEqual(scopes);
});

it("workspaces, and none", () => {
  expect(parseWorkspacesHeader(formatWorkspacesHeader(["blue", "gr'een"]))).toEqual([
    "blue",
    "gr'een",
  ]);
  expect(parseWorkspacesHeader(formatWorkspacesHeader(undefined))).toBe("unbound");
});

it.each(["", "-", "a b", "%", "%zz", "%ff", "ä", "a\n"])("%j is no value", (value) => {
  expect(parseHeaderValue(value)).toBeUndefined();
});

it.each(["", " ", "a  b", "a*", "%20", "a,%zz"])("%j is no list", (value) => {
  expect(parseScopesHeader(value)).toBeUndefined();
  expect(parseWorkspacesHeader(value)).toBeUndefined();
});
