import type { Entry } from "../core/entry.js";
import { isKeysError, KeysError } from "../errors.js";
import { readStore } from "../file/store.js";
import type { Context } from "./context.js";
import {
  describeApart,
  findKeys,
  parseNaming,
  unnamedKey,
  type KeyNaming,
  type NamingOptions,
} from "./key-naming.js";
import { environmentPolicy, keystoreFile } from "./keystore-file.js";
import { askChoice, canPrompt } from "./prompt.js";
import { looksLikeToken } from "./suspicion.js";
import { readableKeystore } from "./troubled-file.js";

/**
 * The key that a command is about: the one that was named, or at a terminal one chosen from a list.
 *
 * @param verb - what is to be done, for the question.
 * @param hint - how a key is named, where that is not as usual.
 * @throws KeysError `usage` where nobody can be asked, `key-not-found` where there is none to offer
 */
export async function namedOrChosen(
  context: Context,
  naming: KeyNaming | undefined,
  verb: string,
  offers: (entry: Entry) => boolean,
  hint?: string,
): Promise<KeyNaming> {
  if (naming !== undefined) return naming;
  if (!canPrompt(context)) throw unnamedKey(hint);
  const file = keystoreFile(context);
  const store = await readStore(file.path, environmentPolicy(context));
  const keystore = readableKeystore(store, file);
  const entries = [...keystore.live(), ...keystore.retired()].filter(offers);
  const names = describeApart(entries);
  const [first, ...others] = entries.map(({ digest }, index) => ({
    name: names[index] ?? digest,
    also: digest,
    value: digest,
  }));
  if (first === undefined) {
    throw new KeysError("key-not-found", `${file.name} holds no key to ${verb}`, {
      hint: "`keys list --state all` shows every key",
    });
  }
  const prefix = await askChoice(context, `Which key to ${verb}?`, [first, ...others]);
  return { by: "prefix", prefix };
}

/**
 * {@link parseNaming}, with a hint for who gives a contributor's id in a fingerprint's place. Only an
 * id that the keystore holds is repeated: any other word may be a secret.
 *
 * @throws KeysError `usage`, `value-invalid`
 */
export async function namingOf(
  context: Context,
  operands: readonly string[],
  options: NamingOptions,
): Promise<KeyNaming | undefined> {
  try {
    return parseNaming(operands, options);
  } catch (error) {
    const [word = ""] = operands;
    if (!isKeysError(error, "value-invalid") || !(await isHeldId(context, word))) throw error;
    throw new KeysError(error.code, error.message, { hint: `did you mean --id ${word}?` });
  }
}

async function isHeldId(context: Context, word: string): Promise<boolean> {
  if (looksLikeToken(word)) return false;
  try {
    const file = keystoreFile(context);
    const store = await readStore(file.path, environmentPolicy(context));
    return findKeys(readableKeystore(store, file), { by: "id", id: word }).length > 0;
  } catch {
    // It is for a hint alone; the command's own error says more.
    return false;
  }
}

/** Offers keys in service. */
export function isInService(entry: Entry): boolean {
  return entry.place !== "retired";
}
