import { describe, expect, it } from "vitest";
import { makeWorld } from "./support/memory-io.js";

const ALICE = "c1f29e0ba7d36c5f18e94b0d7a2365f8e0c49b1d6f7a83520be9d4c6a1873f2e";
const BOB = "7b04d8e1936fa25cc0de41b78f3a9265d1c70e84b92f6a3d05e8c17f4b6a2d93";

const sound = `api_keys:\n  "${ALICE}":\n    id: alice\n`;

describe("a key that is not found in a file with errors", () => {
  const hiding: readonly (readonly [code: string, text: string])[] = [
    ["alias-not-allowed", `base: &b { "${BOB}": { id: bob } }\n${sound}  <<: *b\n`],
    ["tag-not-allowed", `${sound}  !!str "${BOB}":\n    id: bob\n`],
    ["api-keys-not-mapping", `api_keys: [bob]\n`],
    ["digest-not-string", `${sound}  ${"1".repeat(64)}:\n    id: bob\n`],
    ["digest-length", `${sound}  "${BOB.slice(1)}":\n    id: bob\n`],
    ["digest-not-hex", `${sound}  "${BOB.slice(1)}x":\n    id: bob\n`],
    ["digest-looks-like-token", `${sound}  "a-token-in-the-wrong-place":\n    id: bob\n`],
    ["duplicate-key", `${sound}api_keys:\n  "${BOB}":\n    id: bob\n`],
  ];

  it.each(hiding)(
    "may stand there all the same with %s: exit 3, and what is wrong",
    async (code, text) => {
      for (const verb of ["revoke", "disable"]) {
        for (const name of [["--id", "bob"], [BOB.slice(0, 12)]]) {
          const world = makeWorld();
          world.write("keys.yaml", text);
          const { status, stdout, stderr } = await world.keys([verb, ...name, "--yes", "--json"]);
          expect(status, stderr).toBe(3);
          expect(JSON.parse(stdout)).toMatchObject({ error: { code: "keystore-invalid" } });
          expect(stderr).toContain(`error ${code}`);
          expect(world.read()).toBe(text);
        }
      }
    },
  );

  it("may be any entry without an id, where it is named by --id", async () => {
    const world = makeWorld();
    world.write("keys.yaml", `${sound}  "${BOB}":\n    ident: bob\n`);
    expect((await world.keys(["revoke", "--id", "bob", "--yes"])).status).toBe(3);
    expect((await world.keys(["revoke", "deadbeef", "--yes"])).status).toBe(4);
  });

  it("is not there where the errors can't hide it: exit 4", async () => {
    const world = makeWorld();
    world.write("keys.yaml", `${sound}    expires_at: soon\n`);
    expect((await world.keys(["revoke", "--id", "bob", "--yes"])).status).toBe(4);
  });
});

describe("revoking in a file with errors", () => {
  it("exits 3 with what is wrong where the edit does not fit the file", async () => {
    const world = makeWorld();
    const text = `api_keys:\n  "${ALICE}": &a\n    id: alice\n  "${BOB}": *a\n`;
    world.write("keys.yaml", text);
    const { status, stderr } = await world.keys(["revoke", "--id", "alice", "--yes"]);
    expect(status, stderr).toBe(3);
    expect(stderr).toContain("error alias-not-allowed");
    expect(world.read()).toBe(text);
  });

  it("finds what stands there as no entry, by its id and by its digest", async () => {
    for (const name of [["--id", "bob"], [BOB.slice(0, 12)]]) {
      const world = makeWorld();
      world.write("keys.yaml", `${sound}  "${BOB}": bob\n`);
      const { status, stderr } = await world.keys(["revoke", ...name, "--yes"]);
      expect(status, stderr).toBe(0);
      expect((await world.keys(["validate"])).status).toBe(0);
    }
  });

  it("says that nobody gets in only where the file can be loaded", async () => {
    const world = makeWorld();
    world.write("keys.yaml", `${sound}retired_api_keys:\n  "${BOB}":\n    id: bob\n`);
    const { status, stderr } = await world.keys(["revoke", "--id", "alice", "--yes"]);
    expect(status).toBe(3);
    expect(stderr).toContain("running servers will not load this file until it is mended");
    expect(stderr).not.toContain("nobody gets in");
  });

  it("says what the exit status means with --quiet too", async () => {
    const world = makeWorld();
    world.write("keys.yaml", `${sound}  "short":\n    id: bob\n`);
    const { status, stderr } = await world.keys(["revoke", "--id", "alice", "--yes", "-q"]);
    expect(status).toBe(3);
    expect(stderr).toContain(
      "keys: error: running servers will not load this file until it is mended",
    );
  });
});

describe("a diagnostic as text", () => {
  it("names a key by its fingerprint, and in JSON by its digest", async () => {
    const world = makeWorld();
    world.write("keys.yaml", `${sound}    expires_at: soon\n`);
    const { stdout } = await world.keys(["validate"]);
    expect(stdout).toContain(`(api_keys.${ALICE.slice(0, 12)}.expires_at)`);
    expect(await world.json(["validate"])).toMatchObject({
      files: [{ diagnostics: [{ path: ["api_keys", ALICE, "expires_at"] }] }],
    });
  });
});

describe("warnings before what was asked for", () => {
  const text = (count: number, more = ""): string =>
    `api_keys:\n${Array.from(
      { length: count },
      (_, n) =>
        `  "${String(n).padStart(2, "0")}${ALICE.slice(2)}":\n    id: user-${String(n)}\n    mood: good\n`,
    ).join("")}${more}`;

  it.each(["list", "show --id user-1", "identify --token-stdin"])(
    "are three at most in `keys %s`, then how many more",
    async (line) => {
      const world = makeWorld();
      world.write("keys.yaml", text(8));
      const { stderr } = await world.keys(line.split(" "), { stdin: "x".repeat(30) });
      expect(stderr.match(/warning unknown-field/g)).toHaveLength(3);
      expect(stderr).toContain("and 5 more warnings; `keys validate` lists them");
      const quiet = await world.keys(["--quiet", ...line.split(" ")], { stdin: "x".repeat(30) });
      expect(quiet.stderr).not.toMatch(/warning|more/);
    },
  );

  it("are all there with `keys validate`, and where there are three", async () => {
    const world = makeWorld();
    world.write("keys.yaml", text(8));
    const { stdout } = await world.keys(["validate"]);
    expect(stdout.match(/warning unknown-field/g)).toHaveLength(8);
    world.write("keys.yaml", text(3));
    expect((await world.keys(["list"])).stderr).not.toContain("more");
  });

  it("hide no error", async () => {
    const world = makeWorld();
    world.write("keys.yaml", text(8, `  "${BOB}":\n    ident: bob\n`));
    expect((await world.keys(["list"])).stderr).toContain("error id-missing");
  });
});
