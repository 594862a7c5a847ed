import type { Entry, RetiredState } from "../core/entry.js";
import type { Keystore } from "../core/keystore.js";
import { KeysError } from "../errors.js";
import type { Change } from "../file/change.js";
import type { Policy } from "../file/policy.js";
import type { StoredKeystore } from "../file/store.js";
import { changeKeys, type KeyOutcome, type KeyPlan } from "./change-keys.js";
import type { Context } from "./context.js";
import { EXIT_STATUS, type ExitStatus } from "./exit-codes.js";
import { waitForGeneration, type GenerationWait } from "./generation-wait.js";
import { describe, describeEach, findKeys, type KeyNaming } from "./key-naming.js";
import { environmentPolicy, keystoreFile, type KeystoreFile } from "./keystore-file.js";
import { formatError } from "./render/error.js";
import {
  EMPTY,
  errorsOf,
  readableKeystore,
  reportProblems,
  troubleBehind,
} from "./troubled-file.js";
import { wholeSecond } from "./values.js";

/** How keys are taken out of service. */
export interface Retirement {
  readonly naming: KeyNaming;
  readonly state: Extract<RetiredState, "revoked" | "disabled">;
  readonly reason: string | undefined;
  /** Drop the entries altogether. */
  readonly purge: boolean;
  /** As questions and talk call it. */
  readonly verb: "revoke" | "disable" | "purge";
  /** Servers to wait for, until they have the change in force. */
  readonly wait?: GenerationWait | undefined;
}

const DONE: Readonly<Record<Retirement["verb"], string>> = {
  revoke: "revoked",
  disable: "disabled",
  purge: "purged",
};

/** What follows for servers where the edit was made and the file has errors still. */
const NOT_LOADED = new KeysError(
  "keystore-invalid",
  "running servers will not load this file until it is mended",
);

/** How many keys are named in a question before it counts the rest. */
const NAMED_IN_QUESTION = 5;

/**
 * Takes keys out of service, also in a file that has other errors, as long as there is no doubt
 * which entry is meant (KEYSTORE.md, 'commands on a troubled file').
 */
export async function retireKeys(context: Context, retirement: Retirement): Promise<ExitStatus> {
  const file = keystoreFile(context);
  const problems: KeysError[] = [];
  await retire(context, file, retirement, async (outcome) => {
    const { after } = outcome.update;
    const troubles = errorsOf(after, EMPTY);
    await sayWhat(context, outcome, retirement, troubles.length > 0);
    if (troubles.length > 0) {
      await reportProblems(context, file, troubles);
      problems.push(NOT_LOADED);
    }
    if (retirement.wait === undefined) return {};
    const policy = (): Policy => environmentPolicy(context);
    const { waited, problem } = await waitForGeneration(context, retirement.wait, after, policy);
    if (problem !== undefined) problems.push(problem);
    return { waited };
  });
  const style = await context.style("stderr");
  for (const problem of problems) await context.talk.show(formatError(problem, style));
  const [first] = problems;
  return first === undefined ? 0 : EXIT_STATUS[first.code];
}

async function retire(
  context: Context,
  file: KeystoreFile,
  retirement: Retirement,
  afterwards: (outcome: KeyOutcome) => Promise<object>,
): Promise<KeyOutcome> {
  const policy = environmentPolicy(context);
  let seen: StoredKeystore | undefined;
  try {
    return await changeKeys(context, {
      policy,
      action: retirement.verb,
      plan(store, confirmed) {
        seen = store;
        return planRetirement(readableKeystore(store, file), retirement, policy, confirmed);
      },
      question: (plan) => questionOf(plan, retirement),
      afterwards,
    });
  } catch (error) {
    if (seen === undefined) throw error;
    throw troubleBehind(error, seen, file, retirement.naming.by === "id");
  }
}

function planRetirement(
  keystore: Keystore,
  retirement: Retirement,
  policy: Policy,
  confirmed: ReadonlySet<string> | undefined,
): KeyPlan {
  const named = findKeys(keystore, retirement.naming);
  const open =
    confirmed === undefined ? named : named.filter(({ digest }) => confirmed.has(digest));
  const changed = open.filter((entry) => retirement.purge || isChanged(entry, retirement.state));
  const changing = new Set(changed);
  const unchanged = named.filter((entry) => !changing.has(entry));
  return {
    changed,
    unchanged,
    changes: changed.map((entry) => changeOf(entry, retirement, policy)),
  };
}

/** A key in service changes, and a disabled one that is revoked; no other retired one does. */
function isChanged(entry: Entry, state: Retirement["state"]): boolean {
  return entry.place !== "retired" || (state === "revoked" && entry.state === "disabled");
}

function changeOf(entry: Entry, { purge, state, reason }: Retirement, { nowMs }: Policy): Change {
  const { digest } = entry;
  if (purge) return { kind: "purge", digest };
  return { kind: "retire", digest, state, retiredAt: wholeSecond(nowMs), reason };
}

function questionOf({ changed }: KeyPlan, { verb }: Retirement): string {
  const names = describeEach(changed).slice(0, NAMED_IN_QUESTION);
  const more = changed.length - names.length;
  const rest = more > 0 ? ` and ${more} more` : "";
  return `${verb === "purge" ? "Purge" : verb === "revoke" ? "Revoke" : "Disable"} ${names.join(", ")}${rest}?`;
}

async function sayWhat(
  context: Context,
  { file, plan, update }: KeyOutcome,
  { verb }: Retirement,
  isTroubled: boolean,
): Promise<void> {
  const { talk } = context;
  if (plan.changed.length === 0) {
    for (const entry of plan.unchanged) {
      await talk.note(`${describe(entry)} is ${stateOf(entry)} already; nothing was changed`);
    }
    return;
  }
  if (!update.written) return;
  for (const key of describeEach(plan.changed)) await talk.note(`${DONE[verb]} ${key}`);
  if (plan.changed.every(({ place }) => place === "retired")) return;
  if (!isTroubled && update.after.document.keystore?.liveCount === 0) {
    await talk.warn(`no live key is left in ${file.name}: nobody gets in`);
  }
  await talk.note(
    "servers that read the file only at their start need a restart, or `keys push`, to know it",
  );
}

function stateOf(entry: Entry): string {
  return entry.place === "retired" ? (entry.state ?? "retired") : "live";
}

/** What `--reason` can't be given with. */
export function refuseReason(reason: string | undefined, purge: boolean): void {
  if (reason === undefined || !purge) return;
  throw new KeysError("usage", "--reason has no place where the entry is purged", {
    hint: "leave out --reason, or --purge to keep the entry with its reason",
  });
}
