import type { KeystoreDocument } from "./document.js";
import { prepareGeneration } from "./generation-slices.js";
import type { Policy } from "./policy.js";
import { readStore, type StoredKeystore } from "./store.js";

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
