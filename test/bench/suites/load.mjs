import { hash } from "node:crypto";
import { copyFileSync, rmSync } from "node:fs";
import path from "node:path";
import { measured } from "../child.mjs";
import { canonicalFile, editedFile, jsonFile, tokenOf } from "../keystores.mjs";
import { atMost, inTurn, memory, milliseconds, rowOf } from "../ratio.mjs";

/** @import { Bench, Row } from "../types.d.ts" */

const suite = "load";
const digest = hash("sha256", tokenOf(5));

/** @param {number} count */
const named = (count) => count.toLocaleString("en-GB");

/** @param {Bench} bench @returns {Promise<Row[]>} */
export default async function load(bench) {
  const rows = [];
  for (const count of bench.short ? [100_000] : [1_000_000, 100_000]) {
    rows.push(...(await againstJson(bench, count)));
  }
  rows.push(await edited(bench));
  rows.push(...(await linear(bench)));
  for (const count of bench.short ? [] : [10_000, 1_000_000]) rows.push(reload(bench, count));
  const small = measured(bench, "load-small", {
    file: canonicalFile(bench, 200),
    rounds: bench.short ? 100 : 400,
  });
  rows.push(
    rowOf({
      id: "load-200",
      suite,
      measure: "200 keys, validated, warm",
      baseline: "`yaml` parse of the same text",
      unit: "time",
      target: atMost(0.2),
      show: milliseconds,
      subject: small.keyhold,
      against: small.yaml,
    }),
  );
  return rows;
}

/** @param {Bench} bench @param {number} count @returns {Promise<Row[]>} */
async function againstJson(bench, count) {
  const [yaml, json] = [canonicalFile(bench, count), jsonFile(bench, count)];
  bench.say(`load: ${named(count)} keys against JSON.parse`);
  /** @type {{ one: number[], other: number[] }} */
  const space = { one: [], other: [] };
  const { one, other } = await inTurn(bench.short ? 3 : count > 500_000 ? 5 : 9, {
    one() {
      const result = measured(bench, "load-keyhold", { file: yaml, digest });
      space.one.push(result.memory);
      return result.ms;
    },
    other() {
      const result = measured(bench, "load-json", { file: json, digest });
      space.other.push(result.memory);
      return result.ms;
    },
  });
  rmSync(json);
  const big = count > 500_000;
  const common = { suite, baseline: "`JSON.parse` of the same data as JSON" };
  const measure = `${named(count)} keys from YAML to ready to verify, wholly validated`;
  const time = rowOf({
    ...common,
    id: `load-${count}`,
    measure,
    unit: "time",
    target: atMost(big ? 0.5 : 0.6),
    show: milliseconds,
    subject: one,
    against: other,
  });
  const peak = rowOf({
    ...common,
    id: `load-${count}-memory`,
    measure,
    unit: "peak memory",
    target: big ? atMost(0.6) : undefined,
    show: memory,
    subject: space.one,
    against: space.other,
  });
  return [time, peak];
}

/** @param {Bench} bench */
async function edited(bench) {
  const [canonical, hand] = [canonicalFile(bench, 100_000), editedFile(bench, 100_000)];
  bench.say("load: a hand-edited file");
  const { one, other } = await inTurn(bench.short ? 3 : 7, {
    one: () => measured(bench, "load-keyhold", { file: hand, digest }).ms,
    other: () => measured(bench, "load-keyhold", { file: canonical, digest }).ms,
  });
  return rowOf({
    id: "load-edited",
    suite,
    measure: "100,000 keys of a hand-edited file",
    baseline: "the canonical file",
    unit: "time",
    target: atMost(2),
    show: milliseconds,
    subject: one,
    against: other,
  });
}

/** @param {Bench} bench @param {number} count @returns {Row} */
function reload(bench, count) {
  bench.say(`load: a reload of ${named(count)} keys`);
  const file = path.join(bench.directory, `reload-${count}.yaml`);
  copyFileSync(canonicalFile(bench, count), file);
  const found = measured(bench, "reload", { file, rounds: count > 500_000 ? 3 : 9 });
  rmSync(file);
  return rowOf({
    id: `load-reload-${count}`,
    suite,
    measure: `${named(count)} keys read again after one has changed, up to the generation`,
    baseline: "the first time",
    unit: "time",
    show: milliseconds,
    subject: found.reload,
    against: found.first,
  });
}

/** @param {Bench} bench */
async function linear(bench) {
  const rows = [];
  for (const count of bench.short ? [100_000] : [100_000, 1_000_000]) {
    const [large, small] = [canonicalFile(bench, count), canonicalFile(bench, count / 10)];
    bench.say(`load: ${named(count)} keys against a tenth`);
    const { one, other } = await inTurn(bench.short || count > 500_000 ? 3 : 5, {
      one: () => measured(bench, "load-keyhold", { file: large, digest }).ms,
      other: () => measured(bench, "load-keyhold", { file: small, digest }).ms,
    });
    rows.push(
      rowOf({
        id: `load-linear-${count}`,
        suite,
        measure: `${named(count)} keys`,
        baseline: `${named(count / 10)} keys`,
        unit: "time",
        target: atMost(12),
        show: milliseconds,
        subject: one,
        against: other,
      }),
    );
  }
  return rows;
}
