import { readFileSync } from "node:fs";
import { defineConfig } from "rolldown";

/** @type {{ dependencies: Record<string, string> }} */
const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));

/**
 * The command line as it is shipped: `dist/bin/`, one file for what every command needs and more for
 * what some do; and beside it what a worker of the server runs, whole. As CommonJS, which Node starts
 * sooner; `docs/performance.md` has the figures. Packages stay packages: what is installed is what
 * `npm audit` sees. A chunk's map names the lines of `src/` (`node --enable-source-maps`).
 *
 * @param {Record<string, string>} input
 * @returns {import("rolldown").RolldownOptions}
 */
const bundle = (input) => ({
  input,
  platform: "node",
  external: [/^node:/, ...Object.keys(dependencies)],
  // What the first file shares with others stays in it: one file less to open.
  preserveEntrySignatures: "allow-extension",
  output: {
    dir: "dist/bin",
    format: "cjs",
    sourcemap: true,
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name].cjs",
  },
});

export default defineConfig([
  bundle({ keys: "src/cli/main.ts" }),
  bundle({ "serve-worker": "src/cli/serve-worker.ts" }),
]);
