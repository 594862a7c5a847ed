import { digestOf } from "../../core/digest.js";
import { isDigest } from "../../core/fingerprint.js";
import type { Keystore } from "../../core/keystore.js";
import { parseTokenFormat } from "../../core/token.js";
import { isKnownWeak, SHORTEST_TOKEN } from "../../core/weak.js";
import { KeysError } from "../../errors.js";
import type { Policy } from "../../file/policy.js";
import type { Context, GlobalOptions } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { issueKey } from "../issue-key.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { checkLifetime, checkNewDigest, entryFields, mintToken } from "../new-entry.js";
import { noteCommas } from "../comma-note.js";
import { noteIdOnlyPeers, refuseNotBefore } from "../peers.js";
import { askText, canPrompt } from "../prompt.js";
import { readToken } from "../secret-input.js";
import { EMPTY, soundKeystore } from "../troubled-file.js";
import {
  parseDigestOption,
  parseFreeText,
  parseNewId,
  parseRateLimitOption,
  parseScopesOption,
  parseTime,
  parseWorkspacesOption,
  wholeSecond,
  writtenInstant,
} from "../values.js";

/** The options of `keys create`. */
export interface CreateOptions {
  readonly id?: string;
  readonly label?: string;
  readonly scopes?: readonly string[];
  readonly expires?: string;
  readonly notBefore?: string;
  readonly rateLimit?: string;
  readonly workspaces?: readonly string[];
  readonly prefix?: string;
  readonly allowWeak?: boolean;
  readonly digest?: string;
}

/** `keys create`: mints a token, or takes a digest, and stores its digest. */
export async function create(context: Context, options: CreateOptions): Promise<ExitStatus> {
  checkCombination(options, context.globals);
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const values = valuesOf(options, policy);
  const id = await idOf(context, options.id);
  const source = await sourceOf(context, options);
  const { digest, adopted, minted } = source;
  const fields = entryFields({ id, ...values });
  checkLifetime(fields);
  const update = await issueKey(context, {
    file,
    policy,
    action: "create",
    digest,
    token: minted,
    makeFile: true,
    plan(store) {
      const keystore = soundKeystore(store, file, EMPTY);
      if (adopted !== undefined) refuseDigestAsToken(keystore, adopted);
      checkNewDigest(keystore, digest);
      return [{ kind: "add", digest, fields }];
    },
  });
  await noteCommas(context, values);
  if (adopted !== undefined) await noteAdopted(context, adopted);
  if (update.written && values.expires_at !== undefined) await noteIdOnlyPeers(context, policy);
  return 0;
}

/** Options that contradict each other. */
function checkCombination(
  { allowWeak = false, digest, prefix }: CreateOptions,
  { tokenStdin, tokenFile }: GlobalOptions,
): void {
  const given = digest !== undefined || tokenStdin;
  if (digest !== undefined && tokenStdin) {
    throw new KeysError("usage", "--digest and --token-stdin are two ways to say the same", {
      hint: "--digest where only the contributor knows the token, --token-stdin where you do",
    });
  }
  if (given && (prefix !== undefined || tokenFile !== undefined)) {
    const name = prefix === undefined ? "--token-file" : "--prefix";
    throw new KeysError("usage", `${name} is for a token that is minted here`, {
      hint: `leave ${name} out: there is no new token to be shown`,
    });
  }
  if (allowWeak && !tokenStdin) {
    throw new KeysError("usage", "--allow-weak is for a token from --token-stdin", {
      hint: "leave it out: tokens that are minted here are never weak",
    });
  }
}

interface Values {
  readonly label: string | undefined;
  readonly created_at: string;
  readonly expires_at: string | undefined;
  readonly not_before: string | undefined;
  readonly scopes: string | undefined;
  readonly rate_limit: string | undefined;
  readonly workspaces: string | undefined;
}

function valuesOf(options: CreateOptions, policy: Policy): Values {
  const nowMs = wholeSecond(policy.nowMs);
  const { label, expires, notBefore, scopes, rateLimit, workspaces } = options;
  const startMs = given(notBefore, (text) => parseTime("--not-before", text, nowMs));
  if (startMs !== undefined) refuseNotBefore(policy);
  return {
    label: given(label, (text) => parseFreeText("--label", text)),
    created_at: writtenInstant(nowMs) ?? "",
    expires_at: writtenInstant(given(expires, (text) => parseTime("--expires", text, nowMs))),
    not_before: writtenInstant(startMs),
    scopes: given(scopes, parseScopesOption),
    rate_limit: given(rateLimit, parseRateLimitOption),
    workspaces: given(workspaces, parseWorkspacesOption),
  };
}

function given<T, R>(value: T | undefined, read: (value: T) => R): R | undefined {
  return value === undefined ? undefined : read(value);
}

async function idOf(context: Context, id: string | undefined): Promise<string> {
  if (id !== undefined) return parseNewId(id);
  if (!canPrompt(context)) {
    throw new KeysError("usage", "--id is missing: whose key is it to be", {
      hint: "keys create --id NAME",
    });
  }
  return askText(context, "Contributor's id", (text) => {
    try {
      parseNewId(text);
      return undefined;
    } catch (error) {
      return error instanceof KeysError ? (error.hint ?? error.message) : "not an id";
    }
  });
}

interface KeySource {
  readonly digest: string;
  /** The token that exists already, from stdin. */
  readonly adopted?: string;
  /** The token that is minted and has to be shown. */
  readonly minted?: string;
}

async function sourceOf(context: Context, options: CreateOptions): Promise<KeySource> {
  if (options.digest !== undefined) return { digest: parseDigestOption(options.digest) };
  if (!context.globals.tokenStdin) {
    const { token, digest } = mintToken(context.io, options.prefix);
    return { digest, minted: token };
  }
  const token = await readToken(context);
  if (isKnownWeak(token)) {
    throw new KeysError("token-weak", "the token is a value that everybody knows", {
      hint: "mint one: `keys create --id NAME`",
    });
  }
  if (token.length < SHORTEST_TOKEN && options.allowWeak !== true) {
    throw new KeysError("token-weak", `the token is shorter than ${SHORTEST_TOKEN} characters`, {
      hint: "mint one: `keys create --id NAME`; or take it nevertheless with --allow-weak",
    });
  }
  return { digest: digestOf(token), adopted: token };
}

/** A digest of this file given as a token: whoever reads the file would have the key. */
function refuseDigestAsToken(keystore: Keystore, token: string): void {
  const digest = token.toLowerCase();
  if (!isDigest(digest)) return;
  if (keystore.find(digest) === undefined && keystore.adminDigest !== digest) return;
  throw new KeysError("token-weak", "that is a digest of this keystore, not a token", {
    hint: "whoever can read the file knows it: give the token itself, or mint one",
  });
}

async function noteAdopted({ talk }: Context, token: string): Promise<void> {
  if (isDigest(token.toLowerCase())) {
    await talk.warn(
      "the token is 64 hex digits: if it is a digest, purge this key and use --digest instead",
    );
  }
  if (parseTokenFormat(token).checksum === "bad") {
    await talk.warn("the token's checksum is wrong: it may be mistyped");
  }
}
