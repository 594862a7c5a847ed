import { Command, CommanderError, Option } from "commander";
import type { CommandSpec } from "./command.js";
import { COMMANDS } from "./commands.js";
import { GLOBAL_OPTIONS, globalsOf } from "./globals.js";
import type { Call, Invocation } from "./invocation.js";
import { takesValue, withValue, type OptionSpec } from "./option.js";
import { usageError } from "./usage-error.js";

/** Where the tree leaves what was called. */
interface Called {
  line?: Pick<Call, "command" | "options" | "operands">;
}

/** How wide help is where the terminal says nothing, and at most, in characters. */
const HELP_WIDTH = 80;
const WIDEST_HELP = 100;

const EXAMPLES: readonly string[] = [
  "keys init                                    a keystore with one key, for its owner",
  "keys create --id alice --expires 90d         a key for a contributor; its token on stdout",
  "keys list                                    who has keys, and when they end",
  "keys revoke c1f29e0ba7d3                     out of service, by fingerprint",
  "keys rotate --id alice --grace 24h           a new token; the old one works for a day",
  "keys validate                                everything that is wrong with the file",
];

/**
 * Reads any command line, with commander: it has an answer to those that are wrong, too.
 *
 * @param width - the terminal's width, for help.
 * @throws KeysError `usage`; `value-invalid` for an option's value that holds a token
 */
export function parseCommandLine(
  argv: readonly string[],
  version: string,
  width: number | undefined,
): Invocation {
  const called: Called = {};
  const printed: string[] = [];
  const complained: string[] = [];
  const program = buildProgram(called, version);
  const helpWidth = Math.min(width ?? HELP_WIDTH, WIDEST_HELP);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => printed.push(text),
      // Help that nobody asked for; errors are told by whoever catches them.
      writeErr: (text) => complained.push(text),
      outputError: () => undefined,
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
    });
  }
  try {
    program.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "text", text: printed.join("") };
    if (error.code === "commander.help") return { kind: "nothing", help: complained.join("") };
    throw usageError(error, argv, (name) => isSwitch(program, name));
  }
  if (called.line === undefined) return { kind: "text", text: printed.join("") };
  return { kind: "command", globals: globalsOf(program.opts()), ...called.line };
}

/** Whether a name is that of an option without a value, of any command. */
function isSwitch(program: Command, name: string): boolean {
  return [program, ...program.commands].some(({ options }) =>
    options.some((option) => option.long === name && !option.required && !option.optional),
  );
}

function buildProgram(called: Called, version: string): Command {
  const program = new Command("keys")
    .description("API keys of contributors and services, kept as digests in a YAML file")
    .usage("[options] <command>")
    .configureHelp({ showGlobalOptions: true })
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .addHelpText("before", examplesText(EXAMPLES));
  for (const spec of GLOBAL_OPTIONS) program.addOption(optionOf(spec));
  program.addHelpText(
    "after",
    "\nExit status: 0 done or valid, 1 could not be done, 2 usage, 3 keystore invalid,\n" +
      "4 not found or ambiguous, 5 token not valid, 130 interrupted",
  );
  for (const spec of COMMANDS) addCommand(program, spec, called);
  program
    .command("help [command]")
    .description("print help for a command")
    .action((name: string | undefined) => {
      if (name === undefined) program.help();
      const command = program.commands.find((candidate) => candidate.name() === name);
      // Parsing the name alone makes commander look for the near one.
      if (command === undefined) program.parse([name ?? ""], { from: "user" });
      else command.help();
    });
  return program;
}

function addCommand(program: Command, spec: CommandSpec, called: Called): void {
  const command = program.command(spec.name).description(spec.summary);
  command.addHelpText("before", examplesText(spec.examples));
  if (spec.after !== undefined) command.addHelpText("after", spec.after);
  for (const { usage, description } of spec.operands ?? []) command.argument(usage, description);
  for (const option of spec.options ?? []) command.addOption(optionOf(option));
  command.action(() => {
    called.line = { command: spec, options: command.opts(), operands: command.args };
  });
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (!takesValue(spec)) return option;
  return option.argParser<unknown>((value, previous) => withValue(spec, value, previous));
}

/** Examples as help begins with them. */
function examplesText(examples: readonly string[]): string {
  return `Examples:\n${examples.map((example) => `  ${example}\n`).join("")}`;
}
