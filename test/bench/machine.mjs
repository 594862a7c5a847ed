import { execFileSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";

/** The machine in a line. */
export function machineText() {
  const all = cpus();
  const model = all[0]?.model.replace(/\s+/g, " ").trim() ?? "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${all.length} × ${model}, ${memory} GiB, ${type()} ${release()}`;
}

/** @param {string} node */
export function versionOf(node) {
  return execFileSync(node, ["--version"], { encoding: "utf8" }).trim().replace(/^v/, "");
}
