import { KeysError } from "../errors.js";
import { isLikelyToken } from "./suspicion.js";

/** What commander throws where a command line can't be read. */
export interface CommandLineProblem {
  /** Such as `commander.unknownOption`. */
  readonly code: string;
  readonly message: string;
}

/** Names of options are words; anything else after dashes may hold a value, which may be a secret. */
const OPTION_NAME = /^--?[a-z][a-z-]{0,23}/;
const SUGGESTION = /\(Did you mean (?:one of )?([a-z, -]+)\?\)/;
const QUOTED = /'([^']*)'/;

const TOKEN_HINT =
  "a token goes to stdin and is never an argument: one that was given stands in the shell's history now";

/**
 * Commander's complaint as a KeysError. Nothing of the command line is repeated that could be a
 * token put in the wrong place: only names of options, and words that nearly are a command.
 *
 * @param args - the whole command line, to see whether a token may be on it.
 * @param isSwitch - whether a name is that of an option without a value.
 */
export function usageError(
  problem: CommandLineProblem,
  args: readonly string[],
  isSwitch: (name: string) => boolean,
): KeysError {
  const suggestion = SUGGESTION.exec(problem.message)?.[1];
  const quoted = QUOTED.exec(problem.message)?.[1] ?? "";
  const nearby = suggestion === undefined ? undefined : `did you mean ${suggestion}?`;
  const hint = args.some(isLikelyToken) ? TOKEN_HINT : nearby;
  switch (problem.code) {
    case "commander.unknownCommand":
      return new KeysError(
        "usage",
        suggestion === undefined ? "there is no such command" : `there is no command ${quoted}`,
        { hint: hint ?? "`keys --help` lists the commands" },
      );
    case "commander.unknownOption":
      if (quoted.includes("=") && isSwitch(optionName(quoted))) {
        return new KeysError("usage", `the option ${optionName(quoted)} takes no value`, {
          hint: hint ?? `write ${optionName(quoted)} alone`,
        });
      }
      return new KeysError("usage", `there is no option ${optionName(quoted)} here`, {
        hint: hint ?? "`keys help COMMAND` lists a command's options",
      });
    case "commander.optionMissingArgument":
      return new KeysError("usage", `the option ${optionName(quoted)} needs a value`, {
        hint: "`keys help COMMAND` shows what an option takes",
      });
    case "commander.missingArgument":
      return new KeysError("usage", "the command needs an argument", {
        hint: hint ?? "`keys help COMMAND` shows what it takes",
      });
    case "commander.excessArguments":
      return new KeysError("usage", "there are more arguments than the command takes", {
        hint:
          hint ??
          "`keys help COMMAND` shows what it takes; a contributor is named with --id, a token goes to stdin",
      });
    default:
      return new KeysError("usage", "the command line can't be read", {
        hint: hint ?? "`keys --help` shows how it is written",
      });
  }
}

/** The option's name alone, without a value that may hang on it. */
function optionName(flag: string): string {
  const name = OPTION_NAME.exec(flag)?.[0] ?? "";
  return name.startsWith("--") ? name : name.slice(0, 2);
}
