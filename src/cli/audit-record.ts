import type { AuditEvent } from "../file/audit-event.js";

/** Old and new of one field; null where it is absent. */
type FieldChange = readonly [old: string | null, now: string | null];

/** What a change did to one key, in JSON. */
export interface EffectRecord {
  readonly fingerprint: string;
  readonly id: string | null;
  readonly changes: Readonly<Record<string, FieldChange>>;
}

/** What happened, as `keys audit` gives it in JSON. */
export interface AuditEventRecord {
  /** `outside`: the keys were changed by other means. `torn`: a crash left a piece of a line. */
  readonly kind: AuditEvent["kind"];
  /** When; of an `outside` when it was seen; null for what is torn. */
  readonly at: string | null;
  readonly actor: string | null;
  readonly sudo_user: string | null;
  readonly action: string | null;
  /** `done`, `not-done`, `unclear`, `open`; null for what is no change. */
  readonly outcome: string | null;
  readonly keys: readonly EffectRecord[];
  /** Of a note what it says besides; of others what there is to say. */
  readonly details: Readonly<Record<string, string>>;
}

/** One entry of a key's `history`, as `keys show` gives it in JSON. */
export interface HistoryRecord {
  readonly at: string;
  readonly actor: string;
  readonly sudo_user: string | null;
  readonly action: string;
  readonly outcome: string | null;
  readonly changes: Readonly<Record<string, FieldChange>>;
}

/** {@link AuditEventRecord} of an event. */
export function auditRecord(event: AuditEvent): AuditEventRecord {
  const nobody = { actor: null, sudo_user: null, action: null, outcome: null, keys: [] };
  switch (event.kind) {
    case "change": {
      const { ts, actor, sudo_user = null, action, file } = event.intent;
      const { kind, outcome, keys, isSettled } = event;
      const details = { file, ...(isSettled ? { settled: "by a later writer" } : {}) };
      return { kind, at: ts, actor, sudo_user, action, outcome, keys, details };
    }
    case "note": {
      const { ts, actor, sudo_user = null, action, fingerprint, id = null, details } = event.note;
      const keys =
        fingerprint === undefined && id === null
          ? []
          : [{ fingerprint: fingerprint ?? "", id, changes: {} }];
      return {
        kind: "note",
        at: ts,
        actor,
        sudo_user,
        action,
        outcome: null,
        keys,
        details: details ?? {},
      };
    }
    case "outside":
      return {
        ...nobody,
        kind: "outside",
        at: event.until,
        details: { file: event.file, since: event.since },
      };
    case "torn":
      return { ...nobody, kind: "torn", at: null, details: { line: String(event.line) } };
  }
}

/** What an event says of the key of a fingerprint; undefined where it says nothing. */
export function historyRecord(event: AuditEvent, fingerprint: string): HistoryRecord | undefined {
  const { at, actor, sudo_user, action, outcome, keys } = auditRecord(event);
  const effect = keys.find((key) => key.fingerprint === fingerprint);
  if (effect === undefined || at === null || actor === null || action === null) return undefined;
  return { at, actor, sudo_user, action, outcome, changes: effect.changes };
}
