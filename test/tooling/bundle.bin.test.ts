import { readdirSync, readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { binPath } from "../helpers/bin.js";

const bundle = path.join(path.dirname(path.dirname(binPath)), "dist", "bin");

/** A line of the source, and the file that the bundler puts it in. */
const LINES = [
  { chunk: "keys.cjs", text: "is given twice", source: "src/cli/option.ts" },
  { chunk: "show.cjs", text: "rotated from", source: "src/cli/commands/show.ts" },
];

function read(...names: string[]): string {
  return readFileSync(path.join(bundle, ...names), "utf8");
}

describe("the bundle of the command line", () => {
  it.each(LINES)("names the line of $source that $chunk stands for", ({ chunk, text, source }) => {
    const lines = read(chunk).split("\n");
    const line = lines.findIndex((candidate) => candidate.includes(text));
    const map = new SourceMap(JSON.parse(read(`${chunk}.map`)) as SourceMapPayload);

    const entry = map.findEntry(line, lines[line]?.indexOf(text) ?? 0);

    if (!("originalSource" in entry)) throw new Error("no such place");
    const file = path.resolve(bundle, entry.originalSource);
    expect(path.relative(path.resolve(bundle, "..", ".."), file)).toBe(source);
    const near = readFileSync(file, "utf8").split("\n").slice(entry.originalLine).slice(0, 2);
    expect(near.join("\n")).toContain(text);
  });

  it("holds no package: those are installed, and audited, as what they are", () => {
    for (const name of readdirSync(bundle).filter((each) => each.endsWith(".map"))) {
      const { sources } = JSON.parse(read(name)) as SourceMapPayload;
      expect(sources.filter((source) => source.includes("node_modules"))).toEqual([]);
    }
  });
});
