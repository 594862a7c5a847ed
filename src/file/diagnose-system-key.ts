import { digestOf } from "../core/digest.js";
import type { BlockName } from "./diagnose-row.js";
import type { RootKeys } from "./diagnose-root-keys.js";
import type { Layout } from "./layout.js";
import type { Policy } from "./policy.js";
import type { Report } from "./report.js";

/** The token that a server trusts with everything is nobody's key, in service or out of it. */
export function diagnoseSystemKey(
  pairs: Layout["pairs"],
  offsetOf: (name: BlockName, digest: string) => number | undefined,
  { legacyKey, adminDigest }: RootKeys,
  { systemDigest }: Policy,
  report: Report,
): void {
  if (systemDigest === undefined) return;
  for (const name of ["api_keys", "retired_api_keys"] as const) {
    const offset = offsetOf(name, systemDigest);
    if (offset !== undefined) {
      report.add("system-key-in-keystore", [name, systemDigest], offset);
    }
  }
  const legacy = legacyKey === undefined ? undefined : digestOf(legacyKey);
  const admin = pairs.has("admin_api_key_sha256") ? "admin_api_key_sha256" : "admin_api_key";
  for (const [name, digest] of [
    ["api_key", legacy],
    [admin, adminDigest],
  ] as const) {
    if (digest !== systemDigest) continue;
    report.add("system-key-in-keystore", [name], pairs.get(name)?.key.start ?? 0);
  }
}
