import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KeysError } from "../../src/errors.js";
import { readStore } from "../../src/file/store.js";
import { createKeystoreState } from "../../src/server/keystore-state.js";
import { loadKeystore } from "../../src/file/load.js";
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
    const strict = await loadKeystore(path, { policy });
    expect(strict.keystore !== undefined).toBe(plain);
    expect(strict.diagnostics.map(({ code }) => code)).toEqual(codes);
    const lax = await loadKeystore(path, { policy, allowEmpty: true });
    expect(lax.keystore !== undefined).toBe(allowed);
  });

  it("is nothing where a file is empty and wrong besides", async () => {
    const path = await keystoreFile(texts.emptyAndInvalid);
    const { keystore } = await loadKeystore(path, { policy, allowEmpty: true });
    expect(keystore).toBeUndefined();
  });

  it("is nothing where there is no file to read", async () => {
    const directory = await temporaryDirectory();
    await expect(loadKeystore(join(directory, "none.yaml"), { policy })).rejects.toMatchObject({
      code: "file-not-found",
    });
    await mkdir(join(directory, "keys.yaml"));
    await expect(loadKeystore(join(directory, "keys.yaml"), { policy })).rejects.toMatchObject({
      code: "file-is-directory",
    });
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
    const { keystore, diagnostics } = await loadKeystore(path, { policy });
    expect(keystore).toBeDefined();
    expect(diagnostics.map(({ code }) => code)).toEqual(["file-permissions"]);
  });
});
