/** Who changes a keystore and by what, for the audit log. */
export interface AuditOrigin {
  /** `os:<user>` for the command line, `admin` for the admin interface, `server` for its sweep. */
  readonly actor: string;
  /** The command or route: `create`, `revoke`, `admin-put`, … */
  readonly action: string;
}

/** Something to be recorded that changes no keystore, such as an impersonation. */
export interface AuditNote extends AuditOrigin {
  readonly fingerprint?: string;
  readonly id?: string;
  readonly details?: Readonly<Record<string, string>>;
}
