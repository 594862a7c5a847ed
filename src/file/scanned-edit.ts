import { digestOf } from "../core/digest.js";
import { isKeysError } from "../errors.js";
import type { Change } from "./change.js";
import { editComposed, type ComposedEdit } from "./composed-edit.js";
import { isAsMeant } from "./as-meant.js";
import type { Policy } from "./policy.js";
import { rootText } from "./root-text.js";
import { KnownRows } from "./scan/known-rows.js";
import { scan, type Scan } from "./scan/scan.js";
import { Skeleton } from "./scan/skeleton.js";
import { ScannedDocument } from "./scanned-document.js";
import { readSkeleton } from "./skeleton-document.js";
import { encodeText } from "./text.js";

/**
 * Carries out changes on a document that was scanned: on its skeleton, by the one editor there is,
 * and from there on the octets of the whole. The result is scanned again, but for rows that stand
 * there as they did, and every row is compared with what was meant.
 *
 * @returns the given document where there is nothing to do; undefined where it has to be edited by
 *   way of the tree of the whole.
 * @throws KeysError `key-not-found`, `digest-exists`.
 */
export function editScanned(
  document: ScannedDocument,
  changes: readonly Change[],
  policy: Policy,
): ScannedDocument | undefined {
  const before = document.scan;
  // A second row of a digest is in no table.
  if (before.diagnostics.some(({ code }) => code === "duplicate-key")) return undefined;
  const touched = touchedBy(changes, before);
  const skeleton = new Skeleton(before, touched);
  const composed = editSkeleton(skeleton, changes, policy);
  if (composed === "declined") return undefined;
  if (composed === undefined) return document;
  const { splices } = composed.edit;
  const spliced = skeleton.apply(splices);
  if (spliced === undefined) return undefined;
  const after = scan(spliced.bytes, policy, new KnownRows(before, spliced.kept));
  if (after === undefined || !isAsMeant(before, after, touched, composed.document)) {
    return undefined;
  }
  return new ScannedDocument(after, { touched, changes: () => skeleton.lineChanges(splices) });
}

function editSkeleton(
  skeleton: Skeleton,
  changes: readonly Change[],
  policy: Policy,
): ComposedEdit | "declined" | undefined {
  const document = readSkeleton(skeleton.bytes, policy);
  try {
    return editComposed(document, changes, policy, (text) =>
      readSkeleton(encodeText(text), policy),
    );
  } catch (error) {
    // What is to be said of it counts lines of the whole.
    if (isKeysError(error, "edit-mismatch") || isKeysError(error, "keystore-invalid")) {
      return "declined";
    }
    throw error;
  }
}

/** The digests whose rows changes may change. */
function touchedBy(changes: readonly Change[], { pairs }: Scan): ReadonlySet<string> {
  const touched = new Set<string>();
  for (const change of changes) {
    if (change.kind !== "migrate") {
      touched.add(change.digest);
      continue;
    }
    const legacy = rootText(pairs, "api_key");
    if (legacy !== undefined) touched.add(digestOf(legacy));
  }
  return touched;
}
