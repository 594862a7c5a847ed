import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { describeWith, runs } from "../helpers/requires.js";
import { makeWorld, type World } from "./support/memory-io.js";

const secret = "my-secret-token-0123456789";
const fingerprint = createHash("sha256").update(secret).digest("hex").slice(0, 12);
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
      `api_key: "${secret}"\nretired_api_keys:\n  "${createHash("sha256").update(secret).digest("hex")}":\n    id: a\n    state: revoked\n    retired_at: "2026-01-01T00:00:00Z"\n`,
    ],
    ["the admin's", `api_key: "${secret}"\nadmin_api_key: "${secret}"\n`],
  ])("refuses a raw key that is %s", async (_, text) => {
    const world = makeWorld();
    world.write("keys.yaml", text);
    expect((await world.keys(["migrate", "--yes"])).status).toBe(3);
    expect(world.read()).toBe(text);
  });

  it("refuses an id that no key may have", async () => {
    const world = makeWorld();
    world.write("keys.yaml", legacy);
    expect((await world.keys(["migrate", "--yes", "--id", "system"])).status).toBe(2);
  });
});

const git = { needs: "git", why: "keeps a file's history", available: runs("git", "--version") };

describeWith(git, "keys migrate in a git repository", () => {
  const env = { PATH: process.env["PATH"] ?? "" };

  function commit(world: World): void {
    const run = (...args: readonly string[]): void => {
      execFileSync("git", [...["-c", "user.name=a", "-c", "user.email=a@b.c"], ...args], {
        cwd: world.directory,
        stdio: "ignore",
      });
    };
    run("init");
    run("add", "keys.yaml");
    run("commit", "-m", "keys");
  }

  it("says that the secret is still in history", async () => {
    const world = makeWorld();
    world.write("keys.yaml", legacy);
    commit(world);
    const { status, stderr } = await world.keys(["migrate", "--yes"], { env });
    expect(status).toBe(0);
    expect(stderr).toContain("git history");
    expect(stderr).not.toContain(secret);
  });

  it("does not say so of a secret that was never committed", async () => {
    const world = makeWorld();
    world.write("keys.yaml", "port: 1\n");
    commit(world);
    world.write("keys.yaml", legacy);
    const { stderr } = await world.keys(["migrate", "--yes"], { env });
    expect(stderr).not.toContain("git history");
  });
});
