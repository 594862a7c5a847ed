import { describe, expect, it } from "vitest";
import { makeWorld } from "./support/memory-io.js";

const rows = `api_keys:
  "${"a1".repeat(32)}":
    id: alice
    created_at: "2026-11-01T00:00:00Z"
    expires_at: "2026-12-31T00:00:00Z"
  "${"b2".repeat(32)}":
    id: alice
    created_at: "2026-11-02T00:00:00Z"
  "${"c3".repeat(32)}":
    id: bob
    created_at: "2026-11-03T00:00:00Z"
`;

describe("keys that are alike but for their fingerprints", () => {
  it("are told apart by their times where one has to be named", async () => {
    const world = makeWorld();
    world.write("keys.yaml", rows);
    const { status, stderr } = await world.keys(["show", "--id", "alice"]);
    expect(status).toBe(4);
    expect(stderr).toContain("a1a1a1a1a1a1 (alice), created 2026-11-01T00:00:00Z, ends 2026-12-31");
    expect(stderr).toContain("b2b2b2b2b2b2 (alice), created 2026-11-02T00:00:00Z");
    expect(stderr).not.toContain("bob");
  });
});
