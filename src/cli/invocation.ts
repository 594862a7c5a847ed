import type { CommandSpec } from "./command.js";
import type { Context, GlobalOptions } from "./context.js";
import type { ExitStatus } from "./exit-codes.js";
import type { OptionValues } from "./option.js";

/** A command that is called. */
export interface Call {
  readonly kind: "command";
  readonly command: CommandSpec;
  readonly globals: GlobalOptions;
  /** The command's own. */
  readonly options: OptionValues;
  readonly operands: readonly string[];
}

/** What a command line asks for. */
export type Invocation =
  | Call
  /** Help or the version. */
  | { readonly kind: "text"; readonly text: string }
  /** No command at all: help, but as an answer to a mistake. */
  | { readonly kind: "nothing"; readonly help: string };

/** Runs a command that is called. */
export async function runCall(call: Call, context: Context): Promise<ExitStatus> {
  const run = await call.command.load();
  // Both readers of a command line make the options of the very table that names the type.
  return run(context, call.options as never, call.operands);
}
