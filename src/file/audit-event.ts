import type { KeyEffect } from "./audit-effect.js";
import type { AuditLine, AuditOutcome, IntentLine, NoteLine } from "./audit-line.js";
import { readAudit } from "./audit-read.js";

/** A change of a keystore: its intent and its outcome together. */
export interface ChangeEvent {
  readonly kind: "change";
  readonly intent: Omit<IntentLine, "keys">;
  /** Every key that it touched. */
  readonly keys: readonly KeyEffect[];
  /** `open` where the log ends before anybody says. */
  readonly outcome: AuditOutcome | "open";
  /** Whether a later writer said so, from what the file held by then. */
  readonly isSettled: boolean;
}

/** The keys of a file became others between two changes, by other means than `keys`. */
export interface OutsideEvent {
  readonly kind: "outside";
  readonly file: string;
  /** When they still were what was recorded, and when they were not any more: RFC 3339. */
  readonly since: string;
  readonly until: string;
}

/** A crash, or something else that is no line, left its mark on the log. */
export interface TornEvent {
  readonly kind: "torn";
  /** The first line of it, from 1. */
  readonly line: number;
}

/** What a log tells, in its order. */
export type AuditEvent =
  ChangeEvent | OutsideEvent | TornEvent | { readonly kind: "note"; readonly note: NoteLine };

/**
 * What a log tells of, from the first to the last. It does not judge the chain.
 *
 * @throws KeysError what `readAudit` throws
 */
export async function* auditEvents(path: string): AsyncGenerator<AuditEvent, void, undefined> {
  const teller = new Teller();
  for await (const { number, line } of readAudit(path)) yield* teller.take(number, line);
  yield* teller.end();
}

interface OpenChange {
  readonly intent: IntentLine;
  readonly keys: KeyEffect[];
}

class Teller {
  #open: OpenChange | undefined;
  #tornAt: number | undefined;
  /** By file: the generation that is known to be in it, and since when. */
  readonly #known = new Map<string, { readonly generation: string | null; readonly ts: string }>();

  *take(number: number, line: AuditLine | undefined): Generator<AuditEvent> {
    if (line === undefined) {
      this.#tornAt ??= number;
      return;
    }
    if (this.#tornAt !== undefined) {
      yield { kind: "torn", line: this.#tornAt };
      this.#tornAt = undefined;
    }
    switch (line.kind) {
      case "intent":
        yield* this.#intend(line);
        break;
      case "outcome":
      case "settled":
        yield* this.#close(line.outcome, line.kind === "settled");
        break;
      case "torn":
        if (line.settles !== undefined) yield* this.#close(line.settles.outcome, true);
        break;
      case "note":
        yield { kind: "note", note: line };
    }
  }

  *end(): Generator<AuditEvent> {
    if (this.#tornAt !== undefined) yield { kind: "torn", line: this.#tornAt };
    yield* this.#close("open", false);
  }

  *#intend(line: IntentLine): Generator<AuditEvent> {
    const open = this.#open;
    if (open !== undefined && open.intent.change === line.change) {
      open.keys.push(...line.keys);
      return;
    }
    yield* this.#close("open", false);
    const known = this.#known.get(line.file);
    if (known !== undefined && known.generation !== line.before.generation) {
      yield { kind: "outside", file: line.file, since: known.ts, until: line.ts };
    }
    this.#open = { intent: line, keys: [...line.keys] };
  }

  *#close(outcome: ChangeEvent["outcome"], isSettled: boolean): Generator<AuditEvent> {
    if (this.#open === undefined) return;
    const { intent, keys } = this.#open;
    this.#open = undefined;
    const { file, ts, before, after } = intent;
    if (outcome === "done") this.#known.set(file, { generation: after.generation, ts });
    else if (outcome === "not-done") this.#known.set(file, { generation: before.generation, ts });
    else this.#known.delete(file);
    yield { kind: "change", intent, keys, outcome, isSettled };
  }
}
