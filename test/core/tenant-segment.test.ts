import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { tenantSegment } from "../../src/core/tenant-segment.js";

const mark = (tenant: string): string => digestOf(tenant).slice(0, 8);

describe("a tenant's segment", () => {
  it.each(["alice", "alice_example.com", "a", "-", "...", "x".repeat(64), ".hidden"])(
    "is the tenant itself where that is safe: %s",
    (tenant) => {
      expect(tenantSegment(tenant)).toBe(tenant);
    },
  );

  it.each([
    ["Alice@Example.com", "alice_example.com"],
    ["alice@example.com", "alice_example.com"],
    ["Alice", "alice"],
    [".", "."],
    ["..", ".."],
    ["../../etc/passwd", ".._.._etc_passwd"],
    ["Ünal", "_nal"],
    ["x".repeat(65), "x".repeat(55)],
    ["alice.12345678", "alice.12345678"],
  ])("of %s has digits of its digest added", (tenant, base) => {
    expect(tenantSegment(tenant)).toBe(`${base}.${mark(tenant)}`);
  });

  // Names that come close to each other: cases, separators, dots, lengths, added digits.
  const near = fc.oneof(
    fc.string({ minLength: 1, maxLength: 100 }),
    fc.string({
      unit: fc.constantFrom("a", "A", "_", "@", ".", "/", "é"),
      minLength: 1,
      maxLength: 6,
    }),
    fc
      .constantFrom("Alice@x", "alice_x", "a".repeat(70), ".", "..")
      .map((text) => tenantSegment(text)),
  );

  it("is a safe name of a path, whatever the tenant", () => {
    fc.assert(
      fc.property(near, (tenant) => {
        const segment = tenantSegment(tenant);
        expect(segment).toMatch(/^[a-z0-9._-]{1,64}$/);
        expect(segment).not.toMatch(/^\.\.?$/);
        // The segment of a segment with digits added is another one.
        if (segment !== tenant) expect(tenantSegment(segment)).not.toBe(segment);
      }),
      { numRuns: 5000 },
    );
  });

  it("is another one for another tenant", () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(near, (tenant) => {
        const segment = tenantSegment(tenant);
        expect(seen.get(segment) ?? tenant).toBe(tenant);
        seen.set(segment, tenant);
      }),
      { numRuns: 20_000 },
    );
  });
});
