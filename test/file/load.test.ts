import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KeysError } from "../../src/errors.js";
import { readStore } from "../../src/file/store.js";
import { createKeystoreState } from "../../src/server/keystore-state.js";
import { loadForStart, loadKeystore } from "../../src/file/load.js";
import { keystoreFile, keystoreText, temporaryDirectory } from "../server/files.js";
import { entryOf, keystoreOf, NOW } from "../server/requests.js";

const policy = { nowMs: NOW };
const good = keystoreText({ "token-a": "alice" });

const texts = {
  good,
  legacy: 'api_key: "a-legacy-secret-of-some-length"\n',
  empty: "api_keys: {}\n",
  absent: "other: 1\n",
  nothing: "",
  invalid: `${good}  "short":\n    id: bob\n`,
  broken: "api_keys: [\n",
  emptyAndInvalid: "api_keys: {}\nretired_api_keys: []\n",
};

describe("what a start may serve", () => {
  it.each([
    ["good", true, true, []],
    ["legacy", true, true, ["legacy-api-key"]],
    ["empty", false, true, ["empty-keystore"]],
    ["absent", false, false, ["no-keys"]],
    ["nothing", false, false, ["no-keys"]],
    ["invalid", false, false, ["digest-not-hex"]],
    ["broken", false, false, ["yaml-syntax"]],
  ] as const)("%s: %s, with --allow-empty %s", async (name, plain, allowed, codes) => {
    const path = await keystoreFile(texts[name]);
    const strict = await loadForStart(path, { policy });
    expect(strict.keystore !== undefined).toBe(plain);
    expect(strict.diagnostics.map(({ code }) => code)).toEqual(codes);
    const lax = await loadForStart(path, { policy, allowEmpty: true });
    expect(lax.keystore !== undefined).toBe(allowed);
  });

  it("is nothing where a file is empty and wrong besides", async () => {
    const path = await keystoreFile(texts.emptyAndInvalid);
    const { keystore } = await loadForStart(path, { policy, allowEmpty: true });
    expect(keystore).toBeUndefined();
  });

  it("is nothing where there is no file to read", async () => {
    const directory = await temporaryDirectory();
    await expect(loadForStart(join(directory, "none.yaml"), { policy })).rejects.toMatchObject({
      code: "file-not-found",
    });
    await mkdir(join(directory, "keys.yaml"));
    await expect(loadForStart(join(directory, "keys.yaml"), { policy })).rejects.toMatchObject({
      code: "file-is-directory",
    });
  });
});

describe("what a peer loads", () => {
  it("is the keystore of a file that is wholly valid", async () => {
    const keystore = await loadKeystore(await keystoreFile(texts.good));
    expect(keystore.liveCount).toBeGreaterThan(0);
  });

  it.each([
    ["invalid", ["digest-not-hex"]],
    ["broken", ["yaml-syntax"]],
    ["empty", ["empty-keystore"]],
    ["absent", ["no-keys"]],
  ] as const)("%s: is an error with every reason", async (name, codes) => {
    const loading = loadKeystore(await keystoreFile(texts[name]));
    await expect(loading).rejects.toMatchObject({
      code: "keystore-invalid",
      diagnostics: codes.map((code) => ({ code })),
    });
  });

  it("may be empty where that is allowed", async () => {
    const path = await keystoreFile(texts.empty);
    expect((await loadKeystore(path, { allowEmpty: true })).liveCount).toBe(0);
  });

  it("tells warnings and obeys a policy", async () => {
    const path = await keystoreFile(texts.legacy);
    const warnings: string[] = [];
    await loadKeystore(path, { onWarning: ({ code }) => warnings.push(code) });
    expect(warnings).toEqual(["legacy-api-key"]);
    const demanding = loadKeystore(await keystoreFile(texts.good), {
      policy: { requireExpiry: true },
    });
    await expect(demanding).rejects.toMatchObject({ diagnostics: [{ code: "no-expiry" }] });
  });

  it("is nothing where there is no file", async () => {
    const path = join(await temporaryDirectory(), "none.yaml");
    await expect(loadKeystore(path)).rejects.toMatchObject({ code: "file-not-found" });
  });
});

describe("what a reload does", () => {
  const first = keystoreOf(entryOf("token-old", { id: "zoe" }));

  it.each([
    ["good", true, []],
    ["legacy", true, []],
    ["empty", true, ["empty-keystore"]],
    ["absent", true, ["empty-keystore"]],
    ["nothing", true, ["empty-keystore"]],
    ["invalid", false, ["keystore-invalid"]],
    ["broken", false, ["keystore-invalid"]],
    ["emptyAndInvalid", false, ["keystore-invalid"]],
  ] as const)("%s: applied %s, degraded %j", async (name, applied, degraded) => {
    const state = createKeystoreState(first, () => NOW);
    const before = state.snapshot();
    const store = await readStore(await keystoreFile(texts[name]), policy);
    expect(state.reload({ store })).toMatchObject({ applied, degraded });
    expect(state.degraded()).toEqual(degraded);
    expect(state.snapshot() !== before).toBe(applied);
    const old = [...first.live()][0]?.digest ?? "";
    expect(state.snapshot().keystore.find(old) === undefined).toBe(applied);
  });

  it.each([
    ["file-not-found", "keystore-missing"],
    ["file-unreadable", "keystore-unreadable"],
    ["file-is-directory", "keystore-unreadable"],
    ["internal", "keystore-unreadable"],
  ] as const)("%s keeps the last good keystore, degraded %s", (code, degraded) => {
    const state = createKeystoreState(first, () => NOW);
    const before = state.snapshot();
    state.reload({ error: new KeysError(code, "it could not be read") });
    expect(state.snapshot()).toBe(before);
    expect(state.degraded()).toEqual([degraded]);
  });

  it("says both where an empty keystore is in force and the file is bad", async () => {
    const state = createKeystoreState(keystoreOf(), () => NOW);
    expect(state.degraded()).toEqual(["empty-keystore"]);
    const store = await readStore(await keystoreFile(texts.invalid), policy);
    state.reload({ store });
    expect(state.degraded()).toEqual(["keystore-invalid", "empty-keystore"]);
    const mended = await readStore(await keystoreFile(texts.good), policy);
    state.reload({ store: mended });
    expect(state.degraded()).toEqual([]);
  });
});

describe("permissions", () => {
  it("that are too wide are a warning, not a refusal", async () => {
    const path = await keystoreFile(texts.good);
    await chmod(path, 0o666);
    const { keystore, diagnostics } = await loadForStart(path, { policy });
    expect(keystore).toBeDefined();
    expect(diagnostics.map(({ code }) => code)).toEqual(["file-permissions"]);
  });
});
