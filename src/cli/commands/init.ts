import { KeysError } from "../../errors.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { issueKey } from "../issue-key.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { entryFields, mintToken } from "../new-entry.js";
import { EMPTY, soundKeystore } from "../troubled-file.js";
import { parseNewId, wholeSecond, writtenInstant } from "../values.js";
import { LEGACY_ID } from "../../core/keystore.js";

/** The options of `keys init`. */
export interface InitOptions {
  readonly id?: string;
  readonly ifMissing?: boolean;
  readonly prefix?: string;
}

/** `keys init`: a keystore with one key, for who runs the service. */
export async function init(context: Context, options: InitOptions): Promise<ExitStatus> {
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const id = parseNewId(options.id ?? LEGACY_ID);
  const { token, digest } = mintToken(context.io, options.prefix);
  const fields = entryFields({
    id,
    created_at: writtenInstant(wholeSecond(policy.nowMs)) ?? "",
  });
  const update = await issueKey(context, {
    file,
    policy,
    action: "init",
    digest,
    token,
    makeFile: true,
    banner: "save this now: it is shown only once, and stored nowhere",
    plan(store) {
      const keystore = soundKeystore(store, file, EMPTY);
      if (keystore.liveCount === 0) return [{ kind: "add", digest, fields }];
      if (options.ifMissing === true) return [];
      throw new KeysError("already-exists", `${file.name} holds a live key already`, {
        hint: "`keys create --id NAME` adds another; with --if-missing, init does nothing here",
      });
    },
  });
  if (update.written || context.globals.dryRun) return 0;
  await context.talk.note(`${file.name} holds a live key already; nothing was changed`);
  if (context.globals.json) await context.printJson({ changed: false, file: file.name });
  return 0;
}
