import type { Entry } from "../../core/entry.js";
import type { Keystore } from "../../core/keystore.js";
import { KeysError } from "../../errors.js";
import type { Policy } from "../../file/policy.js";
import { changeKeys, type KeyPlan } from "../change-keys.js";
import { namedOrChosen } from "../choose-key.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import {
  describe,
  findKeys,
  onlyKey,
  parseNaming,
  unnamedKey,
  type KeyNaming,
} from "../key-naming.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { checkLifetime } from "../new-entry.js";
import { noteCommas } from "../comma-note.js";
import { noteIdOnlyPeers, refuseNotBefore } from "../peers.js";
import { soundKeystore } from "../troubled-file.js";
import {
  parseFreeText,
  parseNewId,
  parseRateLimitOption,
  parseScopesOption,
  parseTime,
  parseWorkspacesOption,
  wholeSecond,
  writtenInstant,
} from "../values.js";

/** The options of `keys set`. */
export interface SetOptions {
  /** The new id. */
  readonly id?: string;
  readonly label?: string;
  readonly scopes?: readonly string[];
  readonly expires?: string;
  readonly notBefore?: string;
  readonly rateLimit?: string;
  readonly workspaces?: readonly string[];
  /** Names of fields to remove. */
  readonly unset?: readonly string[];
}

type Fields = ReadonlyMap<string, string | null>;

/** What `--unset` takes, and the field each stands for. */
const UNSETTABLE: ReadonlyMap<string, string> = new Map([
  ["label", "label"],
  ["scopes", "scopes"],
  ["expires", "expires_at"],
  ["expires_at", "expires_at"],
  ["not_before", "not_before"],
  ["rate_limit", "rate_limit"],
  ["workspaces", "workspaces"],
]);

const UNNAMED_HINT = "name the key by its fingerprint (`keys list` shows it); --id is the new id";

/** `keys set`: changes what is said of a key. */
export async function set(
  context: Context,
  options: SetOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const policy = environmentPolicy(context);
  const fields = fieldsOf(options, policy);
  const named = parseNaming(operands, {});
  // Whoever means `--id` to name a key must not be led to give another one away.
  if (named === undefined && options.id !== undefined) throw unnamedKey(UNNAMED_HINT);
  const naming = await namedOrChosen(context, named, "change", isSettable, UNNAMED_HINT);
  const file = keystoreFile(context);
  const { plan, update } = await changeKeys(context, {
    policy,
    action: "set",
    plan: (store) => planSetting(soundKeystore(store, file), naming, fields),
  });
  await noteCommas(context, {
    scopes: fields.get("scopes"),
    workspaces: fields.get("workspaces"),
  });
  const { talk } = context;
  for (const entry of plan.unchanged) {
    await talk.note(`${describe(entry)} is so already; nothing was changed`);
  }
  if (!update.written) return 0;
  for (const entry of plan.changed) {
    const now = update.after.document.keystore?.find(entry.digest) ?? entry;
    await talk.note(`changed ${describe(entry)}: ${differenceText(entry, fields)}`);
    if (now.place === "live" && now.expiresAt !== undefined && now.expiresAt <= policy.nowMs) {
      await talk.warn(`${now.fingerprint} has expired by this: it lets nobody in any more`);
    }
  }
  if (typeof fields.get("expires_at") === "string") await noteIdOnlyPeers(context, policy);
  return 0;
}

function isSettable({ place }: Entry): boolean {
  return place !== "legacy";
}

function planSetting(keystore: Keystore, naming: KeyNaming, fields: Fields): KeyPlan {
  const entry = onlyKey(findKeys(keystore, naming), "that");
  if (!isSettable(entry)) {
    throw new KeysError("key-state", "the legacy api_key has no entry that could be changed", {
      hint: "`keys migrate` makes one",
    });
  }
  const differing = differingFrom(entry, fields);
  if (differing.length === 0) return { changed: [], unchanged: [entry], changes: [] };
  const after = new Map(entry.fields);
  for (const [name, value] of differing) {
    if (value === null) after.delete(name);
    else after.set(name, value);
  }
  checkLifetime(after);
  return {
    changed: [entry],
    unchanged: [],
    changes: [{ kind: "set", digest: entry.digest, fields: new Map(differing) }],
  };
}

/** The fields that an entry does not hold as they are to be. */
function differingFrom(entry: Entry, fields: Fields): readonly [string, string | null][] {
  return [...fields].filter(([name, value]) => (entry.fields.get(name) ?? null) !== value);
}

/** `id user3 → user6, label none → laptop`, in the order in which they were given. */
function differenceText(before: Entry, fields: Fields): string {
  return differingFrom(before, fields)
    .map(([name, value]) => `${name} ${shownValue(before.fields.get(name))} → ${shownValue(value)}`)
    .join(", ");
}

function shownValue(value: string | null | undefined): string {
  if (value === undefined || value === null) return "none";
  return value === "" ? '""' : value;
}

function fieldsOf(options: SetOptions, policy: Policy): Fields {
  const nowMs = wholeSecond(policy.nowMs);
  const fields = new Map<string, string | null>();
  const { id, label, scopes, expires, notBefore, rateLimit, workspaces } = options;
  if (id !== undefined) fields.set("id", parseNewId(id));
  if (label !== undefined) fields.set("label", parseFreeText("--label", label) ?? null);
  if (expires !== undefined) fields.set("expires_at", time("--expires", expires, nowMs));
  if (notBefore !== undefined) {
    const start = time("--not-before", notBefore, nowMs);
    if (start !== null) refuseNotBefore(policy);
    fields.set("not_before", start);
  }
  if (scopes !== undefined) fields.set("scopes", parseScopesOption(scopes));
  if (rateLimit !== undefined) fields.set("rate_limit", parseRateLimitOption(rateLimit));
  if (workspaces !== undefined) fields.set("workspaces", parseWorkspacesOption(workspaces));
  for (const field of (options.unset ?? []).map(parseUnset)) {
    if (typeof fields.get(field) === "string") {
      throw new KeysError("usage", `${field} is both set and unset`, { hint: "leave one out" });
    }
    fields.set(field, null);
  }
  if (fields.size > 0) return fields;
  throw new KeysError("usage", "there is nothing to change", {
    hint: "give --label, --scopes, --expires, --not-before, --rate-limit, --workspaces, --id or --unset",
  });
}

function time(option: string, text: string, nowMs: number): string | null {
  return writtenInstant(parseTime(option, text, nowMs)) ?? null;
}

function parseUnset(name: string): string {
  const field = UNSETTABLE.get(name.toLowerCase().replaceAll("-", "_"));
  if (field !== undefined) return field;
  throw new KeysError("value-invalid", "the value of --unset is no field that can be removed", {
    hint: "label, scopes, expires, not-before, rate-limit or workspaces",
  });
}
