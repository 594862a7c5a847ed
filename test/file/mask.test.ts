import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { maskedText } from "../../src/file/mask.js";

const digest = digestOf("mask");

describe("a masked text", () => {
  it("shows digests and known fields and masks all else, line by line", () => {
    const text = `# s3cret
api_key: "s3cret" # s3cret
s3cret: { a: s3cret, "s3cret": [s3cret, 's3cret'] }
api_keys:
  "${digest}":
    id: alice
    label: "laptop"
    note: s3cret
    s3cret: x
  s3cret:
    id: s3cret
block: |
  s3cret
  s3cret
anchor: &s3cret !s3cret s3cret
alias: *s3cret
`;
    const masked = maskedText(text);
    expect(masked).not.toContain("s3cret");
    expect(masked).toContain(`  "${digest}":\n    id: alice\n    label: "laptop"\n    ***: ***\n`);
    expect(masked).toContain("api_key: ***");
    expect(masked.split("\n").length).toBe(text.split("\n").length);
  });

  it("masks a text that can't be read", () => {
    expect(maskedText(`api_keys: "s3cret\n  s3cret: {`)).not.toContain("s3cret");
  });
});
