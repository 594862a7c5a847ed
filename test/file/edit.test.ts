import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { formatToken } from "../../src/core/token.js";
import { hasErrors } from "../../src/file/diagnostic.js";
import type { Change } from "../../src/file/change.js";
import { parseKeystoreText, type KeystoreDocument } from "../../src/file/document.js";
import { editKeystore } from "../../src/file/edit-keystore.js";
import { isKeysError } from "../../src/errors.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");
const policy = { nowMs };
const A = digestOf("edit-a");
const B = digestOf("edit-b");
const C = digestOf("edit-c");

function edit(text: string, ...changes: Change[]): string {
  return editKeystore(parseKeystoreText(text, policy), changes, policy).text;
}

function add(digest: string, fields: Record<string, string> = { id: "carol" }): Change {
  return { kind: "add", digest, fields: new Map(Object.entries(fields)) };
}

function retire(digest: string): Change {
  return { kind: "retire", digest, state: "revoked", retiredAt: nowMs };
}

function purge(digest: string): Change {
  return { kind: "purge", digest };
}

const plain = `# service
port: 8000 # where
api_keys: # who may
  # the owner's
  "${A}": # laptop
    id: alice
    label: "a # b"   # label

  "${B}":
    id: 'bob'
# tail
other: { x: [1, 2] }
`;

const explicit = `api_keys:\n  ? "${A}"\n  : id: alice\n    label: "x"\n`;

/** Texts with a live key, or `{}`: adding and purging must give every byte back. */
const TEXTS: Readonly<Record<string, string>> = {
  plain,
  crlf: plain.replaceAll("\n", "\r\n"),
  bom: "\ufeff" + plain,
  "bom at the first key": `\ufeffapi_keys:\n  "${A}":\n    id: alice\n`,
  "no final newline": `api_keys:\n  "${A}":\n    id: alice`,
  "no final newline, CRLF": `x: 1\r\napi_keys:\r\n  "${A}":\r\n    id: alice`,
  "four spaces": `api_keys:\n    "${A}":\n        id: alice\n`,
  "one space": `api_keys:\n "${A}":\n  id: alice\n`,
  "indented root": `  a: 1\n  api_keys:\n     "${A}":\n      id: alice\n  b: 2\n`,
  empty: "api_keys: {}\n",
  "empty, comment": "a: 1\napi_keys: {}  # none yet\nb: 2\n",
  "empty, no newline": "api_keys: {}",
  "empty, odd": "api_keys:   { }\n",
  "empty, two lines": "api_keys: {\n}\n",
  "empty on its own line": "api_keys:\n  {}\n",
  flow: `api_keys: {"${A}": {id: alice}}\n`,
  "flow, trailing comma": `api_keys: {"${A}": {id: alice}, }\n`,
  "flow, lines": `api_keys: {\n  "${A}": {id: alice}   # laptop\n}\nb: 1\n`,
  "flow, lines, comma": `api_keys: {\n  "${A}": {id: alice},   # laptop\n}\n`,
  json: `{\n  "port": 1,\n  "api_keys": {\n    "${A}": {"id": "alice"}\n  }\n}\n`,
  "json, one line": `{"api_keys": {"${A}": {"id": "alice"}}, "port": 1}`,
  "json, empty": `{"api_keys": {}, "port": 1}`,
  "flow entries": `api_keys:\n  "${A}": {id: alice} # one\n  "${B}": { id: bob }\n`,
  "document marks": `---\napi_keys:\n  "${A}":\n    id: alice\n...\n`,
  "comments inside": `api_keys:\n  "${A}":\n    # who\n    id: alice\n    # end\n  # last\n# really\n`,
  "anchors elsewhere": `base: &b {x: 1}\nuse:\n  <<: *b\napi_keys:\n  "${A}":\n    id: alice\n`,
  "legacy beside": `api_key: "${"s".repeat(24)}"\napi_keys: {}\n`,
  "explicit key": explicit,
  "anchored key": `api_keys:\n  &k "${A}":\n    id: alice\nuse: *k\n`,
  "block scalar last": `api_keys:\n  "${A}":\n    id: alice\n    note: |\n      some\n      text\n\n\nx: 1\n`,
};

describe("adding and purging a key", () => {
  it.each(Object.entries(TEXTS))("gives every byte back: %s", (_name, text) => {
    const added = edit(text, add(C, { id: "carol", label: 'a "b" \u2028 # c' }));
    const document = parseKeystoreText(added, policy);
    expect(hasErrors(document.diagnostics)).toBe(false);
    expect(document.keystore?.find(C)?.label).toBe('a "b" \u2028 # c');
    expect(edit(added, purge(C))).toBe(text);
  });

  it("changes added lines only", () => {
    const added = edit(plain, add(C)).split("\n");
    const rest = plain.split("\n").filter((line) => {
      const at = added.indexOf(line);
      if (at !== -1) added.splice(at, 1);
      return at === -1;
    });
    expect(rest).toEqual([]);
    expect(added).toEqual([`  "${C}":`, "    id: carol"]);
  });

  it("refuses a digest that stands in the file, live, retired or legacy", () => {
    const text = edit(plain, retire(A));
    for (const digest of [A, B]) {
      expect(() => edit(text, add(digest))).toThrow(/stands in the keystore already/);
    }
    const legacy = `api_key: "legacy-token-of-some-length"\n`;
    expect(() => edit(legacy, add(digestOf("legacy-token-of-some-length")))).toThrow();
  });
});

describe("a file without keys", () => {
  it.each([
    ["", `api_keys:\n  "${C}":\n    id: carol\n`],
    ["# hi\n", `# hi\napi_keys:\n  "${C}":\n    id: carol\n`],
    ["# hi", `# hi\napi_keys:\n  "${C}":\n    id: carol`],
    ["---\n", `---\napi_keys:\n  "${C}":\n    id: carol\n`],
    ["a: 1\n", `a: 1\napi_keys:\n  "${C}":\n    id: carol\n`],
    ["a:\n    b: 1\n", `a:\n    b: 1\napi_keys:\n    "${C}":\n        id: carol\n`],
    ["api_keys:\nb: 1\n", `api_keys:\n  "${C}":\n    id: carol\nb: 1\n`],
    ["api_keys: ~ # x\n", `api_keys: # x\n  "${C}":\n    id: carol\n`],
    ["null\n", `\napi_keys:\n  "${C}":\n    id: carol\n`],
    ["{}", `{"api_keys": {"${C}": {"id": "carol"}}}`],
    ['{"a": 1}', `{"a": 1, "api_keys": {"${C}": {"id": "carol"}}}`],
    ["{api_keys: null}", `{api_keys: {"${C}": {"id": "carol"}}}`],
  ])("gets its first: %j", (text, expected) => {
    expect(edit(text, add(C))).toBe(expected);
  });
});

describe("retiring", () => {
  it("moves the entry with its comments and quoting behind the live block", () => {
    expect(edit(plain, retire(A))).toBe(`# service
port: 8000 # where
api_keys: # who may
  # the owner's

  "${B}":
    id: 'bob'
retired_api_keys:
  "${A}": # laptop
    id: alice
    label: "a # b"   # label
    state: "revoked"
    retired_at: "2026-11-22T12:00:00Z"
# tail
other: { x: [1, 2] }
`);
  });

  it.each(Object.entries(TEXTS).filter(([, text]) => text.includes(A)))(
    "leaves a file that is valid or empty, and restoring brings the key back: %s",
    (_name, text) => {
      const retired = parseKeystoreText(edit(text, retire(A)), policy);
      const codes = retired.diagnostics.filter(({ severity }) => severity === "error");
      expect(codes.every(({ code }) => code === "empty-keystore")).toBe(true);
      expect(retired.keystore?.find(A)).toMatchObject({ place: "retired", state: "revoked" });
      const restored = parseKeystoreText(
        edit(retired.text, { kind: "restore", digest: A }),
        policy,
      );
      expect(hasErrors(restored.diagnostics)).toBe(false);
      expect(restored.keystore?.find(A)).toMatchObject({ place: "live", id: "alice" });
      expect(restored.keystore?.find(A)?.state).toBeUndefined();
    },
  );

  it("leaves {} where the last live key goes", () => {
    expect(edit(`api_keys: # x\n  "${A}":\n    id: a\n`, purge(A))).toBe("api_keys: {} # x\n");
  });

  it("takes a digest from the map and from api_key in one edit", () => {
    const token = "a-legacy-token-of-some-length";
    const digest = digestOf(token);
    const text = `api_key: "${token}"\nx: 1\n`;
    expect(edit(text, retire(digest))).toBe(
      `x: 1\napi_keys: {}\nretired_api_keys:\n  "${digest}":\n    id: owner\n    state: "revoked"\n    retired_at: "2026-11-22T12:00:00Z"\n`,
    );
    const both = `api_key: ${token}\napi_keys:\n  "${digest}":\n    id: olga\n`;
    const after = edit(both, retire(digest));
    expect(after).not.toContain(token);
    expect(after).toContain("api_keys: {}\n");
    expect(after).toContain("id: olga");
    expect(edit(`api_key: ${token}\n`, purge(digest))).toBe("api_keys: {}\n");
    expect(edit(`{"api_key": "${token}"}`, purge(digest))).toBe(`{"api_keys": {}}`);
  });

  it("retires a flat row under the name it has", () => {
    const after = edit(`api_keys:\n  "${A}": alice\n`, retire(A));
    expect(parseKeystoreText(after, policy).keystore?.find(A)).toMatchObject({
      id: "alice",
      state: "revoked",
    });
  });

  it("mends a key that stands live and retired", () => {
    const text = `api_keys:\n  "${A}":\n    id: a\n  "${B}":\n    id: b\nretired_api_keys:\n  "${A}":\n    id: a\n    state: revoked\n    retired_at: "2026-01-01T00:00:00Z"\n`;
    const document = parseKeystoreText(edit(text, retire(A)), policy);
    expect(document.diagnostics).toEqual([]);
    expect(document.keystore?.liveCount).toBe(1);
  });

  it("keeps a comment between a pair and its comma", () => {
    const text = `api_keys: {"${A}": {id: a} # one\n , "${B}": {id: b}}\n`;
    expect(edit(text, purge(A))).toBe(`api_keys: { # one\n  "${B}": {id: b}}\n`);
  });

  it.each(["null", "*x", "[a]", "!t {id: a}"])("retires a row that is %s", (value) => {
    const text = `x: &x y\napi_keys:\n  "${A}": ${value}\n  "${B}":\n    id: bob\n`;
    const document = parseKeystoreText(text, policy);
    expect(document.keystore?.find(A)).toMatchObject({ place: "live", faulty: true });
    const after = parseKeystoreText(edit(text, retire(A)), policy);
    expect(after.diagnostics).toEqual([]);
    expect(after.keystore?.find(A)).toMatchObject({ place: "retired", id: "unknown" });
  });

  it("changes the lines of the key that is meant, and no others", () => {
    const text = edit(plain, add(C));
    const { changes } = editKeystore(parseKeystoreText(text, policy), [retire(B)], policy);
    expect(changes).toEqual([
      { oldStart: 8, oldCount: 2, newStart: 8, newCount: 0 },
      { oldStart: 12, oldCount: 0, newStart: 10, newCount: 5 },
    ]);
  });

  it("several at once", () => {
    const text = edit(plain, add(C));
    const after = parseKeystoreText(edit(text, retire(A), retire(B), retire(C)), policy);
    expect(after.keystore?.liveCount).toBe(0);
    expect(after.keystore?.retiredCount).toBe(3);
    expect(after.text).toContain("api_keys: {} # who may\n");
  });
});

describe("setting fields", () => {
  it("replaces, adds and removes where the entry stands", () => {
    const after = edit(plain, {
      kind: "set",
      digest: A,
      fields: new Map([
        ["id", "no"],
        ["label", null],
        ["scopes", "a b"],
      ]),
    });
    expect(after).toContain(`    id: "no"\n    scopes: "a b"\n`);
    expect(after).not.toContain("label");
    const flow = edit(`api_keys: {"${A}": {id: alice, label: x}}`, {
      kind: "set",
      digest: A,
      fields: new Map([
        ["label", null],
        ["scopes", "a"],
      ]),
    });
    expect(flow).toBe(`api_keys: {"${A}": {id: alice, "scopes": "a"}}`);
  });

  it("replaces a block scalar", () => {
    const text = `api_keys:\n  "${A}":\n    id: a\n    label: |-\n      two\n    scopes: "a"\nx: 1\n`;
    const after = edit(text, { kind: "set", digest: A, fields: new Map([["label", "one"]]) });
    expect(after).toBe(text.replace("|-\n      two\n", '"one"\n'));
  });
});

describe("migrating", () => {
  it("turns legacy keys and flat rows into entries, the rest untouched", () => {
    const token = "raw-legacy-token-of-some-length";
    const text = `# c\napi_key: "${token}" # old\nadmin_api_key: raw-admin-token-long # adm\napi_keys:\n  "${A}": alice # flat\n  "${B}":\n    id: bob\n`;
    const after = edit(text, { kind: "migrate", legacyId: "olga" });
    expect(after).toBe(
      `# c\nadmin_api_key_sha256: "${digestOf("raw-admin-token-long")}" # adm\napi_keys:\n  "${A}": # flat\n    id: alice\n  "${B}":\n    id: bob\n  "${digestOf(token)}":\n    id: olga\n`,
    );
    expect(edit(after, { kind: "migrate", legacyId: "olga" })).toBe(after);
  });

  it.each(["\n", ""])("turns a last flat row and a legacy key, ending %j", (end) => {
    const token = "raw-legacy-token-of-some-length";
    const text = `api_key: ${token}\napi_keys:\n  "${A}": alice${end}`;
    expect(edit(text, { kind: "migrate", legacyId: "owner" })).toBe(
      `api_keys:\n  "${A}":\n    id: alice\n  "${digestOf(token)}":\n    id: owner${end}`,
    );
  });

  it("works between braces", () => {
    const token = "raw-legacy-token-of-some-length";
    const text = `{"api_key": "${token}", "admin_api_key": "raw-admin-token-long", "api_keys": {"${A}": "alice"}}`;
    const document = parseKeystoreText(edit(text, { kind: "migrate", legacyId: "owner" }), policy);
    expect(document.diagnostics).toEqual([]);
    expect(document.keystore?.liveCount).toBe(2);
    expect(document.text).not.toContain("raw-");
  });
});

describe("doubt", () => {
  function refusal(text: string, change: Change): string | undefined {
    try {
      edit(text, change);
    } catch (error) {
      return isKeysError(error) ? error.code : "other";
    }
    return undefined;
  }

  it.each<[string, string]>([
    ["a digest twice", `api_keys:\n  "${A}":\n    id: a\n  "${A}":\n    id: b\n`],
    ["a block twice", `api_keys:\n  "${A}":\n    id: a\napi_keys:\n  "${B}":\n    id: b\n`],
    ["an odd line break", `# \u2028\napi_keys:\n  "${A}":\n    id: a\n`],
    ["an alias for a setting", `x: &k api_keys\napi_keys:\n  "${A}":\n    id: a\n*k : {}\n`],
    ["a tagged setting", `!!null api_keys:\n  "${A}":\n    id: a\n`],
    [
      "a merge key beside the row",
      `x: &d {"${A}": {id: a}}\napi_keys:\n  <<: *d\n  "${A}":\n    id: a\n`,
    ],
    ["a tagged row", `api_keys:\n  "${A}":\n    id: a\n  !!str "${B}":\n    id: b\n`],
    ["broken text", `api_keys:\n  "${A}: {\n`],
  ])("refuses %s", (_name, text) => {
    expect(refusal(text, retire(A))).toBe("keystore-invalid");
  });

  it("works in spite of other problems", () => {
    const text = `api_keys:\n  "${A}":\n    id: a\n    expires_at: never\n  "zz": {}\n`;
    const document: KeystoreDocument = parseKeystoreText(edit(text, retire(A)), policy);
    expect(document.keystore?.find(A)?.place).toBe("retired");
  });

  it.each(["[x]", "*x", "!!map {}", "text"])("never replaces a block that is %s", (block) => {
    const text = `x: &x {}\napi_keys:\n  "${A}":\n    id: a\nretired_api_keys: ${block}\n`;
    expect(refusal(text, retire(A))).toBe("edit-mismatch");
  });

  it("does not change what stands for something else by an anchor", () => {
    const text = `api_keys:\n  "${A}":\n    id: a\n    label: &l one\nother: *l\n`;
    const fields = new Map([["label", "two"]]);
    expect(refusal(text, { kind: "set", digest: A, fields })).toBe("edit-mismatch");
  });

  it("never takes a token for a name", () => {
    const token = formatToken("key", new Uint8Array(32).fill(7));
    const text = `api_keys:\n  "${digestOf(token)}": ${token}\n  "${B}": ${token}\n`;
    const { keystore } = parseKeystoreText(text, policy);
    expect([...(keystore?.live() ?? [])].map(({ id }) => id)).toEqual([undefined, undefined]);
    expect(edit(text, retire(B), retire(digestOf(token)))).not.toContain(token);
  });

  it("refuses what an anchor would lose", () => {
    const text = `api_keys:\n  "${A}": &x\n    id: a\nuse: *x\n`;
    expect(refusal(text, purge(A))).toBe("edit-mismatch");
  });
});
