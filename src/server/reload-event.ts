import type { Diagnostic } from "../file/diagnostic.js";
import type { ReloadOutcome } from "./keystore-state.js";
import type { ServerEvent } from "./server-event.js";
import type { Snapshot } from "./snapshot.js";

/** Most diagnostics in one line of the log. */
const MOST_DIAGNOSTICS = 50;

/** What the log says of a reload. `snapshot` is what is in force after it. */
export function reloadEvent(outcome: ReloadOutcome, snapshot: Snapshot): ServerEvent {
  const { generation, keystore } = snapshot;
  const inForce = { generation, live: keystore.liveCount, degraded: outcome.degraded };
  if (!outcome.applied) {
    return {
      level: "error",
      event: "keystore-refused",
      message: `the keystore was not reloaded, the last good one stays in force: ${
        outcome.error ?? "the file is not valid"
      }`,
      details: { ...inForce, ...listed(outcome.diagnostics) },
    };
  }
  if (keystore.liveCount === 0) {
    return {
      level: "warning",
      event: "keystore-emptied",
      message: "the keystore was reloaded and is empty: every request gets 401",
      details: inForce,
    };
  }
  return {
    level: "info",
    event: "keystore-loaded",
    message: "the keystore was reloaded",
    details: inForce,
  };
}

function listed(diagnostics: readonly Diagnostic[]): Readonly<Record<string, unknown>> {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return {};
  return {
    errors: errors.length,
    diagnostics: errors
      .slice(0, MOST_DIAGNOSTICS)
      .map(({ code, path, line, column, message }) => ({ code, path, line, column, message })),
  };
}
