import type { Io, Output } from "../io.js";

/** How text is set off at a terminal; every function gives the text back where colour is off. */
export interface Style {
  readonly bad: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

function plain(text: string): string {
  return text;
}

/** No colour at all. */
export const PLAIN: Style = { bad: plain, good: plain, warn: plain, dim: plain, bold: plain };

/**
 * Whether one stream gets colour: `--no-color` before `FORCE_COLOR` (any value but `0` and
 * `false`) before `NO_COLOR` (any value but an empty one) before `TERM=dumb` and what the stream is.
 */
export function wantsColour(output: Output, env: Io["env"], flag: boolean): boolean {
  if (!flag) return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  const off = env["NO_COLOR"];
  if (off !== undefined && off !== "") return false;
  return output.isTTY && env["TERM"] !== "dumb";
}

/** Loads chalk, with the sixteen colours that every terminal has in its own palette. */
export async function loadStyle(colour: boolean): Promise<Style> {
  if (!colour) return PLAIN;
  const { Chalk } = await import("chalk");
  const chalk = new Chalk({ level: 1 });
  return {
    bad: (text) => chalk.red(text),
    good: (text) => chalk.green(text),
    warn: (text) => chalk.yellow(text),
    dim: (text) => chalk.dim(text),
    bold: (text) => chalk.bold(text),
  };
}
