import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseCredential } from "../../src/core/credential.js";
import { digestOf } from "../../src/core/digest.js";
import { createEntry, type Entry, type EntryPlace } from "../../src/core/entry.js";
import { generationOf } from "../../src/core/generation.js";
import { createKeystore, matchPrefix, type Keystore } from "../../src/core/keystore.js";
import { NO_REQUIREMENT, verify, type Requirement } from "../../src/core/verify.js";

const now = Date.parse("2026-11-22T12:00:00Z");
const token = "verify-test-token";

function entry(fields: Record<string, string>, place: EntryPlace = "live"): Entry {
  return createEntry(digestOf(token), new Map(Object.entries({ id: "alice", ...fields })), {
    place,
  });
}

function holding(one: Entry): Keystore {
  const map = new Map([[one.digest, one]]);
  const none = new Map<string, Entry>();
  return one.place === "retired"
    ? createKeystore({ live: none, retired: map })
    : createKeystore({ live: map, retired: none });
}

function judge(one: Entry, asked: Partial<Requirement> = {}): string {
  const verdict = verify(holding(one), token, { ...NO_REQUIREMENT, ...asked }, now);
  return verdict.ok ? `yes ${String(verdict.entry.id)}` : `${verdict.error} ${verdict.reason}`;
}

describe("the verdict", () => {
  it("is yes for a key in service", () => {
    expect(judge(entry({}))).toBe("yes alice");
  });

  it.each([
    [{ expires_at: "2026-11-22T12:00:00Z" }, "invalid_token expired"],
    [{ expires_at: "2026-11-22T12:00:00.001Z" }, "yes alice"],
    [{ not_before: "2026-11-22T12:00:00.001Z" }, "invalid_token not-yet-valid"],
    [{ not_before: "2026-11-22T12:00:00Z" }, "yes alice"],
    [{ expires_at: "soon" }, "invalid_token faulty"],
  ])("judges time: %j", (fields, expected) => {
    expect(judge(entry(fields))).toBe(expected);
  });

  it.each(["revoked", "disabled", "expired", "rotated"])("is no for a %s key", (state) => {
    expect(judge(entry({ state }, "retired"))).toBe(`invalid_token ${state}`);
  });

  it("is no for a retired key whose state can't be read", () => {
    expect(judge(entry({ state: "?" }, "retired"))).toBe("invalid_token faulty");
  });

  it("is no for an unknown token", () => {
    const verdict = verify(holding(entry({})), "another", NO_REQUIREMENT, now);
    expect(verdict).toEqual({ ok: false, error: "invalid_token", reason: "unknown" });
  });

  it("asks for every scope", () => {
    const scoped = entry({ scopes: "a b:*" });
    expect(judge(scoped, { scopes: ["a", "b:c"] })).toBe("yes alice");
    expect(judge(scoped, { scopes: ["a", "c"] })).toBe("insufficient_scope scope-missing");
    expect(judge(entry({}), { scopes: ["a"] })).toBe("insufficient_scope scope-missing");
  });

  it("holds a bound key to its workspaces", () => {
    const bound = entry({ workspaces: "blue green" });
    expect(judge(bound)).toBe("yes alice");
    expect(judge(bound, { workspaces: ["blue", "green"] })).toBe("yes alice");
    expect(judge(bound, { workspaces: ["blue", "red"] })).toBe("workspace_denied workspace-denied");
    expect(judge(entry({}), { workspaces: ["red"] })).toBe("yes alice");
  });

  it("judges scope before workspace and time before both", () => {
    const asked = { scopes: ["x"], workspaces: ["red"] };
    expect(judge(entry({ workspaces: "blue" }), asked)).toBe("insufficient_scope scope-missing");
    expect(judge(entry({ expires_at: "2001-01-01T00:00:00Z" }), asked)).toBe(
      "invalid_token expired",
    );
  });
});

describe("a keystore", () => {
  it("lets an entry win over the legacy key of the same digest", () => {
    const keystore = createKeystore({
      live: new Map([[digestOf(token), entry({})]]),
      retired: new Map(),
      legacyKey: token,
    });
    expect(keystore.liveCount).toBe(1);
    expect(keystore.find(digestOf(token))?.id).toBe("alice");
    const legacy = createKeystore({ live: new Map(), retired: new Map(), legacyKey: token });
    expect(legacy.find(digestOf(token))).toMatchObject({ id: "owner", place: "legacy" });
    expect(matchPrefix(legacy, digestOf(token).slice(0, 6))).toHaveLength(1);
  });

  it("has a generation that hangs on the keys alone, not on their order", () => {
    const second = createEntry(digestOf("second"), new Map([["id", "bob"]]), { place: "live" });
    const one = entry({ label: "x", scopes: "a" });
    const same = entry({ scopes: "a", label: "x" });
    const forth = new Map([one, second].map((each) => [each.digest, each]));
    const back = new Map([second, same].map((each) => [each.digest, each]));
    const none = new Map<string, Entry>();
    const generation = generationOf(createKeystore({ live: forth, retired: none }));
    expect(generation).toMatch(/^[0-9a-f]{16}$/);
    expect(generationOf(createKeystore({ live: back, retired: none }))).toBe(generation);
    expect(generationOf(holding(one))).not.toBe(generation);
  });
});

interface CredentialVector {
  readonly headers: readonly [string, string][];
  readonly credential?: { readonly scheme: string; readonly token: string } | null;
  readonly error?: string;
}

const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, "../vectors/credential.json"), "utf8"),
) as CredentialVector[];

describe("credentials", () => {
  it.each(vectors.map((vector) => [JSON.stringify(vector.headers).slice(0, 80), vector] as const))(
    "%s",
    (_name, { headers, credential, error }) => {
      const result = parseCredential(headers.flat());
      if (error !== undefined) expect(result).toEqual({ kind: "malformed" });
      else if (credential === null) expect(result).toEqual({ kind: "none" });
      else expect(result).toEqual({ kind: "credential", credential });
    },
  );
});
