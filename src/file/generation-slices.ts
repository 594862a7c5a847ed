import { setImmediate } from "node:timers/promises";
import type { Keystore } from "../core/keystore.js";
import type { KeystoreDocument } from "./document.js";
import type { Policy } from "./policy.js";
import { readStore, type StoredKeystore } from "./store.js";

/** For how long at a time nothing else is done, in milliseconds. */
const SLICE_MS = 5;

/**
 * Works out a keystore's generation while whatever else the process does goes on: for a million keys
 * it takes longer than a request may wait.
 */
export async function prepareGeneration(keystore: Keystore | undefined): Promise<void> {
  const steps = keystore?.generationSteps?.();
  if (steps === undefined) return;
  let since = performance.now();
  while (steps.next().done !== true) {
    if (performance.now() - since < SLICE_MS) continue;
    await setImmediate();
    since = performance.now();
  }
}

/** {@link readStore} for who serves requests meanwhile: what comes back has its generation. */
export async function readForService(
  path: string,
  policy: Policy,
  known?: KeystoreDocument,
): Promise<StoredKeystore> {
  const store = await readStore(path, policy, known);
  await prepareGeneration(store.document.keystore);
  return store;
}
