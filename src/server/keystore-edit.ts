import type { AuditOrigin } from "../file/audit.js";
import type { Change } from "../file/change.js";
import type { DocumentMemory } from "../file/document-memory.js";
import type { Policy } from "../file/policy.js";
import type { StoredKeystore } from "../file/store.js";
import { updateStore, type UpdateResult } from "../file/update-store.js";
import type { ServerEvent } from "./server-event.js";

/** How long a change waits for another writer, in milliseconds. */
const EDIT_TIMEOUT_MS = 5000;

/** What edits of a server are made from. */
export interface KeystoreEditOptions {
  /** The keystore's file. */
  readonly path: string;
  /** Where changes are recorded; default beside the keystore. */
  readonly auditFile: string | undefined;
  /** Asked at each edit. */
  readonly policy: () => Policy;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly report: (event: ServerEvent) => void;
  /** What the file held last. */
  readonly memory: DocumentMemory;
}

/** Changes the file; throws what `updateStore` throws, and then nothing has changed. */
export type KeystoreEdit = (
  plan: (store: StoredKeystore) => readonly Change[],
  origin: AuditOrigin,
) => Promise<UpdateResult>;

/**
 * Edits of a keystore's file by a server, audited. A change that only takes access away is made also
 * where it can't be recorded; then the log says so, since nobody else is there to be told.
 */
export function createKeystoreEdit(options: KeystoreEditOptions): KeystoreEdit {
  const { path, auditFile, policy, now, report, memory } = options;
  return async (plan, origin) => {
    const result = await updateStore(path, plan, {
      policy: policy(),
      audit: origin,
      auditFile,
      now,
      lockTimeoutMs: EDIT_TIMEOUT_MS,
      known: memory.last,
    });
    if (result.written) memory.keep(result.after.document);
    const { audit } = result;
    if (audit !== undefined && audit.recorded !== "whole") {
      report(unrecordedEvent(origin, audit.recorded, audit.problem?.message));
    }
    return result;
  };
}

function unrecordedEvent(
  { actor, action }: AuditOrigin,
  recorded: "open" | "none",
  problem: string | undefined,
): ServerEvent {
  const what =
    recorded === "none"
      ? "a change was made and is not in the audit log"
      : "a change was made and is in the audit log, but not that it was";
  return {
    level: "error",
    event: "change-unrecorded",
    message: problem === undefined ? what : `${what}: ${problem}`,
    details: { actor, action },
  };
}
