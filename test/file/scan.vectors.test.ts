import { describe, expect, it } from "vitest";
import { readTwice } from "./read-alike.js";
import { writtenConfigurations } from "./written-configurations.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");

describe("the scanner, beside the reader that composes a tree", () => {
  it.each(writtenConfigurations())("%s", (_, text) => {
    const readings = readTwice(Buffer.from(text), { nowMs });
    if (readings !== undefined) expect(readings.scanned).toEqual(readings.composed);
  });

  it("accepts what people write", () => {
    const accepted = writtenConfigurations().filter(
      ([, text]) => readTwice(Buffer.from(text), { nowMs }) !== undefined,
    );
    expect(accepted.length).toBeGreaterThan(40);
  });
});
