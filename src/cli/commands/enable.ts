import type { Entry } from "../../core/entry.js";
import { stateAt } from "../../core/entry.js";
import type { Keystore } from "../../core/keystore.js";
import { KeysError } from "../../errors.js";
import { changeKeys, type KeyPlan } from "../change-keys.js";
import { namedOrChosen, namingOf } from "../choose-key.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { describe, findKeys, type KeyNaming } from "../key-naming.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { requireSoundResult } from "../sound-result.js";
import { EMPTY, soundKeystore } from "../troubled-file.js";

/** The options of `keys enable`. */
export interface EnableOptions {
  readonly id?: string;
}

/** `keys enable`: a disabled key back into service. */
export async function enable(
  context: Context,
  options: EnableOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const naming = await namedOrChosen(
    context,
    await namingOf(context, operands, options),
    "enable",
    (entry) => entry.state === "disabled",
  );
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const { plan, update } = await changeKeys(context, {
    policy,
    action: "enable",
    plan(store) {
      // Disabling the last key leaves the file empty: that must not keep it from coming back.
      const enabling = planEnabling(soundKeystore(store, file, EMPTY), naming);
      if (enabling.changes.length > 0) requireSoundResult(store, file, enabling.changes, policy);
      return enabling;
    },
  });
  const { talk } = context;
  for (const entry of plan.unchanged) await talk.note(`${describe(entry)} is in service already`);
  if (!update.written) return 0;
  for (const entry of plan.changed) {
    await talk.note(`enabled ${describe(entry)}`);
    const now = update.after.document.keystore?.find(entry.digest);
    if (now !== undefined && stateAt(now, policy.nowMs) === "expired") {
      await talk.warn(
        `${entry.fingerprint} has expired: \`keys set\` or \`keys rotate\` renews it`,
      );
    }
  }
  return 0;
}

function planEnabling(keystore: Keystore, naming: KeyNaming): KeyPlan {
  const named = findKeys(keystore, naming);
  const changed = named.filter(({ state, place }) => place === "retired" && state === "disabled");
  const unchanged = named.filter(({ place }) => place !== "retired");
  const [first] = named;
  if (changed.length === 0 && unchanged.length === 0 && first !== undefined) throw refusal(first);
  return {
    changed,
    unchanged,
    changes: changed.map(({ digest }) => ({ kind: "restore", digest })),
  };
}

function refusal(entry: Entry): KeysError {
  return new KeysError("key-state", `${describe(entry)} is ${entry.state ?? "retired"}`, {
    hint: "only a disabled key comes back: make a new one with `keys create`",
  });
}
