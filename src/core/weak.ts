import { digestOf } from "./digest.js";

/** Values that stand in examples and defaults, so that everybody knows them. */
const KNOWN_WEAK: readonly string[] = [
  "",
  "[REDACTED]",
  "REDACTED",
  "changeme",
  "change-me",
  "password",
  "secret",
  "token",
  "test",
  "test2",
  "admin",
  "owner",
  "your-api-key",
  "your-token",
  "<token>",
  "<your-token>",
  "xxx",
  "example",
  "none",
  "null",
  "undefined",
  "default",
  "dummy",
  "placeholder",
];

const ONE_HEX_DIGIT = /^([0-9a-f])\1{63}$/;

const values: ReadonlySet<string> = new Set(KNOWN_WEAK);
let digests: ReadonlySet<string> | undefined;

/** Whether a raw token is one that everybody knows. */
export function isKnownWeak(token: string): boolean {
  return values.has(token);
}

/** Whether a digest (lowercase) is that of a known-weak token, or one hex digit 64 times. */
export function isKnownWeakDigest(digest: string): boolean {
  digests ??= new Set(KNOWN_WEAK.map((value) => digestOf(value)));
  return digests.has(digest) || ONE_HEX_DIGIT.test(digest);
}
