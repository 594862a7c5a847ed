import { spawnSync } from "node:child_process";
import { closeSync, copyFileSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cleanEnv } from "../child.mjs";
import { canonicalFile, tokenOf } from "../keystores.mjs";
import { atMost, inTurn, milliseconds, rowOf } from "../ratio.mjs";

/** @import { Bench, Row } from "../types.d.ts" */

const KEYS = 200;

/** What `create` does to the disk and nothing more: the least that a durable change can be. */
const WRITE = `
const fs = require("fs");
const text = fs.readFileSync("keys.yaml", "utf8") + "x".repeat(128);
const fd = fs.openSync("keys.yaml.tmp", "wx", 0o600);
fs.writeSync(fd, text);
fs.fsyncSync(fd);
fs.closeSync(fd);
fs.renameSync("keys.yaml.tmp", "keys.yaml");
const directory = fs.openSync(".", "r");
fs.fsyncSync(directory);
fs.closeSync(directory);
`;

/** @param {Bench} bench @returns {Promise<Row[]>} */
export default async function cli(bench) {
  const keystore = canonicalFile(bench, KEYS);
  const directory = path.join(bench.directory, "cli");
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, "keys.yaml");
  const token = path.join(directory, "token");
  writeFileSync(token, `${tokenOf(1)}\n`);
  copyFileSync(keystore, file);
  const bin = path.join(bench.root, "bin", "keys.cjs");

  /** A process from its start to its end, its output in a file. @param {readonly string[]} args */
  const run = (args) => {
    const [input, output] = [openSync(token, "r"), openSync(path.join(directory, "out"), "w")];
    const start = performance.now();
    const { status, signal } = spawnSync(bench.node, args, {
      cwd: directory,
      env: cleanEnv(),
      stdio: [input, output, output],
    });
    const ms = performance.now() - start;
    closeSync(input);
    closeSync(output);
    if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status ?? signal}`);
    return ms;
  };
  const fresh = () => {
    for (const name of ["keys.yaml", "keys.yaml.tmp", "keys.yaml.audit.jsonl"]) {
      rmSync(path.join(directory, name), { force: true });
    }
    copyFileSync(keystore, file);
  };

  const rounds = bench.short ? 9 : 31;
  bench.say("cli: starts");
  const starts = await inTurn(rounds, {
    nothing: () => run(["-e", "0"]),
    version: () => run([bin, "--version"]),
    hash: () => run([bin, "hash"]),
    validate: () => run([bin, "validate"]),
    list: () => run([bin, "list"]),
  });
  bench.say("cli: create");
  const changes = await inTurn(rounds, {
    write() {
      fresh();
      return run(["-e", WRITE]);
    },
    create() {
      fresh();
      return run([bin, "create", "--id", "newcomer"]);
    },
  });

  const more = bench.major <= 20 ? 0.3 : 0;
  /**
   * @param {string} id
   * @param {string} measure
   * @param {number} target
   * @param {number[]} subject
   */
  const row = (id, measure, target, subject, against = starts.nothing, baseline = "`node -e 0`") =>
    rowOf({
      ...{ id: `cli-${id}`, suite: "cli", measure, baseline, unit: "time", subject, against },
      target: atMost(Number((target + more).toFixed(2))),
      show: milliseconds,
    });
  return [
    row("version", "`keys --version`", 1.25, starts.version),
    row("hash", "`keys hash`", 1.25, starts.hash),
    row("validate", "`keys validate`, 200 keys", 1.5, starts.validate),
    row("list", "`keys list`, 200 keys, table", 1.7, starts.list),
    row(
      "create",
      "`keys create`, 200 keys",
      1.5,
      changes.create,
      changes.write,
      "`node -e`: the same write, fsync, rename, fsync of the directory",
    ),
  ];
}
