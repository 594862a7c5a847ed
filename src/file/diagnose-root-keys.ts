import { digestOf } from "../core/digest.js";
import { isDigest } from "../core/fingerprint.js";
import { isKnownWeak, isKnownWeakDigest } from "../core/weak.js";
import { blockOf, isNull, isString, type Layout } from "./layout.js";
import type { Report } from "./report.js";
import type { RootKey } from "./shown-name.js";

/** The keys that stand at the root: the legacy one and the admin's. */
export interface RootKeys {
  /** The raw `api_key`, where it is a text that is not empty. */
  readonly legacyKey: string | undefined;
  /** Whether anything at all stands as `api_key`, readable or not. */
  readonly legacyStands: boolean;
  /** Whether an error stands against the raw `api_key`. */
  readonly legacyFaulty: boolean;
  readonly adminDigest: string | undefined;
}

/** The digests of a block. */
export interface Digests {
  has(digest: string): boolean;
}

/** Judges `api_key`, `admin_api_key` and `admin_api_key_sha256` (KEYSTORE.md, 'What else is read'). */
export function diagnoseRootKeys(
  layout: Pick<Layout, "pairs">,
  live: Digests,
  retired: Digests,
  report: Report,
): RootKeys {
  const before = report.errors;
  const legacy = rawKey(layout, "api_key", report);
  const legacyDigest = legacy.text === undefined ? undefined : digestOf(legacy.text);
  if (legacyDigest !== undefined && retired.has(legacyDigest)) {
    report.add("retired-and-live", ["api_key"], legacy.offset);
  }
  const legacyFaulty = report.errors > before;
  const raw = rawKey(layout, "admin_api_key", report);
  const stored = adminDigest(layout, report);
  const admin =
    stored.text ?? (stored.stands || raw.text === undefined ? undefined : digestOf(raw.text));
  if (admin !== undefined && (live.has(admin) || admin === legacyDigest)) {
    const from = stored.text === undefined ? "admin_api_key" : "admin_api_key_sha256";
    report.add(
      "admin-key-in-keystore",
      [from],
      stored.text === undefined ? raw.offset : stored.offset,
    );
  }
  return {
    legacyKey: legacy.text,
    legacyStands: legacy.stands,
    legacyFaulty,
    adminDigest: admin,
  };
}

/** Says so where there is nobody who could get in. */
export function diagnoseEmptiness(layout: Layout, rootKeys: RootKeys, report: Report): void {
  // What a merge key brings in is not seen, so that nothing can be said to be missing.
  if (rootKeys.legacyStands || layout.merges.length > 0 || layout.hidden.length > 0) return;
  const pair = layout.pairs.get("api_keys");
  if (pair === undefined || isNull(pair.value)) {
    report.add("no-keys", pair === undefined ? [] : ["api_keys"], pair?.key.start ?? 0);
  } else if (blockOf(pair)?.pairs.length === 0) {
    report.add("empty-keystore", ["api_keys"], pair.key.start);
  }
}

interface RootValue {
  readonly text: string | undefined;
  readonly stands: boolean;
  readonly offset: number;
}

const ABSENT: RootValue = { text: undefined, stands: false, offset: 0 };

function rootText(
  layout: Pick<Layout, "pairs">,
  name: RootKey,
  report: Report,
  notString: "legacy-key-not-string" | "admin-digest-invalid",
): RootValue {
  const pair = layout.pairs.get(name);
  if (pair === undefined || isNull(pair.value)) return ABSENT;
  const { value } = pair;
  const offset = pair.key.start;
  if (isString(value)) {
    return value.text === "" ? ABSENT : { text: value.text, stands: true, offset };
  }
  const code =
    value.kind === "alias" ? "alias-not-allowed" : value.tagged ? "tag-not-allowed" : notString;
  report.add(code, [name], offset);
  return { text: undefined, stands: true, offset };
}

function rawKey(
  layout: Pick<Layout, "pairs">,
  name: "api_key" | "admin_api_key",
  report: Report,
): RootValue {
  const value = rootText(layout, name, report, "legacy-key-not-string");
  if (value.text === undefined) return value;
  const warning = name === "api_key" ? "legacy-api-key" : "legacy-admin-key";
  report.add(warning, [name], value.offset);
  if (isKnownWeak(value.text)) report.add("legacy-key-weak", [name], value.offset);
  return value;
}

function adminDigest(layout: Pick<Layout, "pairs">, report: Report): RootValue {
  const name = "admin_api_key_sha256";
  const value = rootText(layout, name, report, "admin-digest-invalid");
  if (value.text === undefined) return value;
  const digest = value.text.toLowerCase();
  if (!isDigest(digest)) {
    report.add("admin-digest-invalid", [name], value.offset);
    return { ...value, text: undefined };
  }
  if (isKnownWeakDigest(digest)) report.add("digest-known-weak", [name], value.offset);
  return { ...value, text: digest };
}
