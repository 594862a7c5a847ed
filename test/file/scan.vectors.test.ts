import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { generationOf } from "../../src/core/generation.js";
import { composeKeystore } from "../../src/file/document.js";
import { scan } from "../../src/file/scan/scan.js";
import { readTwice } from "./read-alike.js";
import { writtenConfigurations } from "./written-configurations.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");

describe("the scanner, beside the reader that composes a tree", () => {
  it.each(writtenConfigurations())("%s", (_, text) => {
    const readings = readTwice(Buffer.from(text), { nowMs });
    if (readings !== undefined) expect(readings.scanned).toEqual(readings.composed);
  });

  it("declines digests that are made to meet in its table", () => {
    const rows = Array.from({ length: 2000 }, (_, index) => {
      const middle = digestOf(String(index)).slice(4, 60);
      return `  "abcd${middle}abcd":\n    id: x\n`;
    });
    const bytes = Buffer.from(`api_keys:\n${rows.join("")}`);
    expect(scan(bytes, { nowMs })).toBeUndefined();
  });

  it("accepts what people write", () => {
    const accepted = writtenConfigurations().filter(
      ([, text]) => readTwice(Buffer.from(text), { nowMs }) !== undefined,
    );
    expect(accepted.length).toBeGreaterThan(40);
  });
});

describe("rows at the end of a text", () => {
  const row = (id: string, behindId: string, behind: string): string =>
    `  "${digestOf(id)}":\n    id: ${id}${behindId}\n    created_at: "2026-11-22T10:00:00Z"${behind}\n`;

  it.each([63, 64, 65, 2000, 4000])("may have a comment behind %i spaces", (spaces) => {
    const far = `${" ".repeat(spaces)}# far`;
    for (const text of [
      `api_keys:\n${row("a", "", "")}${row("b", far, "")}`,
      `api_keys:\n${row("a", "", "")}${row("b", "", far)}`,
      `api_keys:\n${row("a", far, "")}${row("b", "", "")}`,
      `api_keys:\n${row("a", "", far)}${row("b", "", "")}`,
    ]) {
      const scanned = scan(Buffer.from(text), { nowMs });
      expect(scanned?.keystore.liveCount).toBe(2);
      expect(scanned?.diagnostics).toEqual([]);
    }
  });
});

describe("digests that begin alike", () => {
  it("are put in order however many there are", () => {
    const digests = Array.from({ length: 3000 }, (_, index) => {
      const number = (3000 - index).toString(16).padStart(8, "0");
      return `01234567${number}${digestOf(String(index)).slice(16)}`;
    });
    const text = `api_keys:\n${digests.map((digest) => `  "${digest}":\n    id: a\n`).join("")}`;
    const scanned = scan(Buffer.from(text), { nowMs });
    const composed = composeKeystore(Buffer.from(text), { nowMs });
    if (composed.keystore === undefined) throw new Error("the keystore can't be read");
    expect(scanned?.keystore.generation).toBe(generationOf(composed.keystore));
  });
});
