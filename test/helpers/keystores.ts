import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import type { Entry } from "../../src/core/entry.js";
import { formatToken, parseTokenFormat, SECRET_BYTES } from "../../src/core/token.js";
import { parseKeystore } from "../../src/file/document.js";

/** A directory of its own for the test that runs, real path, gone with it. */
export function temporaryDirectory(): string {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "keyhold-cli-")));
  onTestFinished(() => {
    // A test may have taken the right away that this needs.
    fs.chmodSync(directory, 0o700);
    fs.rmSync(directory, { recursive: true });
  });
  return directory;
}

/** What is in a directory besides audit logs, sorted. */
export function namesIn(directory: string): readonly string[] {
  const names = fs.readdirSync(directory).filter((name) => !name.endsWith(".audit.jsonl"));
  return names.sort();
}

/** A token that nobody else has. */
export function mintToken(): string {
  return formatToken("key", randomBytes(SECRET_BYTES));
}

/** Every minted token that stands in a text, whatever stands around it. */
export function mintedTokensIn(text: string): readonly string[] {
  return (text.match(/[0-9A-Za-z_]+/g) ?? []).filter(
    (word) => parseTokenFormat(word).checksum === "ok",
  );
}

/** The token that a run printed: a line of its own and nothing else. */
export function tokenOf(stdout: string): string {
  expect(stdout).toMatch(/^[0-9A-Za-z_]+\n$/);
  const token = stdout.trimEnd();
  expect(parseTokenFormat(token).checksum).toBe("ok");
  return token;
}

/** A service's configuration around `count` live keys of contributors `user-0`, `user-1`… */
export function serviceConfiguration(count: number): string {
  const entries = Array.from({ length: count }, (_, n) => [
    `  "${digestOf(mintToken())}":  # of user ${n}`,
    `    id: user-${n}`,
    `    created_at: "2026-01-01T00:00:00Z"`,
  ]);
  return [
    "# The service's own settings.",
    "listen: 0.0.0.0:8080",
    "api_keys:",
    ...entries.flat(),
    "log: { level: info }  # the end",
    "",
  ].join("\n");
}

/** The keys of a keystore file, by digest in file order. */
export interface StoredKeys {
  readonly live: ReadonlyMap<string, Entry>;
  readonly retired: ReadonlyMap<string, Entry>;
}

/** The keys of a text that has no error, apart from having no live key. */
export function keysOf(text: string | Uint8Array): StoredKeys {
  const { diagnostics, keystore } = parseKeystore(Buffer.from(text), { nowMs: Date.now() });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.filter(({ code }) => code !== "empty-keystore")).toEqual([]);
  const byDigest = (entries: Iterable<Entry>): ReadonlyMap<string, Entry> =>
    new Map([...entries].map((entry) => [entry.digest, entry]));
  return { live: byDigest(keystore?.live() ?? []), retired: byDigest(keystore?.retired() ?? []) };
}

/** {@link keysOf} a file. */
export function readKeys(file: string): StoredKeys {
  return keysOf(fs.readFileSync(file));
}
