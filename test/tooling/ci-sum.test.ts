import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../.ci/sum.mjs", import.meta.url));

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "keyhold-sum-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function report(name: string, status: string, ...tests: string[]): string {
  const file = path.join(directory, name);
  const assertionResults = tests.map((test) => ({ status: test, fullName: `a ${test} test` }));
  writeFileSync(file, JSON.stringify({ testResults: [{ name: "x", status, assertionResults }] }));
  return file;
}

async function sum(...lines: string[]): Promise<{ last: string | undefined; exitCode: number }> {
  const ledger = path.join(directory, "ledger");
  writeFileSync(ledger, lines.map((line) => `${line}\n`).join(""));
  const result = await execa(process.execPath, [script, ledger], { reject: false });
  return { last: result.stdout.split("\n").at(-1), exitCode: result.exitCode ?? -1 };
}

describe("the sum of a CI run", () => {
  it("counts each test and each check once", async () => {
    const first = report("1.json", "passed", "passed", "passed", "skipped");
    const second = report("2.json", "passed", "passed");
    expect(await sum(`tests\t0\ta\t${first}`, "check\t0\tlint", `tests\t0\tb\t${second}`)).toEqual({
      last: "4 passed, 0 failed",
      exitCode: 0,
    });
  });

  it("fails with a failed test, counted once", async () => {
    const file = report("1.json", "failed", "passed", "failed");
    expect(await sum(`tests\t1\ta\t${file}`)).toEqual({
      last: "1 passed, 1 failed",
      exitCode: 1,
    });
  });

  it("fails with a failed check", async () => {
    const file = report("1.json", "passed", "passed");
    expect(await sum(`tests\t0\ta\t${file}`, "check\t2\tlint")).toEqual({
      last: "1 passed, 1 failed",
      exitCode: 1,
    });
  });

  it("fails where a file did not load", async () => {
    const file = report("1.json", "failed");
    expect(await sum(`tests\t1\ta\t${file}`)).toEqual({ last: "0 passed, 1 failed", exitCode: 1 });
  });

  it("fails where a run failed outside its tests", async () => {
    const file = report("1.json", "passed", "passed");
    expect(await sum(`tests\t1\ta\t${file}`)).toEqual({ last: "1 passed, 1 failed", exitCode: 1 });
  });

  it("fails where there is no report", async () => {
    const missing = path.join(directory, "missing.json");
    expect(await sum("check\t0\tlint", `tests\t0\ta\t${missing}`)).toEqual({
      last: "1 passed, 1 failed",
      exitCode: 1,
    });
  });

  it("fails where no test ran", async () => {
    expect(await sum("check\t0\tlint")).toEqual({ last: "1 passed, 1 failed", exitCode: 1 });
  });
});
