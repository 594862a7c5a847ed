import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeWith, runs } from "../helpers/requires.js";
import { makeWorld, type World } from "./support/memory-io.js";

const secret = "my-secret-token-0123456789";
const legacy = `# a service\napi_key: "${secret}" # the key\n`;
const FOUND = "the raw secret is still in git history";
const UNKNOWN = "may still be in git history";

const needs = { needs: "git", why: "keeps a file's history", available: runs("git", "--version") };

describeWith(needs, "keys migrate in a git repository", () => {
  const path = process.env["PATH"] ?? "";

  function git(world: World, ...args: readonly string[]): void {
    const name = [
      "-c",
      "user.name=a",
      "-c",
      "user.email=a@b.c",
      "-c",
      "protocol.file.allow=always",
    ];
    execFileSync("git", [...name, ...args], { cwd: world.directory, stdio: "ignore" });
  }

  function commit(world: World, text: string, name = "keys.yaml"): void {
    world.write(name, text);
    git(world, "add", "-A");
    git(world, "commit", "-m", "keys");
  }

  async function said(world: World, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { status, stdout, stderr } = await world.keys(["migrate", "--yes"], {
      env: { PATH: path, ...env },
    });
    expect(status, stderr).toBe(0);
    expect(stdout + stderr).not.toContain(secret);
    return stderr;
  }

  function repository(): World {
    const world = makeWorld();
    git(world, "init");
    return world;
  }

  it("says that the secret is still in history", async () => {
    const world = repository();
    commit(world, legacy);
    expect(await said(world)).toContain(FOUND);
  });

  it("does not say so of a secret that was never committed, nor without a repository", async () => {
    const world = repository();
    commit(world, "port: 1\n");
    world.write("keys.yaml", legacy);
    const outside = makeWorld();
    outside.write("keys.yaml", legacy);
    const fresh = repository();
    fresh.write("keys.yaml", legacy);
    for (const each of [world, outside, fresh]) expect(await said(each)).not.toContain("history");
  });

  it("finds it on another branch, that is not merged", async () => {
    const world = repository();
    commit(world, "port: 1\n");
    git(world, "checkout", "-b", "other");
    commit(world, legacy);
    git(world, "checkout", "-");
    world.write("keys.yaml", legacy);
    expect(await said(world)).toContain(FOUND);
  });

  it("finds it in a version that a merge threw away", async () => {
    const world = repository();
    commit(world, "port: 1\n");
    git(world, "checkout", "-b", "other");
    commit(world, legacy);
    git(world, "checkout", "-");
    commit(world, "port: 2\n");
    git(world, "merge", "-s", "ours", "other");
    git(world, "branch", "-D", "other");
    world.write("keys.yaml", legacy);
    expect(await said(world)).toContain(FOUND);
  });

  it("finds it under the name that the file had before", async () => {
    const world = repository();
    commit(world, legacy, "config.yaml");
    git(world, "mv", "config.yaml", "keys.yaml");
    git(world, "commit", "-m", "rename");
    expect(await said(world)).toContain(FOUND);
  });

  it.each([
    [
      "git mv",
      (world: World) => {
        git(world, "mv", "config.yaml", "keys.yaml");
      },
    ],
    [
      "mv",
      (world: World) => {
        renameSync(join(world.directory, "config.yaml"), join(world.directory, "keys.yaml"));
      },
    ],
  ])("finds it after a %s that is not committed yet", async (_, move) => {
    const world = repository();
    commit(world, legacy, "config.yaml");
    move(world);
    expect(await said(world)).toContain(FOUND);
  });

  it("finds what is only staged", async () => {
    const world = repository();
    commit(world, "port: 1\n", "other.yaml");
    world.write("keys.yaml", legacy);
    git(world, "add", "keys.yaml");
    expect(await said(world)).toContain(FOUND);
  });

  it("finds it in a directory of the repository, whatever its name", async () => {
    const world = repository();
    mkdirSync(join(world.directory, "a b"));
    const name = join("a b", "käys [1].yaml");
    commit(world, legacy, name);
    expect(await said(world, { KEYS_FILE: name })).toContain(FOUND);
  });

  it("says that it can't tell where git is missing, fails, or has not all of it", async () => {
    const world = repository();
    commit(world, "port: 1\n");
    world.write("keys.yaml", legacy);
    expect(await said(world, { PATH: "/nowhere" })).toContain(UNKNOWN);

    const failing = makeWorld();
    writeFileSync(join(failing.directory, "git"), "#!/bin/sh\nexit 1\n");
    chmodSync(join(failing.directory, "git"), 0o755);
    world.write("keys.yaml", legacy);
    expect(await said(world, { PATH: `${failing.directory}:${path}` })).toContain(UNKNOWN);

    commit(world, "port: 2\n");
    const shallow = makeWorld();
    git(shallow, "clone", "--depth", "1", `file://${world.directory}`, ".");
    shallow.write("keys.yaml", legacy);
    expect(await said(shallow)).toContain(UNKNOWN);
  });
});
