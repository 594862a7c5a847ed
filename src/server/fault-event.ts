import { systemCode } from "../errors.js";
import type { ServerEvent } from "./server-event.js";

/**
 * The event of what was not foreseen. Its kind and its place are told: its message might hold
 * anything.
 */
export function faultEvent(message: string, error: unknown): ServerEvent {
  const kind = error instanceof Error ? error.name : typeof error;
  const stack = error instanceof Error ? error.stack : undefined;
  const at = stack?.split("\n").find((line) => line.startsWith("    at "));
  const details = { kind, code: systemCode(error) ?? null, at: at?.trim() ?? null };
  return { level: "error", event: "fault", message, details };
}
