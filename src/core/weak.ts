/**
 * Values that stand in examples and defaults, so that everybody knows them, and their SHA-256: written
 * down, so that who only reads a keystore need not load what hashes (`test/core/token.test.ts`).
 */
const KNOWN_WEAK: ReadonlyMap<string, string> = new Map([
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["[REDACTED]", "e54b74eb9192b48055c48d2062bffdd23469ef7d70f960ff1293a47f86c8eba2"],
  ["REDACTED", "b83c7778c23a8d199def24fba1e96d24338d2bd9d859b613fde9a9a9077d88ec"],
  ["changeme", "057ba03d6c44104863dc7361fe4578965d1887360f90a0895882e58a6248fc86"],
  ["change-me", "e2186dbdb1bb4193608605e84f33208765b5693b55edd4f730a719a100eeea6f"],
  ["password", "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"],
  ["secret", "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"],
  ["token", "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0"],
  ["test", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
  ["test2", "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"],
  ["admin", "8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918"],
  ["owner", "4c1029697ee358715d3a14a2add817c4b01651440de808371f78165ac90dc581"],
  ["your-api-key", "a2ae6a9ee724b61d83d3cb2ec4a4bfc5d72624008508511935f85a4227a92db6"],
  ["your-token", "08842b17a4146c87440b585ee736c03bb3d27ffff4db76e3f133c45e9d1a9225"],
  ["<token>", "d1df712f3ad8ff5c22d2fc6eddbb266679ba16a385ae710ddcb95de75196c416"],
  ["<your-token>", "35b7b5f30c358d275a18686dbcd5e1a3b8cb5d892457e00b75a2f360e8450385"],
  ["xxx", "cd2eb0837c9b4c962c22d2ff8b5441b7b45805887f051d39bf133b583baf6860"],
  ["example", "50d858e0985ecc7f60418aaf0cc5ab587f42c2570a884095a9e8ccacd0f6545c"],
  ["none", "140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe"],
  ["null", "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b"],
  ["undefined", "eb045d78d273107348b0300c01d29b7552d622abbc6faf81b3ec55359aa9950c"],
  ["default", "37a8eec1ce19687d132fe29051dca629d164e2c4958ba141d5f4133a33f0688f"],
  ["dummy", "b5a2c96250612366ea272ffac6d9744aaf4b45aacd96aa7cfcb931ee3b558259"],
  ["placeholder", "4097889236a2af26c293033feb964c4cf118c0224e0d063fec0a89e9d0569ef2"],
]);

/** Fewest characters of a token that nobody minted here: shorter ones may be found by trying. */
export const SHORTEST_TOKEN = 20;

const ONE_HEX_DIGIT = /^([0-9a-f])\1{63}$/;

const digests: ReadonlySet<string> = new Set(KNOWN_WEAK.values());

/** Whether a raw token is one that everybody knows. */
export function isKnownWeak(token: string): boolean {
  return KNOWN_WEAK.has(token);
}

/** Whether a digest (lowercase) is that of a known-weak token, or one hex digit 64 times. */
export function isKnownWeakDigest(digest: string): boolean {
  return digests.has(digest) || ONE_HEX_DIGIT.test(digest);
}

/** The digests (lowercase) of the known-weak tokens. */
export function knownWeakDigests(): ReadonlySet<string> {
  return digests;
}
