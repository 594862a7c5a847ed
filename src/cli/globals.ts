import type { GlobalOptions } from "./context.js";
import { onceFile, toggle, type OptionSpec, type OptionValues } from "./option.js";

/** The options that every command takes. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  onceFile(
    "--file <path>",
    "the keystore; else KEYS_FILE, else keys.yaml",
    "KEYS_FILE or keys.yaml",
  ),
  toggle("--json", "one JSON document on stdout"),
  toggle("--no-input", "never prompt"),
  toggle("-y, --yes", "confirm without being asked"),
  toggle("--dry-run", "show what would change as a diff; write nothing"),
  toggle("-q, --quiet", "say nothing but errors on stderr"),
  toggle("--no-color", "no colour"),
  toggle("--token-stdin", "take a token that exists, from stdin or a prompt"),
  onceFile("--token-file <path>", "write a new token to a new file, not to stdout", "stdout"),
];

/** What the options of {@link GLOBAL_OPTIONS} came to. */
export function globalsOf(values: OptionValues): GlobalOptions {
  const options = values as Partial<GlobalOptions>;
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

/**
 * The options that every command takes, from a command line that could not be read: errors are told
 * in the form that was asked for.
 */
export function guessGlobals(argv: readonly string[]): GlobalOptions {
  const end = argv.indexOf("--");
  const options = end === -1 ? argv : argv.slice(0, end);
  return globalsOf({
    json: options.some((option) => option === "--json" || option.startsWith("--json=")),
    input: false,
    quiet: options.includes("--quiet"),
    color: !options.includes("--no-color"),
  });
}
