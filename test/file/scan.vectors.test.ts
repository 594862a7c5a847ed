import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
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
