import { stateAt, type Entry } from "../../core/entry.js";
import { fingerprintOf } from "../../core/fingerprint.js";
import { formatInstant } from "../../core/instant.js";
import type { Keystore } from "../../core/keystore.js";
import { KeysError } from "../../errors.js";
import type { Change } from "../../file/change.js";
import type { Policy } from "../../file/policy.js";
import { readStore } from "../../file/store.js";
import { isInService, namedOrChosen, namingOf } from "../choose-key.js";
import { confirm, mustConfirm } from "../confirmation.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { issueKey } from "../issue-key.js";
import { describe, findKeys, onlyKey, type KeyNaming } from "../key-naming.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { checkLifetime, entryFields, mintToken } from "../new-entry.js";
import { noteIdOnlyPeers } from "../peers.js";
import { soundKeystore } from "../troubled-file.js";
import { invalid } from "../refuse-token.js";
import { parseEnd, parseTime, wholeSecond, writtenInstant } from "../values.js";

/** The options of `keys rotate`. */
export interface RotateOptions {
  readonly id?: string;
  readonly grace?: string;
  readonly expires?: string;
  readonly prefix?: string;
}

/** `keys rotate`: a new token for the same contributor, and the old one out of service. */
export async function rotate(
  context: Context,
  options: RotateOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const times = timesOf(options, wholeSecond(policy.nowMs));
  const { token, digest } = mintToken(context.io, options.prefix);
  const named = await namingOf(context, operands, options);
  let naming = await namedOrChosen(context, named, "rotate", isInService);
  if (times.graceEndMs === undefined && mustConfirm(context)) {
    const store = await readStore(file.path, policy);
    const old = oldKey(soundKeystore(store, file), naming, policy);
    planRotation(old, digest, times, policy);
    await confirm(context, `Rotate ${describe(old)}? Its token stops working now.`);
    naming = { by: "prefix", prefix: old.digest };
  }
  let old: Entry | undefined;
  const update = await issueKey(context, {
    file,
    policy,
    action: "rotate",
    digest,
    token,
    makeFile: false,
    plan(store) {
      old = oldKey(soundKeystore(store, file), naming, policy);
      return planRotation(old, digest, times, policy);
    },
    undo: () => (old === undefined ? [] : takeUpAgain(old, times)),
  });
  if (!update.written || old === undefined) return 0;
  await sayWhat(context, old, times, policy);
  const expires = update.after.document.keystore?.find(digest)?.expiresAt !== undefined;
  if (expires || times.graceEndMs !== undefined) await noteIdOnlyPeers(context, policy);
  return 0;
}

interface Times {
  /** When the old key ends, undefined for now. */
  readonly graceEndMs: number | undefined;
  /** The new key's end where one is asked for: `never` is null. */
  readonly expiresAt: string | null | undefined;
}

function timesOf({ grace, expires }: RotateOptions, nowMs: number): Times {
  const graceEndMs = grace === undefined ? undefined : parseEnd("--grace", grace, nowMs);
  if (graceEndMs !== undefined && graceEndMs <= nowMs) {
    throw invalid("--grace", "is over already", "a time to come, such as 24h");
  }
  const expiresAt =
    expires === undefined
      ? undefined
      : (writtenInstant(parseTime("--expires", expires, nowMs)) ?? null);
  return { graceEndMs, expiresAt };
}

/** The one key in service that is named; an expired one only where no other is. */
function oldKey(keystore: Keystore, naming: KeyNaming, { nowMs }: Policy): Entry {
  const found = findKeys(keystore, naming);
  const inService = found.filter(isInService);
  const live = inService.filter((entry) => stateAt(entry, nowMs) === "live");
  const [retired] = found;
  if (inService.length > 0) {
    const what = naming.by === "id" ? naming.id : "that";
    return onlyKey(live.length > 0 ? live : inService, what);
  }
  throw new KeysError(
    "key-state",
    `${retired === undefined ? "that key" : describe(retired)} is ${retired?.state ?? "retired"}`,
    { hint: "only a key in service is rotated: make a new one with `keys create`" },
  );
}

function planRotation(
  old: Entry,
  digest: string,
  times: Times,
  { nowMs }: Policy,
): readonly Change[] {
  const now = wholeSecond(nowMs);
  const fields = entryFields({
    id: old.id ?? "",
    label: old.label,
    created_at: formatInstant(now),
    expires_at: expiryOf(old, times, now),
    scopes: old.fields.get("scopes"),
    rate_limit: old.fields.get("rate_limit"),
    workspaces: old.fields.get("workspaces"),
    rotated_from: old.fingerprint,
  });
  checkLifetime(fields);
  return [{ kind: "add", digest, fields }, retirement(old, digest, times, now)];
}

/** The old lifetime counted from now; without both dates, the old end as it is. */
function expiryOf(old: Entry, { expiresAt }: Times, nowMs: number): string | undefined {
  if (expiresAt !== undefined) return expiresAt ?? undefined;
  if (old.expiresAt === undefined) return undefined;
  if (old.createdAt === undefined) return old.fields.get("expires_at");
  return formatInstant(nowMs + old.expiresAt - old.createdAt);
}

function retirement(old: Entry, digest: string, { graceEndMs }: Times, nowMs: number): Change {
  const link = ["rotated_to", fingerprintOf(digest)] as const;
  if (graceEndMs === undefined) {
    return {
      kind: "retire",
      digest: old.digest,
      state: "rotated",
      retiredAt: nowMs,
      fields: new Map([link]),
    };
  }
  if (old.place === "legacy") {
    throw new KeysError("key-state", "the legacy api_key has no entry that could get an expiry", {
      hint: "`keys migrate` makes one; or rotate without --grace",
    });
  }
  const isSooner = (old.expiresAt ?? Number.POSITIVE_INFINITY) <= graceEndMs;
  const fields = new Map<string, string>(
    isSooner ? [link] : [["expires_at", formatInstant(graceEndMs)], link],
  );
  checkLifetime(new Map([...old.fields, ...fields]));
  return { kind: "set", digest: old.digest, fields };
}

/** If the new token can't be shown, the old one is the only one the contributor has. */
function takeUpAgain(old: Entry, { graceEndMs }: Times): readonly (readonly Change[])[] {
  const { digest, fields } = old;
  const link = ["rotated_to", fields.get("rotated_to") ?? null] as const;
  if (graceEndMs === undefined) {
    return [[{ kind: "restore", digest }], [{ kind: "set", digest, fields: new Map([link]) }]];
  }
  const end = ["expires_at", fields.get("expires_at") ?? null] as const;
  return [[{ kind: "set", digest, fields: new Map([end, link]) }]];
}

async function sayWhat(
  { talk }: Context,
  old: Entry,
  { graceEndMs }: Times,
  { nowMs }: Policy,
): Promise<void> {
  if (graceEndMs === undefined) {
    await talk.note(`retired ${describe(old)}: its token does not work any more`);
    await talk.note(
      "servers that read the file only at their start need a restart, or `keys push`, to know it",
    );
    return;
  }
  if (stateAt(old, nowMs) === "expired") {
    await talk.note(`the old key ${describe(old)} has expired: its token does not work any more`);
    return;
  }
  const endMs = Math.min(graceEndMs, old.expiresAt ?? graceEndMs);
  const end = endMs === Number.POSITIVE_INFINITY ? "it is revoked" : formatInstant(endMs);
  await talk.note(`the old key ${describe(old)} works until ${end}`);
  await talk.note("a server that `keys push` fills lets it in until the first push after that");
}
