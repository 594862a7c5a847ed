import { createEntry, parseRetiredState, type Entry, type EntryField } from "../core/entry.js";
import { idProblem, isFreeText, isPortableId } from "../core/id.js";
import { parseInstant } from "../core/instant.js";
import { parseRateLimit } from "../core/rate-limit.js";
import { parseScopes, parseWorkspaces } from "../core/scope.js";
import type { DiagnosticCode } from "./diagnostic.js";
import { isMergeKey, isString } from "./layout.js";
import type { Policy } from "./policy.js";
import type { Report } from "./report.js";
import { isEntryField, nearMiss, shownField } from "./shown-name.js";
import type { MappingNode, ScalarNode, SyntaxNode, SyntaxPair } from "./syntax.js";

/** How long before its end a live key is warned about, in milliseconds. */
export const EXPIRES_SOON_MS: number = 14 * 86_400_000;
const ROTATED_HINT = "another token has taken its place; `keys sweep` retires it when it ends";

/** Which block an entry stands in, and how its place is told. */
export interface EntryContext {
  readonly digest: string;
  readonly place: "live" | "retired";
  readonly path: readonly string[];
  /** Where its key stands. */
  readonly offset: number;
}

const RETIRED_FIELDS: ReadonlySet<string> = new Set(["state", "retired_at", "reason"]);

/** The check of a known field's text: the code of what is wrong, or undefined. */
const CHECKS: Readonly<Record<EntryField, (text: string) => DiagnosticCode | undefined>> = {
  id: idProblem,
  label: freeText,
  created_at: instant,
  expires_at: instant,
  not_before: instant,
  scopes: (text) => (parseScopes(text) === undefined ? "scope-invalid" : undefined),
  rate_limit: (text) => (parseRateLimit(text) === undefined ? "rate-limit-invalid" : undefined),
  workspaces: (text) => (parseWorkspaces(text) === undefined ? "workspace-invalid" : undefined),
  rotated_from: () => undefined,
  rotated_to: () => undefined,
  state: (text) => (parseRetiredState(text) === undefined ? "state-invalid" : undefined),
  retired_at: instant,
  reason: freeText,
};

/** What is wrong with a known field's text, by diagnostic code; undefined where nothing is. */
export function fieldProblem(field: EntryField, text: string): DiagnosticCode | undefined {
  return CHECKS[field](text);
}

/** Judges one entry and makes what can be made of it; `faulty` where an error stands against it. */
export function diagnoseEntry(
  mapping: MappingNode,
  context: EntryContext,
  policy: Policy,
  report: Report,
): Entry {
  const before = report.errors;
  const fields = new Map<string, string>();
  const places = new Map<string, SyntaxNode>();
  for (const pair of mapping.pairs) {
    const name = fieldName(pair.key, context, report);
    if (name === undefined) continue;
    const path = [...context.path, shownField(name)];
    if (places.has(name)) report.add("duplicate-key", path, pair.key.start);
    else places.set(name, pair.key);
    diagnoseName(name, pair, path, context, report);
    const value = fieldText(name, pair.value, path, pair.key.start, report);
    if (value === undefined) continue;
    if (!fields.has(name)) fields.set(name, value.text);
    if (context.place === "live" && RETIRED_FIELDS.has(name)) continue;
    const code = isEntryField(name) ? fieldProblem(name, value.text) : undefined;
    if (code !== undefined) report.add(code, path, value.start);
  }
  if (!places.has("id")) report.add("id-missing", context.path, context.offset);
  if (context.place === "retired" && !(places.has("state") && places.has("retired_at"))) {
    report.add("state-missing", context.path, context.offset);
  }
  const draft = createEntry(context.digest, fields, { place: context.place });
  diagnoseDates(draft, context, places, report);
  const faulty = report.errors > before;
  if (context.place === "live") diagnosePolicy(draft, context, places, policy, report);
  const id = draft.id;
  if (id !== undefined && idProblem(id) === undefined && !isPortableId(id)) {
    report.add("id-not-portable", [...context.path, "id"], offsetOf(places, "id", context));
  }
  return faulty ? { ...draft, faulty } : draft;
}

function fieldName(key: SyntaxNode, context: EntryContext, report: Report): string | undefined {
  if (isString(key)) return key.text;
  const code: DiagnosticCode =
    key.kind === "alias" || isMergeKey(key)
      ? "alias-not-allowed"
      : key.tagged
        ? "tag-not-allowed"
        : "field-not-string";
  const message =
    code === "field-not-string"
      ? "a field's name is written so that some YAML reader takes it for something else than text"
      : undefined;
  report.add(code, context.path, key.start, {
    message,
    ...(message === undefined ? {} : { hint: "put the name in double quotes" }),
  });
  return undefined;
}

function diagnoseName(
  name: string,
  pair: SyntaxPair,
  path: readonly string[],
  context: EntryContext,
  report: Report,
): void {
  if (isEntryField(name)) {
    if (context.place === "live" && RETIRED_FIELDS.has(name)) {
      report.add("state-in-live-entry", path, pair.key.start);
    }
    return;
  }
  const meant = nearMiss(name);
  if (meant === undefined) report.add("unknown-field", path, pair.key.start);
  else report.add("field-misspelt", path, pair.key.start, { hint: `write \`${meant}\`` });
}

function fieldText(
  name: string,
  value: SyntaxNode,
  path: readonly string[],
  keyStart: number,
  report: Report,
): ScalarNode | undefined {
  if (isString(value)) return value;
  const offset = value.end > value.start ? value.start : keyStart;
  if (value.kind === "alias") report.add("alias-not-allowed", path, offset);
  else if (value.tagged) report.add("tag-not-allowed", path, offset);
  else report.add(name === "id" ? "id-not-string" : "field-not-string", path, offset);
  return undefined;
}

function diagnoseDates(
  entry: Entry,
  context: EntryContext,
  places: ReadonlyMap<string, SyntaxNode>,
  report: Report,
): void {
  const { createdAt, expiresAt, notBefore } = entry;
  if (expiresAt === undefined) return;
  const path = [...context.path, "expires_at"];
  const offset = offsetOf(places, "expires_at", context);
  if (createdAt !== undefined && expiresAt <= createdAt) {
    report.add("expires-before-created", path, offset);
  }
  if (notBefore !== undefined && notBefore >= expiresAt) {
    report.add("not-before-after-expiry", [...context.path, "not_before"], offset);
  }
}

/** What hangs on the clock and on what is demanded; of live entries only, so that revoking mends. */
function diagnosePolicy(
  entry: Entry,
  context: EntryContext,
  places: ReadonlyMap<string, SyntaxNode>,
  policy: Policy,
  report: Report,
): void {
  const { createdAt, expiresAt, notBefore } = entry;
  function add(code: DiagnosticCode, field?: EntryField, hint?: string): void {
    const path = field === undefined ? context.path : [...context.path, field];
    const offset = field === undefined ? context.offset : offsetOf(places, field, context);
    report.add(code, path, offset, { hint });
  }
  if (expiresAt !== undefined) {
    if (policy.nowMs >= expiresAt) add("expired", "expires_at");
    else if (expiresAt <= policy.nowMs + EXPIRES_SOON_MS) {
      const isRotated = places.has("rotated_to");
      add("expires-soon", "expires_at", isRotated ? ROTATED_HINT : undefined);
    }
    if (policy.idOnlyPeers === true) add("expiry-unsupported", "expires_at");
  } else if (policy.requireExpiry === true && !places.has("expires_at")) {
    add("no-expiry");
  }
  if (notBefore !== undefined && policy.idOnlyPeers === true) {
    add("not-before-unsupported", "not_before");
  }
  if (policy.requireScopes === true && !places.has("scopes")) add("no-scopes");
  if (entry.id !== undefined && policy.reservedIds?.includes(entry.id) === true) {
    add("id-reserved", "id");
  }
  const { maxAgeMs } = policy;
  if (maxAgeMs !== undefined && createdAt !== undefined && policy.nowMs - createdAt > maxAgeMs) {
    add("too-old", "created_at");
  }
}

function offsetOf(
  places: ReadonlyMap<string, SyntaxNode>,
  field: EntryField,
  context: EntryContext,
): number {
  return places.get(field)?.start ?? context.offset;
}

function instant(text: string): DiagnosticCode | undefined {
  return parseInstant(text) === undefined ? "timestamp-invalid" : undefined;
}

function freeText(text: string): DiagnosticCode | undefined {
  return isFreeText(text) ? undefined : "text-invalid";
}
