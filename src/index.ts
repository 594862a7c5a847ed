/**
 * The library of keyhold: what a key is, a keystore as text on disk, and verdicts for a peer that
 * embeds them. Nothing here prints or exits; time and randomness come in as arguments.
 */
export { parseCredential } from "./core/credential.js";
export type { Credential, CredentialResult } from "./core/credential.js";
export { digestOf } from "./core/digest.js";
export { stateAt } from "./core/entry.js";
export type { Entry, EntryField, EntryPlace, KeyState, RetiredState } from "./core/entry.js";
export { fingerprintOf, isDigest } from "./core/fingerprint.js";
export { generationOf } from "./core/generation.js";
export { matchPrefix } from "./core/keystore.js";
export type { Keystore } from "./core/keystore.js";
export type { LimitDecision } from "./core/limit-decision.js";
export type { RateLimit } from "./core/rate-limit.js";
export type { Answer } from "./core/problem.js";
export { formatToken, parseTokenFormat, SECRET_BYTES } from "./core/token.js";
export type { TokenFormat } from "./core/token.js";
export { NO_REQUIREMENT, verify, verifyDigest } from "./core/verify.js";
export type {
  Grant,
  Refusal,
  RefusalReason,
  Requirement,
  Verdict as KeyVerdict,
} from "./core/verify.js";
export { isKeysError, KeysError } from "./errors.js";
export type { KeysErrorCode, KeysErrorOptions } from "./errors.js";
export type { AuditNote, AuditOrigin, AuditPlace, AuditResult } from "./file/audit.js";
export type { KeyEffect } from "./file/audit-effect.js";
export { auditEvents } from "./file/audit-event.js";
export type { AuditEvent, ChangeEvent, OutsideEvent, TornEvent } from "./file/audit-event.js";
export type {
  AuditContent,
  AuditLine,
  AuditOutcome,
  AuditState,
  IntentLine,
  NoteLine,
  OutcomeLine,
  TornLine,
} from "./file/audit-line.js";
export { appendAudit } from "./file/audit-note.js";
export { readAudit, verifyAudit } from "./file/audit-read.js";
export type { AuditRecord, AuditVerdict, BrokenLine } from "./file/audit-read.js";
export type { Change } from "./file/change.js";
export { DIAGNOSTICS, hasErrors } from "./file/diagnostic.js";
export type {
  Diagnostic,
  DiagnosticCode,
  DiagnosticRule,
  DiagnosticScope,
  Severity,
} from "./file/diagnostic.js";
export { parseKeystore } from "./file/document.js";
export { editKeystore } from "./file/edit-keystore.js";
export type { KeystoreDocument } from "./file/document.js";
export { KeystoreInvalidError } from "./file/keystore-invalid.js";
export { loadKeystore } from "./file/load.js";
export type { LoadKeystoreOptions } from "./file/load.js";
export type { Policy } from "./file/policy.js";
export { readStore } from "./file/store.js";
export type { StoredKeystore } from "./file/store.js";
export { updateStore } from "./file/update-store.js";
export type { UpdateOptions, UpdateResult } from "./file/update-store.js";
export { readUsage, recordUsage, usagePath } from "./file/usage.js";
export type { LastUse, RecordUsageOptions, UsageRead } from "./file/usage.js";
export type { Asked } from "./peer/asked.js";
export type { CredentialSource, FetchHeaders } from "./peer/credential-source.js";
export type { FollowOptions, ReloadEvent } from "./peer/followed-keystore.js";
export type {
  GrantedVerdict,
  Identity,
  LimitedVerdict,
  RefusedVerdict,
  UndecidedReason,
  UndecidedVerdict,
  Verdict,
  VerdictSource,
} from "./peer/verdict.js";
export { createVerdictAnswers } from "./peer/verdict-answer.js";
export type { Denial } from "./peer/verdict-answer.js";
export { createVerifier } from "./peer/verifier.js";
export type {
  FileVerifierOptions,
  MemoryVerifierOptions,
  Verifier,
  VerifierOptions,
} from "./peer/verifier.js";
