import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { binEnv, binPath, nodePath } from "../helpers/bin.js";
import { temporaryDirectory } from "../helpers/keystores.js";
import { create } from "./support/key-record.js";
import { makeWorld, NOW } from "./support/memory-io.js";

interface Report {
  readonly path: string;
  readonly valid: boolean;
  readonly errors: number;
  readonly warnings: number;
  readonly diagnostics: readonly {
    readonly severity: "error" | "warning";
    readonly code: string;
    readonly path: readonly string[];
    readonly line: number;
    readonly column: number;
    readonly message: string;
    readonly hint: string;
  }[];
}

const vectors = new URL("../vectors/keystore/", import.meta.url);
const expected = JSON.parse(readFileSync(new URL("expected.json", vectors), "utf8")) as Record<
  string,
  { errors: readonly string[]; warnings: readonly string[] }
>;
const ignored = ["file-permissions", "owner-mismatch", "unquoted-digest"];

const empty = "api_keys: {}\n";

describe("keys validate", () => {
  it("has an expectation for every vector", () => {
    const files = readdirSync(vectors).filter((name) => name.endsWith(".yaml"));
    expect(files.toSorted()).toEqual(Object.keys(expected).toSorted());
  });

  it.each(Object.keys(expected))("finds what is wrong with %s", async (name) => {
    const world = makeWorld();
    const stdin = readFileSync(new URL(name, vectors));
    const { status, stdout, stderr } = await world.keys(["validate", "-", "--json"], { stdin });
    const [report] = (JSON.parse(stdout) as { files: readonly Report[] }).files;
    const codes = (severity: string): string[] => [
      ...new Set(
        report?.diagnostics
          .filter((diagnostic) => diagnostic.severity === severity)
          .map(({ code }) => code)
          .filter((code) => !ignored.includes(code)),
      ),
    ];
    expect(codes("error").toSorted()).toEqual([...(expected[name]?.errors ?? [])].toSorted());
    expect(codes("warning").toSorted()).toEqual([...(expected[name]?.warnings ?? [])].toSorted());
    expect(status).toBe(report?.errors === 0 ? 0 : 3);
    expect(report?.valid).toBe(report?.errors === 0);
    expect(report?.errors).toBe(
      report?.diagnostics.filter(({ severity }) => severity === "error").length,
    );
    for (const { line, column, message, hint } of report?.diagnostics ?? []) {
      expect(line).toBeGreaterThan(0);
      expect(column).toBeGreaterThan(0);
      expect(message).not.toBe("");
      expect(hint).not.toBe("");
    }
    expect(stderr).toBe("");
  });

  it("gives text on stdout, with place, code and hint, and a summary", async () => {
    const world = makeWorld();
    world.write("keys.yaml", 'api_keys:\n  "abc":\n    id: x\n');
    const { status, stdout } = await world.keys(["validate"]);
    expect(status).toBe(3);
    expect(stdout).toMatch(
      /^keys\.yaml:2:3: error digest-length: .+\n {2}hint: .+\nkeys\.yaml: not valid, 1 error\n$/,
    );
    world.write("keys.yaml", empty);
    await create(world, "--id", "a");
    const valid = await world.keys(["validate"]);
    expect(valid).toMatchObject({ status: 0, stdout: "keys.yaml: valid, 1 live, 0 retired\n" });
    expect((await world.keys(["validate", "--quiet"])).stdout).toBe("");
  });

  it("takes warnings for errors with --strict, but not what git can't keep", async () => {
    const world = makeWorld();
    await create(world, "--id", "a", "--expires", "1d");
    const { files } = (await world.json(["validate", "--strict"])) as { files: readonly Report[] };
    expect(files[0]).toMatchObject({ valid: false, errors: 1, warnings: 0 });
    expect((await world.keys(["validate", "--strict"])).status).toBe(3);
    expect((await world.keys(["validate"])).status).toBe(0);
  });

  it("lets an empty keystore pass with --allow-empty, but none at all", async () => {
    const world = makeWorld();
    world.write("keys.yaml", empty);
    expect((await world.keys(["validate"])).status).toBe(3);
    expect((await world.keys(["validate", "--allow-empty"])).status).toBe(0);
    world.write("keys.yaml", "");
    expect((await world.keys(["validate", "--allow-empty"])).status).toBe(3);
  });

  it("demands what policy says", async () => {
    const world = makeWorld();
    await create(world, "--id", "a", "--not-before", "1h");
    const codes = async (...args: readonly string[]): Promise<string[]> => {
      const nowMs = NOW + 10 * 86_400_000;
      const { files } = (await world.json(["validate", ...args], { nowMs })) as {
        files: readonly Report[];
      };
      return files.flatMap(({ diagnostics }) => diagnostics.map(({ code }) => code));
    };
    expect(await codes()).toEqual([]);
    expect(await codes("--require-expiry")).toEqual(["no-expiry"]);
    expect(await codes("--require-scopes")).toEqual(["no-scopes"]);
    expect(await codes("--max-age", "11d")).toEqual([]);
    expect(await codes("--max-age", "9d")).toEqual(["too-old"]);
    expect(await codes("--max-age", "2026-11-23T00:00:00Z")).toEqual(["too-old"]);
    expect(await codes("--peers", "id-only")).toEqual(["not-before-unsupported"]);
    for (const bad of [
      ["--peers", "all"],
      ["--max-age", "old"],
      ["--format", "sarif"],
    ]) {
      expect((await world.keys(["validate", ...bad])).status).toBe(2);
    }
  });

  it("judges several files; an invalid one decides before a missing one", async () => {
    const world = makeWorld();
    await create(world, "--id", "a");
    world.write("bad.yaml", empty);
    const all = ["validate", "keys.yaml", "bad.yaml", "gone.yaml"];
    const { status, stdout } = await world.keys([...all, "--json"]);
    expect(status).toBe(3);
    const { files } = JSON.parse(stdout) as { files: readonly Report[] };
    expect(files.map(({ path, valid }) => [path, valid])).toEqual([
      ["keys.yaml", true],
      ["bad.yaml", false],
      ["gone.yaml", false],
    ]);
    expect(files[2]?.diagnostics[0]?.code).toBe("file-not-found");
    expect((await world.keys(["validate", "keys.yaml", "gone.yaml"])).status).toBe(4);
    expect((await world.keys(["validate", "gone.yaml"])).status).toBe(4);
  });

  it("reads stdin as -, once", async () => {
    const world = makeWorld();
    const { status, stdout } = await world.keys(["validate", "-"], { stdin: empty });
    expect(status).toBe(3);
    expect(stdout).toContain("<stdin>:1:");
    expect((await world.keys(["validate", "-", "-"])).status).toBe(2);
  });

  it.each([["keys validate pipe"], ["KEYS_FILE=pipe keys validate"], ["keys validate <(cat)"]])(
    "says of a pipe that - reads one: %s",
    (command) => {
      const cwd = temporaryDirectory();
      const script = `mkfifo pipe; keys() { "$NODE" "$BIN" "$@"; }; ${command}`;
      const { status, stderr } = spawnSync("bash", ["-c", script], {
        cwd,
        encoding: "utf8",
        input: empty,
        env: binEnv({ NODE: nodePath, BIN: binPath }),
        timeout: 20_000,
      });
      expect(status, stderr).toBe(1);
      expect(stderr).toMatch(/is a pipe, not a file\nhint: .*`keys validate -`/);
    },
  );
});
