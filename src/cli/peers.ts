import { KeysError } from "../errors.js";
import type { Policy } from "../file/policy.js";
import type { Context } from "./context.js";

/**
 * Refuses a start time where peers read nothing but ids: they would let the key in at once.
 *
 * @throws KeysError `value-invalid`
 */
export function refuseNotBefore(policy: Policy): void {
  if (policy.idOnlyPeers !== true) return;
  throw new KeysError("value-invalid", "peers that read only ids know no --not-before", {
    hint: "make the key when its time has come, or unset KEYS_PEERS if there are no such peers",
  });
}

/** Says what an expiry is worth where peers read nothing but ids. */
export async function noteIdOnlyPeers({ talk }: Context, policy: Policy): Promise<void> {
  if (policy.idOnlyPeers !== true) return;
  await talk.warn(
    "peers that read only ids know no expiry: for them the key works until `keys sweep` has run",
  );
}
