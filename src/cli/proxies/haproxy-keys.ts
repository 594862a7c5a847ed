import type { Keystore } from "../../core/keystore.js";
import { stateAt } from "../../core/entry.js";
import { KeystoreInvalidError } from "../../file/keystore-invalid.js";
import { reloadedKeystore } from "../../file/load.js";
import { readStore, type StoredKeystore } from "../../file/store.js";
import { fileSignature } from "../../file/watch.js";
import type { Context } from "../context.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { EMPTY, reportProblems, summary, errorsOf } from "../troubled-file.js";

/** A keystore that becomes a map. */
export interface KeysForMap {
  readonly keystore: Keystore;
  /** The file's signature from before it was read, so that nothing later is missed. */
  readonly since: string;
}

/**
 * The keystore for a map, by the rules of a reload: an emptied one is taken, since a map that lets
 * nobody in opens nothing and one that is out of date might.
 *
 * @throws KeystoreInvalidError; KeysError what `readStore` throws.
 */
export async function loadKeysForMap(context: Context): Promise<KeysForMap> {
  const file = keystoreFile(context);
  const since = await fileSignature(file.path);
  const store = await readStore(file.path, environmentPolicy(context));
  const keystore = reloadedKeystore(store);
  if (keystore === undefined) throw refusal(file.name, store);
  await reportProblems(
    context,
    file,
    store.diagnostics.filter(({ code }) => !EMPTY.includes(code)),
  );
  await warnOf(context, keystore);
  return { keystore, since };
}

/** Says what a map leaves open, or closes. */
export async function warnOf({ io, talk }: Context, keystore: Keystore): Promise<void> {
  if (keystore.liveCount === 0) {
    await talk.warn("the keystore is empty: the map lets nobody in until a key is added");
  }
  const now = io.now();
  const limited = [...keystore.live()].filter(
    (entry) =>
      entry.rateLimit !== undefined && entry.rateLimit !== "none" && stateAt(entry, now) === "live",
  ).length;
  if (limited === 0) return;
  await talk.warn(
    `haproxy does not count rate limits: ${limited} live ${limited === 1 ? "key has" : "keys have"} one, and may be used without limit through this map`,
  );
}

function refusal(name: string, store: StoredKeystore): KeystoreInvalidError {
  const errors = errorsOf(store);
  return new KeystoreInvalidError(
    errors,
    `no map is made of ${name}, which is not valid: ${summary(errors)}`,
    "mend what is listed; `keys validate` checks again",
  );
}
