import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { eventually } from "../server/eventually.js";
import { mintToken, namesIn } from "../helpers/keystores.js";
import { create, listAll } from "./support/key-record.js";
import { makeWorld } from "./support/memory-io.js";
import { openTerminal, seen } from "./support/terminal.js";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const ENTER = "\r";
const BACKSPACE = "\u007f";
const DOWN = "\u001b[B";
const SHOW_CURSOR = "\u001b[?25h";
const HIDE_CURSOR = "\u001b[?25l";

const later = { nowMs: Date.now() };

describe("at a terminal", () => {
  it("create asks whose key it is, again where the id is none, and shows the token", async () => {
    const world = makeWorld();
    const terminal = openTerminal(["create"], { cwd: world.directory });
    await terminal.waitFor("id");
    terminal.type(`no good${ENTER}`);
    await terminal.waitFor("start with a letter");
    terminal.type(`${"\u007f".repeat(7)}alice${ENTER}`);
    await terminal.waitFor("key_");
    expect(await terminal.ended).toMatchObject({ exitCode: 0 });
    expect(terminal.drawn()).toContain("shown this once");
    expect(await listAll(world)).toMatchObject([{ id: "alice", state: "live" }]);
  });

  it("create still gives the token alone on stdout when that is a file", async () => {
    const world = makeWorld();
    const terminal = openTerminal([], { cwd: world.directory, shell: "$KEYS create > token" });
    await terminal.waitFor("id");
    terminal.type(`alice${ENTER}`);
    expect(await terminal.ended).toMatchObject({ exitCode: 0 });
    expect(world.read("token")).toMatch(/^key_[0-9A-Za-z]{49}\n$/);
    expect(terminal.drawn()).not.toContain("key_");
  });

  it("revoke without a key offers the live ones, and asks before it acts", async () => {
    const world = makeWorld();
    const first = await create(world, "--id", "alice", "--label", "laptop");
    const second = await create(world, "--id", "bob");
    const terminal = openTerminal(["revoke"], { cwd: world.directory });
    await terminal.waitFor("Which key");
    await terminal.waitFor(first.fingerprint);
    await terminal.waitFor(second.fingerprint);
    terminal.type(DOWN);
    terminal.type(ENTER);
    await terminal.waitFor("Revoke");
    terminal.type(`y${ENTER}`);
    expect(await terminal.ended).toMatchObject({ exitCode: 0 });
    expect((await listAll(world)).map(({ id, state }) => [id, state])).toEqual([
      ["alice", "live"],
      ["bob", "revoked"],
    ]);
  });

  it("finds a key by what is typed, also where it all comes at once", async () => {
    const world = makeWorld();
    for (const id of ["alice", "bob", "carol"]) {
      await create(world, "--id", id, "--label", `the laptop of ${id}`);
    }
    const { fingerprint, digest } = (await listAll(world)).find(({ id }) => id === "carol") ?? {};
    for (const [typed, id] of [
      [`BOB lap${ENTER}`, "bob"],
      [`laptop${DOWN}${DOWN}${ENTER}`, "carol"],
      [`${fingerprint ?? ""}${ENTER}`, "carol"],
      [`${digest ?? ""}${ENTER}`, "carol"],
      [`bobby${ENTER}${BACKSPACE}${BACKSPACE}${ENTER}`, "bob"],
      [`laptop${DOWN}${DOWN} al${ENTER}`, "alice"],
    ] as const) {
      const terminal = openTerminal(["disable"], { cwd: world.directory });
      await terminal.waitFor("Which key");
      await terminal.waitFor("carol");
      terminal.type(typed);
      await terminal.waitFor("(y/N)");
      const question = seen(terminal.drawn()).split("\n").at(-1) ?? "";
      expect(question, typed).toContain(`(${id}, `);
      terminal.type(ENTER);
      expect(await terminal.ended).toMatchObject({ exitCode: 1 });
    }
  });

  it("draws nothing of a search that finds nothing: it may be a token", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const terminal = openTerminal(["revoke"], { cwd: world.directory });
    await terminal.waitFor("alice");
    const secret = mintToken();
    for (const character of secret) {
      terminal.type(character);
      await delay(5);
    }
    await terminal.waitFor("•".repeat(secret.length));
    terminal.type(CTRL_C);
    expect(await terminal.ended).toMatchObject({ exitCode: 130 });
    for (let length = 4; length <= secret.length; length += 1) {
      expect(terminal.drawn()).not.toContain(secret.slice(0, length));
    }
  });

  it.each([
    ["revoke", ["revoke"]],
    ["disable", ["disable"]],
    ["rotate", ["rotate"]],
  ])("%s asks; a no, or Enter alone, changes nothing and exits 1", async (_, args) => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice");
    const before = world.read();
    for (const answer of ["n", ""]) {
      const terminal = openTerminal([...args, fingerprint], { cwd: world.directory });
      await terminal.waitFor("(y/N)");
      terminal.type(answer + ENTER);
      expect(await terminal.ended).toMatchObject({ exitCode: 1 });
      expect(world.read()).toBe(before);
    }
  });

  it("migrate asks too", async () => {
    const world = makeWorld();
    const text = 'api_key: "my-secret-token-0123456789"\n';
    world.write("keys.yaml", text);
    const terminal = openTerminal(["migrate"], { cwd: world.directory });
    await terminal.waitFor("(y/N)");
    terminal.type(ENTER);
    expect(await terminal.ended).toMatchObject({ exitCode: 1 });
    expect(world.read()).toBe(text);
    expect(terminal.drawn()).not.toContain("my-secret");
  });

  it.each([
    ["with --yes", ["revoke", "--id", "alice", "--yes"]],
    ["with --dry-run", ["revoke", "--id", "alice", "--dry-run"]],
    ["for rotate with --grace", ["rotate", "--id", "alice", "--grace", "1h"]],
    ["for enable, sweep and set", ["sweep"]],
  ])("nothing is asked %s", async (_, args) => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const terminal = openTerminal(args, { cwd: world.directory });
    expect(await terminal.ended).toMatchObject({ exitCode: 0 });
    expect(terminal.drawn()).not.toContain("(y/N)");
  });

  it.each([
    ["--no-input", ["--no-input"], {}],
    ["CI", [], { CI: "true" }],
  ])("nothing is asked with %s: exit 2", async (_, flags, env) => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice");
    const before = world.read();
    for (const args of [["revoke", fingerprint], ["revoke"], ["create"], ["hash"]]) {
      const terminal = openTerminal([...args, ...flags], { cwd: world.directory, env });
      expect(await terminal.ended).toMatchObject({ exitCode: 2 });
    }
    expect(world.read()).toBe(before);
  });

  it("set with a new id and no key asks nothing: --id may be meant to name one", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const before = world.read();
    const args = ["set", "--id", "bob", "--label", "x"];
    const terminal = openTerminal(args, { cwd: world.directory });
    expect(await terminal.ended).toMatchObject({ exitCode: 2 });
    expect(seen(terminal.drawn())).toContain("name the key by its fingerprint");
    expect(world.read()).toBe(before);
  });

  it.each(
    [
      ["a question for a line", ["create"], "id"] as const,
      ["a list", ["revoke"], "Which key"] as const,
      ["a confirmation", ["revoke", "--id", "alice"], "(y/N)"] as const,
      ["a secret to adopt", ["create", "--id", "bob", "--token-stdin"], "Token"] as const,
      ["a secret to look up", ["identify"], "Token"] as const,
    ].flatMap((each) => [
      ["Ctrl-C", CTRL_C, ...each] as const,
      ["Ctrl-D", CTRL_D, ...each] as const,
    ]),
  )("%s (%j) at %s is 130, changes nothing and leaves the cursor", async (...row) => {
    const [, key, , args, question] = row;
    const world = makeWorld();
    await create(world, "--id", "alice");
    const before = world.read();
    const terminal = openTerminal([], {
      cwd: world.directory,
      shell: `before=$(stty -g); $KEYS ${args.join(" ")}; status=$?; [ "$(stty -g)" = "$before" ] && exit $status`,
    });
    await terminal.waitFor(question);
    terminal.type(key);
    await terminal.waitFor("nothing was changed");
    expect(await terminal.ended).toEqual({ exitCode: 130, signal: 0 });
    expect(world.read()).toBe(before);
    expect(namesIn(world.directory)).toEqual(["keys.yaml"]);
    const drawn = terminal.drawn();
    expect(drawn.lastIndexOf(SHOW_CURSOR)).toBeGreaterThanOrEqual(drawn.lastIndexOf(HIDE_CURSOR));
    expect(seen(drawn)).not.toMatch(/\bat .*:\d+:\d+/);
  });

  it("a secret is asked for without echo", async () => {
    const world = makeWorld();
    const secret = "a-token-that-nobody-may-see";
    for (const args of [["create", "--id", "eve", "--token-stdin"], ["hash"], ["identify"]]) {
      const terminal = openTerminal(args, { cwd: world.directory });
      await terminal.waitFor("Token");
      terminal.type(secret + ENTER);
      expect(await terminal.ended).toMatchObject({ exitCode: 0 });
      for (let length = 4; length <= secret.length; length += 1) {
        expect(terminal.drawn()).not.toContain(secret.slice(0, length));
      }
    }
  });

  it.each([60, 80, 120])("list fits %i columns, in colour", async (columns) => {
    const world = makeWorld();
    await world.keys(
      [
        ...["create", "--id", "a-contributor", "--label", "a label that is rather long ".repeat(4)],
        ...["--scopes", "events:write apps:read apps:write users:read", "--expires", "3d"],
      ],
      later,
    );
    const terminal = openTerminal(["list"], { cwd: world.directory, columns });
    expect(await terminal.ended).toMatchObject({ exitCode: 0 });
    const drawn = seen(terminal.drawn()).split("\n");
    const head = drawn.findIndex((line) => line.startsWith("FINGERPRINT"));
    const table = drawn.slice(head, head + 2);
    for (const line of table) expect(line.length).toBeLessThanOrEqual(columns);
    expect(table.join("\n")).toContain("a-contributor");
    expect(table.join("\n")).toMatch(/in 3 days/);
    expect(terminal.drawn()).toContain("\u001b[33m");
  });

  it.each([
    ["NO_COLOR", { NO_COLOR: "1" }, []],
    ["TERM=dumb", { TERM: "dumb" }, []],
    ["--no-color", {}, ["--no-color"]],
  ])("nothing is coloured with %s, prompts included", async (_, env, flags) => {
    const world = makeWorld();
    await world.keys(["create", "--id", "alice", "--expires", "3d"], later);
    const list = openTerminal(["list", ...flags], { cwd: world.directory, env });
    await list.ended;
    expect(list.drawn()).not.toContain("\u001b[");
    const revoke = openTerminal(["revoke", ...flags], { cwd: world.directory, env });
    await revoke.waitFor("alice");
    revoke.type(CTRL_C);
    await revoke.ended;
    // eslint-disable-next-line no-control-regex -- colours are control sequences that end in m
    expect(revoke.drawn()).not.toMatch(/\u001b\[[0-9;]*m/);
  });

  it("each stream is judged by itself", async () => {
    const world = makeWorld();
    await world.keys(["create", "--id", "alice", "--expires", "3d"], later);
    const shell = "$KEYS list > table";
    const terminal = openTerminal([], { cwd: world.directory, shell });
    await terminal.ended;
    expect(world.read("table")).not.toContain("\u001b[");
    expect(terminal.drawn()).toContain("\u001b[");
  });

  it.each(["1", "2"])("a server of %s outlives it, and ends as it means to", async (workers) => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const serve = `$KEYS serve --port 0 --workers ${workers}`;
    const kept = `trap '' HUP; ${serve} & echo $! > pid; wait $!; echo $? > status`;
    const terminal = openTerminal([], { cwd: world.directory, shell: `(${kept}) & read go` });
    await terminal.waitFor("serving 1 key");
    // The terminal goes with the shell that it was made for.
    terminal.type(ENTER);
    await terminal.ended;
    process.kill(Number(world.read("pid")), "SIGTERM");
    const status = path.join(world.directory, "status");
    await eventually(() => existsSync(status) && world.read("status") !== "").toBe(true);
    expect(world.read("status")).toBe("0\n");
  });

  it("a keystore is not made when its first key is not wanted after all", async () => {
    const world = makeWorld();
    const terminal = openTerminal(["create"], { cwd: world.directory });
    await terminal.waitFor("id");
    terminal.type(CTRL_C);
    expect(await terminal.ended).toMatchObject({ exitCode: 130 });
    expect(existsSync(path.join(world.directory, "keys.yaml"))).toBe(false);
  });
});
