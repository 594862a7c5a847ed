import type { PushPlan, PushStep, RefusedKey } from "../push-plan.js";
import type { FailedStep, PushRun } from "../push-run.js";
import type { Style } from "./style.js";
import { visible } from "./visible.js";

/** The difference between a file and a server, a line a key; empty where there is none. */
export function formatPushPlan({ steps, unknown, refused }: PushPlan, style: Style): string {
  const lines = [
    ...steps.map((step) => stepLine(step, style)),
    ...refused.map((key) => style.warn(`! ${nameOf(key)}: not sent, ${said(key.reason)}`)),
    ...unknown.map((key) =>
      style.dim(`? ${nameOf(key)}: not in the file; --prune would remove it`),
    ),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** What was not done, a line a key. */
export function formatFailures(failed: readonly FailedStep[], style: Style): string {
  return failed
    .map(({ step, status, reason }) => {
      const answer = status === null ? "" : ` (${status})`;
      return `${style.bad(`not done: ${step.kind} ${nameOf(step)}`)}: ${reason}${answer}\n`;
    })
    .join("");
}

/** How many keys each kind of step is about: `1 added, 2 removed`. */
export function countSteps(steps: readonly PushStep[]): string {
  const counts = (["add", "change", "remove"] as const).map((kind) => {
    const count = steps.filter((step) => step.kind === kind).length;
    return count === 0 ? [] : [`${count} ${PAST[kind]}`];
  });
  return counts.flat().join(", ") || "nothing changed";
}

/** The JSON of `keys push`. */
export interface PushRecord {
  readonly url: string;
  readonly added: readonly object[];
  readonly changed: readonly object[];
  readonly removed: readonly object[];
  readonly refused: readonly object[];
  readonly unknown: readonly object[];
  readonly failed: readonly object[];
  readonly unchanged: number;
  readonly dry_run: boolean;
}

/** What was done, or with a dry run would be. */
export function pushRecord(url: string, plan: PushPlan, run: PushRun | undefined): PushRecord {
  const steps = run?.done ?? plan.steps;
  return {
    url,
    added: steps.filter(({ kind }) => kind === "add").map(keyOf),
    changed: steps.flatMap((step) =>
      step.kind === "change" ? [{ ...keyOf(step), from: step.from }] : [],
    ),
    removed: steps.flatMap((step) =>
      step.kind === "remove" ? [{ ...keyOf(step), why: step.why }] : [],
    ),
    refused: plan.refused.map((key) => ({ ...keyOf(key), reason: key.reason })),
    unknown: plan.unknown.map(keyOf),
    failed: (run?.failed ?? []).map(({ step, status, reason }) => ({
      action: step.kind,
      ...keyOf(step),
      status,
      reason,
    })),
    unchanged: plan.unchanged,
    dry_run: run === undefined,
  };
}

const PAST = { add: "added", change: "changed", remove: "removed" } as const;

function stepLine(step: PushStep, style: Style): string {
  switch (step.kind) {
    case "add":
      return style.good(`+ ${nameOf(step)}`);
    case "change":
      return style.warn(`~ ${nameOf(step)}: was ${visible(step.from)}`);
    case "remove":
      return style.bad(`- ${nameOf(step)}: ${step.why}`);
  }
}

function said(reason: RefusedKey["reason"]): string {
  return reason === "expired" ? "it has expired" : "it is not valid yet";
}

// An id may come from the server: whatever it holds, it is one line of plain text.
function nameOf({ fingerprint, id }: { fingerprint: string; id: string }): string {
  return visible(`${fingerprint} (${id})`);
}

function keyOf({ fingerprint, id }: { fingerprint: string; id: string }): {
  fingerprint: string;
  id: string;
} {
  return { fingerprint, id };
}
