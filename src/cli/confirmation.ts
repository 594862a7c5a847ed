import { KeysError } from "../errors.js";
import type { Context } from "./context.js";
import { askConfirm, canPrompt } from "./prompt.js";

/**
 * Whether a destructive command still has to ask: not with `--yes`, and not with `--dry-run`, which
 * destroys nothing.
 */
export function mustConfirm({ globals }: Context): boolean {
  return !globals.yes && !globals.dryRun;
}

/**
 * Asks at a terminal; elsewhere there is nobody to ask.
 *
 * @throws KeysError `confirmation-refused`, `confirmation-required`, `interrupted`
 */
export async function confirm(context: Context, question: string): Promise<void> {
  if (!mustConfirm(context)) return;
  if (!canPrompt(context)) {
    throw new KeysError("confirmation-required", "this has to be confirmed; nothing was changed", {
      hint: "add --yes to confirm without being asked, or --dry-run to see what would change",
    });
  }
  if (!(await askConfirm(context, question))) {
    throw new KeysError("confirmation-refused", "not confirmed; nothing was changed");
  }
}
