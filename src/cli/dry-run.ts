import { maskedText } from "../file/mask.js";
import type { UpdateResult } from "../file/update-store.js";
import type { Context } from "./context.js";
import type { KeystoreFile } from "./keystore-file.js";
import { formatDiff } from "./render/diff.js";
import { PLAIN } from "./render/style.js";

/**
 * Tells what a command would have done. As text the diff alone, on stdout. As JSON the command's own
 * document, as it would be, with `"dry_run": true` and the diff as `"diff"` besides.
 */
export async function reportDryRun(
  context: Context,
  file: KeystoreFile,
  update: UpdateResult,
  result: object,
): Promise<void> {
  const [before, after] = [update.before, update.after].map(({ document }) =>
    maskedText(document.text),
  ) as [string, string];
  const { json } = context.globals;
  const style = json ? PLAIN : await context.style("stdout");
  const changes = update.after.document.changes ?? [];
  const diff = formatDiff(file.name, before, after, changes, style);
  if (json) await context.printJson({ ...result, dry_run: true, diff });
  else await context.print(diff);
  const nothing = diff === "" ? "nothing would change" : "dry run: nothing was written";
  await context.talk.note(nothing);
}
