import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { create, listAll } from "./support/key-record.js";
import { makeWorld, systemError } from "./support/memory-io.js";

describe("a token that can't be shown", () => {
  it.each(["EPIPE", "ENOSPC", "EIO", "EBADF"])("leaves no live key after %s", async (code) => {
    const world = makeWorld();
    const { status, stderr } = await world.keys(["create", "--id", "alice"], {
      onStdout: () => {
        throw systemError(code);
      },
    });
    expect(status).toBe(1);
    expect(stderr).toContain(code);
    expect(await listAll(world)).toMatchObject([
      { id: "alice", state: "revoked", reason: "token could not be shown" },
    ]);
  });

  it("is not even made where stdout is the null device", async () => {
    const world = makeWorld();
    const { status, stderr } = await world.keys(["create", "--id", "a"], {
      stdoutIsNullDevice: true,
    });
    expect(status).toBe(1);
    expect(stderr).toContain("--token-file");
    expect(readdirSync(world.directory)).toEqual([]);
  });

  it("does not matter where there is no token to show", async () => {
    const world = makeWorld();
    const nowhere = { stdoutIsNullDevice: true };
    const digest = "c1f29e0ba7d36c5f18e94b0d7a2365f8e0c49b1d6f7a83520be9d4c6a1873f2e";
    for (const args of [["--digest", digest], ["--token-file", "t"], ["--dry-run"]]) {
      const { status } = await world.keys(["create", "--id", "a", ...args], nowhere);
      expect(status).toBe(0);
    }
    const { status } = await world.keys(["init", "--if-missing"], nowhere);
    expect(status).toBe(0);
  });

  it("puts the old key back when it was rotated", async () => {
    const world = makeWorld();
    const { digest, fingerprint } = await create(world, "--id", "alice", "--expires", "90d");
    const before = await listAll(world);
    for (const args of [["--yes"], ["--grace", "1h"]]) {
      const { status } = await world.keys(["rotate", fingerprint, ...args], {
        onStdout: () => {
          throw systemError("EPIPE");
        },
      });
      expect(status).toBe(1);
      const all = await listAll(world);
      expect(all.filter(({ state }) => state === "live")).toEqual(before);
      expect(
        all.filter((key) => key.digest !== digest).every((key) => key.state === "revoked"),
      ).toBe(true);
    }
    expect(world.read()).not.toContain("rotated_to");
  });

  it("is shown although the operator interrupts once its digest is stored", async () => {
    const world = makeWorld();
    const { status, stdout } = await world.keys(["create", "--id", "alice"], {
      onStdout: () => {
        world.signal("SIGINT");
      },
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^key_/);
    expect(await listAll(world)).toMatchObject([{ state: "live" }]);
  });
});

describe("--token-file", () => {
  it("holds the token alone, 0600, and stdout does not", async () => {
    const world = makeWorld();
    const { status, stdout, stderr } = await world.keys([
      ...["create", "--id", "alice", "--token-file", "token"],
    ]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    const file = path.join(world.directory, "token");
    const token = readFileSync(file, "utf8");
    expect(token).toMatch(/^key_[0-9A-Za-z]{49}\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(stderr).not.toContain(token.trim());
    expect((await create(world, "--id", "b", "--token-file", "other")).token).toBeNull();
  });

  it("is never written over anything", async () => {
    const world = makeWorld();
    world.write("token", "mine\n");
    const { stdout, status } = await world.keys([
      ...["create", "--id", "a", "--token-file", "token", "--json"],
    ]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "token-file-exists" } });
    expect(world.read("token")).toBe("mine\n");
    expect(existsSync(path.join(world.directory, "keys.yaml"))).toBe(false);
  });

  it("is gone again where the keystore could not be written", async () => {
    const world = makeWorld();
    world.write("keys.yaml", "api_keys: [\n");
    const { status } = await world.keys(["create", "--id", "a", "--token-file", "token"]);
    expect(status).toBe(3);
    expect(readdirSync(world.directory)).toEqual(["keys.yaml"]);
    const nowhere = await world.keys([
      "create",
      "--id",
      "a",
      "--file",
      "no/k.yaml",
      "--token-file",
      "t",
    ]);
    expect(nowhere.status).not.toBe(0);
    expect(readdirSync(world.directory)).toEqual(["keys.yaml"]);
  });

  it("is not the keystore itself, nor in a directory that is missing", async () => {
    const world = makeWorld();
    const same = ["create", "--id", "a", "--token-file", "./keys.yaml"];
    expect((await world.keys(same)).status).toBe(2);
    const missing = await world.keys(["create", "--id", "a", "--token-file", "no/token"]);
    expect(missing.status).toBe(1);
    expect(readdirSync(world.directory)).toEqual([]);
  });

  it("also takes the tokens of init and rotate", async () => {
    const world = makeWorld();
    expect((await world.keys(["init", "--token-file", "one"])).stdout).toBe("");
    await world.keys(["rotate", "--id", "owner", "--yes", "--token-file", "two"]);
    expect(readFileSync(path.join(world.directory, "two"), "utf8")).toMatch(/^key_/);
    writeFileSync(path.join(world.directory, "keys.yaml"), "api_keys: {}\n");
    const { status } = await world.keys(["init", "--token-file", "one"]);
    expect(status).toBe(1);
  });
});
