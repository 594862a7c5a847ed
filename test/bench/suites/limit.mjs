import { measured } from "../child.mjs";
import { atLeast, rate, rowOf } from "../ratio.mjs";

/** @import { Bench, Row } from "../types.d.ts" */

/** @param {Bench} bench @returns {Row[]} */
export default function limit(bench) {
  bench.say("limit: an exact sliding window");
  const found = measured(bench, "limit", { rounds: bench.short ? 15 : 40 });
  const perSecond = (/** @type {number[]} */ ns) => ns.map((each) => 1e9 / each);
  return [
    rowOf({
      id: "limit",
      suite: "limit",
      measure: "exact sliding window, 1,000 keys",
      baseline: "`rate-limiter-flexible` in memory (fixed window)",
      unit: "rate",
      target: atLeast(5),
      show: rate,
      subject: perSecond(found.keyhold),
      against: perSecond(found.flexible),
    }),
  ];
}
