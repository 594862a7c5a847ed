import type { Keystore } from "../core/keystore.js";

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
    await new Promise((resolve) => setImmediate(resolve));
    since = performance.now();
  }
}
