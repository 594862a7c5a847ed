import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { create } from "./support/key-record.js";
import { makeWorld, NOW } from "./support/memory-io.js";

/** Columns of a terminal; only what the tests use is known to be wide. */
function width(line: string): number {
  return line.length + (line.match(/[\u3000-\u9fff]/g)?.length ?? 0);
}

const DIGEST = "c1f29e0ba7d36c5f18e94b0d7a2365f8e0c49b1d6f7a83520be9d4c6a1873f2e";

describe("keys list", () => {
  it("gives exactly the fields of the contract in JSON", async () => {
    const world = makeWorld();
    const { digest, fingerprint } = await create(world, "--id", "alice", "--expires", "1d");
    expect(await world.json(["list"])).toEqual({
      keys: [
        {
          ...{ digest, fingerprint, id: "alice", label: null, scopes: [], workspaces: null },
          ...{ rate_limit: null, created_at: "2026-11-22T12:00:00Z" },
          ...{ expires_at: "2026-11-23T12:00:00Z", not_before: null, last_used_at: null },
          ...{ state: "live", retired_at: null, reason: null },
        },
      ],
    });
    expect(await world.json(["list", "--format", "json"])).toMatchObject({ keys: [{ digest }] });
  });

  it("counts the legacy key among the live ones", async () => {
    const world = makeWorld();
    world.write("keys.yaml", 'api_key: "my-secret-token-0123456789"\n');
    expect(await world.json(["list"])).toMatchObject({ keys: [{ id: "owner", state: "live" }] });
    expect((await world.keys(["list"])).stdout).not.toContain("my-secret");
  });

  it("chooses by state, contributor and end, and sorts", async () => {
    const world = makeWorld();
    const gone = await create(world, "--id", "bob", "--expires", "9d");
    await create(world, "--id", "carol", "--expires", "60d");
    await create(world, "--id", "alice", "--expires", "20d");
    await create(world, "--id", "dave");
    await world.keys(["revoke", gone.fingerprint, "--yes"]);
    const ids = async (...args: readonly string[]): Promise<string> => {
      const { keys } = (await world.json(["list", ...args])) as { keys: { id: string }[] };
      return keys.map(({ id }) => id).join(" ");
    };
    expect(await ids()).toBe("carol alice dave");
    expect(await ids("--state", "retired")).toBe("bob");
    expect(await ids("--state", "all", "--sort", "id")).toBe("alice bob carol dave");
    expect(await ids("--sort", "expires")).toBe("alice carol dave");
    expect(await ids("--sort", "-expires")).toBe("carol alice dave");
    expect(await ids("--expiring", "30d")).toBe("alice");
    expect(await ids("--expiring", "2027-02-01T00:00:00Z")).toBe("carol alice");
    expect(await ids("--id", "dave")).toBe("dave");
    expect(await ids("--id", "nobody")).toBe("");
    for (const bad of [
      ["--state", "x"],
      ["--sort", "x"],
      ["--format", "x"],
      ["--expiring", "x"],
    ]) {
      expect((await world.keys(["list", ...bad])).status).toBe(2);
    }
    expect((await world.keys(["list", "--format", "csv", "--json"])).status).toBe(2);
  });

  it("is plain and complete in a pipe", async () => {
    const world = makeWorld();
    const label = "a label that is rather long ".repeat(4).trim();
    await create(world, "--id", "alice", "--label", label, "--expires", "3d");
    const { stdout } = await world.keys(["list"], { env: { TERM: "xterm" } });
    expect(stdout).toContain(label);
    expect(stdout).toContain("2026-11-25T12:00:00Z (in 3 days)");
    expect(stdout).not.toContain("\u001b");
    expect(stdout.split("\n")[0]).toMatch(
      /^FINGERPRINT +ID +LABEL +SCOPES +CREATED +EXPIRES +LAST USED +STATE$/,
    );
  });

  it.each([60, 80, 120])("fits a terminal of %i columns without cutting ids", async (columns) => {
    const world = makeWorld();
    const id = "a-contributor";
    const { fingerprint } = await create(
      world,
      ...["--id", id, "--label", "寝室のノートパソコン".repeat(6), "--expires", "3d"],
      ...["--scopes", "events:write apps:read apps:write users:read users:write"],
    );
    const { stdout } = await world.keys(["list"], { columns, env: { NO_COLOR: "1" } });
    for (const line of stdout.trimEnd().split("\n"))
      expect(width(line)).toBeLessThanOrEqual(columns);
    expect(stdout).toContain(fingerprint);
    expect(stdout).toContain(id);
    expect(stdout).toContain("in 3 days");
  });

  it("says which columns a narrow terminal has no place for", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice", "--expires", "3d", "--scopes", "a b", "--label", "one");
    for (const columns of [50, 60, 80, 120]) {
      const { stdout, stderr } = await world.keys(["list"], { columns });
      const leftOut = ["SCOPES", "CREATED", "LAST USED"].filter((head) => !stdout.includes(head));
      expect(leftOut.length > 0, String(columns)).toBe(columns < 80);
      for (const head of ["SCOPES", "CREATED", "LAST USED"]) {
        expect(stderr.includes(head), `${columns} ${head}`).toBe(leftOut.includes(head));
      }
    }
    expect((await world.keys(["list"])).stderr).not.toContain("left out");
    expect((await world.keys(["list", "--quiet"], { columns: 60 })).stderr).toBe("");
    expect((await world.keys(["list", "--json"], { columns: 60 })).stderr).not.toContain(
      "left out",
    );
  });

  it("sets off what ends soon and what has ended, where colour is wanted", async () => {
    const world = makeWorld();
    await create(world, "--id", "soon", "--expires", "3d");
    await create(world, "--id", "over", "--expires", "1s");
    await create(world, "--id", "later", "--expires", "90d");
    const nowMs = NOW + 1000;
    const { stdout } = await world.keys(["list"], { columns: 120, nowMs });
    const line = (id: string): string => stdout.split("\n").find((text) => text.includes(id)) ?? "";
    expect(line("soon")).toContain("\u001b[33m");
    expect(line("over")).toContain("\u001b[31m");
    for (const colour of ["\u001b[31m", "\u001b[33m"]) expect(line("later")).not.toContain(colour);
    for (const [env, flags, isColoured] of [
      [{ NO_COLOR: "1" }, [], false],
      [{ NO_COLOR: "" }, [], true],
      [{ TERM: "dumb" }, [], false],
      [{ NO_COLOR: "1", FORCE_COLOR: "1" }, [], true],
      [{ FORCE_COLOR: "0" }, [], false],
      [{ FORCE_COLOR: "1" }, ["--no-color"], false],
    ] as const) {
      const shown = await world.keys(["list", ...flags], { columns: 120, nowMs, env });
      expect(shown.stdout.includes("\u001b[")).toBe(isColoured);
    }
    const forced = await world.keys(["list"], { env: { FORCE_COLOR: "1" }, nowMs });
    expect(forced.stdout).toContain("\u001b[");
  });

  it("writes CSV with every value as it is", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice", "--label", '=HYPERLINK("x"), or so', "--scopes", "a b");
    const { stdout } = await world.keys(["list", "--format", "csv"]);
    const [head, row, end] = stdout.split("\r\n");
    expect(head).toBe(
      "digest,fingerprint,id,label,scopes,workspaces,rate_limit,created_at,expires_at,not_before,last_used_at,state,retired_at,reason",
    );
    expect(row).toContain(`,alice,"=HYPERLINK(""x""), or so",a b,,,`);
    expect(end).toBe("");
  });

  it.each(["table", "json"])("lets no keystore forge what is shown (%s)", async (format) => {
    const world = makeWorld();
    const evil = "a\\e[2J\\u202Eb\\u009B1mc";
    world.write(
      "keys.yaml",
      `api_keys:\n  "${DIGEST}":\n    id: "${evil}"\n    label: "${evil}"\n`,
    );
    const { status, stdout, stderr } = await world.keys(["list", "--format", format]);
    expect(status).toBe(0);
    for (const obeyed of ["\u001b", "\u202e", "\u009b"])
      expect(stdout + stderr).not.toContain(obeyed);
    expect(stdout).toContain(DIGEST.slice(0, 12));
  });

  it("ends quietly when its reader has seen enough, and loudly when the disk is full", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const failing = (code: string) => ({
      onStdout: (): void => {
        throw Object.assign(new Error(code), { code });
      },
    });
    expect(await world.keys(["list"], failing("EPIPE"))).toMatchObject({ status: 0, stderr: "" });
    expect((await world.keys(["list"], failing("ENOSPC"))).status).toBe(1);
  });
});

describe("keys show", () => {
  it("gives one object of list, with its history", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice", "--label", "x");
    const { keys } = (await world.json(["list"])) as { keys: object[] };
    for (const name of [[fingerprint.slice(0, 6)], ["--id", "alice"]]) {
      const shown = (await world.json(["show", ...name])) as { history: unknown };
      expect(shown).toEqual({ ...keys[0], history: shown.history });
      expect(shown.history).toEqual([
        {
          at: "2026-11-22T12:00:00.000Z",
          actor: "os:operator",
          sudo_user: null,
          action: "create",
          outcome: "done",
          changes: {
            state: [null, "live"],
            id: [null, "alice"],
            label: [null, "x"],
            created_at: [null, "2026-11-22T12:00:00Z"],
          },
        },
      ]);
    }
    const { stdout } = await world.keys(["show", fingerprint]);
    expect(stdout).toMatch(/^label +x$/m);
  });
});

describe("keys hash", () => {
  it("gives the digest, alone or as JSON", async () => {
    const world = makeWorld();
    const digest = createHash("sha256").update("token-a").digest("hex");
    const { stdout } = await world.keys(["hash"], { stdin: "token-a\n" });
    expect(stdout).toBe(`${digest}\n`);
    expect(await world.json(["hash"], { stdin: "token-a" })).toEqual({
      digest,
      fingerprint: digest.slice(0, 12),
    });
  });
});

describe("keys identify", () => {
  const identify = ["identify"];

  it("says whose a token is, and that it is valid", async () => {
    const world = makeWorld();
    const { token, fingerprint } = await create(world, "--id", "alice");
    const stdin = token ?? "";
    expect(await world.json(identify, { stdin })).toEqual({
      fingerprint,
      format: { prefix: "key", checksum: "ok" },
      ...{ known: true, id: "alice", state: "live", valid: true, reason: null },
    });
    const { status, stdout } = await world.keys(identify, { stdin });
    expect(status).toBe(0);
    expect(stdout).not.toContain(stdin);
  });

  it("says why it would be refused, exit 5 with the result", async () => {
    const world = makeWorld();
    const { token, fingerprint } = await create(world, "--id", "alice", "--expires", "1d");
    const stdin = token ?? "";
    const late = { stdin, nowMs: NOW + 86_400_000 };
    expect(await world.json(identify, late)).toMatchObject({ state: "expired", reason: "expired" });
    await world.keys(["disable", fingerprint, "--yes"]);
    expect(await world.json(identify, { stdin })).toMatchObject({
      ...{ known: true, id: "alice", state: "disabled", valid: false, reason: "disabled" },
    });
    expect((await world.keys(identify, { stdin })).status).toBe(5);
    const mistyped = stdin.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect(await world.json(identify, { stdin: mistyped })).toMatchObject({
      ...{ known: false, id: null, state: null, valid: false, reason: "unknown" },
      format: { prefix: "key", checksum: "bad" },
    });
    expect(await world.json(identify, { stdin: "something else" })).toMatchObject({
      error: { code: "token-malformed" },
    });
  });

  it("knows a digest sent as a token, a token pasted as a digest, and the admin's", async () => {
    const world = makeWorld();
    const pasted = "a-token-that-was-pasted-in-the-wrong-place";
    world.write(
      "keys.yaml",
      `api_keys:\n  "${DIGEST}":\n    id: alice\n  "${pasted}":\n    id: bob\nadmin_api_key: the-admins-own-token\n`,
    );
    const reason = async (stdin: string): Promise<unknown> => {
      const { stdout, stderr, status } = await world.keys([...identify, "--json"], { stdin });
      expect(status).toBe(5);
      expect(stdout + stderr).not.toContain(pasted);
      return (JSON.parse(stdout) as { reason: unknown }).reason;
    };
    expect(await reason(DIGEST)).toBe("digest-as-token");
    expect(await reason(DIGEST.toUpperCase())).toBe("digest-as-token");
    expect(await reason(pasted)).toBe("token-as-digest");
    expect(await reason("the-admins-own-token")).toBe("admin-key");
    expect(await reason("nobody-has-this-one")).toBe("unknown");
  });
});
