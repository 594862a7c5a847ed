import { isInService, namedOrChosen } from "../choose-key.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { parseNaming } from "../key-naming.js";
import { refuseReason, retireKeys } from "../retire-keys.js";
import { parseFreeText } from "../values.js";

/** The options of `keys revoke`. */
export interface RevokeOptions {
  readonly id?: string;
  readonly all?: boolean;
  readonly reason?: string;
  readonly purge?: boolean;
}

/** `keys revoke`: out of service for good. */
export async function revoke(
  context: Context,
  options: RevokeOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const purge = options.purge ?? false;
  refuseReason(options.reason, purge);
  const reason =
    options.reason === undefined ? undefined : parseFreeText("--reason", options.reason);
  const verb = purge ? "purge" : "revoke";
  const naming = await namedOrChosen(context, parseNaming(operands, options), verb, isInService);
  return retireKeys(context, { naming, state: "revoked", reason, purge, verb });
}
