import { KeysError } from "../errors.js";
import type { Change } from "./change.js";
import type { DiagnosticCode } from "./diagnostic.js";
import type { KeystoreDocument } from "./document.js";
import { carryOut, type Edited } from "./edit.js";
import { expectedModel } from "./expected-model.js";
import { KeystoreInvalidError } from "./keystore-invalid.js";
import { blockOf, hidesRows, type Layout } from "./layout.js";
import { modelOf } from "./model.js";
import { planChanges } from "./plan.js";
import type { Policy } from "./policy.js";

/** What an edit by way of the tree made. */
export interface ComposedEdit {
  readonly document: KeystoreDocument;
  readonly edit: Edited;
}

/** Codes that leave it in doubt what the file says, to one reader or another. */
const DOUBTFUL: ReadonlySet<DiagnosticCode> = new Set(["line-break-not-portable"]);

/**
 * Carries out changes on a document's text and its tree. The result is read again, by `read`, and
 * what it says is compared with what was meant.
 *
 * @returns undefined where there is nothing to do.
 * @throws KeysError what `editKeystore` throws.
 */
export function editComposed(
  document: KeystoreDocument,
  changes: readonly Change[],
  policy: Policy,
  read: (text: string, policy: Policy) => KeystoreDocument,
): ComposedEdit | undefined {
  const { text, layout, root, keystore } = document;
  if (layout === undefined || root === undefined || keystore === undefined) {
    throw new KeystoreInvalidError(document.diagnostics);
  }
  refuseDoubt(document, layout, changes);
  const plan = planChanges(layout, keystore, changes);
  const edited = carryOut(text, layout, root, plan);
  if (edited.text === text) return undefined;
  const result = read(edited.text, policy);
  const meant = expectedModel(modelOf(text, layout), plan);
  const said = result.layout === undefined ? undefined : modelOf(edited.text, result.layout);
  if (JSON.stringify(said) !== JSON.stringify(meant)) {
    throw new KeysError("edit-mismatch", "the edit does not fit the way this file is written", {
      hint: "write the blocks of keys as in docs/keystore-format.md; nothing was written",
    });
  }
  return { document: result, edit: edited };
}

function refuseDoubt(document: KeystoreDocument, layout: Layout, changes: readonly Change[]): void {
  const meant = new Set(changes.map((change) => ("digest" in change ? change.digest : "")));
  const doubtful =
    layout.repeats.length > 0 ||
    layout.hidden.length > 0 ||
    (["api_keys", "retired_api_keys"] as const).some((name) =>
      hidesRows(blockOf(layout.pairs.get(name))),
    ) ||
    [...layout.live, ...layout.retired].some((row) => row.repeated && meant.has(row.digest)) ||
    document.diagnostics.some(({ code }) => DOUBTFUL.has(code));
  if (!doubtful) return;
  throw new KeystoreInvalidError(
    document.diagnostics,
    "the file leaves in doubt which entry is meant",
    "mend what `keys validate` lists first; nothing was written",
  );
}
