import { isKeysError, KeysError } from "../errors.js";
import type { AdminClient } from "./admin-client.js";
import type { PushStep } from "./push-plan.js";

/** A step that was not done. */
export interface FailedStep {
  readonly step: PushStep;
  /** The status of the server's answer; null where it was not asked or gave none. */
  readonly status: number | null;
  readonly reason: string;
}

/** What became of the steps. */
export interface PushRun {
  readonly done: readonly PushStep[];
  readonly failed: readonly FailedStep[];
  /** What ended it before the last step: the steps from there on count as failed. */
  readonly stopped: KeysError | undefined;
}

/**
 * Carries out one step after the other. A refusal of one key (409, 422) says nothing of the next; a
 * server that can't be asked, or that no longer takes the token, ends it. Each step may be repeated
 * without harm, so that the whole push may be.
 *
 * @throws what is no {@link KeysError}: a defect
 */
export async function runPush(client: AdminClient, steps: readonly PushStep[]): Promise<PushRun> {
  const done: PushStep[] = [];
  const failed: FailedStep[] = [];
  for (const [index, step] of steps.entries()) {
    try {
      const refusal =
        step.kind === "remove"
          ? await client.remove(step.digest)
          : await client.put(step.digest, step.id);
      if (refusal === undefined) done.push(step);
      else failed.push({ step, ...refusal });
    } catch (error) {
      if (!isKeysError(error)) throw error;
      // Whether this one arrived before the connection broke, only asking again can tell.
      failed.push({ step, status: null, reason: "not known to be done" });
      const rest = steps.slice(index + 1);
      failed.push(...rest.map((later) => ({ step: later, status: null, reason: "not tried" })));
      return { done, failed, stopped: error };
    }
  }
  return { done, failed, stopped: undefined };
}
