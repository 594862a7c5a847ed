import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import ts from "typescript";

const compilerOptions: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
};

/**
 * Modules of the source as JavaScript, in a temporary directory laid out like `src/` that every
 * user may read, for tests that run them in processes of their own.
 *
 * @param names - modules of `src/` such as `file/lock`; what they import from `src/` comes along.
 * @param scripts - further files by their names, which may import `./file/lock.js`.
 * @returns the directory; the caller removes it.
 */
export function buildChildModules(
  names: readonly string[],
  scripts: Readonly<Record<string, string>> = {},
): string {
  const directory = fs.mkdtempSync(path.join(tmpdir(), "keyhold-modules-"));
  write(directory, "package.json", '{"type":"module"}');
  for (const [name, source] of Object.entries(scripts)) write(directory, name, source);
  const built = new Set<string>();
  const build = (name: string): void => {
    if (built.has(name)) return;
    built.add(name);
    const source = fs.readFileSync(new URL(`../../src/${name}.ts`, import.meta.url), "utf8");
    write(directory, `${name}.js`, ts.transpileModule(source, { compilerOptions }).outputText);
    for (const { fileName } of ts.preProcessFile(source).importedFiles) {
      if (!fileName.startsWith(".")) continue;
      build(path.posix.join(path.posix.dirname(name), fileName).replace(/\.js$/, ""));
    }
  };
  for (const name of names) build(name);
  fs.chmodSync(directory, 0o755);
  return directory;
}

function write(directory: string, name: string, text: string): void {
  const file = path.join(directory, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
