import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { mintedTokensIn } from "../helpers/keystores.js";
import { makeWorld, type World } from "./support/memory-io.js";
import {
  plantSecrets,
  strangerDigest,
  troubledKeystores,
  type PlantedSecrets,
} from "./support/planted-secrets.js";

/** A command line, and what it is given on stdin. */
interface Call {
  readonly args: readonly string[];
  readonly stdin?: string;
}

/** Every command, in every form that prints or writes something of its own. */
function everyCommand(digest: string, secrets: PlantedSecrets): readonly Call[] {
  const key = digest.slice(0, 12);
  const plain: readonly (readonly string[])[] = [
    ["validate"],
    ["validate", "--strict", "--require-expiry", "--require-scopes", "--max-age", "1d"],
    ["list", "--state", "all"],
    ["list", "--format", "csv"],
    ["show", key],
    ["create", "--id", "new"],
    ["init"],
    ["rotate", "--yes", key],
    ["rotate", "--grace", "1h", key],
    ["set", key, "--label", "x"],
    ["disable", "--yes", key],
    ["enable", key],
    ["revoke", "--yes", key],
    ["revoke", "--yes", "--all"],
    ["revoke", "--yes", "--purge", key],
    ["sweep"],
    ["migrate", "--yes"],
    ["audit"],
    ["audit", "verify"],
    ["serve", "--check"],
    ["config", "nginx"],
    ["config", "haproxy", "--map", "keys.map"],
    ["push", "http://127.0.0.1:9", "--yes"],
  ];
  const tokens = [secrets.at("api_key"), secrets.at("map key"), secrets.at("admin_api_key")];
  const fromStdin = tokens.flatMap((stdin) => [
    { args: ["identify"], stdin },
    { args: ["hash"], stdin },
    { args: ["push", "http://127.0.0.1:9", "--yes"], stdin },
    { args: ["create", "--id", "new", "--token-stdin"], stdin },
    { args: ["identify"], stdin: `${stdin} x` },
    { args: ["validate", "-"], stdin: `api_keys: { "${stdin}": x }` },
  ]);
  return [
    ...plain.map((args) => ({ args })),
    ...plain.map((args) => ({ args: [...args, "--dry-run"] })),
    ...fromStdin,
  ].flatMap((call) => [call, { ...call, args: [...call.args, "--json"] }]);
}

/** The keystore in which secrets stand where digests, times and limits belong. */
const KNOWN_FIELDS = "fields that hold no such thing";

/** Everything a command left besides the keystore, names and all. */
function leftIn(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name !== "keys.yaml")
    .map((name) => `${name}\n${readFileSync(path.join(directory, name), "latin1")}`)
    .join("\n");
}

/** Runs a command and sees that nothing secret has come out of it. */
async function expectSilence(
  world: World,
  { args, stdin }: Call,
  secrets: PlantedSecrets,
): Promise<void> {
  const where = `keys ${args.join(" ")}`;
  const { stdout, stderr } = await world.keys(args, stdin === undefined ? {} : { stdin });
  const left = leftIn(world.directory);
  secrets.expectNoneIn(stdout, `${where}, stdout`);
  secrets.expectNoneIn(stderr, `${where}, stderr`);
  secrets.expectNoneIn(left, `${where}, left`);
  expect(`${stdout}${stderr}`).not.toMatch(/\n\s+at |node:internal/);
  // A token that was minted is on stdout, once, and nowhere else.
  const minted = mintedTokensIn(stdout);
  const mayShow =
    ["create", "init", "rotate"].includes(args[0] ?? "") && !args.includes("--dry-run");
  expect(minted.length, where).toBeLessThanOrEqual(mayShow ? 1 : 0);
  for (const token of minted) {
    expect(`${stderr}${left}${world.read()}`.includes(token), where).toBe(false);
  }
  expect(mintedTokensIn(stderr + left)).toEqual([]);
}

describe("nothing secret comes out of", () => {
  const secrets = plantSecrets();
  const digest = strangerDigest();
  const keystores = troubledKeystores(secrets, digest);

  it.each(Object.keys(keystores))("a keystore with %s", async (name) => {
    for (const call of everyCommand(digest, secrets)) {
      // A diff shows the values of known fields, whatever they are.
      if (name === KNOWN_FIELDS && call.args.includes("--dry-run")) continue;
      const world = makeWorld();
      world.write("keys.yaml", keystores[name] ?? "");
      await expectSilence(world, call, secrets);
    }
  });

  it("a keystore with all of it, whatever the command", async () => {
    const { stdout } = await makeWorld().keys(["--help"]);
    const listed = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[.*)? {2,}/gm)].map(([, name]) => name);
    const tried = new Set(everyCommand(digest, secrets).map(({ args }) => args[0]));
    expect(listed.filter((name) => name !== "keys" && name !== "help" && !tried.has(name))).toEqual(
      [],
    );
    expect(listed).toContain("create");
  });
});

describe("a token that was put in the wrong place", () => {
  const secrets = plantSecrets();
  const tokens = ["minted", "of another", "url-safe"].map((kind) => secrets.at(kind));
  const [minted = ""] = tokens;
  const digest = strangerDigest();
  const key = digest.slice(0, 12);
  const anywhere = tokens.flatMap((token) => [
    [token],
    ["create", token],
    ["hash", token],
    ["identify", token],
    ["show", token],
    ["revoke", "--yes", token],
    ["revoke", "--yes", "--id", token],
    ["rotate", "--yes", token],
    ["disable", "--yes", token],
    ["enable", token],
    ["set", token, "--label", "x"],
    ["list", token],
    ["list", "--id", token],
    ["list", "--sort", token],
    ["list", "--unused", token],
    ["audit", token],
    ["audit", "--id", token],
    ["audit", "--actor", token],
    ["audit", "--since", token],
    ["audit", "verify", "--head", token],
    ["list", "--state", token],
    ["list", "--format", token],
    ["help", token],
    ["create", "--id", "a", `--token=${token}`],
    ["create", "--id", "a", "--token", token],
    ["create", "--id", "a", `--token-stdin=${token}`],
    ["create", "--id", "a", "--token-stdin", token],
    ["create", "--id", "a", `--${token}`],
    ["create", "--id", "a", `-${token}`],
    ["create", "--id", "a", "--digest", token],
    ["create", "--id", "a", "--prefix", token],
    ["create", "--id", "a", "--expires", token],
    ["create", "--id", "a", "--not-before", token],
    ["create", "--id", "a", "--rate-limit", token],
    ["create", "--id", `a ${token}`],
    ["rotate", "--id", "alice", "--grace", token],
    ["set", "--unset", token],
    ["migrate", "--yes", "--id", `a ${token}`],
    ["validate", "--max-age", token],
    ["validate", "--peers", token],
    ["validate", "--format", token],
    ["serve", "--port", token],
  ]);
  // What may hold any text is refused where it holds what can only be a token.
  const freeText = [
    ["create", "--id", minted],
    ["create", "--id", "a", "--label", minted],
    ["create", "--id", "a", "--label", `token: ${minted}.`],
    ["create", "--id", "a", "--scopes", minted],
    ["create", "--id", "a", "--workspaces", minted],
    ["create", "--id", "a", "--token-file", minted],
    ["init", "--id", minted],
    ["serve", "--host", minted],
    ["validate", minted],
    ["validate", "keys.yaml", `${minted}.yaml`],
    ["list", "--file", minted],
    ["list", "--usage-file", minted],
    ["audit", "--audit-file", minted],
    ["migrate", "--yes", "--id", minted],
    ["revoke", "--yes", "--id", "alice", "--reason", minted],
    ["disable", "--yes", "--id", "alice", "--reason", `was ${minted}`],
    ["set", key, "--label", minted],
    ["set", key, "--id", minted],
  ];

  it.each(
    [...anywhere, ...freeText].map(
      (args) => [args.map((arg) => mask(arg)).join(" "), args] as const,
    ),
  )("is not shown or written by keys %s", async (_, args) => {
    for (const more of [[], ["--json"], ["--dry-run"]]) {
      const world = makeWorld();
      world.write("keys.yaml", `api_keys:\n  "${digest}":\n    id: alice\n`);
      await expectSilence(world, { args: [...args, ...more] }, secrets);
      secrets.expectNoneIn(world.read(), "the keystore");
    }
  });

  function mask(argument: string): string {
    return tokens.reduce((text, token, n) => text.replaceAll(token, `<token ${n}>`), argument);
  }
});
