import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

// The planted files are on no disk, so rules that ask for types are off; the project's own stay.
const eslint = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked] });

const direction = "rooms/import-direction";

async function rulesBroken(filePath: string, text: string): Promise<(string | null)[]> {
  const results = await eslint.lintText(text, { filePath });
  return results.flatMap((result) => result.messages.map((message) => message.ruleId));
}

const importing = (specifier: string): string => `export { x } from "${specifier}";\n`;

describe("an import up or sideways is red", () => {
  it.each([
    ["src/core/x.ts", "../file/store.js"],
    ["src/core/x.ts", "../server/verify.js"],
    ["src/core/x.ts", "../peer/client.js"],
    ["src/core/x.ts", "../cli/main.js"],
    ["src/file/x.ts", "../server/verify.js"],
    ["src/file/x.ts", "../peer/client.js"],
    ["src/file/x.ts", "../cli/main.js"],
    ["src/server/x.ts", "../peer/client.js"],
    ["src/server/x.ts", "../cli/io.js"],
    ["src/peer/x.ts", "../server/verify.js"],
    ["src/peer/x.ts", "../cli/io.js"],
    ["src/errors.ts", "./core/token.js"],
    ["src/errors.ts", "./file/store.js"],
    ["src/index.ts", "./cli/main.js"],
    ["src/cli/x.ts", "../../bin/keys.js"],
    // The barrel is for others, by path or by name.
    ["src/core/x.ts", "../index.js"],
    ["src/file/x.ts", "../index.js"],
    ["src/server/x.ts", "../index.js"],
    ["src/peer/x.ts", "../index.js"],
    ["src/cli/commands/x.ts", "../../index.js"],
    ["src/cli/x.ts", "keyhold"],
    // No way round by another spelling or from a deeper folder.
    ["src/core/x.ts", "./../file/store.js"],
    ["src/core/x.ts", "../core/../cli/main.js"],
    ["src/core/deeper/x.ts", "../../file/store.js"],
    ["src/server/x.ts", "../../dist/cli/main.js"],
    ["src/server/x.ts", "../../test/helpers/bin.js"],
    // A file outside every room.
    ["src/utils.ts", "./errors.js"],
    ["src/utils/x.ts", "../errors.js"],
  ])("%s: %s", async (file, specifier) => {
    expect(await rulesBroken(file, importing(specifier))).toEqual([direction]);
  });
});

describe("a package outside the rooms that may use it is red", () => {
  it.each([
    ["src/core/x.ts", "node:fs"],
    ["src/core/x.ts", "node:zlib"],
    ["src/core/x.ts", "crypto"],
    ["src/core/x.ts", "yaml"],
    ["src/errors.ts", "node:crypto"],
    ["src/server/x.ts", "yaml"],
    ["src/peer/x.ts", "yaml"],
    ["src/cli/x.ts", "yaml"],
    ["src/cli/x.ts", "execa"],
    ["src/index.ts", "yaml"],
    ...["core", "file", "server", "peer"].flatMap((room) =>
      ["commander", "chalk", "cli-table3", "@inquirer/prompts"].map((name) => [
        `src/${room}/x.ts`,
        name,
      ]),
    ),
  ])("%s: %s", async (file, specifier) => {
    expect(await rulesBroken(file, importing(specifier))).toEqual([direction]);
  });
});

describe("an import down, or within the room, is green", () => {
  it.each([
    ["src/core/x.ts", "./token.js"],
    ["src/core/x.ts", "../errors.js"],
    ["src/core/x.ts", "node:crypto"],
    ["src/file/x.ts", "./lock.js"],
    ["src/file/x.ts", "../core/token.js"],
    ["src/file/x.ts", "../errors.js"],
    ["src/file/x.ts", "node:fs/promises"],
    ["src/file/x.ts", "yaml"],
    ["src/server/x.ts", "../file/store.js"],
    ["src/server/x.ts", "../core/verify.js"],
    ["src/server/x.ts", "../errors.js"],
    ["src/server/x.ts", "node:http"],
    ["src/peer/x.ts", "../file/store.js"],
    ["src/peer/x.ts", "../core/verify.js"],
    ["src/cli/main.ts", "./program.js"],
    ["src/cli/commands/x.ts", "../render/table.js"],
    ["src/cli/commands/x.ts", "../../core/token.js"],
    ["src/cli/commands/x.ts", "../../file/store.js"],
    ["src/cli/commands/x.ts", "../../server/server.js"],
    ["src/cli/commands/x.ts", "../../peer/client.js"],
    ["src/cli/commands/x.ts", "../../errors.js"],
    ["src/cli/x.ts", "commander"],
    ["src/cli/x.ts", "chalk"],
    ["src/cli/x.ts", "cli-table3"],
    ["src/cli/x.ts", "@inquirer/prompts"],
    ["src/index.ts", "./errors.js"],
    ["src/index.ts", "./core/token.js"],
    ["src/index.ts", "./server/server.js"],
    ["test/core/x.test.ts", "../../src/cli/main.js"],
  ])("%s: %s", async (file, specifier) => {
    expect(await rulesBroken(file, importing(specifier))).toEqual([]);
  });
});

describe("every way to name a module is seen", () => {
  it.each([
    ['import "../file/store.js";'],
    ['import { x } from "../file/store.js"; x();'],
    ['import type { X } from "../file/store.js"; export type Y = X;'],
    ['export type { X } from "../file/store.js";'],
    ['export * from "../file/store.js";'],
    ['export const x = import("../file/store.js");'],
    ["export const x = (name: string): Promise<unknown> => import(name);"],
    ["export const x = import(`../file/store.js`);"],
    ['export type X = import("../file/store.js").X;'],
  ])("%s", async (text) => {
    expect(await rulesBroken("src/core/x.ts", `${text}\n`)).toContain(direction);
  });

  it("lets the command line load a room when it is called", async () => {
    const text = 'export const x = import("../../server/server.js");\n';
    expect(await rulesBroken("src/cli/commands/serve.ts", text)).toEqual([]);
  });
});

describe("the rules of the house are held", () => {
  it.each([
    ["src/cli/x.ts", "process.exit(1);", "no-restricted-properties"],
    ["src/cli/x.ts", "process.exitCode = 1;", "no-restricted-properties"],
    ["src/cli/x.ts", 'import { exit } from "node:process"; exit(1);', "no-restricted-imports"],
    ["src/server/x.ts", 'console.log("x");', "no-console"],
    ["src/file/x.ts", "export {};\n".repeat(401), "max-lines"],
    ["src/core/x.ts", "export const x = Date.now();", "no-restricted-properties"],
    ["src/core/x.ts", "export const x = new Date();", "no-restricted-syntax"],
    ["src/core/x.ts", "export const x = process.env;", "no-restricted-globals"],
    [
      "src/core/x.ts",
      'import { randomBytes } from "node:crypto"; randomBytes(32);',
      "no-restricted-imports",
    ],
    ["test/x.test.ts", 'it.only("x", () => {});', "no-restricted-syntax"],
    ["test/x.test.ts", 'describe.skip("x", () => {});', "no-restricted-syntax"],
    ["src/file/x.ts", "// @ts-ignore\nexport {};", "@typescript-eslint/ban-ts-comment"],
    [
      "src/file/x.ts",
      'console.log("x"); // eslint-disable-line no-console',
      "eslint-comments/require-description",
    ],
  ])("%s: %s", async (file, text, rule) => {
    expect(await rulesBroken(file, text)).toContain(rule);
  });

  it("takes a disabled rule with its reason", async () => {
    const text = 'console.log("x"); // eslint-disable-line no-console -- planted\n';
    expect(await rulesBroken("src/file/x.ts", text)).toEqual([]);
  });
});
