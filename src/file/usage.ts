import { isDigest } from "../core/fingerprint.js";
import { formatInstant, isInstant, parseInstant } from "../core/instant.js";
import { isKeysError } from "../errors.js";
import { readSnapshot, resolveTarget } from "./snapshot.js";
import { editFile } from "./locked-edit.js";

/** When keys were last used: instants in milliseconds since 1970, by digest. */
export type LastUse = ReadonlyMap<string, number>;

/** What a usage file says. */
export interface UsageRead {
  /** Empty where nothing can be read. */
  readonly lastUsed: LastUse;
  /** `missing`: no key's use was ever written. `broken`: the file is none, or can't be read. */
  readonly status: "read" | "missing" | "broken";
}

/** For {@link recordUsage}. */
export interface RecordUsageOptions {
  /** Whether a digest is still in the keystore: others are dropped. Default: all are kept. */
  readonly isKnown?: ((digest: string) => boolean) | undefined;
  /** How long to wait for another writer, in milliseconds. Default 60,000. */
  readonly lockTimeoutMs?: number | undefined;
}

/** Where the usage file of a keystore is: `usageFile`, else `<real path>.usage.json` beside it. */
export async function usagePath(path: string, usageFile?: string): Promise<string> {
  return usageFile ?? `${await resolveTarget(path)}.usage.json`;
}

/** Reads a usage file. Never throws: use is told where it is known and keeps nothing from working. */
export async function readUsage(usageFile: string): Promise<UsageRead> {
  try {
    const snapshot = await readSnapshot(await resolveTarget(usageFile));
    if (snapshot === undefined) return { lastUsed: new Map(), status: "missing" };
    const lastUsed = snapshot.tooLarge ? undefined : parseUsage(snapshot.bytes);
    if (lastUsed !== undefined) return { lastUsed, status: "read" };
  } catch (error) {
    if (isKeysError(error, "file-not-found")) return { lastUsed: new Map(), status: "missing" };
  }
  return { lastUsed: new Map(), status: "broken" };
}

/**
 * Adds uses to a usage file (0600): of two instants of a key the later one stays, so that several
 * servers may write one file. A file that is broken is replaced: what it told is lost already.
 *
 * @throws KeysError `file-unwritable`, `file-unreadable`, `file-is-directory`, `file-not-found` (its
 *   directory), `lock-timeout`, `mount-point`, `file-changing`
 */
export async function recordUsage(
  usageFile: string,
  uses: LastUse,
  { isKnown = () => true, lockTimeoutMs }: RecordUsageOptions = {},
): Promise<void> {
  await editFile(
    usageFile,
    (snapshot) => {
      const old = snapshot?.bytes === undefined ? undefined : parseUsage(snapshot.bytes);
      const merged = new Map(old);
      for (const [digest, ms] of uses) {
        if (isInstant(ms)) merged.set(digest, Math.max(ms, merged.get(digest) ?? ms));
      }
      for (const digest of merged.keys()) if (!isKnown(digest)) merged.delete(digest);
      const bytes = Buffer.from(formatUsage(merged));
      return snapshot?.bytes?.equals(bytes) === true ? {} : { bytes };
    },
    { timeoutMs: lockTimeoutMs },
  );
}

function formatUsage(lastUsed: LastUse): string {
  const sorted = [...lastUsed].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  const texts = Object.fromEntries(sorted.map(([digest, ms]) => [digest, formatInstant(ms)]));
  return `${JSON.stringify({ version: 1, last_used: texts }, null, 1)}\n`;
}

/** Undefined for what is no usage file; an entry that is none is left out. */
function parseUsage(bytes: Buffer): Map<string, number> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (!("version" in value) || value.version !== 1 || !("last_used" in value)) return undefined;
  const { last_used: entries } = value;
  if (typeof entries !== "object" || entries === null || Array.isArray(entries)) return undefined;
  const lastUsed = new Map<string, number>();
  for (const [digest, text] of Object.entries(entries)) {
    const ms = typeof text === "string" ? parseInstant(text) : undefined;
    if (ms !== undefined && isDigest(digest)) lastUsed.set(digest, ms);
  }
  return lastUsed;
}
