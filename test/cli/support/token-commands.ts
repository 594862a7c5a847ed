import * as fs from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { RunResult } from "../../helpers/bin.js";
import {
  keysOf,
  readKeys,
  serviceConfiguration,
  temporaryDirectory,
  type StoredKeys,
} from "../../helpers/keystores.js";

/** The keystore of each command: the default one. */
export const FILE: string = "keys.yaml";
const text = serviceConfiguration(3);
const old = keysOf(text).live;
const oldDigest = [...old.keys()][0] ?? "";

/** A command that shows a token. */
export interface TokenCommand {
  readonly name: string;
  readonly args: readonly string[];
  /** The file that it begins with; without it there is none. */
  readonly before?: string;
}

const COMMANDS: readonly TokenCommand[] = [
  { name: "create", args: ["create", "--id", "new"], before: text },
  { name: "create --json", args: ["create", "--id", "new", "--json"], before: text },
  { name: "create, a new file", args: ["create", "--id", "new"] },
  { name: "rotate", args: ["rotate", "--yes", oldDigest], before: text },
  { name: "rotate --grace", args: ["rotate", "--grace", "1h", oldDigest], before: text },
  { name: "init", args: ["init"] },
];

/** Every command that shows a token, for `it.each`: its name, and itself. */
export const TOKEN_COMMANDS: readonly (readonly [string, TokenCommand])[] = COMMANDS.map(
  (command) => [`keys ${command.name}`, command],
);

/** A directory as the command needs it. */
export function directoryFor({ before }: TokenCommand): string {
  const cwd = temporaryDirectory();
  if (before !== undefined) fs.writeFileSync(join(cwd, FILE), before);
  return cwd;
}

/** Exit 1 and a clear line. */
export function expectError({ exitCode, stderr }: RunResult): void {
  expect(exitCode, stderr).toBe(1);
  expect(stderr).toContain("keys: error: ");
}

/** Refused before anything is written. */
export function expectUntouched(cwd: string, { before }: TokenCommand, result: RunResult): void {
  expectError(result);
  if (before === undefined) expect(fs.readdirSync(cwd)).toEqual([]);
  else {
    expect(fs.readdirSync(cwd)).toEqual([FILE]);
    expect(fs.readFileSync(join(cwd, FILE), "utf8")).toBe(before);
  }
}

/** No key is live but those that were, and these as they were. */
export function expectTakenBack(cwd: string, { before = "api_keys: {}\n" }: TokenCommand): void {
  const fields = ({ live }: StoredKeys): unknown =>
    new Map([...live].map(([digest, entry]) => [digest, new Map([...entry.fields].sort())]));
  expect(fields(readKeys(join(cwd, FILE)))).toEqual(fields(keysOf(before)));
  expect(
    fs.readdirSync(cwd).filter((name) => name.includes("lock") || name.endsWith("tmp")),
  ).toEqual([]);
}
