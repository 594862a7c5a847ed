import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadForStart } from "../../src/file/load.js";
import { appOf, headerOf, NOW } from "./requests.js";

const directory = new URL("../vectors/keystore/", import.meta.url);

interface Expected {
  errors: string[];
  authenticates?: Record<string, string>;
}

const expected = JSON.parse(readFileSync(new URL("expected.json", directory), "utf8")) as Record<
  string,
  Expected
>;

const tokens = new Set(
  Object.values(expected).flatMap(({ authenticates = {} }) => Object.keys(authenticates)),
);

describe("who may pass /verify", () => {
  it.each(Object.entries(expected))("%s", async (name, { errors, authenticates = {} }) => {
    const path = fileURLToPath(new URL(name, directory));
    const { keystore } = await loadForStart(path, { policy: { nowMs: NOW } });
    expect(keystore !== undefined).toBe(errors.length === 0);
    if (keystore === undefined) return;
    const app = appOf(keystore);
    const passed: Record<string, string> = {};
    for (const token of [...tokens, "token-a", "", "nobody"]) {
      const answer = app.get("/verify", token);
      if (answer.status === 200) passed[token] = headerOf(answer, "X-Auth-Id") ?? "";
      else expect(answer.status).toBe(token === "" ? 400 : 401);
    }
    expect(passed).toEqual(authenticates);
  });
});
