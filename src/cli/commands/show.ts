import { stateAt, type Entry } from "../../core/entry.js";
import { formatInstant } from "../../core/instant.js";
import { isKeysError } from "../../errors.js";
import { resolveTarget } from "../../file/snapshot.js";
import { auditEvents } from "../../file/audit-event.js";
import { auditPath } from "../../file/audit-log.js";
import { readStore } from "../../file/store.js";
import { historyRecord, type HistoryRecord } from "../audit-record.js";
import { auditPlace } from "../audit-trail.js";
import { namedOrChosen, namingOf } from "../choose-key.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { findKeys, onlyKey } from "../key-naming.js";
import { keyRecord } from "../key-record.js";
import { environmentPolicy, keystoreFile, type KeystoreFile } from "../keystore-file.js";
import { lastUse } from "../last-use.js";
import { actionText, actorText, changesText, instantText } from "../render/audit-table.js";
import { formatRelative } from "../render/relative-time.js";
import type { Style } from "../render/style.js";
import { visible } from "../render/visible.js";
import { readableKeystore, reportProblems } from "../troubled-file.js";

/** The options of `keys show`. */
export interface ShowOptions {
  readonly id?: string;
  readonly auditFile?: string;
  readonly usageFile?: string;
}

const NAME_WIDTH = 14;

/** `keys show`: everything about one key. */
export async function show(
  context: Context,
  options: ShowOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const naming = await namedOrChosen(
    context,
    await namingOf(context, operands, options),
    "show",
    () => true,
  );
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const store = await readStore(file.path, policy);
  const keystore = readableKeystore(store, file);
  await reportProblems(context, file, store.diagnostics);
  const entry = onlyKey(findKeys(keystore, naming), options.id ?? "that");
  const lastUsed = await lastUse(context, file, options.usageFile);
  const history = await historyOf(context, file, entry.fingerprint, options.auditFile);
  if (context.globals.json) {
    await context.printJson({ ...keyRecord(entry, policy.nowMs, lastUsed), history });
  } else {
    const style = await context.style("stdout");
    const key = formatKey(entry, policy.nowMs, lastUsed.get(entry.digest), style);
    await context.print(key + formatHistory(history, style));
  }
  return 0;
}

/** What the audit log tells of a key; nothing where there is none, or it can't be read. */
async function historyOf(
  context: Context,
  file: KeystoreFile,
  fingerprint: string,
  option: string | undefined,
): Promise<readonly HistoryRecord[]> {
  const history: HistoryRecord[] = [];
  try {
    const place = auditPlace(context, option);
    const path = await auditPath(await resolveTarget(file.path), place);
    for await (const event of auditEvents(path)) {
      const record = historyRecord(event, fingerprint);
      if (record !== undefined) history.push(record);
    }
  } catch (error) {
    if (!isKeysError(error)) throw error;
    if (error.code !== "file-not-found") await context.talk.warn(error.message);
  }
  return history;
}

function formatHistory(history: readonly HistoryRecord[], style: Style): string {
  const lines = history.map((record) => {
    const { at, changes } = record;
    const what = [actionText({ kind: "change", ...record }), changesText(changes)];
    const text = `${instantText(at) ?? at}  ${actorText(record) ?? ""}  ${what.filter((part) => part !== "").join(": ")}`;
    return `  ${visible(text)}\n`;
  });
  return lines.length === 0 ? "" : `${style.dim("history")}\n${lines.join("")}`;
}

function formatKey(
  entry: Entry,
  nowMs: number,
  lastUsedMs: number | undefined,
  style: Style,
): string {
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
    ["last used", time(lastUsedMs) ?? "-"],
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
