// Adds up a CI run: node .ci/sum.mjs <ledger>
//
// The ledger has a line a runner: kind, exit status, name and, for kind `tests`, the report that
// vitest's json reporter wrote, separated by tabs. A check counts as one. A test run counts
// its tests, and one more failure where it failed without saying so: no report, a file that
// didn't load, an error outside any test. The last line printed is the sum.

import { readFileSync } from "node:fs";
import process from "node:process";

/**
 * @typedef {{ status: string, fullName: string }} Test
 * @typedef {{ name: string, status: string, assertionResults: Test[] }} TestFile
 * @typedef {{ testResults: TestFile[] }} Report
 */

let passed = 0;
let skipped = 0;
let tests = 0;
/** @type {string[]} */
const failures = [];

const ledger = readFileSync(process.argv[2] ?? "", "utf8");
for (const line of ledger.split("\n").filter((text) => text !== "")) {
  const [kind, status, name = "", report = ""] = line.split("\t");
  if (kind === "tests") {
    addTests(name, status === "0", report);
  } else if (status === "0") {
    passed += 1;
  } else {
    failures.push(`${name} (exit ${String(status)})`);
  }
}

/**
 * @param {string} name
 * @param {boolean} succeeded
 * @param {string} file
 */
function addTests(name, succeeded, file) {
  const before = failures.length;
  const results = readReport(file);
  let found = 0;
  for (const { name: testFile, status, assertionResults } of results) {
    const failed = assertionResults.filter((test) => test.status === "failed");
    const good = assertionResults.filter((test) => test.status === "passed").length;
    passed += good;
    skipped += assertionResults.length - good - failed.length;
    found += good + failed.length;
    failures.push(...failed.map((test) => `${name}: ${test.fullName}`));
    if (status === "failed" && failed.length === 0) failures.push(`${name}: ${testFile}`);
  }
  tests += found;
  if (found === 0 && failures.length === before) failures.push(`${name}: no test ran`);
  if (!succeeded && failures.length === before) failures.push(`${name}: failed outside its tests`);
}

/**
 * @param {string} file
 * @returns {TestFile[]}
 */
function readReport(file) {
  try {
    /** @type {Report} */
    const report = JSON.parse(readFileSync(file, "utf8"));
    return report.testResults;
  } catch {
    return [];
  }
}

if (tests === 0 && failures.length === 0) failures.push("no test ran");
for (const failure of failures) console.log(`failed: ${failure.replaceAll("\n", " ")}`);
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
