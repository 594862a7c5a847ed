import type { Entry } from "../core/entry.js";
import { stateAt } from "../core/entry.js";
import type { Change } from "../file/change.js";
import type { Policy } from "../file/policy.js";
import { readStore, type StoredKeystore } from "../file/store.js";
import { updateStore, type UpdateResult } from "../file/update-store.js";
import { auditTrail, reportUnrecorded } from "./audit-trail.js";
import { confirm, mustConfirm } from "./confirmation.js";
import type { Context } from "./context.js";
import { reportDryRun } from "./dry-run.js";
import { changedRecord, type ChangedRecord } from "./key-record.js";
import { keystoreFile, type KeystoreFile } from "./keystore-file.js";

/** What a command means to do to which keys. */
export interface KeyPlan {
  readonly changes: readonly Change[];
  /** The keys that change, as they are before it. */
  readonly changed: readonly Entry[];
  /** The keys that were named and stay as they are. */
  readonly unchanged: readonly Entry[];
}

/** A command that changes keys without making one. */
export interface KeyCommand {
  readonly policy: Policy;
  /** What the audit log calls it. */
  readonly action: string;
  /**
   * Works out what to do, or refuses by throwing. It may be called several times, with what the file
   * holds at that moment. `confirmed` has the digests that the operator said yes to: nothing else
   * may be touched; undefined where nobody had to be asked.
   */
  plan(store: StoredKeystore, confirmed: ReadonlySet<string> | undefined): KeyPlan;
  /** What to ask before anything changes; absent for a command that is not destructive. */
  question?(plan: KeyPlan): string;
  /** What follows once the file is changed (never with `--dry-run`); its members go into the JSON. */
  afterwards?(outcome: KeyOutcome): Promise<object>;
}

/** What came of a {@link KeyCommand}. */
export interface KeyOutcome {
  readonly file: KeystoreFile;
  readonly plan: KeyPlan;
  readonly update: UpdateResult;
  readonly changed: readonly ChangedRecord[];
  readonly unchanged: readonly ChangedRecord[];
}

/** Plans, asks where it must, and changes the file by one edit. The result is on stdout then. */
export async function changeKeys(context: Context, command: KeyCommand): Promise<KeyOutcome> {
  const file = keystoreFile(context);
  const confirmed = await confirmedKeys(context, command, file);
  let plan: KeyPlan = { changes: [], changed: [], unchanged: [] };
  const update = await updateStore(
    file.path,
    (store) => {
      plan = command.plan(store, confirmed);
      return plan.changes;
    },
    {
      policy: command.policy,
      ...auditTrail(context, command.action),
      dryRun: context.globals.dryRun,
      signal: context.interrupt,
    },
  );
  await reportUnrecorded(context, update);
  const { nowMs } = command.policy;
  const result = {
    changed: plan.changed.map((entry) => recordAfter(update, entry, nowMs)),
    unchanged: plan.unchanged.map((entry) => changedRecord(entry, nowMs)),
  };
  const outcome = { file, plan, update, ...result };
  if (context.globals.dryRun) {
    await reportDryRun(context, file, update, result);
    return outcome;
  }
  const more = await command.afterwards?.(outcome);
  if (context.globals.json) await context.printJson({ ...result, ...more });
  return outcome;
}

/** Asks before the lock is taken: nobody else has to wait for the answer. */
async function confirmedKeys(
  context: Context,
  command: KeyCommand,
  file: KeystoreFile,
): Promise<ReadonlySet<string> | undefined> {
  if (command.question === undefined || !mustConfirm(context)) return undefined;
  const plan = command.plan(await readStore(file.path, command.policy), undefined);
  if (plan.changes.length > 0) await confirm(context, command.question(plan));
  return new Set(plan.changed.map(({ digest }) => digest));
}

function recordAfter(update: UpdateResult, entry: Entry, nowMs: number): ChangedRecord {
  const now = update.after.document.keystore?.find(entry.digest);
  const { fingerprint } = entry;
  if (now === undefined) return { fingerprint, id: entry.id ?? null, state: "purged" };
  return { fingerprint, id: now.id ?? null, state: stateAt(now, nowMs) };
}
