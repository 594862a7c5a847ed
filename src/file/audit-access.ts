import { constants } from "node:fs";
import { dirname } from "node:path";
import { resolveTarget } from "./snapshot.js";
import type { AuditPlace } from "./audit.js";
import { auditPath } from "./audit-log.js";
import { access } from "./disk.js";
import { systemCode } from "../errors.js";

/**
 * Whether a keystore's audit log could be written now: the log itself, where it stands already, and
 * its directory, where its lock goes. Nothing is made. Never throws; false in doubt.
 *
 * @param path - of the keystore.
 */
export async function isAuditWritable(path: string, place: AuditPlace): Promise<boolean> {
  try {
    const log = await auditPath(await resolveTarget(path), place);
    await access(dirname(log), constants.W_OK | constants.X_OK);
    await access(log, constants.W_OK).catch((error: unknown) => {
      if (systemCode(error) !== "ENOENT") throw error;
    });
    return true;
  } catch {
    return false;
  }
}
