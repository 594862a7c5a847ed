import { randomBytes } from "node:crypto";
import { generationOf } from "../core/generation.js";
import { isKeysError, KeysError } from "../errors.js";
import type { Snapshot } from "./snapshot.js";
import type { AuditOrigin, AuditPlace, AuditResult } from "./audit.js";
import { effectsBetween, type KeyEffect } from "./audit-effect.js";
import type { AuditState, IntentLine } from "./audit-line.js";
import {
  auditPath,
  contentHash,
  openAuditLog,
  outcomeOf,
  timeText,
  type AuditLog,
} from "./audit-log.js";
import type { KeystoreDocument } from "./document.js";
import type { Journal, JournalEntry } from "./locked-edit.js";

/** What a {@link Journal} of a keystore is told of a change besides octets. */
export interface DocumentedChange {
  readonly before: KeystoreDocument;
  readonly after: KeystoreDocument;
  /** Whether it only takes access away: then it is made even where it can't be recorded. */
  readonly isWithdrawal: boolean;
}

/** For {@link AuditJournal}. */
export interface JournalOptions extends AuditPlace {
  readonly origin: AuditOrigin;
  /** The change that is about to be made, at the moment it is asked for. */
  readonly change: () => DocumentedChange;
  readonly signal?: AbortSignal | undefined;
  readonly lockTimeoutMs?: number | undefined;
}

/** Octets of effects in one line, about: a quarter of what a line may have. */
const EFFECTS_A_LINE = 256 * 1024;

/** Records changes of a keystore file in its audit log. For one edit, which may take attempts. */
export class AuditJournal implements Journal {
  readonly #options: JournalOptions;
  #log: AuditLog | undefined;
  #intent: IntentLine | undefined;
  #result: AuditResult | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** What became of the record; undefined where nothing was changed. */
  get result(): AuditResult | undefined {
    return this.#result;
  }

  async intend(entry: JournalEntry): Promise<void> {
    const { lockTimeoutMs, signal, now = Date.now } = this.#options;
    const { realPath, snapshot } = entry;
    const change = this.#options.change();
    let path = this.#options.auditFile ?? `${realPath}.audit.jsonl`;
    try {
      path = await auditPath(realPath, this.#options);
      this.#log = await openAuditLog(path, {
        now,
        keystore: realPath,
        owner: snapshot,
        timeoutMs: lockTimeoutMs,
        signal,
      });
      const lines = this.#intentLines(entry, change, timeText(now()));
      // Before it is written: what fails half-way may have left it there.
      this.#intent = lines[0];
      await this.#log.append(lines);
      this.#result = { path, recorded: "open" };
    } catch (error) {
      if (!isKeysError(error, "audit-unwritable")) throw error;
      if (!change.isWithdrawal) throw refusal(error);
      this.#result = { path, recorded: "none", problem: error };
      await this.#close();
    }
  }

  async conclude(realPath: string, isDone: boolean): Promise<void> {
    const [intent, log, now] = [this.#intent, this.#log, this.#options.now ?? Date.now];
    try {
      if (intent === undefined || log === undefined) return;
      // What failed may have been the sync of the directory: the file itself knows.
      const outcome = isDone ? "done" : await outcomeOf(realPath, intent);
      const { change } = intent;
      await log.append([{ kind: "outcome", ts: timeText(now()), change, outcome }]);
      if (this.#result !== undefined) this.#result = { ...this.#result, recorded: "whole" };
    } catch (error) {
      // The change stands in the log all the same; the next writer says what came of it.
      const problem = isKeysError(error) ? error : undefined;
      if (this.#result !== undefined) this.#result = { ...this.#result, problem };
    } finally {
      await this.#close();
    }
  }

  async #close(): Promise<void> {
    await this.#log?.close();
    this.#log = undefined;
    this.#intent = undefined;
  }

  #intentLines(
    { realPath, snapshot, bytes }: JournalEntry,
    { before, after }: DocumentedChange,
    ts: string,
  ): IntentLine[] {
    const { actor, action, sudoUser } = this.#options.origin;
    const change = randomBytes(8).toString("hex");
    return batches(effectsBetween(before, after)).map((keys) => ({
      kind: "intent",
      ts,
      actor,
      sudo_user: sudoUser,
      action,
      change,
      file: realPath,
      before: stateOf(snapshot?.bytes, before),
      after: stateOf(bytes, after),
      keys,
    }));
  }
}

function stateOf(
  bytes: Snapshot["bytes"] | Uint8Array,
  { keystore }: KeystoreDocument,
): AuditState {
  return {
    sha256: contentHash(bytes),
    generation: bytes === undefined || keystore === undefined ? null : generationOf(keystore),
  };
}

/** One batch at least, for what changes no key. */
function batches(effects: readonly KeyEffect[]): KeyEffect[][] {
  const result: KeyEffect[][] = [[]];
  let size = 0;
  for (const effect of effects) {
    const length = Buffer.byteLength(JSON.stringify(effect));
    if (size > 0 && size + length > EFFECTS_A_LINE) {
      result.push([]);
      size = 0;
    }
    result.at(-1)?.push(effect);
    size += length;
  }
  return result;
}

function refusal(error: KeysError): KeysError {
  return new KeysError("audit-unwritable", `nothing was changed: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}
