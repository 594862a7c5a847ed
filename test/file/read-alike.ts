import type { Entry } from "../../src/core/entry.js";
import { generationOf } from "../../src/core/generation.js";
import { createLineages } from "../../src/core/lineage.js";
import { keysOf, matchPrefix, type Keystore } from "../../src/core/keystore.js";
import { composeKeystore } from "../../src/file/document.js";
import type { Policy } from "../../src/file/policy.js";
import { rawKeyStands } from "../../src/file/root-text.js";
import { scan, type Scan } from "../../src/file/scan/scan.js";

/** What both readers must find alike, in a form that can be compared. */
interface Reading {
  readonly diagnostics: unknown;
  readonly keystore: unknown;
  readonly found: unknown;
  readonly holdsRawKey: boolean;
}

/** What the two readers found of the same octets. */
export interface TwoReadings {
  readonly scanned: Reading;
  readonly composed: Reading;
}

/** Reads octets both ways; undefined where the scanner declines them. */
export function readTwice(bytes: Uint8Array, policy: Policy): TwoReadings | undefined {
  const scanned = scan(bytes, policy);
  if (scanned === undefined) return undefined;
  const composed = composeKeystore(bytes, policy);
  const digests = digestsOf(composed.keystore);
  return {
    scanned: readingOf(scanned, digests),
    composed: {
      diagnostics: composed.diagnostics,
      keystore: keystoreOf(composed.keystore),
      found: digests.map((digest) => entryOf(composed.keystore?.find(digest))),
      holdsRawKey: rawKeyStands(composed.pairs),
    },
  };
}

/** What a scan found, in the form that can be compared. */
export function readingOf(
  { diagnostics, keystore, pairs }: Scan,
  digests: readonly string[] = digestsOf(keystore),
): Reading {
  return {
    diagnostics,
    keystore: keystoreOf(keystore),
    found: digests.map((digest) => entryOf(keystore.find(digest))),
    holdsRawKey: rawKeyStands(pairs),
  };
}

/** Whether both readers found the same. */
export function isAlike({ scanned, composed }: TwoReadings): boolean {
  return JSON.stringify(scanned) === JSON.stringify(composed);
}

function digestsOf(keystore: Keystore | undefined): string[] {
  if (keystore === undefined) return [];
  const known = [...keystore.live(), ...keystore.retired()].map(({ digest }) => digest);
  return [...known, ...known.map((digest) => digest.toUpperCase()), "0".repeat(64), ""];
}

function keystoreOf(keystore: Keystore | undefined): unknown {
  if (keystore === undefined) return "none";
  return {
    generation: generationOf(keystore),
    liveCount: keystore.liveCount,
    retiredCount: keystore.retiredCount,
    adminDigest: keystore.adminDigest,
    live: [...keystore.live()].map(entryOf),
    retired: [...keystore.retired()].map(entryOf),
    named: namedBy(keystore),
  };
}

/** Which keys each id and each start of a digest names. */
function namedBy(keystore: Keystore): unknown {
  const entries = [...keystore.live(), ...keystore.retired()];
  const names = new Set([...entries.map(({ id }) => id ?? ""), "nobody", "a", "'", ""]);
  const starts = new Set(
    entries.flatMap(({ digest }) => [digest.slice(0, 2), digest.slice(0, 12)]),
  );
  const digests = (found: readonly Entry[]): readonly string[] =>
    found.map(({ place, digest }) => `${place} ${digest}`);
  return [
    ...[...names].map((id) => digests(keysOf(keystore, id))),
    ...[...starts, ""].map((start) => digests(matchPrefix(keystore, start))),
    ...entries.map(createLineages(keystore)),
  ];
}

function entryOf(entry: Entry | undefined): unknown {
  if (entry === undefined) return "none";
  return {
    digest: entry.digest,
    fingerprint: entry.fingerprint,
    place: entry.place,
    id: entry.id,
    label: entry.label,
    createdAt: entry.createdAt,
    expiresAt: entry.expiresAt,
    notBefore: entry.notBefore,
    scopes: entry.scopes,
    rateLimit: entry.rateLimit,
    workspaces: entry.workspaces,
    state: entry.state,
    retiredAt: entry.retiredAt,
    reason: entry.reason,
    faulty: entry.faulty,
    fields: [...entry.fields],
  };
}
