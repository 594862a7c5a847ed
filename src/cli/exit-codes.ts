import type { KeysErrorCode } from "../errors.js";

/** Exit statuses of the command line (CLI.md). */
export type ExitStatus = 0 | 1 | 2 | 3 | 4 | 5 | 130;

/** The exit status of each error code, and what it means, for `docs/exit-codes.md`. */
export const EXIT_STATUS: Readonly<Record<KeysErrorCode, ExitStatus>> = {
  "already-exists": 1,
  "audit-broken": 5,
  "audit-unwritable": 1,
  "confirmation-refused": 1,
  "confirmation-required": 2,
  "digest-exists": 1,
  "edit-mismatch": 1,
  "file-changing": 1,
  "file-is-directory": 1,
  "file-not-found": 4,
  "file-unreadable": 1,
  "file-unwritable": 1,
  "id-invalid": 2,
  "id-reserved": 2,
  internal: 1,
  interrupted: 130,
  "key-ambiguous": 4,
  "key-not-found": 4,
  "key-state": 1,
  "keystore-invalid": 3,
  "listen-failed": 1,
  "lock-timeout": 1,
  "mount-point": 1,
  "not-everywhere": 1,
  "output-failed": 1,
  "peer-answer-invalid": 1,
  "peer-refused": 1,
  "peer-unreachable": 1,
  "push-incomplete": 1,
  "tls-invalid": 1,
  "token-file-exists": 1,
  "token-file-exposed": 1,
  "token-malformed": 2,
  "token-weak": 2,
  usage: 2,
  "value-invalid": 2,
};
