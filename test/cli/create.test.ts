import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { create, listAll } from "./support/key-record.js";
import { makeWorld } from "./support/memory-io.js";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("keys create", () => {
  it("prints the token and nothing else on stdout, and stores its digest alone", async () => {
    const world = makeWorld();
    const { status, stdout, stderr } = await world.keys(["create", "--id", "alice"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^key_[0-9A-Za-z]{49}\n$/);
    const token = stdout.trim();
    expect(world.read()).toBe(
      `api_keys:\n  "${sha256(token)}":\n    id: alice\n    created_at: "2026-11-22T12:00:00Z"\n`,
    );
    expect(stderr).not.toContain(token);
    expect(stderr).toContain("0600");
    expect(statSync(path.join(world.directory, "keys.yaml")).mode & 0o777).toBe(0o600);
  });

  it("writes every field in its order and gives it back in JSON", async () => {
    const world = makeWorld();
    const made = await world.json([
      ...["create", "--id", "alice", "--label", "lap top", "--scopes", "a:b c", "--scopes", "d *"],
      ...["--expires", "90d", "--not-before", "1h", "--rate-limit", "60/1m"],
      ...["--workspaces", "blue green", "--prefix", "acme"],
    ]);
    expect(made).toEqual({
      token: expect.stringMatching(/^acme_/) as string,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
      id: "alice",
      label: "lap top",
      scopes: ["a:b", "c", "d", "*"],
      workspaces: ["blue", "green"],
      rate_limit: "60/1m",
      created_at: "2026-11-22T12:00:00Z",
      expires_at: "2027-02-20T12:00:00Z",
      file: "keys.yaml",
    });
    const names = [...world.read().matchAll(/^ {4}([a-z_]+):/gm)].map(([, name]) => name);
    expect(names).toEqual([
      ...["id", "label", "created_at", "expires_at", "not_before"],
      ...["scopes", "rate_limit", "workspaces"],
    ]);
  });

  it("takes a comma for a part of a name, and says so", async () => {
    const world = makeWorld();
    const scoped = ["create", "--id", "a", "--scopes", "a,b c", "--workspaces", "x,y"];
    const { status, stderr } = await world.keys(scoped);
    expect(status).toBe(0);
    expect(stderr).toContain("one scope with a comma in it: scopes are separated by spaces");
    expect(stderr).toContain("one workspace with a comma in it");
    const [key] = await listAll(world);
    expect(key).toMatchObject({ scopes: ["a,b", "c"], workspaces: ["x,y"] });
    const set = ["set", key?.fingerprint ?? "", "--scopes", "a,b c,d"];
    expect((await world.keys(set)).stderr).toContain("2 scopes with a comma in them");
    const plain = await world.keys(["create", "--id", "b", "--scopes", "a b"]);
    expect(plain.stderr).not.toContain("comma");
  });

  it("gives null for what a key lacks", async () => {
    const world = makeWorld();
    expect(await create(world, "--id", "a", "--expires", "never")).toMatchObject({
      ...{ label: null, scopes: [], workspaces: null, rate_limit: null, expires_at: null },
    });
  });

  it.each([
    [["--id", "system"], "id-reserved"],
    [["--id", "anonymous"], "id-reserved"],
    [["--id", "with space"], "id-invalid"],
    [["--id", ""], "id-invalid"],
    [[], "usage"],
    [["--id", "a", "--scopes", "a*b"], "value-invalid"],
    [["--id", "a", "--scopes", ""], "value-invalid"],
    [["--id", "a", "--workspaces", "*"], "value-invalid"],
    [["--id", "a", "--rate-limit", "60/1y"], "value-invalid"],
    [["--id", "a", "--expires", "90"], "value-invalid"],
    [["--id", "a", "--expires", "2020-01-01T00:00:00Z"], "value-invalid"],
    [["--id", "a", "--expires", "1d", "--not-before", "2d"], "value-invalid"],
    [["--id", "a", "--prefix", "Key"], "value-invalid"],
    [["--id", "a", "--digest", "abc"], "value-invalid"],
    [["--id", "a", "--label", "x".repeat(257)], "value-invalid"],
    [["--id", "a", "--label", "a\u001b[31mb"], "value-invalid"],
    [["--id", "a", "--digest", "0".repeat(64)], "token-weak"],
    [["--id", "a", "--digest", sha256("changeme")], "token-weak"],
    [["--id", "a", "--digest", sha256("x"), "--token-stdin"], "usage"],
    [["--id", "a", "--digest", sha256("x"), "--token-file", "t"], "usage"],
    [["--id", "a", "--allow-weak"], "usage"],
    [["--id", "a", "--id", "b"], "usage"],
  ])("refuses %j with %s and makes no file", async (args, code) => {
    const world = makeWorld();
    const { status, stdout } = await world.keys(["create", ...args, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code } });
    expect(status).toBe(2);
    expect(existsSync(path.join(world.directory, "keys.yaml"))).toBe(false);
  });

  it("refuses a digest that is live, retired or the admin's, in any case", async () => {
    const world = makeWorld();
    const { digest, fingerprint } = await create(world, "--id", "alice");
    const again = ["create", "--id", "bob", "--json", "--digest"];
    for (const text of [digest, digest.toUpperCase()]) {
      expect(await world.keys([...again, text])).toMatchObject({ status: 1 });
    }
    await create(world, "--id", "carol");
    await world.keys(["revoke", fingerprint, "--yes"]);
    const { status, stdout } = await world.keys([...again, digest]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "digest-exists" } });

    const admin = sha256("the admin's own token");
    world.write("keys.yaml", `${world.read()}admin_api_key_sha256: "${admin}"\n`);
    const refused = await world.keys([...again, admin]);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "digest-exists" } });
  });

  it("takes a digest without ever giving a token", async () => {
    const world = makeWorld();
    const digest = sha256("made by somebody else");
    const { status, stdout } = await world.keys(["create", "--id", "bob", "--digest", digest]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect((await listAll(world))[0]).toMatchObject({ digest, id: "bob" });
    const other = await create(world, "--id", "eve", "--digest", sha256("another"));
    expect(other.token).toBeNull();
  });

  it("looks at the keystore before it adds: other errors are refused with exit 3", async () => {
    const world = makeWorld();
    world.write("keys.yaml", 'api_keys:\n  "abc":\n    id: x\n');
    const before = world.read();
    const { status, stderr, stdout } = await world.keys(["create", "--id", "a"]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
    expect(stderr).toContain("keys.yaml:2:3: error digest-length");
    expect(world.read()).toBe(before);
  });

  it.each(["api_keys: {}\n", "", "# nothing\n", "api_keys:\n", "port: 1\n"])(
    "adds to a file without keys: %j",
    async (text) => {
      const world = makeWorld();
      world.write("keys.yaml", text);
      const { status } = await world.keys(["create", "--id", "a"]);
      expect(status).toBe(0);
      expect(await listAll(world)).toHaveLength(1);
    },
  );

  it("writes nothing with --dry-run, and shows no token", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const before = world.read();
    const { stdout, status } = await world.keys(["create", "--id", "bob", "--dry-run"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^--- keys\.yaml\n\+\+\+ keys\.yaml\n@@ .*\n(\+.*\n)+$/);
    expect(stdout).not.toMatch(/key_/);
    expect(world.read()).toBe(before);
    const preview = await world.json(["create", "--id", "bob", "--dry-run"]);
    expect(preview).toMatchObject({ token: null, digest: null, id: "bob", dry_run: true });
  });

  it("tells id-only peers' operator what an expiry is worth, and refuses a start", async () => {
    const world = makeWorld();
    const env = { KEYS_PEERS: "id-only" };
    const made = await world.keys(["create", "--id", "a", "--expires", "1d"], { env });
    expect(made.status).toBe(0);
    expect(made.stderr).toContain("sweep");
    const refused = await world.keys(["create", "--id", "b", "--not-before", "1d"], { env });
    expect(refused.status).toBe(2);
    const unknown = await world.keys(["create", "--id", "b"], { env: { KEYS_PEERS: "all" } });
    expect(unknown.status).toBe(2);
  });

  it("names the file by --file, else KEYS_FILE", async () => {
    const world = makeWorld();
    const env = { KEYS_FILE: "other.yaml" };
    expect(await world.json(["create", "--id", "a"], { env })).toMatchObject({
      file: "other.yaml",
    });
    const named = await world.json(["--file", "third.yaml", "create", "--id", "a"], { env });
    expect(named).toMatchObject({ file: "third.yaml" });
    expect(world.read("other.yaml")).toContain("id: a");
  });
});

describe("keys create --token-stdin", () => {
  const adopt = ["create", "--id", "eve", "--token-stdin"];

  it.each([
    "a-token-of-20-characters\n",
    "a-token-of-20-characters\r\n",
    "a-token-of-20-characters",
  ])("takes %j without its line end and prints nothing", async (stdin) => {
    const world = makeWorld();
    const { status, stdout } = await world.keys(adopt, { stdin });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect((await listAll(world))[0]?.digest).toBe(sha256("a-token-of-20-characters"));
    expect(world.read()).not.toContain("a-token");
  });

  it("gives null for the token in JSON", async () => {
    const world = makeWorld();
    expect(await world.json(adopt, { stdin: "x".repeat(20) })).toMatchObject({ token: null });
  });

  it.each([
    "",
    "\n",
    "two words of a token\n",
    "token-of-twenty-characters\n\n",
    "tökentökentökentöken",
    " x".repeat(9),
    "token-of-twenty-characters\r",
    "\u0000".repeat(30),
    "a".repeat(4097),
  ])("refuses %j as malformed, without telling it", async (stdin) => {
    const world = makeWorld();
    const { status, stdout, stderr } = await world.keys([...adopt, "--json"], { stdin });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "token-malformed" } });
    expect(status).toBe(2);
    if (stdin.trim() !== "") expect(stdout + stderr).not.toContain(stdin.trim());
  });

  it("refuses a short one unless --allow-weak, and a known-weak one always", async () => {
    const world = makeWorld();
    const weak = { error: { code: "token-weak" } };
    expect(await world.json(adopt, { stdin: "nineteen-characters" })).toMatchObject(weak);
    expect(await world.json([...adopt, "--allow-weak"], { stdin: "changeme" })).toMatchObject(weak);
    const taken = await world.keys([...adopt, "--allow-weak"], { stdin: "nineteen-characters" });
    expect(taken.status).toBe(0);
  });

  it("refuses a digest of this file, live or retired, and takes another with a note", async () => {
    const world = makeWorld();
    const { digest, fingerprint } = await create(world, "--id", "alice");
    const weak = { error: { code: "token-weak" } };
    expect(await world.json(adopt, { stdin: digest })).toMatchObject(weak);
    expect(await world.json(adopt, { stdin: digest.toUpperCase() })).toMatchObject(weak);
    await create(world, "--id", "carol");
    await world.keys(["revoke", fingerprint, "--yes"]);
    expect(await world.json(adopt, { stdin: digest })).toMatchObject(weak);
    const other = await world.keys(adopt, { stdin: sha256("elsewhere") });
    expect(other.status).toBe(0);
    expect(other.stderr).toContain("64 hex digits");
  });
});
