import type { Style } from "./style.js";
import { visible } from "./visible.js";

/**
 * A unified diff of two texts without context lines, for a keystore whose secrets were masked
 * before it came here; empty where they are equal.
 */
export async function formatDiff(
  name: string,
  before: string,
  after: string,
  style: Style,
): Promise<string> {
  if (before === after) return "";
  const { structuredPatch } = await import("diff");
  const { hunks } = structuredPatch(name, name, before, after, "", "", { context: 0 });
  const lines = [`--- ${visible(name)}`, `+++ ${visible(name)}`].map((line) => style.bold(line));
  for (const hunk of hunks) {
    const place = `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`;
    lines.push(style.dim(place), ...hunk.lines.map((line) => formatLine(line, style)));
  }
  return lines.map((line) => `${line}\n`).join("");
}

function formatLine(line: string, style: Style): string {
  // A carriage return is part of the line's end here.
  const shown = visible(line.replace(/\r$/, ""));
  if (line.startsWith("+")) return style.good(shown);
  return line.startsWith("-") ? style.bad(shown) : style.dim(shown);
}
