import { formatInstant, parseInstant } from "../../core/instant.js";
import type { AuditEventRecord, EffectRecord } from "../audit-record.js";
import { formatRelative } from "./relative-time.js";
import type { Style } from "./style.js";
import { formatTable, NOTHING, type Column } from "./table.js";
import { visible } from "./visible.js";

/** How a table of events is drawn. */
export interface AuditTableOptions {
  readonly nowMs: number;
  /** The terminal's width, or undefined for a pipe: then every event is one line. */
  readonly width: number | undefined;
  readonly style: Style;
}

interface Row {
  readonly event: AuditEventRecord;
  readonly key: EffectRecord | undefined;
}

/** A table of events, a row for each key that one touched. However narrow, it loses nothing. */
export async function formatAuditTable(
  events: readonly AuditEventRecord[],
  { nowMs, width, style }: AuditTableOptions,
): Promise<string> {
  const rows = events.flatMap((event): Row[] =>
    event.keys.length === 0
      ? [{ event, key: undefined }]
      : event.keys.map((key) => ({ event, key })),
  );
  const column = (
    head: string,
    text: (row: Row) => string | null | undefined,
    extra: Partial<Column> = {},
  ): Column => ({ head, cells: rows.map((row) => visible(text(row) || NOTHING)), ...extra });
  const alert = (text: string, index: number): string => {
    const event = rows[index]?.event;
    return event === undefined || isPlain(event) ? text : style.warn(text);
  };
  const when = column("WHEN", ({ event: { at } }) => instantText(at));
  const ago = column("WHEN", ({ event: { at } }) => {
    const ms = at === null ? undefined : parseInstant(at);
    return ms === undefined ? null : formatRelative(ms, nowMs);
  });
  const actor = column("ACTOR", ({ event }) => actorText(event), { isKept: true });
  const action = column("ACTION", ({ event }) => actionText(event), { style: alert });
  const key = column("KEY", ({ key: effect }) => effect?.fingerprint, { style: style.bold });
  const id = column("ID", ({ key: effect }) => effect?.id);
  const what = column("WHAT", whatText, { narrowed: "wrapped", isKept: true });
  const { text } = await formatTable(
    [
      [when, actor, action, key, id, what],
      [ago, actor, action, key, id, what],
      [ago, actor, action, key, id],
      [ago, action, key, id],
    ],
    { width, head: (head) => style.dim(head) },
  );
  return text;
}

/** Fields whose first value says nothing that does not stand beside it. */
const PLAIN_AT_FIRST: readonly string[] = ["id", "created_at", "retired_at"];

/** `live → revoked` and the like, for each field. */
export function changesText(changes: EffectRecord["changes"]): string {
  return Object.entries(changes)
    .filter(([field, [old]]) => old !== null || !PLAIN_AT_FIRST.includes(field))
    .map(([field, [old, now]]) => {
      const [before, after] = [old, now].map((text) => (text === null ? "none" : text));
      return old === null ? `${field} ${after ?? ""}` : `${field} ${before ?? ""} → ${after ?? ""}`;
    })
    .join(", ");
}

/** An instant of the log to the second. */
export function instantText(at: string | null): string | null {
  const ms = at === null ? undefined : parseInstant(at);
  return ms === undefined ? null : formatInstant(Math.floor(ms / 1000) * 1000);
}

/** Who it was, and who that was before `sudo`. */
export function actorText({
  actor,
  sudo_user: sudoUser,
}: Pick<AuditEventRecord, "actor" | "sudo_user">): string | null {
  return actor === null || sudoUser === null ? actor : `${actor} (sudo: ${sudoUser})`;
}

/** What was done, and whether, where it was not simply done. */
export function actionText({
  kind,
  action,
  outcome,
}: Pick<AuditEventRecord, "kind" | "action" | "outcome">): string {
  if (action === null) return kind === "outside" ? "outside of keys" : "torn line";
  return outcome === null || outcome === "done" ? action : `${action} (${outcome})`;
}

function isPlain({ kind, outcome }: AuditEventRecord): boolean {
  return kind === "note" || outcome === "done";
}

function whatText({ event, key }: Row): string {
  if (event.kind === "outside") {
    return `the keys were changed by other means after ${instantText(event.details["since"] ?? null) ?? "?"}`;
  }
  if (event.kind === "torn") return `line ${event.details["line"] ?? "?"} is not whole: a crash`;
  if (event.kind === "change") return changesText(key?.changes ?? {});
  return Object.entries(event.details)
    .map(([name, text]) => `${name} ${text}`)
    .join(", ");
}
