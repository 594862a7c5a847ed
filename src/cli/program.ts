import { Command, CommanderError } from "commander";
import { addCommands } from "./commands.js";
import type { Context, GlobalOptions } from "./context.js";
import type { ExitStatus } from "./exit-codes.js";
import { examplesText, onceFile } from "./flags.js";
import { usageError } from "./usage-error.js";

/** What a command line asks for. */
export type Invocation =
  | {
      readonly kind: "command";
      readonly globals: GlobalOptions;
      run(context: Context): Promise<ExitStatus>;
    }
  /** Help or the version. */
  | { readonly kind: "text"; readonly text: string }
  /** No command at all: help, but as an answer to a mistake. */
  | { readonly kind: "nothing"; readonly help: string };

/** A command's own part, loaded when it is called. */
export type Load<Options> = () => Promise<
  (context: Context, options: Options, operands: readonly string[]) => Promise<ExitStatus>
>;

/** Where the tree leaves what was called. */
export interface Called {
  run?: (context: Context) => Promise<ExitStatus>;
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
 * Reads a command line.
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
  const { run } = called;
  if (run === undefined) return { kind: "text", text: printed.join("") };
  return { kind: "command", globals: globalsOf(program), run };
}

/**
 * The options that every command takes, from a command line that could not be read: errors are told
 * in the form that was asked for.
 */
export function guessGlobals(argv: readonly string[]): GlobalOptions {
  const end = argv.indexOf("--");
  const options = end === -1 ? argv : argv.slice(0, end);
  return {
    file: undefined,
    json: options.some((option) => option === "--json" || option.startsWith("--json=")),
    input: false,
    yes: false,
    dryRun: false,
    quiet: options.includes("--quiet"),
    color: !options.includes("--no-color"),
    tokenStdin: false,
    tokenFile: undefined,
  };
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
    .addHelpText("before", examplesText(EXAMPLES))
    .addOption(
      onceFile(
        "--file <path>",
        "the keystore; else KEYS_FILE, else keys.yaml",
        "KEYS_FILE or keys.yaml",
      ),
    )
    .option("--json", "one JSON document on stdout")
    .option("--no-input", "never prompt")
    .option("-y, --yes", "confirm without being asked")
    .option("--dry-run", "show what would change as a diff; write nothing")
    .option("-q, --quiet", "say nothing but errors on stderr")
    .option("--no-color", "no colour")
    .option("--token-stdin", "take a token that exists, from stdin or a prompt")
    .addOption(
      onceFile("--token-file <path>", "write a new token to a new file, not to stdout", "stdout"),
    )
    .addHelpText(
      "after",
      "\nExit status: 0 done or valid, 1 could not be done, 2 usage, 3 keystore invalid,\n" +
        "4 not found or ambiguous, 5 token not valid, 130 interrupted",
    );
  addCommands(program, called);
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

function globalsOf(program: Command): GlobalOptions {
  const options = program.opts<Partial<GlobalOptions>>();
  return {
    file: options.file,
    json: options.json ?? false,
    input: options.input ?? true,
    yes: options.yes ?? false,
    dryRun: options.dryRun ?? false,
    quiet: options.quiet ?? false,
    color: options.color ?? true,
    tokenStdin: options.tokenStdin ?? false,
    tokenFile: options.tokenFile,
  };
}
