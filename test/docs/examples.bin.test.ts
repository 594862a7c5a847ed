import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { binEnv, binPath, nodePath, runKeys } from "../helpers/bin.js";
import { commandsOf, fencedBlocks, normalized } from "./console-blocks.js";

const root = join(import.meta.dirname, "../..");
const documents = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
/** What may stand in a block besides commands and keystores: nothing that could be run. */
const PROSE = new Set(["text", "json", "ini", "diff"]);

describe.each(documents)("%s", (name) => {
  const blocks = fencedBlocks(readFileSync(join(root, name), "utf8"));
  const commands = blocks.filter(({ language }) => language === "console").flatMap(commandsOf);
  const keystores = blocks.filter(({ language }) => language === "yaml");
  let folder = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "keyhold-docs-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("has no block in a language that nobody checks", () => {
    const others = blocks.filter(
      ({ language }) => !["console", "yaml"].includes(language) && !PROSE.has(language),
    );
    expect(others).toEqual([]);
  });

  it.runIf(commands.length > 0)("its commands do what it shows", async () => {
    // One shell for the whole document, as a reader would have; `keys` is the built bin.
    const script = join(folder, "..", `keyhold-docs-${String(process.pid)}.sh`);
    const lines = commands.flatMap(({ command }, index) => [
      `echo "=== ${String(index)}"`,
      command,
    ]);
    const keys = `keys() { '${nodePath}' '${binPath}' "$@"; }\nnpx() { shift; keys "$@"; }`;
    writeFileSync(script, `${keys}\nexec 2>&1\n${lines.join("\n")}\nkill $(jobs -p) 2>/dev/null\n`);
    const { stdout } = await execa("bash", [script], {
      cwd: folder,
      reject: false,
      env: binEnv(),
      extendEnv: false,
    });
    rmSync(script);
    const shown = commands.map(({ command, output }) => `$ ${command}\n${normalized(output)}`);
    const outputs = stdout.split(/^=== \d+\n?/m).slice(1);
    const given = commands.map(
      ({ command }, index) => `$ ${command}\n${normalized(outputs[index] ?? "(not run)")}`,
    );
    expect(given).toEqual(shown);
  });

  it.runIf(keystores.length > 0)("its keystores are valid", async () => {
    for (const { body, line } of keystores) {
      const { exitCode, stdout } = await runKeys(["validate", "-"], { input: `${body}\n` });
      expect(exitCode, `${name}:${String(line)}\n${stdout}`).toBe(0);
    }
  });
});
