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

/** What other tools call a command, and what it is called here. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ["add", "create"],
  ["new", "create"],
  ["rm", "revoke"],
  ["remove", "revoke"],
  ["delete", "revoke"],
  ["verify", "identify"],
  ["ls", "list"],
]);

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
    case "commander.unknownCommand": {
      const meant = MEANT.get(quoted);
      const isNamed = suggestion !== undefined || meant !== undefined;
      const other = meant === undefined ? undefined : `did you mean ${meant}?`;
      return new KeysError(
        "usage",
        isNamed ? `there is no command ${quoted}` : "there is no such command",
        {
          hint:
            (hint === TOKEN_HINT ? hint : (other ?? hint)) ?? "`keys --help` lists the commands",
        },
      );
    }
    case "commander.unknownOption":
      if (quoted.includes("=") && isSwitch(optionName(quoted))) {
        return new KeysError("usage", `the option ${optionName(quoted)} takes no value`, {
          hint: hint ?? `write ${optionName(quoted)} alone`,
        });
      }
      return unknownOption(optionName(quoted), hint);
    case "commander.optionMissingArgument":
      return new KeysError("usage", `the option ${optionName(quoted)} needs a value`, {
        hint: "`keys help COMMAND` shows what an option takes",
      });
    case "commander.missingArgument":
      return new KeysError("usage", `the command needs an argument: ${quoted.toUpperCase()}`, {
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

function unknownOption(name: string, hint: string | undefined): KeysError {
  const message = name === "" ? "there is no such option here" : `there is no option ${name} here`;
  const version = name === "-v" ? "did you mean -V?" : undefined;
  return new KeysError("usage", message, {
    hint: hint ?? version ?? "`keys help COMMAND` lists a command's options",
  });
}

/** The option's name alone, without a value that may hang on it. */
function optionName(flag: string): string {
  const name = OPTION_NAME.exec(flag)?.[0] ?? "";
  return name.startsWith("--") ? name : name.slice(0, 2);
}
