import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/core/crc32.js";
import { digestOf, digestOfHeader, fingerprintOf, isDigest } from "../../src/core/digest.js";
import { formatToken, isPrefix, isTokenText, parseTokenFormat } from "../../src/core/token.js";
import { isKnownWeak, isKnownWeakDigest } from "../../src/core/weak.js";

function vector(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../vectors", name), "utf8"));
}

const tokens = vector("token.json") as {
  valid: { prefix: string; bytes: string; token: string; digest: string }[];
  other: { token: string; checksum: string }[];
};
const digests = vector("digest.json") as { token: string; digest: string; fingerprint: string }[];
const weak = vector("weak.json") as { values: string[] };

describe("tokens", () => {
  it.each(tokens.valid)("$prefix $bytes", ({ prefix, bytes, token, digest }) => {
    expect(formatToken(prefix, Buffer.from(bytes, "hex"))).toBe(token);
    expect(digestOf(token)).toBe(digest);
    expect(parseTokenFormat(token)).toEqual({ prefix, checksum: "ok" });
  });

  it.each(tokens.other)("says $checksum of $token", ({ token, checksum }) => {
    expect(parseTokenFormat(token).checksum).toBe(checksum);
  });

  it("recognises every single mistyped character", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.nat(),
        fc.constantFrom("0", "1", "9", "A", "Z", "a", "z"),
        (bytes, at, character) => {
          const token = formatToken("key", bytes);
          const place = 4 + (at % (token.length - 4));
          const mistyped = token.slice(0, place) + character + token.slice(place + 1);
          const expected = mistyped === token ? "ok" : "bad";
          expect(parseTokenFormat(mistyped).checksum).toBe(expected);
        },
      ),
    );
  });

  it("refuses what is no prefix and no secret", () => {
    for (const prefix of ["", "Key", "1a", "a__b", "a_", "_a", "a-b", "a".repeat(21)]) {
      expect(isPrefix(prefix)).toBe(false);
      expect(() => formatToken(prefix, new Uint8Array(32))).toThrow(RangeError);
    }
    for (const prefix of ["a", "sk_live", "a1_2b", "a".repeat(20)]) {
      expect(isPrefix(prefix)).toBe(true);
    }
    expect(() => formatToken("key", new Uint8Array(31))).toThrow(RangeError);
  });

  it("takes visible ASCII for a token and nothing else", () => {
    expect(isTokenText("!~")).toBe(true);
    for (const text of ["", " ", "a b", "a\t", "a\n", "\u007f", "é", "a\0"]) {
      expect(isTokenText(text)).toBe(false);
    }
  });
});

describe("digests", () => {
  it.each(digests)("$token", ({ token, digest, fingerprint }) => {
    expect(digestOf(token)).toBe(digest);
    expect(digestOfHeader(token)).toBe(digest);
    expect(fingerprintOf(digest)).toBe(fingerprint);
  });

  it("hashes a header's octets, not their reading as text", () => {
    const octets = Buffer.from("clé", "utf8");
    expect(digestOfHeader(octets.toString("latin1"))).toBe(digestOf("clé"));
  });

  it("is 64 lowercase hex digits", () => {
    expect(isDigest("a".repeat(64))).toBe(true);
    for (const text of ["A".repeat(64), "a".repeat(63), "a".repeat(65), "a".repeat(64) + "\n"]) {
      expect(isDigest(text)).toBe(false);
    }
  });
});

describe("known-weak values", () => {
  it.each(weak.values)("%j, raw and as a digest", (value) => {
    expect(isKnownWeak(value)).toBe(true);
    expect(isKnownWeakDigest(digestOf(value))).toBe(true);
  });

  it("one hex digit 64 times", () => {
    expect(isKnownWeakDigest("7".repeat(64))).toBe(true);
    expect(isKnownWeakDigest("7".repeat(63) + "8")).toBe(false);
  });
});

describe("crc32", () => {
  it("is zlib's", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
        expect(crc32(text)).toBe(zlibCrc32(text));
      }),
    );
  });
});
