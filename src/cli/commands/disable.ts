import { isInService, namedOrChosen, namingOf } from "../choose-key.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { retireKeys } from "../retire-keys.js";
import { parseFreeText } from "../values.js";

/** The options of `keys disable`. */
export interface DisableOptions {
  readonly id?: string;
  readonly reason?: string;
}

/** `keys disable`: out of service until `keys enable`. */
export async function disable(
  context: Context,
  options: DisableOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const reason =
    options.reason === undefined ? undefined : parseFreeText("--reason", options.reason);
  const named = await namingOf(context, operands, options);
  const naming = await namedOrChosen(context, named, "disable", isInService);
  return retireKeys(context, {
    naming,
    state: "disabled",
    reason,
    purge: false,
    verb: "disable",
  });
}
