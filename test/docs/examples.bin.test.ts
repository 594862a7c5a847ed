import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { runKeys } from "../helpers/bin.js";
import { describeWith, runs } from "../helpers/requires.js";
import { commandsOf, fencedBlocks, fileNameOf, normalized, tokensIn } from "./console-blocks.js";
import { runSession } from "./console-session.js";

const root = join(import.meta.dirname, "../..");
const documents = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const textOf = (name: string): string => readFileSync(join(root, name), "utf8");

/** What may stand in a block besides commands and files: nothing that is said to work as it is. */
const PROSE = new Set(["text", "json", "ini", "diff"]);
const SESSION_MS = 110_000;

const curl = {
  needs: "curl",
  why: "runs the examples that talk to the server",
  available: runs("curl", "--version"),
};

for (const name of documents) {
  const blocks = fencedBlocks(textOf(name));
  const commands = blocks.filter(({ language }) => language === "console").flatMap(commandsOf);
  const keystores = blocks.filter(({ language }) => language === "yaml");
  const programs = blocks.filter(({ language }) => language === "js");

  const body = (): void => {
    let folder = "";
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "keyhold-docs-"));
    });
    afterAll(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    it("has no block in a language that nobody checks", () => {
      const checked = new Set(["console", "yaml", "js", ...PROSE]);
      expect(blocks.filter(({ language }) => !checked.has(language))).toEqual([]);
    });

    if (programs.length > 0) {
      it("runs each program that it shows", () => {
        const run = commands.map(({ command }) => command).join("\n");
        const names = programs.map((program) => fileNameOf(program) ?? "(without a name)");
        expect(names.filter((file) => !run.includes(file))).toEqual([]);
      });
    }

    if (commands.length > 0) {
      it("shows what its commands do", { timeout: SESSION_MS + 10_000 }, async () => {
        const files = new Map<string, string>();
        for (const block of [...keystores, ...programs]) {
          const file = fileNameOf(block);
          if (file !== undefined) files.set(file, `${block.body}\n`);
        }
        const outputs = await runSession(
          commands.map(({ command }) => command),
          { folder, root, files, timeoutMs: SESSION_MS },
        );
        const view = (outputOf: (index: number) => string): string[] =>
          commands.map(({ command, line }, index) =>
            [`${name}:${String(line)} $ ${command}`, normalized(outputOf(index))].join("\n"),
          );
        const given = view((index) => outputs[index] ?? "");
        expect(given).toEqual(view((index) => commands[index]?.output ?? ""));
      });
    }

    if (keystores.length > 0) {
      it("has only valid keystores", async () => {
        for (const { body: text, line } of keystores) {
          const input = `${text}\n`;
          const { exitCode, stdout } = await runKeys(["validate", "-"], { cwd: folder, input });
          expect(exitCode, `${name}:${String(line)}\n${stdout}`).toBe(0);
        }
      });
    }
  };
  if (commands.some(({ command }) => /\bcurl\b/.test(command))) describeWith(curl, name, body);
  else describe(name, body);
}

describe("every document and example", () => {
  it("shows no token that some keystore shown would let in", () => {
    const top = readdirSync(root).filter((file) => file.endsWith(".md"));
    const folder = join(root, "examples");
    const inside = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
    const examples = inside
      .map((file) => `examples/${String(file)}`)
      .filter((file) => /\.(?:ya?ml|md|json)$/.test(file));
    const text = [...new Set([...documents, ...top, ...examples])].map(textOf).join("\n");
    const tokens = tokensIn(text);
    expect(tokens.length).toBeGreaterThan(0);
    expect(tokens.filter((token) => text.includes(digestOf(token).slice(0, 12)))).toEqual([]);
  });
});
