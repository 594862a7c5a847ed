import type { Context } from "./context.js";
import type { ExitStatus } from "./exit-codes.js";
import type { OptionSpec } from "./option.js";

/** What a command takes besides options. */
export interface OperandSpec {
  /** `[key]`, `<url>`, or `[file...]` for any number. */
  readonly usage: string;
  readonly description: string;
}

/** A command's own part, loaded when it is called. */
export type Load<Options> = () => Promise<
  (context: Context, options: Options, operands: readonly string[]) => Promise<ExitStatus>
>;

/** One command, as the table of commands holds it. */
export interface CommandSpec<Options = never> {
  readonly name: string;
  readonly summary: string;
  /** Lines that help begins with. */
  readonly examples: readonly string[];
  readonly operands?: readonly OperandSpec[];
  readonly options?: readonly OptionSpec[];
  /** What help ends with. */
  readonly after?: string;
  /** True for what may stay and do several things at once. */
  readonly stays?: true;
  readonly load: Load<Options>;
}
