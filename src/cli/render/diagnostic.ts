import { fingerprintOf, isDigest } from "../../core/fingerprint.js";
import type { Diagnostic } from "../../file/diagnostic.js";
import type { Style } from "./style.js";
import { visible } from "./visible.js";

/** A diagnostic, or a file's own error in the same form. */
export type Problem = Omit<Diagnostic, "code"> & { readonly code: string };

/**
 * Diagnostics as text: `path:line:column: error code: message` and a `hint:` line for each. A key
 * goes by its fingerprint.
 */
export function formatDiagnostics(
  name: string,
  diagnostics: readonly Problem[],
  style: Style,
): string {
  return diagnostics.map((diagnostic) => formatDiagnostic(name, diagnostic, style)).join("");
}

function formatDiagnostic(name: string, diagnostic: Problem, style: Style): string {
  const { severity, code, line, column, message, hint } = diagnostic;
  const place = style.bold(`${visible(name)}:${line}:${column}:`);
  const grave = severity === "error" ? style.bad(severity) : style.warn(severity);
  const where = visible(diagnostic.path.map(shortened).join("."));
  const at = where === "" ? "" : style.dim(` (${where})`);
  return `${place} ${grave} ${code}: ${visible(message)}${at}\n  ${style.dim("hint:")} ${visible(hint)}\n`;
}

function shortened(name: string): string {
  return isDigest(name.toLowerCase()) ? fingerprintOf(name) : name;
}

/** How many errors and warnings there are: `2 errors, 1 warning`; empty where there are none. */
export function countProblems(diagnostics: readonly Problem[]): string {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
  return [count(errors, "error"), count(diagnostics.length - errors, "warning")]
    .filter((part) => part !== "")
    .join(", ");
}

function count(number: number, noun: string): string {
  if (number === 0) return "";
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
