import { stateAt } from "../../core/entry.js";
import { changeKeys } from "../change-keys.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { describe } from "../key-naming.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { soundKeystore } from "../troubled-file.js";
import { wholeSecond } from "../values.js";

/** `keys sweep`: moves expired entries to the retired ones. */
export async function sweep(context: Context): Promise<ExitStatus> {
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const { plan, update } = await changeKeys(context, {
    policy,
    action: "sweep",
    plan(store) {
      const changed = [...soundKeystore(store, file).live()].filter(
        (entry) => stateAt(entry, policy.nowMs) === "expired",
      );
      return {
        changed,
        unchanged: [],
        changes: changed.map(({ digest }) => ({
          kind: "retire",
          digest,
          state: "expired",
          retiredAt: wholeSecond(policy.nowMs),
        })),
      };
    },
  });
  const { talk } = context;
  if (plan.changed.length === 0) await talk.note("no key has expired");
  if (!update.written) return 0;
  for (const entry of plan.changed) await talk.note(`retired ${describe(entry)}: expired`);
  if (update.after.document.keystore?.liveCount === 0) {
    await talk.warn(`no live key is left in ${file.name}: nobody gets in`);
  }
  return 0;
}
