import { resolve } from "node:path";
import type { AuditPlace } from "../file/audit.js";
import type { UpdateOptions, UpdateResult } from "../file/update-store.js";
import type { Context } from "./context.js";
import { visible } from "./render/visible.js";

/** Where the audit log is that the environment names: `KEYS_AUDIT_FILE`, else beside the keystore. */
export function auditPlace({ io }: Context, option?: string): AuditPlace {
  // A variable that is set to nothing is as good as unset.
  const name = option ?? (io.env["KEYS_AUDIT_FILE"] || undefined);
  return { auditFile: name === undefined ? undefined : resolve(io.cwd, name), now: () => io.now() };
}

/** Who changes the keystore, as every command that does says it. */
export function auditTrail(
  context: Context,
  action: string,
): Pick<UpdateOptions, "audit" | "auditFile" | "now"> {
  const { io } = context;
  const sudoUser = io.env["SUDO_USER"] || undefined;
  return { ...auditPlace(context), audit: { actor: `os:${io.userName()}`, action, sudoUser } };
}

/** Says, also with `--quiet`, that a change is not in the audit log as it should be. */
export async function reportUnrecorded(context: Context, { audit }: UpdateResult): Promise<void> {
  if (audit === undefined || audit.recorded === "whole") return;
  const { warn, dim } = await context.style("stderr");
  const what =
    audit.recorded === "none"
      ? "the change was made and is NOT RECORDED"
      : "the change was made and is recorded, but not that it was";
  const reason = audit.problem === undefined ? "" : `: ${audit.problem.message}`;
  const hint = audit.problem?.hint;
  await context.talk.show(`keys: ${warn("warning:")} ${visible(`${what}${reason}`)}\n`);
  if (hint !== undefined) await context.talk.show(`${dim("hint:")} ${visible(hint)}\n`);
}
