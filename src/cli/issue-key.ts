import type { Entry } from "../core/entry.js";
import { formatInstant } from "../core/instant.js";
import { fingerprintOf } from "../core/fingerprint.js";
import { KeysError, systemCode } from "../errors.js";
import type { Change } from "../file/change.js";
import type { Policy } from "../file/policy.js";
import { readStore, type StoredKeystore } from "../file/store.js";
import { updateStore, type UpdateResult } from "../file/update-store.js";
import { auditTrail, reportUnrecorded } from "./audit-trail.js";
import type { Context } from "./context.js";
import { reportDryRun } from "./dry-run.js";
import { issuedRecord } from "./key-record.js";
import type { KeystoreFile } from "./keystore-file.js";
import { formatRelative } from "./render/relative-time.js";
import { fileDelivery, stdoutDelivery, type TokenDelivery } from "./token-delivery.js";
import { wholeSecond } from "./values.js";

/** A key that lives for less than this may be meant to live for months. */
const SHORT_LIFE_MS = 3_600_000;

/** A key to be made. */
export interface KeyIssue {
  readonly file: KeystoreFile;
  readonly policy: Policy;
  /** What the audit log calls it. */
  readonly action: string;
  readonly digest: string;
  /** What is handed over; undefined where the operator has it, or must never see it. */
  readonly token: string | undefined;
  /** Make a missing keystore. */
  readonly makeFile: boolean;
  /** What to change, or nothing to leave the file as it is; refuses by throwing. */
  plan(store: StoredKeystore): readonly Change[];
  /** Said just before a token goes to stdout, instead of what is said of it behind. */
  readonly banner?: string;
  /** What to change besides retiring the new key, edit by edit, where its token can't be shown. */
  undo?(): readonly (readonly Change[])[];
}

/**
 * Makes a key and hands its token over (KEYSTORE.md, invariant 6): the token is shown only when its
 * digest is durable, from then on nothing interrupts, and a token that can't be shown is no key.
 *
 * @throws KeysError `output-failed`, `token-file-exists`, and what {@link updateStore} throws
 */
export async function issueKey(context: Context, issue: KeyIssue): Promise<UpdateResult> {
  const { dryRun } = context.globals;
  const delivery = dryRun ? undefined : deliveryOf(context, issue);
  const update = await store(context, issue, delivery);
  const entry = update.after.document.keystore?.find(issue.digest);
  if (dryRun) await reportPreview(context, issue, update, entry);
  if (!update.written) return update;
  await reportUnrecorded(context, update);
  if (entry === undefined) throw new Error("the new key is not in the keystore");
  const record = (token: string | null): ReturnType<typeof issuedRecord> =>
    issuedRecord(entry, token, issue.file.name);
  if (delivery !== undefined && issue.token !== undefined) {
    if (issue.banner !== undefined && context.globals.tokenFile === undefined) {
      await context.talk.note(issue.banner);
    }
    try {
      await delivery.show(issue.token, record);
    } catch (error) {
      await delivery.discard();
      return await takeBack(context, issue, error);
    }
  } else if (context.globals.json) {
    await context.printJson(record(null));
  }
  await announce(context, issue, update, entry);
  return update;
}

function deliveryOf(context: Context, { token, file }: KeyIssue): TokenDelivery | undefined {
  const { tokenFile } = context.globals;
  if (token === undefined) return undefined;
  return tokenFile === undefined ? stdoutDelivery(context) : fileDelivery(context, tokenFile, file);
}

async function store(
  context: Context,
  issue: KeyIssue,
  delivery: TokenDelivery | undefined,
): Promise<UpdateResult> {
  try {
    const update = await updateStore(
      issue.file.path,
      async (current) => {
        const changes = issue.plan(current);
        if (changes.length > 0) await delivery?.prepare();
        return changes;
      },
      {
        policy: issue.policy,
        ...auditTrail(context, issue.action),
        create: issue.makeFile,
        dryRun: context.globals.dryRun,
        signal: context.interrupt,
      },
    );
    if (!update.written) await delivery?.discard();
    return update;
  } catch (error) {
    await delivery?.discard();
    // What failed may have been the sync of the directory: then the new key is in the file.
    if (delivery !== undefined && (await isInService(issue)))
      return await takeBack(context, issue, error);
    throw error;
  }
}

async function isInService({ file, policy, digest }: KeyIssue): Promise<boolean> {
  try {
    const { document } = await readStore(file.path, policy);
    return document.keystore?.find(digest)?.place === "live";
  } catch {
    return false;
  }
}

/** A minted key is not in the preview's document: the next run would mint another. */
async function reportPreview(
  context: Context,
  issue: KeyIssue,
  update: UpdateResult,
  entry: Entry | undefined,
): Promise<void> {
  if (entry === undefined) {
    await reportDryRun(context, issue.file, update, { changed: false, file: issue.file.name });
    return;
  }
  const record = issuedRecord(entry, null, issue.file.name);
  const unknown = issue.token === undefined ? {} : { digest: null, fingerprint: null };
  await reportDryRun(context, issue.file, update, { ...record, ...unknown });
}

/** The token is lost: its key must not stay in service. Nothing interrupts this. */
async function takeBack(context: Context, issue: KeyIssue, cause: unknown): Promise<never> {
  const fingerprint = fingerprintOf(issue.digest);
  const code = systemCode(cause);
  const reason = code === undefined ? "" : ` (${code})`;
  const { file, policy } = issue;
  const hint =
    context.globals.tokenFile === undefined
      ? "--token-file PATH writes the token to a file"
      : "name a file on a disk that has room for it";
  try {
    // A log that fails is no reason to leave things half done: they go back to what they were.
    const options = { policy, ...auditTrail(context, "take-back"), unrecorded: "any" } as const;
    const update = await updateStore(file.path, (now) => retirement(issue, now), options);
    await reportUnrecorded(context, update);
    for (const changes of issue.undo?.() ?? []) {
      await reportUnrecorded(context, await updateStore(file.path, () => changes, options));
    }
  } catch (error) {
    throw new KeysError(
      "output-failed",
      `the token could not be shown${reason}, and what was changed could not be undone`,
      { hint: `revoke its key: \`keys revoke ${fingerprint}\``, cause: error },
    );
  }
  throw new KeysError(
    "output-failed",
    `the token could not be shown${reason}, so its key ${fingerprint} was retired again`,
    { hint, cause },
  );
}

function retirement(issue: KeyIssue, current: StoredKeystore): readonly Change[] {
  const { keystore } = current.document;
  if (keystore === undefined) throw new Error("the keystore can't be read any more");
  if (keystore.find(issue.digest)?.place !== "live") return [];
  return [
    {
      kind: "retire",
      digest: issue.digest,
      state: "revoked",
      retiredAt: wholeSecond(issue.policy.nowMs),
      reason: "token could not be shown",
    },
  ];
}

async function announce(
  { talk, globals }: Context,
  issue: KeyIssue,
  update: UpdateResult,
  entry: Entry,
): Promise<void> {
  const { nowMs } = issue.policy;
  if (!update.before.exists) await talk.note(`made the keystore ${issue.file.name} (mode 0600)`);
  const end =
    entry.expiresAt === undefined
      ? "it does not expire"
      : `it expires ${formatRelative(entry.expiresAt, nowMs)}, at ${formatInstant(entry.expiresAt)}`;
  await talk.note(
    `key ${entry.fingerprint} of ${entry.id ?? "nobody"} is in ${issue.file.name}; ${end}`,
  );
  if (entry.expiresAt !== undefined && entry.expiresAt - nowMs < SHORT_LIFE_MS) {
    await talk.note("that is in less than an hour: m is a minute, and 30d is a month");
  }
  if (issue.token === undefined) return;
  if (globals.tokenFile !== undefined) {
    await talk.note(`its token is in ${globals.tokenFile} (mode 0600) and nowhere else`);
  } else if (issue.banner === undefined) {
    await talk.note("its token is shown this once and stored nowhere: hand it over now");
  }
}
