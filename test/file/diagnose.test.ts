import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { DIAGNOSTICS, type DiagnosticCode } from "../../src/file/diagnostic.js";
import { parseKeystore, parseKeystoreText } from "../../src/file/document.js";
import type { Policy } from "../../src/file/policy.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");
const D = digestOf("diagnose");
const E = digestOf("diagnose-2");
const entry = `api_keys:\n  "${D}":\n    id: alice\n`;
const retired = `retired_api_keys:\n  "${D}":\n    id: alice\n    state: revoked\n    retired_at: "2026-01-01T00:00:00Z"\n`;

function places(text: string, policy: Partial<Policy> = {}): string[] {
  return parseKeystoreText(text, { nowMs, ...policy }).diagnostics.map(
    ({ code, line, column }) => `${code} ${String(line)}:${String(column)}`,
  );
}

/** Each code: a text that gives it alone, and where. */
const CASES: readonly [DiagnosticCode, string, string[], Partial<Policy>?][] = [
  ["yaml-syntax", `api_keys:\n  "${D}":\n    id: "a\n`, ["yaml-syntax 4:1"]],
  ["yaml-syntax", `a: \u0007\n`, ["yaml-syntax 1:4"]],
  ["yaml-syntax", `é: [😀, \u007f]\n`, ["yaml-syntax 1:8"]],
  ["yaml-syntax", `${entry}x: *nowhere\n`, ["yaml-syntax 4:4"]],
  ["multiple-documents", `${entry}---\na: 1\n`, ["multiple-documents 4:1"]],
  ["directive-not-allowed", `%YAML 1.2\n---\n${entry}`, ["directive-not-allowed 1:1"]],
  ["directive-not-allowed", `%TAG ! x\n---\n${entry}`, ["directive-not-allowed 1:1"]],
  ["line-break-not-portable", `${entry}# a\u0085b\n`, ["line-break-not-portable 4:4"]],
  ["line-break-not-portable", `x: 'a\u2029b'\n${entry}`, ["line-break-not-portable 1:6"]],
  ["line-break-not-portable", `# a\rapi_keys: {}\n${entry}`, ["line-break-not-portable 1:4"]],
  ["root-not-mapping", "- a\n", ["root-not-mapping 1:1"]],
  ["root-not-mapping", "just text\n", ["root-not-mapping 1:1"]],
  ["api-keys-not-mapping", "api_keys: text\n", ["api-keys-not-mapping 1:11"]],
  ["api-keys-not-mapping", `${entry}retired_api_keys: []\n`, ["api-keys-not-mapping 4:19"]],
  ["alias-not-allowed", `x: &x {}\napi_keys: *x\n`, ["alias-not-allowed 2:11"]],
  ["alias-not-allowed", `x: &x a\napi_keys:\n  "${D}":\n    id: *x\n`, ["alias-not-allowed 4:9"]],
  [
    "alias-not-allowed",
    `x: &x {}\napi_keys:\n  "${D}":\n    <<: *x\n    id: a\n`,
    ["alias-not-allowed 4:5"],
  ],
  ["alias-not-allowed", `x: &x {}\napi_keys:\n  <<: *x\n`, ["alias-not-allowed 3:3"]],
  ["alias-not-allowed", `x: &x {}\n<<: *x\n`, ["alias-not-allowed 2:1"]],
  ["alias-not-allowed", `x: &x abc\napi_key: *x\n`, ["alias-not-allowed 2:1"]],
  [
    "alias-not-allowed",
    `x: &k api_keys\napi_keys:\n  "${D}":\n    id: a\n*k : {}\n`,
    ["alias-not-allowed 5:1"],
  ],
  ["tag-not-allowed", `!!null api_keys:\n  "${D}":\n    id: a\n`, ["tag-not-allowed 1:8"]],
  ["tag-not-allowed", `api_keys: !!map\n  "${D}":\n    id: a\n`, ["tag-not-allowed 2:3"]],
  ["tag-not-allowed", `api_keys:\n  "${D}":\n    id: !!str a\n`, ["tag-not-allowed 3:15"]],
  ["tag-not-allowed", `api_key: !secret abc\n`, ["tag-not-allowed 1:1"]],
  ["duplicate-key", `${entry}api_keys: {}\n`, ["duplicate-key 4:1"]],
  [
    "duplicate-key",
    `${entry}api_key: x1y2z3\n"api_key": x1y2z3\n`,
    ["legacy-api-key 4:1", "duplicate-key 5:1"],
  ],
  ["duplicate-key", `${entry}    id: bob\n`, ["duplicate-key 4:5"]],
  ["duplicate-key", `${entry}  '${D}':\n    id: bob\n`, ["duplicate-key 4:3"]],
  ["no-keys", "", ["no-keys 1:1"]],
  ["no-keys", "a: 1\napi_keys: ~\n", ["no-keys 2:1"]],
  ["empty-keystore", "a: 1\napi_keys: {}\n", ["empty-keystore 2:1"]],
  ["digest-not-string", `api_keys:\n  ${"1".repeat(64)}:\n    id: a\n`, ["digest-not-string 2:3"]],
  [
    "digest-not-string",
    `api_keys:\n  ${"1".repeat(62)}e4:\n    id: a\n`,
    ["digest-not-string 2:3"],
  ],
  ["digest-not-string", `api_keys:\n  ? [a]\n  : id: a\n`, ["digest-not-string 2:5"]],
  ["digest-length", `api_keys:\n  "abc":\n    id: a\n`, ["digest-length 2:3"]],
  ["digest-not-hex", `api_keys:\n  "":\n    id: a\n`, ["digest-not-hex 2:3"]],
  ["digest-not-hex", `api_keys:\n  "${"z".repeat(64)}":\n    id: a\n`, ["digest-not-hex 2:3"]],
  [
    "digest-looks-like-token",
    `api_keys:\n  "${"z".repeat(63)}":\n    id: a\n`,
    ["digest-looks-like-token 2:3"],
  ],
  [
    "digest-known-weak",
    `api_keys:\n  "${"a".repeat(64)}":\n    id: a\n`,
    ["digest-known-weak 2:3"],
  ],
  [
    "digest-known-weak",
    `${entry}admin_api_key_sha256: "${digestOf("admin")}"\n`,
    ["digest-known-weak 4:1"],
  ],
  ["entry-not-mapping", `api_keys:\n  "${D}": alice\n`, ["entry-not-mapping 2:71"]],
  ["entry-not-mapping", `api_keys:\n  "${D}":\n`, ["entry-not-mapping 2:3"]],
  ["id-missing", `api_keys:\n  "${D}":\n    label: x\n`, ["id-missing 2:3"]],
  ["id-not-string", `api_keys:\n  "${D}":\n    id:\n`, ["id-not-string 3:5"]],
  ["id-not-string", `api_keys:\n  "${D}":\n    id: y\n`, ["id-not-string 3:9"]],
  ["id-not-string", `api_keys:\n  "${D}":\n    id: [a]\n`, ["id-not-string 3:9"]],
  ["id-blank", `api_keys:\n  "${D}":\n    id: ""\n`, ["id-blank 3:9"]],
  ["id-too-long", `api_keys:\n  "${D}":\n    id: ${"a".repeat(257)}\n`, ["id-too-long 3:9"]],
  ["id-control-character", `api_keys:\n  "${D}":\n    id: "a\\tb"\n`, ["id-control-character 3:9"]],
  ["field-not-string", `${entry}    label: =\n`, ["field-not-string 4:12"]],
  ["field-not-string", `${entry}    on: x\n`, ["field-not-string 4:5"]],
  ["field-not-string", `${entry}    team: 1\n`, ["unknown-field 4:5", "field-not-string 4:11"]],
  ["field-misspelt", `${entry}    Not-Before: "2027-01-01T00:00:00Z"\n`, ["field-misspelt 4:5"]],
  ["field-misspelt", `${entry}    nbf: 1\n`, ["field-misspelt 4:5", "field-not-string 4:10"]],
  ["text-invalid", `${entry}    label: "${"a".repeat(257)}"\n`, ["text-invalid 4:12"]],
  ["timestamp-invalid", `${entry}    created_at: "yesterday"\n`, ["timestamp-invalid 4:17"]],
  [
    "expires-before-created",
    `${entry}    created_at: "2027-01-01T00:00:00Z"\n    expires_at: "2027-01-01T00:00:00Z"\n`,
    ["expires-before-created 5:5"],
  ],
  [
    "not-before-after-expiry",
    `${entry}    not_before: "2027-01-01T00:00:00Z"\n    expires_at: "2027-01-01T00:00:00Z"\n`,
    ["not-before-after-expiry 5:5"],
  ],
  ["scope-invalid", `${entry}    scopes: "a  b"\n`, ["scope-invalid 4:13"]],
  ["workspace-invalid", `${entry}    workspaces: "*"\n`, ["workspace-invalid 4:17"]],
  ["rate-limit-invalid", `${entry}    rate_limit: "60"\n`, ["rate-limit-invalid 4:17"]],
  ["state-in-live-entry", `${entry}    reason: x\n`, ["state-in-live-entry 4:5"]],
  [
    "state-in-live-entry",
    `${entry}    retired_at: 1\n`,
    ["state-in-live-entry 4:5", "field-not-string 4:17"],
  ],
  [
    "state-missing",
    `${entry}retired_api_keys:\n  "${E}":\n    id: a\n    state: revoked\n`,
    ["state-missing 5:3"],
  ],
  [
    "state-invalid",
    `${entry}retired_api_keys:\n  "${E}":\n    id: a\n    state: gone\n    retired_at: "2026-01-01T00:00:00Z"\n`,
    ["state-invalid 7:12"],
  ],
  ["retired-and-live", `${entry}${retired}`, ["retired-and-live 2:3"]],
  [
    "retired-and-live",
    `api_key: diagnose\n${retired}`,
    ["legacy-api-key 1:1", "retired-and-live 1:1"],
  ],
  ["legacy-key-not-string", "api_key: 12345\n", ["legacy-key-not-string 1:1"]],
  ["legacy-key-not-string", `${entry}admin_api_key: [a]\n`, ["legacy-key-not-string 4:1"]],
  ["legacy-key-weak", `api_key: changeme\n`, ["legacy-api-key 1:1", "legacy-key-weak 1:1"]],
  [
    "legacy-key-weak",
    `${entry}admin_api_key: "<token>"\n`,
    ["legacy-admin-key 4:1", "legacy-key-weak 4:1"],
  ],
  ["admin-digest-invalid", `${entry}admin_api_key_sha256: abc\n`, ["admin-digest-invalid 4:1"]],
  ["admin-digest-invalid", `${entry}admin_api_key_sha256: 123\n`, ["admin-digest-invalid 4:1"]],
  [
    "admin-key-in-keystore",
    `${entry}admin_api_key_sha256: "${D.toUpperCase()}"\n`,
    ["admin-key-in-keystore 4:1"],
  ],
  [
    "admin-key-in-keystore",
    `${entry}admin_api_key: diagnose\n`,
    ["legacy-admin-key 4:1", "admin-key-in-keystore 4:1"],
  ],
  ["no-expiry", entry, ["no-expiry 2:3"], { requireExpiry: true }],
  ["no-scopes", entry, ["no-scopes 2:3"], { requireScopes: true }],
  [
    "too-old",
    `${entry}    created_at: "2026-11-20T00:00:00Z"\n`,
    ["too-old 4:5"],
    { maxAgeMs: 86_400_000 },
  ],
  [
    "not-before-unsupported",
    `${entry}    not_before: "2026-11-20T00:00:00Z"\n`,
    ["not-before-unsupported 4:5"],
    { idOnlyPeers: true },
  ],
  ["digest-uppercase", `api_keys:\n  "${D.toUpperCase()}":\n    id: a\n`, ["digest-uppercase 2:3"]],
  ["legacy-api-key", "api_key: diagnose\n", ["legacy-api-key 1:1"]],
  ["legacy-admin-key", `${entry}admin_api_key: other\n`, ["legacy-admin-key 4:1"]],
  ["expired", `${entry}    expires_at: "2026-11-22T12:00:00Z"\n`, ["expired 4:5"]],
  ["expires-soon", `${entry}    expires_at: "2026-12-06T12:00:00Z"\n`, ["expires-soon 4:5"]],
  [
    "expiry-unsupported",
    `${entry}    expires_at: "2027-12-06T12:00:00Z"\n`,
    ["expiry-unsupported 4:5"],
    { idOnlyPeers: true },
  ],
  ["id-reserved", entry, ["id-reserved 3:5"], { reservedIds: ["alice", "system"] }],
  ["system-key-in-keystore", entry, ["system-key-in-keystore 2:3"], { systemDigest: D }],
  [
    "system-key-in-keystore",
    retired,
    ["no-keys 1:1", "system-key-in-keystore 2:3"],
    { systemDigest: D },
  ],
  [
    "system-key-in-keystore",
    `${entry}admin_api_key_sha256: "${E}"\n`,
    ["system-key-in-keystore 4:1"],
    { systemDigest: E },
  ],
  [
    "system-key-in-keystore",
    `api_key: diagnose-2\n`,
    ["legacy-api-key 1:1", "system-key-in-keystore 1:1"],
    { systemDigest: E },
  ],
  ["unknown-field", `${entry}    team: blue\n`, ["unknown-field 4:5"]],
  ["id-not-portable", `api_keys:\n  "${D}":\n    id: été\n`, ["id-not-portable 3:5"]],
  ["unquoted-digest", `api_keys:\n  ${D}:\n    id: a\n`, ["unquoted-digest 2:3"]],
];

/** Codes that hang on octets or on the file itself, tested below and with the store. */
const ELSEWHERE: readonly DiagnosticCode[] = [
  "not-utf8",
  "file-too-large",
  "file-permissions",
  "owner-mismatch",
];

describe("diagnostics", () => {
  it.each(CASES)("%s in %j", (_code, text, expected, policy) => {
    expect(places(text, policy)).toEqual(expected);
  });

  it("has a case for every code", () => {
    const covered = new Set<string>([...CASES.map(([code]) => code), ...ELSEWHERE]);
    expect(Object.keys(DIAGNOSTICS).filter((code) => !covered.has(code))).toEqual([]);
    for (const [code, , expected] of CASES) {
      expect(
        expected.some((place) => place.startsWith(`${code} `)),
        code,
      ).toBe(true);
    }
  });

  it("tells where octets stop being UTF-8", () => {
    const [first] = parseKeystore(Buffer.from("a: 1\nb: é\xff\n", "latin1"), { nowMs }).diagnostics;
    expect(first).toMatchObject({ code: "not-utf8", line: 2, column: 4 });
    const bytes = Buffer.concat([Buffer.from("a: 1\nb: 日"), Buffer.from([0xff])]);
    const [second] = parseKeystore(bytes, { nowMs }).diagnostics;
    expect(second).toMatchObject({ code: "not-utf8", line: 2, column: 5 });
  });

  it("says once a line that characters are not allowed, and counts a long line once", () => {
    expect(places("\0".repeat(300_000) + "\n\0\0")).toEqual(["yaml-syntax 1:1", "yaml-syntax 2:1"]);
    const many = places(`${entry}# ${"\u2028".repeat(100_000)}\n`);
    expect(many).toHaveLength(100_000);
    expect(many.at(-1)).toBe("line-break-not-portable 4:100002");
  });

  it("lists everything in one run, in file order", () => {
    expect(
      places(
        `api_key: 1\napi_keys:\n  "x y":\n    id: no\n  "${D}":\n    expire: 1\nadmin_api_key_sha256: x\n`,
      ),
    ).toEqual([
      "legacy-key-not-string 1:1",
      "digest-not-hex 3:3",
      "id-not-string 4:9",
      "id-missing 5:3",
      "field-misspelt 6:5",
      "field-not-string 6:13",
      "admin-digest-invalid 7:1",
    ]);
  });

  it("judges weakness and time of live keys only, so that revoking mends", () => {
    const text = `${entry}retired_api_keys:\n  "${"a".repeat(64)}":\n    id: a\n    state: expired\n    retired_at: "2026-01-01T00:00:00Z"\n    expires_at: "2025-01-01T00:00:00Z"\n`;
    expect(places(text, { requireScopes: false })).toEqual([]);
  });

  it("never shows what may be a secret", () => {
    const secret = "sk_live_9f8e7d6c5b4a39281706";
    const texts = [
      `api_keys:\n  "${secret}":\n    id: a\n`,
      `api_keys:\n  ${secret}: ${secret}\n`,
      `api_keys:\n  "${D}":\n    ${secret}: ${secret}\n`,
      `api_keys:\n  "${D}":\n    id: "${secret}\n`,
      `api_keys:\n  "${D}":\n    id: ${secret}\n    expires_at: ${secret}\n    scopes: "${secret}\\\\"\n`,
      `api_key: ${secret}\nadmin_api_key: ${secret}\n`,
      `admin_api_key_sha256: ${secret}\n`,
      `x: *${secret}\n`,
      `x: !${secret}<\n`,
      `${secret}: {\n`,
      `%${secret}\n---\na: 1\n`,
      `api_keys:\n  "${D}":\n    id: a\n  ${secret}\n`,
    ];
    for (const text of texts) {
      const found = parseKeystoreText(text, { nowMs }).diagnostics;
      expect(found.length, text).toBeGreaterThan(0);
      expect(JSON.stringify(found)).not.toContain(secret);
    }
    const [first] = parseKeystoreText(texts[0] ?? "", { nowMs }).diagnostics;
    expect(first?.path).toEqual(["api_keys", "<not a digest, 28 characters>"]);
  });

  it("gives every diagnostic a place and a hint", () => {
    for (const [, text, , policy] of CASES) {
      for (const found of parseKeystoreText(text, { nowMs, ...policy }).diagnostics) {
        expect(found.line).toBeGreaterThan(0);
        expect(found.column).toBeGreaterThan(0);
        expect(found.hint).not.toBe("");
      }
    }
  });

  it("remembers tokens that stand where digests belong", () => {
    const token = "dlmt_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const document = parseKeystoreText(`api_keys:\n  "${token}":\n    id: a\n`, { nowMs });
    expect(document.misplaced.has(digestOf(token))).toBe(true);
  });
});
