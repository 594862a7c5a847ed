import { readFileSync } from "node:fs";
import path from "node:path";
import { defineConfig } from "rolldown";

/** @type {{ dependencies: Record<string, string>, version: string }} */
const { dependencies, version } = JSON.parse(readFileSync("package.json", "utf8"));

/**
 * What modules import at once, not by import(): all that is there when the first of them runs.
 *
 * @param {readonly string[]} files
 * @returns {ReadonlySet<string>}
 */
function importedBy(files) {
  const found = new Set(files.map((file) => path.resolve(file)));
  // A set is walked through what is added to it on the way, too.
  for (const file of found) {
    const text = readFileSync(file, "utf8");
    for (const [, from = ""] of text.matchAll(
      /^(?:import|export) (?!type)[^;]*? from "(\.[^"]+)";/gm,
    )) {
      found.add(path.resolve(path.dirname(file), from.replace(/\.js$/, ".ts")));
    }
  }
  return found;
}

const base = importedBy(["src/cli/main.ts", "src/cli/version.ts", "src/cli/commands/hash.ts"]);
const reading = importedBy([
  "src/cli/commands/validate.ts",
  ...["key-record", "last-use", "troubled-file", "render/relative-time"].map(
    (name) => `src/cli/${name}.ts`,
  ),
]);
const changing = importedBy(["src/cli/commands/create.ts", "src/cli/change-keys.ts"]);

/** @param {ReadonlySet<string>} modules @returns {(id: string) => boolean} */
const shared = (modules) => (id) => modules.has(id) && !/\/src\/cli\/commands\//.test(id);

/** Few files rather than many: opening one costs more than reading on, up to a point. */
const groups = [
  { name: "base", test: (/** @type {string} */ id) => base.has(id), priority: 4 },
  { name: "reading", test: shared(reading), minShareCount: 2, priority: 3 },
  { name: "changing", test: shared(changing), minShareCount: 2, priority: 2 },
  { name: "common", test: /\/src\/(?:core|file)\//, minShareCount: 3, priority: 1 },
  { name: "commands", test: /\/src\/cli\//, minShareCount: 6, priority: 1 },
];

/**
 * Loads node:crypto when something of it is called: it is a fifth of a start, and most commands that
 * could hash never do.
 *
 * @type {import("rolldown").Plugin}
 */
const lateCrypto = {
  name: "late-crypto",
  resolveId(id, importer = "") {
    if (id !== "node:crypto") return undefined;
    // What only servers run has no start to save.
    return /\/src\/(?:cli|core|file)\//.test(importer) ? "\0late-crypto" : { id, external: true };
  },
  load: (id) => (id === "\0late-crypto" ? LATE_CRYPTO : undefined),
};

/**
 * What `--version` says is known once it is built: a start need not look it up.
 *
 * @type {import("rolldown").Plugin}
 */
const fixedVersion = {
  name: "fixed-version",
  load: (id) =>
    id.endsWith("/src/cli/version.ts")
      ? `export const packageVersion = () => ${JSON.stringify(version)};`
      : undefined,
};

const LATE_CRYPTO = `
let crypto;
const load = () => (crypto ??= process.getBuiltinModule("node:crypto"));
export const hash = (algorithm, data, encoding) => load().hash(algorithm, data, encoding);
${["createHash", "createHmac", "randomBytes", "randomUUID", "timingSafeEqual"]
  .map((name) => `export const ${name} = (...given) => load().${name}(...given);`)
  .join("\n")}
`;

/**
 * The command line as it is shipped: `dist/bin/`, one file for what every command needs and more for
 * what some do; and beside it what a worker of the server runs, whole. As CommonJS, which Node starts
 * sooner; `docs/performance.md` has the figures. Packages stay packages: what is installed is what
 * `npm audit` sees. A chunk's map names the lines of `src/` (`node --enable-source-maps`).
 *
 * @param {Record<string, string>} input
 * @param {import("rolldown").OutputOptions} output
 * @returns {import("rolldown").RolldownOptions}
 */
const bundle = (input, output) => ({
  input,
  platform: "node",
  plugins: [lateCrypto, fixedVersion],
  external: [/^node:(?!crypto$)/, ...Object.keys(dependencies)],
  // What the first file shares with others stays in it: one file less to open.
  preserveEntrySignatures: "allow-extension",
  output: {
    dir: "dist/bin",
    // A map leads to the lines of src/, which have them.
    comments: false,
    format: "cjs",
    sourcemap: true,
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
    ...output,
  },
});

export default defineConfig([
  bundle({ keys: "src/cli/main.ts" }, { codeSplitting: { groups } }),
  bundle({ "serve-worker": "src/cli/serve-worker.ts" }, {}),
]);
