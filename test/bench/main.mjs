import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readResults, writeDocument } from "./document.mjs";
import { machineText, versionOf } from "./machine.mjs";
import { isRegressed } from "./ratio.mjs";
import { formatRows } from "./table.mjs";
import cli from "./suites/cli.mjs";
import edit from "./suites/edit.mjs";
import http from "./suites/http.mjs";
import limit from "./suites/limit.mjs";
import load from "./suites/load.mjs";
import verify from "./suites/verify.mjs";

/** @import { Bench, Row, RunResult } from "./types.d.ts" */

/** @type {Readonly<Record<string, (bench: Bench) => Row[] | Promise<Row[]>>>} */
const SUITES = { load, verify, http, cli, edit, limit };

const USAGE = `npm run bench -- [options]
  --suite <names>  some of ${Object.keys(SUITES).join(",")} (default: all)
  --node <path>    the Node to measure, may be repeated (default: KEYHOLD_BENCH_NODE, else this one)
  --short          fewer rounds, smaller files; fails where a ratio is worse than twice its target
  --write          keep the results and write docs/performance.md
`;

/** @returns {Promise<number>} the exit status */
async function main() {
  const { values } = parseArgs({
    options: {
      suite: { type: "string" },
      node: { type: "string", multiple: true },
      short: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const names = values.suite?.split(",") ?? Object.keys(SUITES);
  const unknown = names.filter((name) => !Object.hasOwn(SUITES, name));
  if (values.help || unknown.length > 0) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
  if (!existsSync(path.join(root, "dist", "bin", "keys.cjs"))) {
    process.stderr.write("there is no dist/: npm run build first\n");
    return 2;
  }
  const nodes = values.node ?? [process.env["KEYHOLD_BENCH_NODE"] ?? process.execPath];
  /** @type {RunResult[]} */
  const results = [];
  for (const node of nodes) results.push(await measure(node, names, root, values.short));
  if (values.write) await writeDocument(root, results);
  const rows = results.flatMap((result) => result.rows);
  const kept = readResults(root).flatMap((result) => result.rows);
  const regressed = values.short ? rows.filter((row) => isRegressed(row, kept)) : [];
  for (const { measure: what, suite } of regressed) {
    process.stdout.write(
      `worse than twice its target, or three times a known miss: ${suite}, ${what}\n`,
    );
  }
  return regressed.length > 0 ? 1 : 0;
}

/**
 * @param {string} node
 * @param {readonly string[]} names
 * @param {string} root
 * @param {boolean} short
 * @returns {Promise<RunResult>}
 */
async function measure(node, names, root, short) {
  const version = versionOf(node);
  const machine = machineText();
  const date = new Date().toISOString().slice(0, 10);
  process.stdout.write(`Node ${version}, ${machine}, ${date}\n`);
  const directory = mkdtempSync(path.join(tmpdir(), "keyhold-bench-"));
  /** @type {Bench} */
  const bench = {
    node,
    major: Number(version.split(".")[0]),
    short,
    directory,
    root,
    say: (line) => process.stderr.write(`  ${line}\n`),
  };
  /** @type {Row[]} */
  const rows = [];
  try {
    for (const name of names) {
      const start = performance.now();
      const found = (await SUITES[name]?.(bench)) ?? [];
      bench.say(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
      rows.push(...found);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  process.stdout.write(`${formatRows(rows)}\n`);
  return { node: version, date, machine, rows };
}

process.exitCode = await main();
