import { measured } from "../child.mjs";
import { canonicalFile } from "../keystores.mjs";
import { atMost, milliseconds, rowOf } from "../ratio.mjs";

/** @import { Bench, Row } from "../types.d.ts" */

/** @param {Bench} bench @returns {Row[]} */
export default function edit(bench) {
  const rows = [];
  for (const count of bench.short ? [100_000] : [100_000, 1_000_000]) {
    const named = count.toLocaleString("en-GB");
    bench.say(`edit: ${named} keys`);
    const found = measured(bench, "edit", {
      file: canonicalFile(bench, count),
      count,
      rounds: bench.short ? 3 : count > 500_000 ? 3 : 7,
    });
    for (const name of ["create", "revoke", "createFresh", "revokeFresh"]) {
      const isFresh = name.endsWith("Fresh");
      const [command = ""] = name.split("Fresh");
      const how = isFresh ? "read for the first time, " : "";
      rows.push(
        rowOf({
          id: `edit-${command}-${count}${isFresh ? "-fresh" : ""}`,
          suite: "edit",
          measure: `${command} in a file of ${named} keys, ${how}checked and written`,
          baseline: "the same octets, written atomically with fsync",
          unit: "time",
          target: atMost(count > 500_000 ? 3 : 2.5),
          show: milliseconds,
          subject: found[name],
          against: found.write,
        }),
      );
    }
  }
  return rows;
}
