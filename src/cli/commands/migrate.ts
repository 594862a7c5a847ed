import { digestOf } from "../../core/digest.js";
import { fingerprintOf } from "../../core/fingerprint.js";
import { LEGACY_ID } from "../../core/keystore.js";
import type { Change } from "../../file/change.js";
import type { KeystoreDocument } from "../../file/document.js";
import type { Policy } from "../../file/policy.js";
import { planChanges } from "../../file/plan.js";
import { rootText } from "../../file/root-text.js";
import { readStore, type StoredKeystore } from "../../file/store.js";
import { SHORTEST_TOKEN } from "../../core/weak.js";
import { updateStore } from "../../file/update-store.js";
import { encodeText } from "../../file/text.js";
import { auditTrail, reportUnrecorded } from "../audit-trail.js";
import { confirm, mustConfirm } from "../confirmation.js";
import type { Context } from "../context.js";
import { reportDryRun } from "../dry-run.js";
import type { ExitStatus } from "../exit-codes.js";
import { searchGitHistory } from "../git-history.js";
import { environmentPolicy, keystoreFile, type KeystoreFile } from "../keystore-file.js";
import { advised, refuseFlatNames } from "../migration-refusal.js";
import { requireSoundResult } from "../sound-result.js";
import { soundKeystore } from "../troubled-file.js";
import { parseNewId } from "../values.js";

/** The options of `keys migrate`. */
export interface MigrateOptions {
  readonly id?: string;
}

/** One thing that became what it should be, as `migrate` gives it in JSON. */
interface Migrated {
  /** Where it stood; `api_keys` for a flat entry. */
  readonly from: "api_key" | "admin_api_key" | "api_keys";
  readonly fingerprint: string;
  /** Null for the admin key, which is nobody's. */
  readonly id: string | null;
}

interface Migration {
  readonly migrated: readonly Migrated[];
  readonly changes: readonly Change[];
}

/** `keys migrate`: legacy keys and flat entries become digests with entries. */
export async function migrate(context: Context, options: MigrateOptions): Promise<ExitStatus> {
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const legacyId = parseNewId(options.id ?? LEGACY_ID);
  const plan = (store: StoredKeystore): Migration =>
    advised(() => planMigration(store, file, legacyId, policy));
  if (mustConfirm(context)) {
    const { migrated } = plan(await readStore(file.path, policy));
    if (migrated.length > 0) await confirm(context, questionOf(migrated, file));
  }
  let migrated: readonly Migrated[] = [];
  const update = await updateStore(
    file.path,
    (store) => {
      const migration = plan(store);
      migrated = migration.migrated;
      return migration.changes;
    },
    {
      policy,
      ...auditTrail(context, "migrate"),
      dryRun: context.globals.dryRun,
      signal: context.interrupt,
    },
  );
  await reportUnrecorded(context, update);
  const result = { changed: migrated.length > 0, migrated };
  if (context.globals.dryRun) {
    await reportDryRun(context, file, update, result);
    return 0;
  }
  if (context.globals.json) await context.printJson(result);
  await sayWhat(context, file, migrated, update.before.document);
  return 0;
}

function planMigration(
  store: StoredKeystore,
  file: KeystoreFile,
  legacyId: string,
  policy: Policy,
): Migration {
  const keystore = soundKeystore(store, file, ["entry-not-mapping"]);
  const { layout } = store.document;
  const changes: readonly Change[] = [{ kind: "migrate", legacyId }];
  if (layout === undefined) return { migrated: [], changes: [] };
  const plan = planChanges(layout, keystore, changes);
  refuseFlatNames(plan.nest, keystore, file);
  requireSoundResult(store, file, changes, policy);
  const migrated: Migrated[] = [...plan.nest].map(([digest, id]) => ({
    from: "api_keys",
    fingerprint: fingerprintOf(digest),
    id,
  }));
  for (const from of ["api_key", "admin_api_key"] as const) {
    const raw = plan.drop.has(from) ? rootText(layout.pairs, from) : undefined;
    if (raw === undefined) continue;
    const digest = digestOf(raw);
    const entry = keystore.find(digest);
    // Where its digest stands in `api_keys`, that entry says whose it is.
    const owner = entry?.place === "live" ? (entry.id ?? null) : legacyId;
    const id = from === "api_key" ? owner : null;
    migrated.push({ from, fingerprint: fingerprintOf(digest), id });
  }
  return { migrated, changes: migrated.length === 0 ? [] : changes };
}

function questionOf(migrated: readonly Migrated[], file: KeystoreFile): string {
  const what = migrated.map(({ from, id }) => (id === null ? from : `${from} of ${id}`));
  const shown = what.length <= 5 ? what.join(", ") : `${what.length} keys`;
  return `Migrate ${shown} in ${file.name}? Programs that read the old form will not find it.`;
}

async function sayWhat(
  context: Context,
  file: KeystoreFile,
  migrated: readonly Migrated[],
  before: KeystoreDocument,
): Promise<void> {
  const { talk } = context;
  if (migrated.length === 0) await talk.note("nothing is left to migrate");
  for (const { from, fingerprint, id } of migrated) {
    const whose = id === null ? "now as its digest" : `now the key of ${id}`;
    await talk.note(`migrated ${from}: ${fingerprint}, ${whose}`);
  }
  await warnOfGuess(context, migrated, before);
  await warnOfHistory(context, file, before);
}

/** What was chosen by hand may be found from its digest by trying, which a minted token is not. */
async function warnOfGuess(
  { talk }: Context,
  migrated: readonly Migrated[],
  { pairs }: KeystoreDocument,
): Promise<void> {
  for (const { from, fingerprint } of migrated) {
    const raw = from === "api_keys" || pairs === undefined ? undefined : rootText(pairs, from);
    if (raw === undefined || raw.length >= SHORTEST_TOKEN) continue;
    await talk.warn(
      `${fingerprint} was a secret of under ${SHORTEST_TOKEN} characters: whoever has the file can find it from its digest by trying; issue a new key in its place`,
    );
  }
}

/** The file has no raw key any more, but its old versions in git may. */
async function warnOfHistory(
  { io, talk }: Context,
  file: KeystoreFile,
  { layout, text }: KeystoreDocument,
): Promise<void> {
  if (layout === undefined) return;
  const sought = (["api_key", "admin_api_key"] as const).flatMap((name) => {
    const raw = rootText(layout.pairs, name);
    return raw === undefined ? [] : writtenForms(raw);
  });
  if (sought.length === 0) return;
  const finding = await searchGitHistory(io, file.path, encodeText(text), sought);
  if (finding === "found") {
    await talk.warn(
      `the raw secret is still in git history of ${file.name}: whoever has the repository has the key; rotate it`,
    );
  } else if (finding === "unknown") {
    await talk.warn(
      `the history could not be searched: the old text of ${file.name} may still be in git history; rotate the key if it ever was`,
    );
  }
}

/** A text as YAML writes it, plain or in quotes of either kind. */
function writtenForms(text: string): readonly string[] {
  return [text, text.replaceAll("'", "''"), JSON.stringify(text).slice(1, -1)];
}
