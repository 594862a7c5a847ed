import { bufferOf } from "./octets.js";
import { diagnose } from "./diagnose.js";
import { composeKeystore, type KeystoreDocument } from "./document.js";
import type { Policy } from "./policy.js";
import { scanTree } from "./scan/tree.js";

/**
 * Reads the few octets that an edit is worked out on: as `composeKeystore` does, but where the scanner
 * understands them without the `yaml` library, which takes longer to load than all else an edit does.
 */
export function readSkeleton(bytes: Uint8Array, policy: Policy): KeystoreDocument {
  const root = scanTree(bytes);
  if (root === undefined) return composeKeystore(bytes, policy);
  const text = bufferOf(bytes).toString();
  const diagnosis = diagnose(text, policy, { problems: [], root });
  return { text, bytes, pairs: diagnosis.layout?.pairs, ...diagnosis };
}
