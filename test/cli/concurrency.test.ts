import * as fs from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { verifyAudit } from "../../src/file/audit-read.js";
import { runKeys } from "../helpers/bin.js";
import {
  namesIn,
  readKeys,
  serviceConfiguration,
  temporaryDirectory,
  tokenOf,
} from "../helpers/keystores.js";

const TIMEOUT_MS = 120_000;

it("loses none of 32 keys that are made at once", { timeout: TIMEOUT_MS }, async () => {
  const cwd = temporaryDirectory();
  const file = join(cwd, "keys.yaml");
  fs.writeFileSync(file, serviceConfiguration(3));
  const before = readKeys(file).live;
  const runs = await Promise.all(
    Array.from({ length: 32 }, (_, n) =>
      runKeys(["create", "--id", `new-${n}`], { cwd, timeoutMs: TIMEOUT_MS }),
    ),
  );
  expect(runs.map(({ exitCode }) => exitCode)).toEqual(runs.map(() => 0));
  const ids = new Map(runs.map(({ stdout }, n) => [digestOf(tokenOf(stdout)), `new-${n}`]));
  const { live, retired } = readKeys(file);
  const made = [...live].filter(([digest]) => !before.has(digest));
  expect(new Map(made.map(([digest, { id }]) => [digest, id]))).toEqual(ids);
  expect(live.size).toBe(before.size + 32);
  expect(retired.size).toBe(0);
  expect(namesIn(cwd)).toEqual(["keys.yaml"]);
  const { broken, lines } = await verifyAudit(`${file}.audit.jsonl`);
  expect({ broken, lines }).toEqual({ broken: undefined, lines: 64 });
});

it(
  "lets one of many make the file, and the others add to it",
  { timeout: TIMEOUT_MS },
  async () => {
    const cwd = temporaryDirectory();
    const runs = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        runKeys(["create", "--id", `new-${n}`], { cwd, timeoutMs: TIMEOUT_MS }),
      ),
    );
    const tokens = runs.map(({ stdout }) => tokenOf(stdout));
    const file = join(cwd, "keys.yaml");
    expect(new Set(readKeys(file).live.keys())).toEqual(new Set(tokens.map(digestOf)));
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(runs.filter(({ stderr }) => stderr.includes("made the keystore"))).toHaveLength(1);
    expect(namesIn(cwd)).toEqual(["keys.yaml"]);
  },
);

it("carries out revocations and new keys that meet", { timeout: TIMEOUT_MS }, async () => {
  const cwd = temporaryDirectory();
  const file = join(cwd, "keys.yaml");
  fs.writeFileSync(file, serviceConfiguration(10));
  const before = readKeys(file).live;
  const digests = [...before.keys()];
  const [made, revoked] = await Promise.all([
    Promise.all(
      digests.map((_, n) =>
        runKeys(["create", "--id", `new-${n}`], { cwd, timeoutMs: TIMEOUT_MS }),
      ),
    ),
    Promise.all(
      digests.map((digest) =>
        runKeys(["revoke", "--yes", digest.slice(0, 12)], { cwd, timeoutMs: TIMEOUT_MS }),
      ),
    ),
  ]);
  expect([...made, ...revoked].map(({ exitCode }) => exitCode)).toEqual(Array(20).fill(0));
  const { live, retired } = readKeys(file);
  expect(new Set(live.keys())).toEqual(
    new Set(made.map(({ stdout }) => digestOf(tokenOf(stdout)))),
  );
  expect(new Set(retired.keys())).toEqual(new Set(digests));
});

it("lets init make one key, however often it is started", { timeout: TIMEOUT_MS }, async () => {
  const cwd = temporaryDirectory();
  const runs = await Promise.all(
    Array.from({ length: 8 }, () =>
      runKeys(["init", "--if-missing"], { cwd, timeoutMs: TIMEOUT_MS }),
    ),
  );
  expect(runs.map(({ exitCode }) => exitCode)).toEqual(Array(8).fill(0));
  const shown = runs.map(({ stdout }) => stdout).filter((stdout) => stdout !== "");
  expect(shown).toHaveLength(1);
  const { live } = readKeys(join(cwd, "keys.yaml"));
  expect([...live.keys()]).toEqual(shown.map((stdout) => digestOf(tokenOf(stdout))));
});
