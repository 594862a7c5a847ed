import type { Entry } from "../core/entry.js";
import { KeysError } from "../errors.js";
import { readStore } from "../file/store.js";
import type { Context } from "./context.js";
import { describeEach, unnamedKey, type KeyNaming } from "./key-naming.js";
import { environmentPolicy, keystoreFile } from "./keystore-file.js";
import { askChoice, canPrompt } from "./prompt.js";
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
  if (entries.length === 0) {
    throw new KeysError("key-not-found", `${file.name} holds no key to ${verb}`, {
      hint: "`keys list --state all` shows every key",
    });
  }
  const names = describeEach(entries);
  const prefix = await askChoice(
    context,
    `Which key to ${verb}?`,
    entries.map(({ digest }, index) => ({ name: names[index] ?? digest, value: digest })),
  );
  return { by: "prefix", prefix };
}

/** Offers keys in service. */
export function isInService(entry: Entry): boolean {
  return entry.place !== "retired";
}
