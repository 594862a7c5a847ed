import { expect, it } from "vitest";
import { requirementOf } from "../../src/peer/asked.js";

it("is what was asked, whatever the caller does to its lists afterwards", () => {
  const scopes = ["apps:write"];
  const requirement = requirementOf({ scopes });
  scopes[0] = "apps:read";
  expect(requirement).toEqual({ scopes: ["apps:write"], workspaces: [] });
});

it("is nothing that can be asked where a list has holes", () => {
  const scopes = ["apps:read"];
  scopes[2] = "apps:write";
  expect(requirementOf({ scopes })).toBeUndefined();
});
