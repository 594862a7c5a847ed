import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { verify, NO_REQUIREMENT } from "../../src/core/verify.js";
import { diagnose } from "../../src/file/diagnose.js";

interface Expected {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly authenticates?: Readonly<Record<string, string>>;
}

const folder = join(import.meta.dirname, "../vectors/keystore");
const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Record<
  string,
  Expected
>;
const nowMs = Date.parse("2026-11-22T12:00:00Z");
/** What the vectors' README leaves out of the comparison. */
const ASIDE = new Set(["file-permissions", "owner-mismatch", "unquoted-digest"]);
const TOKENS = ["token-a", "token-b", "my-secret-token", "", "[REDACTED]", "k"];

describe("keystore vectors", () => {
  it("has an expectation for every file", () => {
    const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
    expect(files.sort()).toEqual(Object.keys(expected).sort());
  });

  it.each(Object.entries(expected))("%s gives the expected codes", (name, { errors, warnings }) => {
    const { diagnostics } = diagnose(readFileSync(join(folder, name), "utf8"), { nowMs });
    const codes = (severity: string): string[] => [
      ...new Set(
        diagnostics
          .filter((each) => each.severity === severity && !ASIDE.has(each.code))
          .map(({ code }) => code),
      ),
    ];
    expect(codes("error").sort()).toEqual([...errors].sort());
    expect(codes("warning").sort()).toEqual([...warnings].sort());
  });

  it.each(Object.entries(expected).filter(([, { errors }]) => errors.length === 0))(
    "%s lets in whom it should",
    (name, { authenticates = {} }) => {
      const { keystore } = diagnose(readFileSync(join(folder, name), "utf8"), { nowMs });
      if (keystore === undefined) throw new Error("no keystore");
      const admitted: Record<string, string | undefined> = {};
      for (const token of TOKENS) {
        const verdict = verify(keystore, token, NO_REQUIREMENT, nowMs);
        if (verdict.ok) admitted[token] = verdict.entry.id;
      }
      expect(admitted).toEqual(authenticates);
    },
  );
});
