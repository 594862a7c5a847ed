import { rename, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, expectTypeOf, it, onTestFinished } from "vitest";
import { generationOf } from "../../src/core/generation.js";
import { isKeysError } from "../../src/errors.js";
import { createVerifier, type Verifier, type VerifierOptions } from "../../src/peer/verifier.js";
import type { Identity, UndecidedReason, Verdict } from "../../src/peer/verdict.js";
import { eventually } from "../server/eventually.js";
import { keystoreFile, keystoreText, temporaryDirectory } from "../server/files.js";
import { entryOf, keystoreOf, NOW } from "../server/requests.js";

const keystore = keystoreOf(
  entryOf("token-a", {
    id: "alice",
    scopes: "events:write apps:*",
    workspaces: "blue green",
    expires_at: "2026-12-01T00:00:00Z",
  }),
  entryOf("token-b", { id: "bob" }),
  entryOf("token-old", { id: "old", expires_at: "2026-11-22T12:00:00Z" }),
  entryOf(
    "token-gone",
    { id: "gone", state: "revoked", retired_at: "2026-11-01T00:00:00Z" },
    "retired",
  ),
);
const clock = (): number => NOW;

async function verifierOf(options: VerifierOptions): Promise<Verifier> {
  const verifier = await createVerifier(options);
  onTestFinished(() => {
    verifier.close();
  });
  return verifier;
}

describe("a verdict", () => {
  it("says whose token it is", async () => {
    const verifier = await verifierOf({ keystore, clock });
    expect(verifier.verify("token-a")).toEqual({
      ok: true,
      kind: "granted",
      source: "local",
      identity: {
        id: "alice",
        fingerprint: entryOf("token-a", {}).fingerprint,
        scopes: ["events:write", "apps:*"],
        workspaces: ["blue", "green"],
        mode: "apikey",
        expiresAtMs: Date.parse("2026-12-01T00:00:00Z"),
      },
    });
    expect(verifier.generation).toBe(generationOf(keystore));
  });

  it.each([
    [[], undefined, "refused", "unauthenticated", "no-credential"],
    [["Authorization", "Bearer"], undefined, "refused", "invalid_request", "malformed"],
    ["nobodys", undefined, "refused", "invalid_token", "unknown"],
    ["token-gone", undefined, "refused", "invalid_token", "revoked"],
    ["token-old", undefined, "refused", "invalid_token", "expired"],
    ["token-b", { scopes: ["apps:read"] }, "refused", "insufficient_scope", "scope-missing"],
    ["token-a", { workspace: "red" }, "refused", "workspace_denied", "workspace-denied"],
    ["token-a", { workspaces: ["blue", "red"] }, "refused", "workspace_denied", "workspace-denied"],
  ] as const)("%j asked %j is %s %s", async (source, asked, kind, error, reason) => {
    const verifier = await verifierOf({ keystore, clock });
    expect(verifier.verify(source, asked)).toMatchObject({ ok: false, kind, error, reason });
  });

  it("is a yes where all that is asked holds", async () => {
    const verifier = await verifierOf({ keystore, clock });
    const asked = {
      scopes: ["events:write", "apps:read"],
      workspace: "blue",
      workspaces: ["green"],
    };
    expect(verifier.verify("token-a", asked).ok).toBe(true);
  });

  it.each([
    { scope: ["apps:read"] },
    { scopes: "apps:read" },
    { scopes: [""] },
    { scopes: ["apps:*"] },
    { scopes: ["a b"] },
    { scopes: undefined },
    { scopes: [undefined] },
    { workspace: undefined },
    { workspace: "" },
    { workspaces: ["*"] },
  ])("is none where %j is asked: a typo opens no door", async (asked) => {
    const verifier = await verifierOf({ keystore, clock });
    expect(verifier.verify("token-a", asked as never)).toEqual({
      ok: false,
      kind: "undecided",
      error: "misconfigured",
      reason: "ill-formed-requirement",
    });
  });

  it("can't be changed by who gets it", async () => {
    const verifier = await verifierOf({ keystore, clock });
    const verdict = verifier.verify("token-b");
    if (!verdict.ok) throw new Error("a no");
    expect(() => {
      (verdict.identity as { id: string }).id = "alice";
    }).toThrow(TypeError);
    expect(() => (verdict.identity.scopes as string[]).push("*")).toThrow(TypeError);
  });

  it("narrows by `ok`, `kind` and `error`", () => {
    const check = (verdict: Verdict): void => {
      if (verdict.ok) expectTypeOf(verdict.identity).toEqualTypeOf<Identity>();
      else if (verdict.error === "rate_limited") {
        expectTypeOf(verdict.retryAfterMs).toEqualTypeOf<number>();
      } else if (verdict.kind === "undecided") {
        expectTypeOf(verdict.reason).toEqualTypeOf<UndecidedReason>();
      }
      // @ts-expect-error -- a no has no identity
      if (!verdict.ok) expectTypeOf(verdict.identity).toBeUnknown();
    };
    expectTypeOf(check).toBeFunction();
    expectTypeOf<Verdict["kind"]>().toEqualTypeOf<
      "granted" | "refused" | "limited" | "undecided"
    >();
  });
});

describe("rate limits", () => {
  const limited = keystoreOf(
    entryOf("t1", { id: "al", rate_limit: "2/1m" }),
    entryOf("t2", { id: "al", rate_limit: "2/1m", rotated_from: entryOf("t1", {}).fingerprint }),
    entryOf("free", { id: "al", rate_limit: "none" }),
    entryOf("plain", { id: "bo" }),
  );

  it("are the keys' own, over a rotation, charged after all else has passed", async () => {
    let now = NOW;
    const verifier = await verifierOf({ keystore: limited, clock: () => now });
    expect(verifier.verify("t1", { scopes: ["x"] })).toMatchObject({ error: "insufficient_scope" });
    expect(verifier.verify("t1")).toMatchObject({ ok: true, limit: { remaining: 1 } });
    now += 1000;
    expect(verifier.verify("t2")).toMatchObject({ ok: true, limit: { remaining: 0 } });
    now += 1000;
    expect(verifier.verify("t1")).toMatchObject({
      ok: false,
      kind: "limited",
      error: "rate_limited",
      retryAfterMs: 58_000,
    });
    now += 58_000;
    expect(verifier.verify("t1").ok).toBe(true);
    for (let n = 0; n < 5; n += 1) expect(verifier.verify("plain")).not.toHaveProperty("limit");
  });

  it("have a default for keys without one, and can be off", async () => {
    const verifier = await verifierOf({ keystore: limited, clock, defaultRateLimit: "1/1s" });
    expect(verifier.verify("plain").ok).toBe(true);
    expect(verifier.verify("plain")).toMatchObject({ error: "rate_limited" });
    for (let n = 0; n < 5; n += 1) expect(verifier.verify("free").ok).toBe(true);
    const lax = await verifierOf({ keystore: limited, clock, rateLimits: false });
    for (let n = 0; n < 5; n += 1) expect(lax.verify("t1").ok).toBe(true);
  });

  it("count with the machine's own clock", async () => {
    const verifier = await verifierOf({ keystore: limited });
    const kinds = [1, 2, 3].map(() => verifier.verify("t1").kind);
    expect(kinds).toEqual(["granted", "granted", "limited"]);
  });
});

describe("a file", () => {
  const watch = { pollMs: 10, settleMs: 5 };

  it("lets nobody in where it is not wholly valid", async () => {
    const file = await keystoreFile(`${keystoreText({ a: "alice" })}  "short":\n    id: bob\n`);
    const error: unknown = await createVerifier({ file }).catch((thrown: unknown) => thrown);
    expect(isKeysError(error, "keystore-invalid")).toBe(true);
    expect(error).toMatchObject({ diagnostics: [{ code: "digest-not-hex" }] });
  });

  it("is followed: by rename, by a swapped link, and the last key goes too", async () => {
    const directory = await temporaryDirectory();
    const [one, two, file] = ["one", "two", "keys.yaml"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(one, keystoreText({ a: "alice" }));
    await writeFile(two, keystoreText({ b: "bob" }));
    await symlink(one, file);
    const reloads: number[] = [];
    const verifier = await verifierOf({
      file,
      watch,
      onReload: ({ liveCount }) => reloads.push(liveCount),
    });
    expect([verifier.verify("a").ok, verifier.verify("b").ok]).toEqual([true, false]);
    const before = verifier.generation;
    await symlink(two, `${file}.new`);
    await rename(`${file}.new`, file);
    await eventually(() => [verifier.verify("a").ok, verifier.verify("b").ok]).toEqual([
      false,
      true,
    ]);
    expect(verifier.generation).not.toBe(before);
    await writeFile(`${two}.new`, keystoreText({}));
    await rename(`${two}.new`, two);
    await eventually(() => verifier.verify("b").ok).toBe(false);
    await eventually(() => reloads).toEqual([1, 0]);
  });

  it("that goes bad or away leaves the last good one in force, and says so", async () => {
    const file = await keystoreFile(keystoreText({ a: "alice" }));
    const errors: string[] = [];
    const verifier = await verifierOf({ file, watch, onError: ({ code }) => errors.push(code) });
    await writeFile(file, "api_keys: [\n");
    await eventually(() => errors).toEqual(["keystore-invalid"]);
    await unlink(file);
    await eventually(() => errors).toEqual(["keystore-invalid", "file-not-found"]);
    expect(verifier.verify("a").ok).toBe(true);
    await writeFile(file, keystoreText({ b: "bob" }));
    await eventually(() => verifier.verify("a").ok).toBe(false);
  });

  it("is read again when asked, where it is not watched", async () => {
    const file = await keystoreFile(keystoreText({ a: "alice" }));
    const verifier = await verifierOf({ file, watch: false });
    await writeFile(file, keystoreText({ b: "bob" }));
    expect(verifier.verify("a").ok).toBe(true);
    await verifier.reload();
    expect([verifier.verify("a").ok, verifier.verify("b").ok]).toEqual([false, true]);
  });

  it("gives no verdicts any more once the verifier is closed", async () => {
    const verifier = await verifierOf({ file: await keystoreFile(keystoreText({ a: "alice" })) });
    verifier.close();
    expect(verifier.verify("a")).toMatchObject({ kind: "undecided", reason: "closed" });
  });
});

it.each([
  [{ keystore, defaultRateLimit: "60" }],
  [{ keystore, requireScope: "x" }],
  [{ file: "keys.yaml", watched: true }],
  [{} as VerifierOptions],
  [{ file: "keys.yaml", keystore }],
])("%# refuses options that it does not understand", async (options) => {
  await expect(createVerifier(options)).rejects.toMatchObject({ code: "value-invalid" });
});
