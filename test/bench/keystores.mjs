import { hash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import path from "node:path";

/** @import { Bench } from "./types.d.ts" */

/** The same tokens, and so the same files, in every run. @param {number} index */
export function tokenOf(index) {
  return `key_${hash("sha256", `keyhold bench ${index}`).slice(0, 49)}`;
}

const FIRST_MS = Date.UTC(2026, 0, 1);

/** @param {number} index */
function idOf(index) {
  return `contributor-${index}`;
}

/** @param {number} index */
function createdOf(index) {
  return new Date(FIRST_MS + (index % 20_000_000) * 1000).toISOString().replace(".000", "");
}

/** A file written in pieces: a million keys are more than a string should hold. */
class Writer {
  #text = "";
  #fd;

  /** @param {string} file */
  constructor(file) {
    this.#fd = openSync(file, "w", 0o600);
  }

  /** @param {string} text */
  add(text) {
    this.#text += text;
    if (this.#text.length > 1 << 20) this.#flush();
  }

  end() {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush() {
    writeSync(this.#fd, this.#text);
    this.#text = "";
  }
}

/**
 * A keystore as `keys create --id` writes it, key upon key.
 *
 * @param {Bench} bench
 * @param {number} count
 * @param {string} [limit] a `rate_limit` for every key
 */
export function canonicalFile({ directory }, count, limit) {
  const file = path.join(
    directory,
    `canonical-${count}${limit === undefined ? "" : "-limit"}.yaml`,
  );
  const writer = new Writer(file);
  writer.add("api_keys:\n");
  for (let index = 0; index < count; index += 1) {
    const digest = hash("sha256", tokenOf(index));
    writer.add(`  "${digest}":\n    id: ${idOf(index)}\n    created_at: "${createdOf(index)}"\n`);
    if (limit !== undefined) writer.add(`    rate_limit: ${limit}\n`);
  }
  writer.end();
  return file;
}

/**
 * The same data as JSON.
 *
 * @param {Bench} bench
 * @param {number} count
 */
export function jsonFile({ directory }, count) {
  const file = path.join(directory, `json-${count}.json`);
  const writer = new Writer(file);
  writer.add('{"api_keys":{');
  for (let index = 0; index < count; index += 1) {
    const digest = hash("sha256", tokenOf(index));
    const entry = { id: idOf(index), created_at: createdOf(index) };
    writer.add(`${index === 0 ? "" : ","}"${digest}":${JSON.stringify(entry)}`);
  }
  writer.add("}}");
  writer.end();
  return file;
}

/**
 * The same keys as people edit them: comments, every way of quoting, settings of other programs, one
 * entry in flow form.
 *
 * @param {Bench} bench
 * @param {number} count
 */
export function editedFile({ directory }, count) {
  const file = path.join(directory, `edited-${count}.yaml`);
  const writer = new Writer(file);
  writer.add("# Settings of the service; its keys are below.\nhost: 0.0.0.0\nport: 8080\n");
  writer.add(
    "database:\n  url: 'postgres://db/app'\n  pool: 10 # per process\nfeatures:\n  - a\n  - b\n\n",
  );
  writer.add("# Who may call us.\napi_keys:\n");
  for (let index = 0; index < count; index += 1) {
    const quote = ['"', "'"][index % 2];
    const key = `${quote}${hash("sha256", tokenOf(index))}${quote}`;
    const [id, created] = [idOf(index), createdOf(index)];
    if (index === 7) {
      writer.add(`  ${key}: { id: ${id}, created_at: "${created}" }\n`);
      continue;
    }
    if (index % 10 === 0) writer.add(`  # team ${index / 10}\n`);
    writer.add(`  ${key}:\n`);
    writer.add(`    id: ${index % 3 === 0 ? `"${id}"` : index % 3 === 1 ? `'${id}'` : id}`);
    writer.add(index % 5 === 0 ? " # asked for in a ticket\n" : "\n");
    writer.add(`    created_at: ${index % 2 === 0 ? `"${created}"` : `'${created}'`}\n`);
    if (index % 4 === 0) writer.add("    label: laptop\n");
    if (index % 50 === 49) writer.add("\n");
  }
  writer.add("\nlogging:\n  level: info\n");
  writer.end();
  return file;
}
