import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { format, resolveConfig } from "prettier";
import { verdictOf } from "./ratio.mjs";
import { scaleText } from "./scale.mjs";
import { markdownTable, ratioText, spreadText, targetText } from "./table.mjs";

/** @import { Row, RunResult } from "./types.d.ts" */

const PREFACE = `# Performance

Written by \`npm run bench -- --write\`; what is between two runs of it is not edited by hand. Every
figure is a ratio against a baseline that is measured in turn with it, A B A B, in the same run: the
median of the pairs' ratios, how many pairs, the least and the most. Times alone would measure the
machine. A target that is not met stays in the table as missed.

\`npm run bench\` prints the table; \`--suite load,verify,http,cli,edit,limit\` takes some of it, \`--node
PATH\` measures another Node, \`--short\` is what CI runs: it fails where a ratio is worse than twice its
target, and where the target is missed in the table already, than three times what stands there. \`wrk\`, \`taskset\` and \`haproxy\` are Debian packages; where one is missing its rows are skipped
and say so. A baseline that checks nothing is named as such; peers get the same check as \`/verify\`
makes: the same code for credential, verdict and limit, so that what differs is the way there.
`;

/**
 * Keeps results by Node, and writes docs/performance.md from all that are kept.
 *
 * @param {string} root
 * @param {readonly RunResult[]} results
 */
export async function writeDocument(root, results) {
  const store = storeOf(root);
  const kept = readResults(root);
  for (const result of results) keep(kept, result);
  kept.sort((one, other) => majorOf(one) - majorOf(other));
  /** @type {Record<string, string>} */
  const notes = JSON.parse(readFileSync(path.join(root, "test/bench/notes.json"), "utf8"));
  const file = path.join(root, "docs", "performance.md");
  await write(store, JSON.stringify(kept));
  await write(file, documentText(kept, notes));
}

/** What was kept at the last `--write`. @param {string} root @returns {RunResult[]} */
export function readResults(root) {
  return JSON.parse(readFileSync(storeOf(root), "utf8"));
}

/** @param {string} root */
function storeOf(root) {
  return path.join(root, "test", "bench", "results.json");
}

/** @param {string} file @param {string} text */
async function write(file, text) {
  const options = await resolveConfig(file);
  writeFileSync(file, await format(text, { ...options, filepath: file }));
}

/** Rows of suites that were not run stay as they were. @param {RunResult[]} kept @param {RunResult} result */
function keep(kept, result) {
  const at = kept.findIndex((each) => majorOf(each) === majorOf(result));
  const before = kept[at];
  if (before === undefined) {
    kept.push(result);
    return;
  }
  const names = new Set([...before.rows, ...result.rows].map(({ suite }) => suite));
  const rows = [...names].flatMap((name) => {
    const fresh = result.rows.filter(({ suite }) => suite === name);
    return fresh.length > 0 ? fresh : before.rows.filter(({ suite }) => suite === name);
  });
  kept[at] = { ...result, rows };
}

/** @param {RunResult} result */
function majorOf({ node }) {
  return Number(node.split(".")[0]);
}

/** @param {readonly RunResult[]} kept @param {Readonly<Record<string, string>>} notes */
function documentText(kept, notes) {
  const main = kept.find((result) => majorOf(result) === 24) ?? kept.at(-1);
  if (main === undefined) return PREFACE;
  return [
    PREFACE,
    `## Measured\n\n${kept.map((each) => `- Node ${each.node}: ${each.machine}, ${each.date}`).join("\n")}\n`,
    `Targets are for Node 24; a start under Node 20 may be 0.3 more.\n`,
    `### Node ${main.node}\n`,
    markdownTable(
      ["suite", "measure", "against", "ratio", "n", "min–max", "target", "verdict", "medians"],
      main.rows.map((row) => [
        row.suite,
        measureText(row),
        row.baseline,
        ratioText(row.ratio),
        String(row.n),
        spreadText(row),
        targetText(row.target),
        verdictOf(row),
        row.skipped ?? `${row.subject} : ${row.against}`,
      ]),
    ),
    otherNodes(kept, main),
    missedText(main, notes),
    scaleText(main),
  ].join("\n");
}

/** @param {Row} row */
function measureText({ measure, unit }) {
  return unit === "time" ? measure : `${measure} (${unit})`;
}

/** @param {readonly RunResult[]} kept @param {RunResult} main */
function otherNodes(kept, main) {
  if (kept.length < 2) return "";
  const nodes = kept.map(({ node, rows }) => ({
    node,
    rows: new Map(rows.map((row) => [row.id, row])),
  }));
  return `### By Node\n\n${markdownTable(
    ["suite", "measure", "against", ...nodes.map(({ node }) => node)],
    main.rows.map((row) => [
      row.suite,
      measureText(row),
      row.baseline,
      ...nodes.map(({ rows }) => {
        const found = rows.get(row.id);
        if (found === undefined) return "-";
        const verdict = verdictOf(found);
        return verdict === "met" || verdict === "reported"
          ? ratioText(found.ratio)
          : `${ratioText(found.ratio)} ${verdict}`;
      }),
    ]),
  )}`;
}

/** @param {RunResult} main @param {Readonly<Record<string, string>>} notes */
function missedText({ rows }, notes) {
  const missed = rows.filter((row) => verdictOf(row) === "missed");
  if (missed.length === 0) return "";
  const lines = missed.map((row) => {
    const note = notes[row.id] ?? "not explained yet";
    return `- ${measureText(row)}, against ${row.baseline} (${ratioText(row.ratio)}, target ${targetText(row.target)}): ${note}.`;
  });
  return `### What is missed\n\n${lines.join("\n")}\n`;
}
