import type { LineChange } from "../../file/line-change.js";
import type { Style } from "./style.js";
import { visible } from "./visible.js";

/**
 * A unified diff without context lines of two texts, for a keystore whose secrets were masked before
 * it came here; empty where nothing changes.
 */
export function formatDiff(
  name: string,
  before: string,
  after: string,
  changes: readonly LineChange[],
  style: Style,
): string {
  if (changes.length === 0) return "";
  const [old, now] = [before.split("\n"), after.split("\n")];
  const lines = [`--- ${visible(name)}`, `+++ ${visible(name)}`].map((line) => style.bold(line));
  for (const { oldStart, oldCount, newStart, newCount } of changes) {
    lines.push(
      style.dim(`@@ -${range(oldStart, oldCount)} +${range(newStart, newCount)} @@`),
      ...old.slice(oldStart, oldStart + oldCount).map((line) => style.bad(shown("-", line))),
      ...now.slice(newStart, newStart + newCount).map((line) => style.good(shown("+", line))),
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** As GNU diff counts: from 1; where there are no lines, the line before. */
function range(start: number, count: number): string {
  return `${count === 0 ? start : start + 1},${count}`;
}

/** A carriage return is part of the line's end here. */
function shown(sign: string, line: string): string {
  return visible(sign + line.replace(/\r$/, ""));
}
