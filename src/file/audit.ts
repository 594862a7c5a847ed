import type { KeysError } from "../errors.js";

/** Who changes a keystore and by what, for the audit log. */
export interface AuditOrigin {
  /** `os:<user>` for the command line, `admin` for the admin interface, `server` for its sweep. */
  readonly actor: string;
  /** The command or route: `create`, `revoke`, `admin-put`, … */
  readonly action: string;
  /** Who called `sudo`, where somebody did: as the environment says, so no more than a hint. */
  readonly sudoUser?: string | undefined;
}

/** Something to be recorded that changes no keystore, such as an impersonation. */
export interface AuditNote extends AuditOrigin {
  readonly fingerprint?: string;
  readonly id?: string;
  readonly details?: Readonly<Record<string, string>>;
}

/** Where an audit log is, and what time it is for it. */
export interface AuditPlace {
  /** Its path; default `<real path of the keystore>.audit.jsonl`. */
  readonly auditFile?: string | undefined;
  /** Milliseconds since 1970; default the system's clock. */
  readonly now?: (() => number) | undefined;
}

/** What became of the record of a change. */
export interface AuditResult {
  /** The log's path. */
  readonly path: string;
  /**
   * `whole`: intent and outcome stand in it. `open`: the intent does; the next writer settles what
   * came of it. `none`: the change was made and is not in the log, because it takes access away.
   */
  readonly recorded: "whole" | "open" | "none";
  /** Why it is not whole. */
  readonly problem?: KeysError | undefined;
}
