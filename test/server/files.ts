import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { digestOf } from "../../src/core/digest.js";

/** A directory that goes with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "keyhold-server-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A keystore's text with an entry for each token; more fields as YAML lines. */
export function keystoreText(ids: Readonly<Record<string, string>>, more: string[] = []): string {
  const entries = Object.entries(ids).map(([token, id]) =>
    [`  "${digestOf(token)}":`, `id: ${id}`, ...more].join("\n    "),
  );
  return entries.length === 0 ? "api_keys: {}\n" : `api_keys:\n${entries.join("\n")}\n`;
}

/** A keystore file in a directory of its own. */
export async function keystoreFile(text: string): Promise<string> {
  const path = join(await temporaryDirectory(), "keys.yaml");
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
