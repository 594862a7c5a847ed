import { digestOf } from "../../core/digest.js";
import { fingerprintOf, isDigest } from "../../core/fingerprint.js";
import { stateAt, type Entry, type KeyState } from "../../core/entry.js";
import type { Keystore } from "../../core/keystore.js";
import { parseTokenFormat, type TokenFormat } from "../../core/token.js";
import { NO_REQUIREMENT, verifyDigest, type RefusalReason } from "../../core/verify.js";
import { readStore } from "../../file/store.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { describe } from "../key-naming.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import type { Style } from "../render/style.js";
import { visible } from "../render/visible.js";
import { readToken } from "../secret-input.js";
import { readableKeystore, reportProblems } from "../troubled-file.js";

/** Why a token is refused: what the one verdict says, or what was mixed up before it. */
type Reason = RefusalReason | "digest-as-token" | "token-as-digest" | "admin-key";

/** What `identify` gives in JSON. */
interface Identification {
  readonly fingerprint: string;
  readonly format: TokenFormat;
  readonly known: boolean;
  readonly id: string | null;
  readonly state: KeyState | null;
  readonly valid: boolean;
  readonly reason: Reason | null;
}

const SENTENCES: Readonly<Record<Reason, string>> = {
  "no-credential": "there is no token",
  malformed: "the token can't be read",
  unknown: "no key of this keystore has this token",
  revoked: "its key is revoked",
  disabled: "its key is disabled; `keys enable` brings it back",
  expired: "its key has expired",
  rotated: "its key was rotated: another token has taken its place",
  faulty: "its entry has errors, so it lets nobody in",
  "not-yet-valid": "its key is not valid yet",
  "scope-missing": "its key lacks a scope",
  "workspace-denied": "its key is bound to other workspaces",
  "digest-as-token": "this is a digest of the keystore, not a token: send the token itself",
  "token-as-digest":
    "this token stands in the keystore as if it were a digest: it is compromised, issue a new key",
  "admin-key": "this is the admin key, which is never a contributor's",
};

/** `keys identify`: what a token is, whose, and why it would be refused. */
export async function identify(context: Context): Promise<ExitStatus> {
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const store = await readStore(file.path, policy);
  const keystore = readableKeystore(store, file);
  const token = await readToken(context);
  await reportProblems(context, file, store.diagnostics);

  const digest = digestOf(token);
  const verdict = verifyDigest(keystore, digest, NO_REQUIREMENT, policy.nowMs);
  const entry = keystore.find(digest);
  const reason = verdict.ok
    ? null
    : verdict.reason === "unknown"
      ? mixUp(keystore, store.document.misplaced, token)
      : verdict.reason;
  const found: Identification = {
    fingerprint: fingerprintOf(digest),
    format: parseTokenFormat(token),
    known: entry !== undefined,
    id: entry?.id ?? null,
    state: entry === undefined ? null : stateAt(entry, policy.nowMs),
    valid: verdict.ok,
    reason,
  };
  if (context.globals.json) await context.printJson(found);
  else await context.print(formatFound(found, entry, await context.style("stdout")));
  return verdict.ok ? 0 : 5;
}

function mixUp(keystore: Keystore, misplaced: ReadonlySet<string>, token: string): Reason {
  const asDigest = token.toLowerCase();
  if (isDigest(asDigest)) {
    if (keystore.find(asDigest) !== undefined) return "digest-as-token";
    if (keystore.adminDigest === asDigest) return "digest-as-token";
  }
  const digest = digestOf(token);
  if (misplaced.has(digest)) return "token-as-digest";
  return keystore.adminDigest === digest ? "admin-key" : "unknown";
}

function formatFound(found: Identification, entry: Entry | undefined, style: Style): string {
  const { format, reason } = found;
  const checksum = {
    ok: "a token minted by keys, its checksum is right",
    bad: "like a token minted by keys, but its checksum is wrong: mistyped?",
    none: "not one that keys mints",
  };
  const form = format.prefix === null ? "" : ` (prefix ${format.prefix})`;
  const verdict =
    reason === null ? style.good("valid") : `${style.bad("not valid")}: ${SENTENCES[reason]}`;
  const rows = [
    ["fingerprint", found.fingerprint],
    ["form", `${checksum[format.checksum]}${form}`],
    ["key", entry === undefined ? "none" : visible(describe(entry))],
    ["state", found.state ?? "-"],
    ["verdict", verdict],
  ];
  return rows.map(([name = "", value = ""]) => `${style.dim(name.padEnd(13))}${value}\n`).join("");
}
