import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCsv } from "../../src/cli/render/csv.js";
import { formatDiff } from "../../src/cli/render/diff.js";
import { cutToWidth, displayWidth, wrapToWidth } from "../../src/cli/render/display-width.js";
import { formatJson } from "../../src/cli/render/json.js";
import { formatRelative } from "../../src/cli/render/relative-time.js";
import { PLAIN } from "../../src/cli/render/style.js";
import { visible } from "../../src/cli/render/visible.js";

// eslint-disable-next-line no-control-regex -- what a terminal obeys is what must be gone
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029]/;

describe("formatRelative", () => {
  it.each([
    [0, "now"],
    [1000, "in 1 second"],
    [-59_000, "59 seconds ago"],
    [60_000, "in 1 minute"],
    [3_600_000, "in 1 hour"],
    [-2 * 3_600_000, "2 hours ago"],
    [3 * 86_400_000, "in 3 days"],
    [90 * 86_400_000 - 500, "in 90 days"],
    [365 * 86_400_000, "in 12 months"],
    [-730.5 * 86_400_000, "2 years ago"],
  ])("calls %i ms %s", (distance, words) => {
    expect(formatRelative(1e12 + distance, 1e12)).toBe(words);
  });
});

describe("visible", () => {
  it("leaves ordinary text of any language", () => {
    expect(visible("Zoë's 寝室 🖥, c:\\x")).toBe("Zoë's 寝室 🖥, c:\\x");
  });

  it("escapes whatever a terminal would obey", () => {
    expect(visible("a\u001b[2Jb\u202ec\n")).toBe("a\\u{1b}[2Jb\\u{202e}c\\u{a}");
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !OBEYED.test(visible(text))));
  });
});

describe("formatJson", () => {
  it("gives back any text, and holds nothing a terminal obeys but its line ends", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, indented) => {
        const json = formatJson({ text }, indented);
        expect(JSON.parse(json)).toEqual({ text });
        expect(json.replaceAll("\n", "")).not.toMatch(OBEYED);
      }),
    );
  });
});

/** Reads rows of three fields, as RFC 4180 has them. */
function readCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  for (const [, quoted, bare = "", end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g,
  )) {
    if (rows.length === 0 || rows.at(-1)?.length === 3) rows.push([]);
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? bare);
    expect(end).toBe(rows.at(-1)?.length === 3 ? "\r\n" : ",");
  }
  return rows;
}

describe("formatCsv", () => {
  it("quotes what RFC 4180 says, and nothing else", () => {
    expect(formatCsv([["a", 'b "c"', "d,e", "", "=1+1", "-x", "f\ng", "\u202eh"]])).toBe(
      `a,"b ""c""","d,e",,=1+1,-x,"f\ng",\u202eh\r\n`,
    );
  });

  it("gives every value back as it is", () => {
    const table = fc.array(fc.array(fc.string({ unit: "binary" }), { minLength: 3, maxLength: 3 }));
    fc.assert(
      fc.property(table, (rows) => {
        expect(readCsv(formatCsv(rows))).toEqual(rows);
      }),
    );
  });
});

describe("cutToWidth", () => {
  it("never takes more columns than it may", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.integer({ min: 1, max: 40 }),
        (text, width) => {
          expect(displayWidth(cutToWidth(text, width))).toBeLessThanOrEqual(width);
        },
      ),
    );
    expect(cutToWidth("abcdef", 4)).toBe("abc…");
    expect(cutToWidth("寝室の", 4)).toBe("寝…");
    expect(cutToWidth("abcd", 4)).toBe("abcd");
  });
});

describe("wrapToWidth", () => {
  it("takes no more columns than it may, and loses nothing but the spaces at its breaks", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.integer({ min: 2, max: 40 }),
        (text, width) => {
          const lines = wrapToWidth(text, width);
          expect(lines.length).toBeGreaterThan(0);
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
          expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
        },
      ),
    );
    expect(wrapToWidth("ab cd ef", 5)).toEqual(["ab cd", "ef"]);
    expect(wrapToWidth("abcdef g", 4)).toEqual(["abcd", "ef g"]);
    expect(wrapToWidth("", 4)).toEqual([""]);
  });
});

describe("formatDiff", () => {
  it("has no context lines, and counts as GNU diff does", () => {
    const change = { oldStart: 1, oldCount: 1, newStart: 1, newCount: 1 };
    expect(formatDiff("k", "a\nb\nc\n", "a\nB\nc\n", [change], PLAIN)).toBe(
      "--- k\n+++ k\n@@ -2,1 +2,1 @@\n-b\n+B\n",
    );
    const added = { oldStart: 1, oldCount: 0, newStart: 1, newCount: 1 };
    expect(formatDiff("k", "a\r\n", "a\r\nb\r\n", [added], PLAIN)).toBe(
      "--- k\n+++ k\n@@ -1,0 +2,1 @@\n+b\n",
    );
    expect(formatDiff("k", "a\n", "a\n", [], PLAIN)).toBe("");
  });
});
