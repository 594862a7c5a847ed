/** How grave a diagnostic is: an error keeps the file from being served. */
export type Severity = "error" | "warning";

/** When a code can be given: for any file, only where a policy asks, or by the modes of a start. */
export type DiagnosticScope = "always" | "policy" | "start";

/** A diagnostic's code: stable, documented in `docs/diagnostics.md`. */
export type DiagnosticCode =
  | "yaml-syntax"
  | "not-utf8"
  | "file-too-large"
  | "multiple-documents"
  | "directive-not-allowed"
  | "line-break-not-portable"
  | "root-not-mapping"
  | "api-keys-not-mapping"
  | "alias-not-allowed"
  | "tag-not-allowed"
  | "duplicate-key"
  | "no-keys"
  | "empty-keystore"
  | "digest-not-string"
  | "digest-length"
  | "digest-not-hex"
  | "digest-looks-like-token"
  | "digest-known-weak"
  | "entry-not-mapping"
  | "id-missing"
  | "id-not-string"
  | "id-blank"
  | "id-too-long"
  | "id-control-character"
  | "field-not-string"
  | "field-misspelt"
  | "text-invalid"
  | "timestamp-invalid"
  | "expires-before-created"
  | "not-before-after-expiry"
  | "scope-invalid"
  | "workspace-invalid"
  | "rate-limit-invalid"
  | "state-in-live-entry"
  | "state-missing"
  | "state-invalid"
  | "retired-and-live"
  | "legacy-key-not-string"
  | "legacy-key-weak"
  | "admin-digest-invalid"
  | "admin-key-in-keystore"
  | "no-expiry"
  | "no-scopes"
  | "too-old"
  | "not-before-unsupported"
  | "id-reserved"
  | "system-key-in-keystore"
  | "digest-uppercase"
  | "legacy-api-key"
  | "legacy-admin-key"
  | "expired"
  | "expires-soon"
  | "expiry-unsupported"
  | "unknown-field"
  | "id-not-portable"
  | "unquoted-digest"
  | "file-permissions"
  | "owner-mismatch";

/** One row of the table of codes. */
export interface DiagnosticRule {
  readonly severity: Severity;
  readonly scope: DiagnosticScope;
  /** What is wrong, as told to the operator: lower case, no full stop, never a value. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

function error(message: string, hint: string, scope: DiagnosticScope = "always"): DiagnosticRule {
  return { severity: "error", scope, message, hint };
}

function warning(message: string, hint: string, scope: DiagnosticScope = "always"): DiagnosticRule {
  return { severity: "warning", scope, message, hint };
}

/**
 * Every diagnostic, in the order of KEYSTORE.md. Codes are stable; `docs/diagnostics.md` is made
 * from this table.
 */
export const DIAGNOSTICS: Readonly<Record<DiagnosticCode, DiagnosticRule>> = {
  "yaml-syntax": error(
    "the file is not well-formed YAML here",
    "mend the syntax at this place; indentation and unclosed quotes are the usual causes",
  ),
  "not-utf8": error("the file is not UTF-8 text", "save it as UTF-8"),
  "file-too-large": error(
    "the file is larger than 256 MiB",
    "split the keystore or purge retired keys",
  ),
  "multiple-documents": error(
    "the file holds more than one YAML document",
    "remove the `---` or `...` that starts another document",
  ),
  "directive-not-allowed": error(
    "a YAML directive stands in the file",
    "remove the line that starts with `%`",
  ),
  "line-break-not-portable": error(
    "a line-break character that only some YAML readers know stands here",
    "replace it with an ordinary line break, or escape it inside double quotes",
  ),
  "root-not-mapping": error(
    "the file's top level is not a mapping",
    "write settings as `name: value`, keys under `api_keys:`",
  ),
  "api-keys-not-mapping": error(
    "the block is not a mapping of digests to entries",
    'write it as `"<digest>":` with `id:` beneath, one entry a key',
  ),
  "alias-not-allowed": error(
    "an alias or merge key stands where keys are read",
    "write the value out in full",
  ),
  "tag-not-allowed": error("a YAML tag stands where keys are read", "remove the tag"),
  "duplicate-key": error(
    "the same key stands here twice",
    "keep one of the two; readers differ in which they take",
  ),
  "no-keys": error("the file holds no keys", "add one with `keys create --id NAME`"),
  "empty-keystore": error(
    "the keystore is empty: nobody could get in",
    "add a key with `keys create --id NAME`, or allow it with --allow-empty",
  ),
  "digest-not-string": error(
    "a digest is written so that YAML reads something else than text",
    "put the digest in double quotes",
  ),
  "digest-length": error(
    "a digest has the wrong length",
    "a digest is 64 hex digits: take it from `keys hash`",
  ),
  "digest-not-hex": error(
    "a key of the block is not a digest",
    "a digest is 64 hex digits: take it from `keys hash`",
  ),
  "digest-looks-like-token": error(
    "a raw token seems to stand where its digest belongs",
    "the token is compromised: remove this entry and issue a new key",
  ),
  "digest-known-weak": error(
    "this is the digest of a value that everybody knows",
    "remove the entry and issue a new key",
  ),
  "entry-not-mapping": error(
    "an entry is not a mapping",
    "`keys migrate` turns `digest: name` into an entry with `id: name`",
  ),
  "id-missing": error("an entry has no id", "add `id:` with the contributor's name"),
  "id-not-string": error(
    "an id is written so that YAML reads something else than text",
    "put the id in double quotes",
  ),
  "id-blank": error("an id is blank", "give the contributor's name"),
  "id-too-long": error("an id is longer than 256 characters", "shorten the id"),
  "id-control-character": error("an id holds a control character", "remove the character"),
  "field-not-string": error(
    "a field is written so that some YAML reader takes it for something else than text",
    "put the value in double quotes",
  ),
  "field-misspelt": error(
    "a field that protects is misspelt, so it protects nothing",
    "use the field's own name",
  ),
  "text-invalid": error(
    "a text is longer than 256 characters or holds a control character",
    "shorten it, or remove the character",
  ),
  "timestamp-invalid": error(
    "a time is not an instant with a zone",
    'write it as "2027-02-20T10:00:00Z", with a date that is in the calendar',
  ),
  "expires-before-created": error(
    "the key expires before it was created, or at that instant",
    "correct `expires_at` or `created_at`",
  ),
  "not-before-after-expiry": error(
    "the key expires before it becomes valid, or at that instant",
    "correct `not_before` or `expires_at`",
  ),
  "scope-invalid": error(
    "the scopes are not a list of scope names",
    'write names with one space between, such as "events:write apps:*"; not empty, at most 1,024 octets',
  ),
  "workspace-invalid": error(
    "the workspaces are not a list of names",
    'write names with one space between, without `*`, such as "blue green"; not empty, at most 1,024 octets',
  ),
  "rate-limit-invalid": error(
    "the rate limit can't be read",
    'write "60/1m" (a count, a window of 1s to 30d) or "none"',
  ),
  "state-in-live-entry": error(
    "a field of retired keys stands in a live entry, and the key still works",
    "finish what was meant with `keys revoke` or `keys disable`, or remove the field",
  ),
  "state-missing": error(
    "a retired entry lacks its `state` or its `retired_at`",
    "add `state: revoked` and `retired_at` with the time",
  ),
  "state-invalid": error(
    "a retired entry's state is none of revoked, disabled, expired, rotated",
    "use one of the four",
  ),
  "retired-and-live": error(
    "a retired key still stands among the live ones",
    "remove it from the block where it does not belong; `keys revoke` does it for a live one",
  ),
  "legacy-key-not-string": error(
    "a raw key is written so that YAML reads something else than text",
    "put it in double quotes, or better: `keys migrate`",
  ),
  "legacy-key-weak": error(
    "a raw key is a value that everybody knows",
    "remove it and issue a new key",
  ),
  "admin-digest-invalid": error(
    "the admin key's digest is not 64 hex digits in quotes",
    "take the digest from `keys hash`",
  ),
  "admin-key-in-keystore": error(
    "the admin key is a contributor's key as well",
    "give the contributor another key: the admin key is never a contributor",
  ),
  "no-expiry": error("a live key has no expiry", "`keys set <key> --expires 90d`", "policy"),
  "no-scopes": error("a live key has no scopes", "`keys set <key> --scopes …`", "policy"),
  "too-old": error("a live key is older than allowed", "`keys rotate <key>`", "policy"),
  "not-before-unsupported": error(
    "peers that read only ids let this key in before its time",
    "remove `not_before`, and add the key when its time has come",
    "policy",
  ),
  "id-reserved": error(
    "an id is reserved for a mode this server runs in",
    "give the contributor another id with `keys set <key> --id NAME`",
    "start",
  ),
  "system-key-in-keystore": error(
    "the system token stands in the keystore as a key as well",
    "give the server another system token: this one is a contributor's, the admin's or retired",
    "start",
  ),
  "digest-uppercase": warning(
    "a digest is in upper case",
    "write it in lower case: other readers compare letter by letter",
  ),
  "legacy-api-key": warning(
    "the raw `api_key` is in use: whoever reads the file has the key",
    "`keys migrate` keeps its digest instead",
  ),
  "legacy-admin-key": warning(
    "the raw `admin_api_key` is in use: whoever reads the file has the key",
    "`keys migrate` keeps its digest instead",
  ),
  expired: warning("a live key has expired", "`keys sweep` retires it, `keys rotate` renews it"),
  "expires-soon": warning(
    "a live key expires within 14 days",
    "`keys rotate <key>` or `keys set <key> --expires …`",
  ),
  "expiry-unsupported": warning(
    "peers that read only ids know no expiry: the key works until it is swept",
    "run `keys sweep` on a timer",
    "policy",
  ),
  "unknown-field": warning(
    "a field that keyhold does not know; it is kept as it is",
    "check its spelling",
  ),
  "id-not-portable": warning(
    "an id has characters that headers carry percent-encoded",
    "prefer letters, digits and . _ @ + : -",
  ),
  "unquoted-digest": warning(
    "a digest stands without quotes: one made of digits alone would be read as a number",
    "put it in double quotes",
  ),
  "file-permissions": warning(
    "others can write the file, or read a raw secret in it",
    "`chmod 600` the file",
  ),
  "owner-mismatch": warning(
    "the file belongs to another user",
    "run as the file's owner, or change the owner",
  ),
};

/** One thing that is wrong with a file, and where. It never holds a secret. */
export interface Diagnostic {
  readonly severity: Severity;
  readonly code: DiagnosticCode;
  /** From the root: `["api_keys", "<digest>", "expires_at"]`; secrets and unknown names masked. */
  readonly path: readonly string[];
  /** Counted from 1; 1 where the whole file is meant. */
  readonly line: number;
  /** Counted from 1, in characters. */
  readonly column: number;
  readonly message: string;
  readonly hint: string;
}

/** Whether any diagnostic is an error. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}
