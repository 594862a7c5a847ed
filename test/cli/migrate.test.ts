import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { mintToken } from "../helpers/keystores.js";
import { makeWorld } from "./support/memory-io.js";

const secret = "my-secret-token-0123456789";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const fingerprint = sha256(secret).slice(0, 12);
const flat = "c1f29e0ba7d36c5f18e94b0d7a2365f8e0c49b1d6f7a83520be9d4c6a1873f2e";

const legacy = `# a service
server: { port: 1 }
api_key: "${secret}" # the key
`;

describe("keys migrate", () => {
  it("makes the raw key a digest, and is idempotent", async () => {
    const world = makeWorld();
    world.write("keys.yaml", legacy);
    const migrate = ["migrate", "--id", "alice", "--yes"];
    expect(await world.json(migrate)).toEqual({
      changed: true,
      migrated: [{ from: "api_key", fingerprint, id: "alice" }],
    });
    expect(world.read()).not.toContain(secret);
    expect(world.read()).toContain("# a service\nserver: { port: 1 }\n");
    const before = world.read();
    expect(await world.json(migrate)).toEqual({ changed: false, migrated: [] });
    expect((await world.keys(["migrate"])).status).toBe(0);
    expect(world.read()).toBe(before);
    const { status } = await world.keys(["identify"], { stdin: secret });
    expect(status).toBe(0);
  });

  it("warns of a secret that can be found from its digest by trying", async () => {
    const world = makeWorld();
    world.write("keys.yaml", "api_key: hunter2\nadmin_api_key: the-admins-own-token\n");
    const { status, stderr } = await world.keys(["migrate", "--yes"]);
    expect(status).toBe(0);
    expect(stderr).toContain(
      `${sha256("hunter2").slice(0, 12)} was a secret of under 20 characters`,
    );
    expect(stderr.match(/by trying/g)).toHaveLength(1);
    expect(stderr).not.toContain("hunter2");
  });

  it("makes flat entries whole ones and the raw admin key a digest", async () => {
    const world = makeWorld();
    world.write("keys.yaml", `admin_api_key: the-admins-own-token\napi_keys:\n  "${flat}": bob\n`);
    expect(await world.json(["migrate", "--yes"])).toMatchObject({
      migrated: [
        { from: "api_keys", fingerprint: flat.slice(0, 12), id: "bob" },
        { from: "admin_api_key", id: null },
      ],
    });
    expect((await world.keys(["validate"])).status).toBe(0);
  });

  it("needs --yes where nobody is asked, and shows no secret in its diff", async () => {
    const world = makeWorld();
    world.write("keys.yaml", legacy);
    expect((await world.keys(["migrate"])).status).toBe(2);
    const { status, stdout, stderr } = await world.keys(["migrate", "--dry-run"]);
    expect(status).toBe(0);
    expect(stdout).toContain("-api_key: ");
    expect(stdout + stderr).not.toContain(secret);
    const preview = await world.json(["migrate", "--dry-run"]);
    expect(preview).toMatchObject({ changed: true, dry_run: true });
    expect(world.read()).toBe(legacy);
  });

  it.each([
    ["known-weak", "api_key: changeme\n"],
    [
      "retired",
      `api_key: "${secret}"\nretired_api_keys:\n  "${sha256(secret)}":\n    id: a\n    state: revoked\n    retired_at: "2026-01-01T00:00:00Z"\n`,
    ],
    ["the admin's", `api_key: "${secret}"\nadmin_api_key: "${secret}"\n`],
  ])("refuses a raw key that is %s", async (_, text) => {
    const world = makeWorld();
    world.write("keys.yaml", text);
    const { status, stderr } = await world.keys(["migrate", "--yes"]);
    expect(status).toBe(3);
    expect(stderr).toMatch(/hint: rotate it: .*`keys create`/);
    expect(stderr).not.toContain("keys migrate");
    expect(world.read()).toBe(text);
  });

  const minted = mintToken();
  const own = "the token itself";
  it.each([
    ["a minted token", flat, minted],
    ["one among other text", flat, `bob_${minted}`],
    ["the token of its own digest", sha256(own), own],
    ["the token of another entry", flat, secret],
    ["a reserved id", flat, "system"],
    ["a reserved id", flat, "anonymous"],
  ])("refuses a flat entry whose name is %s", async (_, digest, name) => {
    const world = makeWorld();
    const text = `api_key: "${secret}"\napi_keys:\n  "${digest}": "${name}"\n`;
    world.write("keys.yaml", text);
    for (const more of [["--yes"], ["--dry-run"], []]) {
      const { status, stdout, stderr } = await world.keys(["migrate", "--json", ...more]);
      expect(status, stderr).toBe(3);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "keystore-invalid" } });
      expect(stderr).toContain("`keys create`");
      if (name.length > 10) expect(stdout + stderr).not.toContain(name);
    }
    expect(world.read()).toBe(text);
  });

  it.each([
    ["retired", `api_keys: {}\nretired_api_keys:\n  "${flat}": bob\n`],
    ["nothing", `api_keys:\n  "${flat}":\n`],
    ["a list", `api_keys:\n  "${flat}": [bob]\n`],
  ])("does not send back to itself for a row that is %s", async (_, text) => {
    const world = makeWorld();
    world.write("keys.yaml", text);
    const { status, stdout, stderr } = await world.keys(["migrate", "--yes", "--json"]);
    expect(status).toBe(3);
    expect(stdout + stderr).not.toContain("keys migrate");
    expect(world.read()).toBe(text);
  });

  it("refuses an id that no key may have", async () => {
    const world = makeWorld();
    world.write("keys.yaml", legacy);
    expect((await world.keys(["migrate", "--yes", "--id", "system"])).status).toBe(2);
  });
});
