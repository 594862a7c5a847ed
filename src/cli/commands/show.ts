import { stateAt, type Entry } from "../../core/entry.js";
import { formatInstant } from "../../core/instant.js";
import { readStore } from "../../file/store.js";
import { namedOrChosen } from "../choose-key.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { findKeys, onlyKey, parseNaming } from "../key-naming.js";
import { keyRecord } from "../key-record.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { formatRelative } from "../render/relative-time.js";
import type { Style } from "../render/style.js";
import { visible } from "../render/visible.js";
import { readableKeystore, reportProblems } from "../troubled-file.js";

/** The options of `keys show`. */
export interface ShowOptions {
  readonly id?: string;
}

const NAME_WIDTH = 14;

/** `keys show`: everything about one key. */
export async function show(
  context: Context,
  options: ShowOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const naming = await namedOrChosen(context, parseNaming(operands, options), "show", () => true);
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const store = await readStore(file.path, policy);
  const keystore = readableKeystore(store, file);
  await reportProblems(context, file, store.diagnostics);
  const entry = onlyKey(findKeys(keystore, naming), options.id ?? "that");
  if (context.globals.json) {
    // The record of changes, and with it a key's history, is not kept yet.
    await context.printJson({ ...keyRecord(entry, policy.nowMs), history: [] });
  } else {
    await context.print(formatKey(entry, policy.nowMs, await context.style("stdout")));
  }
  return 0;
}

function formatKey(entry: Entry, nowMs: number, style: Style): string {
  const time = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : `${formatInstant(ms)} (${formatRelative(ms, nowMs)})`;
  const rows: readonly (readonly [name: string, value: string | undefined])[] = [
    ["fingerprint", entry.fingerprint],
    ["digest", entry.digest],
    ["id", entry.id],
    ["label", entry.label],
    ["state", stateOf(entry, nowMs)],
    ["created", time(entry.createdAt)],
    ["expires", time(entry.expiresAt)],
    ["not before", time(entry.notBefore)],
    ["scopes", entry.scopes.join(" ")],
    ["workspaces", entry.workspaces?.join(" ") ?? "any"],
    ["rate limit", entry.fields.get("rate_limit")],
    ["rotated from", entry.fields.get("rotated_from")],
    ["rotated to", entry.fields.get("rotated_to")],
    ["retired", time(entry.retiredAt)],
    ["reason", entry.reason],
    ["last used", "-"],
  ];
  return rows
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${style.dim(name.padEnd(NAME_WIDTH))}${visible(value ?? "")}\n`)
    .join("");
}

function stateOf(entry: Entry, nowMs: number): string {
  const state = stateAt(entry, nowMs);
  if (entry.faulty) return `${state}, but faulty: it lets nobody in`;
  return entry.place === "legacy" ? `${state}, from the legacy api_key` : state;
}
