import { holdsMintedToken } from "../core/minted-token.js";
import { resolveTarget } from "./snapshot.js";
import type { AuditNote, AuditPlace } from "./audit.js";
import type { NoteLine } from "./audit-line.js";
import { auditPath, openAuditLog, timeText } from "./audit-log.js";

/** For {@link appendAudit}. */
export interface AppendAuditOptions extends AuditPlace {
  /** How long to wait for another writer of the log, in milliseconds. Default 60,000. */
  readonly lockTimeoutMs?: number | undefined;
}

/**
 * Records what changes no keystore, such as an impersonation: all of `notes` by one write. They are
 * durable when this resolves. It takes the lock of the log and not that of the keystore.
 *
 * @param path - of the keystore, links followed.
 * @throws KeysError `audit-unwritable`, `lock-timeout`; `file-not-found` (its directory),
 *   `file-unreadable` where the keystore's path leads nowhere
 */
export async function appendAudit(
  path: string,
  notes: AuditNote | readonly AuditNote[],
  options: AppendAuditOptions = {},
): Promise<void> {
  const { now = Date.now, lockTimeoutMs: timeoutMs } = options;
  const list = Array.isArray(notes) ? (notes as readonly AuditNote[]) : [notes as AuditNote];
  if (list.length === 0) return;
  const keystore = await resolveTarget(path);
  const log = await openAuditLog(await auditPath(keystore, options), {
    now,
    keystore,
    timeoutMs,
  });
  try {
    const ts = timeText(now());
    await log.append(list.map((note) => noteLine(note, ts)));
  } finally {
    await log.close();
  }
}

function noteLine({ actor, action, sudoUser, ...rest }: AuditNote, ts: string): NoteLine {
  const { fingerprint, details } = rest;
  const id = rest.id !== undefined && holdsMintedToken(rest.id) ? "<token>" : rest.id;
  return { kind: "note", ts, actor, sudo_user: sudoUser, action, fingerprint, id, details };
}
