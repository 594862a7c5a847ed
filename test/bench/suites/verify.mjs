import { measured } from "../child.mjs";
import { canonicalFile } from "../keystores.mjs";
import { atLeast, atMost, nanoseconds, rate, rowOf } from "../ratio.mjs";

/** @import { Bench, Row } from "../types.d.ts" */

const suite = "verify";

/** @param {Bench} bench @returns {Row[]} */
export default function verify(bench) {
  bench.say("verify: verdicts in one process");
  const large = bench.short ? 100_000 : 1_000_000;
  const found = measured(bench, "verify", {
    file: canonicalFile(bench, 10_000),
    count: 10_000,
    otherFile: canonicalFile(bench, large),
    otherCount: large,
    rounds: bench.short ? 15 : 40,
  });
  const time = { suite, unit: "time", show: nanoseconds };
  const perSecond = (/** @type {number[]} */ ns) => ns.map((each) => 1e9 / each);
  return [
    rowOf({
      ...time,
      id: "verify-hit",
      measure: "verdict, hit, 10,000 keys",
      baseline: "one bare `crypto.hash('sha256', token)`",
      target: atMost(1.4),
      subject: found.hit,
      against: found.hash,
    }),
    rowOf({
      id: "verify-jose",
      suite,
      measure: "verdict, hit, 10,000 keys",
      baseline: "`jose` HS256 `jwtVerify`",
      unit: "rate",
      target: atLeast(100),
      show: rate,
      subject: perSecond(found.hit),
      against: perSecond(found.jose),
    }),
    rowOf({
      ...time,
      id: "verify-large",
      measure: `the same at ${large.toLocaleString("en-GB")} keys`,
      baseline: "10,000 keys",
      target: atMost(2),
      subject: found.large,
      against: found.hit,
    }),
    rowOf({
      ...time,
      id: "verify-miss",
      measure: "unknown token",
      baseline: "hit",
      target: atMost(1),
      subject: found.miss,
      against: found.hit,
    }),
  ];
}
