import { describe, expect, it } from "vitest";
import { namesIn } from "../helpers/keystores.js";
import { create } from "./support/key-record.js";
import { makeWorld } from "./support/memory-io.js";

const COMMANDS = [
  ...["init", "create", "list", "show", "set", "revoke", "disable", "enable", "rotate", "sweep"],
  ...["validate", "migrate", "hash", "identify", "push", "audit", "serve", "config"],
];

const TOKEN = "key_Chv5QtMwyrRxy0zZNFmgdEq3n3v25eEUpMwY4hn4Cg02qRbPr";

describe("help", () => {
  it("begins with examples, for the program and each command", async () => {
    const world = makeWorld();
    for (const args of [[], ...COMMANDS.map((name) => [name])]) {
      const { status, stdout, stderr } = await world.keys([...args, "--help"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/^Examples:\n {2}keys /);
      expect(stdout).toContain("Usage: keys");
      const other = await world.keys(["help", ...args]);
      expect(other.stdout).toBe(stdout);
    }
  });

  it("names what is built and nothing else", async () => {
    const world = makeWorld();
    const { stdout } = await world.keys(["--help"]);
    const listed = [...stdout.matchAll(/^ {2}([a-z]+) .*/gm)].map(([, name]) => name);
    expect(listed.filter((name) => name !== "keys")).toEqual([...COMMANDS, "help"]);
    expect(stdout).not.toMatch(/sarif|doctor/);
  });

  it("takes every command's common options before and after its name", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const common = [
      ...["--json", "--no-input", "--yes", "--dry-run", "--quiet", "--no-color"],
      "--token-stdin",
    ];
    const valued = ["--file", "x", "--token-file", "y"];
    for (const name of COMMANDS) {
      const { stdout } = await world.keys([...common, name, ...common, "--version"]);
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      for (const args of [
        [...valued, name, "--help"],
        [name, ...valued, "--help"],
      ]) {
        expect((await world.keys(args)).stdout).toContain(`Usage: keys ${name} `);
      }
    }
    const before = await world.keys(["--json", "--quiet", "list"]);
    const after = await world.keys(["list", "--json", "--quiet"]);
    expect(before).toEqual(after);
    expect(before.status).toBe(0);
  });

  it("comes on stderr with exit 2 where there is no command", async () => {
    const world = makeWorld();
    const { status, stdout, stderr } = await world.keys([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^Examples:/);
    expect(await world.json([])).toMatchObject({ error: { code: "usage" } });
  });
});

describe("a mistake on the command line", () => {
  it.each([
    [["crate"], "create"],
    [["revok", "c1f29e"], "revoke"],
    [["help", "lst"], "list"],
    [["list", "--staet", "all"], "--state"],
    [["list", "--jsn"], "--json"],
    [["--dryrun", "list"], "--dry-run"],
  ])("%j gets a near one suggested", async (args, near) => {
    const world = makeWorld();
    const { status, stdout, stderr } = await world.keys([...args, "--json"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(new RegExp(`hint: did you mean ${near}\\?`));
    const { error } = JSON.parse(stdout) as { error: { code: string; hint: string } };
    expect(error.code).toBe("usage");
    expect(error.hint).toContain(near);
  });

  it.each([
    [["create", TOKEN]],
    [["identify", TOKEN]],
    [["hash", TOKEN]],
    [[TOKEN]],
    [["help", TOKEN]],
    [["show", TOKEN]],
    [["revoke", TOKEN, "--yes"]],
    [["revoke", "--id", TOKEN, "--yes"]],
    [["create", "--id", TOKEN]],
    [["create", "--id", "a", "--label", `my ${TOKEN}`]],
    [["create", "--id", "a", "--scopes", TOKEN]],
    [["create", "--id", "a", "--digest", TOKEN]],
    [["create", "--id", "a", `--token=${TOKEN}`]],
    [["create", "--id", "a", "--token", TOKEN]],
    [["create", `-t${TOKEN}`]],
    [["create", "--id", "a", "--expires", TOKEN]],
    [["create", "--id", "a", "--rate-limit", TOKEN]],
    [["create", "--id", "a", "--prefix", TOKEN]],
    [["set", "c1f29e", "--unset", TOKEN]],
    [["list", "--state", TOKEN]],
    [["list", "--sort", TOKEN]],
    [["list", "--format", TOKEN]],
    [["validate", "--peers", TOKEN]],
    [["list", "--id", TOKEN]],
    [["list", "--token-file", TOKEN]],
    [["create", "--id", "a", "--label", `x${TOKEN}`]],
    [["create", "--id", "a", "--label", `${TOKEN}x`]],
    [["revoke", "--id", "alice", "--yes", "--reason", `A_b${TOKEN}9_`]],
  ])("%j never repeats the token, nor writes it", async (args) => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const before = world.read();
    for (const more of [[], ["--json"]]) {
      const { status, stdout, stderr } = await world.keys([...args, ...more]);
      expect(status).not.toBe(0);
      expect(stdout + stderr).not.toContain(TOKEN.slice(4, 40));
    }
    expect(world.read()).toBe(before);
    expect(namesIn(world.directory)).toEqual(["keys.yaml"]);
  });

  it("says of a token given as an argument where it stands now", async () => {
    const world = makeWorld();
    for (const args of [
      ["identify", TOKEN],
      ["show", TOKEN],
      ["create", "--id", TOKEN],
      ["list", "--id", TOKEN],
      ["revoke", "--id", TOKEN, "--yes"],
      ["set", "c1f29e", "--scopes", TOKEN],
      ["create", "--id", "a", "--label", `x${TOKEN}`],
      ["create", "--id", "a", "--prefix", TOKEN],
      ["list", "--file", TOKEN],
      ["hash", "--token-file", `${TOKEN}.txt`],
      ["validate", "--max-age", TOKEN],
      ["create", `--json=${TOKEN}`],
    ]) {
      expect((await world.keys(args)).stderr).toContain("history");
    }
  });

  it.each([
    ["an option without its value", ["create", "--id"]],
    ["an option given twice", ["revoke", "--id", "a", "--id", "b"]],
    ["too many arguments", ["show", "c1f29e", "c1f29e"]],
    ["an empty --file", ["list", "--file", ""]],
    ["an empty --token-file", ["create", "--id", "a", "--token-file", ""]],
    ["an empty --token-file, where there is no token", ["list", "--token-file", ""]],
    ["an unknown option", ["list", "--frobnicate"]],
  ])("exits 2 for %s", async (_, args) => {
    const world = makeWorld();
    expect((await world.keys(args)).status).toBe(2);
    expect(await world.json(args)).toMatchObject({ error: { code: "usage" } });
  });
});

describe("an option without a value", () => {
  it.each([
    [["list", "--json=true"], "--json"],
    [["--quiet=1", "list"], "--quiet"],
    [["revoke", "--yes=", "c1f29e"], "--yes"],
    [["revoke", "--all=yes"], "--all"],
    [["create", "--token-stdin=x"], "--token-stdin"],
  ])("says in %j that it takes none", async (args, name) => {
    const world = makeWorld();
    const { status, stderr } = await world.keys(args);
    expect(status).toBe(2);
    expect(stderr).toContain(`the option ${name} takes no value`);
    expect(await world.json(args)).toMatchObject({ error: { code: "usage" } });
  });

  it("is not made up", async () => {
    const { stderr } = await makeWorld().keys(["list", "--frobnicate=1"]);
    expect(stderr).toContain("there is no option --frobnicate here");
  });
});

describe("the options about tokens", () => {
  it("are taken before the command's name, with their effect", async () => {
    const world = makeWorld();
    const token = "a-token-of-20-characters";
    const adopted = await world.keys(["--token-stdin", "create", "--id", "a"], { stdin: token });
    expect(adopted).toMatchObject({ status: 0, stdout: "" });
    for (const name of ["hash", "identify"]) {
      const asked = await world.keys(["--token-stdin", name], { stdin: token });
      expect(asked.status).toBe(0);
    }
    const filed = await world.keys(["--token-file", "t", "rotate", "--id", "a", "--yes"]);
    expect(filed).toMatchObject({ status: 0, stdout: "" });
    expect(world.read("t")).toMatch(/^key_\w{49}\n$/);
  });

  it("change nothing where there is no token", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const { status } = await world.keys(["list", "--token-stdin", "--token-file", "t"]);
    expect(status).toBe(0);
    expect(namesIn(world.directory)).toEqual(["keys.yaml"]);
  });
});

describe("a name that can't be one", () => {
  it.each([
    [["show", "ca978"], /at least 6/],
    [["show", "f".repeat(65)], /longer than a digest/],
    [["set", "--id", "alice", "--expires", "1y"], /by its fingerprint .*--id is the new id/],
  ])("%j says what would be", async (args, words) => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const { status, stderr } = await world.keys(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(words);
    expect(stderr).not.toContain("a token is");
  });
});

describe("a word that is nearly right", () => {
  it.each([
    [
      ["list", "--Id", "x"],
      /^keys: error: there is no such option here\nhint: did you mean --id\?/,
    ],
    [["add"], /did you mean create\?/],
    [["new"], /did you mean create\?/],
    [["rm"], /did you mean revoke\?/],
    [["delete"], /did you mean revoke\?/],
    [["verify"], /did you mean identify\?/],
    [["-v"], /did you mean -V\?/],
    [["push"], /needs an argument: URL/],
    [["show", "alice"], /did you mean --id alice\?/],
    [["revoke", "alice", "--yes"], /did you mean --id alice\?/],
    [["rotate", "alice", "--yes"], /did you mean --id alice\?/],
    [["disable", "alice", "--yes"], /did you mean --id alice\?/],
    [["enable", "alice"], /did you mean --id alice\?/],
    [["create", "--id", "x", "--token-stdin", "--token-file", "a"], /error: --token-file is for/],
    [["serve", "--dry-run"], /--check/],
    [["push", "http://127.0.0.1:9", "--token-file", "a"], /--admin-token-file/],
  ])("%j leads to the right one", async (args, words) => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const before = world.read();
    const { status, stderr } = await world.keys(args, { stdin: TOKEN });
    expect(status).toBe(2);
    expect(stderr).toMatch(words);
    expect(world.read()).toBe(before);
  });

  it("is not repeated where it is nobody's id", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    expect((await world.keys(["show", "hunter2!"])).stderr).not.toContain("hunter2");
  });

  it.each([["hash"], ["identify"]])(
    "is said of --token-file with %s, which reads",
    async (name) => {
      const world = makeWorld();
      await create(world, "--id", "alice");
      const { stderr } = await world.keys([name, "--token-file", "t"], { stdin: TOKEN });
      expect(stderr).toContain("--token-file is for a new token");
    },
  );

  it("is the directory of a socket that is not there", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const { status, stderr } = await world.keys(["serve", "--socket", "nowhere/x.sock"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/error: there is no directory .*nowhere\n/);
  });

  it("may be an m that is meant for a month", async () => {
    const world = makeWorld();
    const created = (expires: string): Promise<{ readonly stderr: string }> =>
      world.keys(["create", "--id", "alice", "--expires", expires]);
    expect((await created("1m")).stderr).toContain("m is a minute");
    expect((await created("1h")).stderr).not.toContain("m is a minute");
  });
});

describe("what is said", () => {
  it("is left out with --quiet, errors apart", async () => {
    const world = makeWorld();
    const { stdout, stderr } = await world.keys(["create", "--id", "alice", "--quiet"]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^key_/);
    expect((await world.keys(["show", "c1f29e", "--quiet"])).stderr).toContain("keys: error:");
  });

  it("is lower case, without a full stop, with a hint", async () => {
    const world = makeWorld();
    for (const args of [["list"], ["create"], ["frobnicate"], ["show", "x"]]) {
      const { stderr } = await world.keys(args);
      expect(stderr).toMatch(/^keys: error: [^A-Z\n][^\n]*[^.\n]\nhint: [^\n]*[^.\n]\n$/);
    }
  });

  it("holds no stack trace when something unforeseen happens", async () => {
    const world = makeWorld();
    const { status, stdout, stderr } = await world.keys(["hash", "--json"], {
      stdin: "token-a",
      onStdout: () => {
        throw new Error("secret detail");
      },
    });
    expect(status).toBe(1);
    expect(stdout + stderr).not.toMatch(/secret detail|\bat .*:\d+/);
  });
});
