import type { CommandSpec } from "./command.js";
import { COMMANDS } from "./commands.js";
import { GLOBAL_OPTIONS, globalsOf } from "./globals.js";
import type { Call } from "./invocation.js";
import {
  attributeOf,
  longOf,
  shortOf,
  takesValue,
  withValue,
  type OptionSpec,
  type OptionValues,
} from "./option.js";

/**
 * Reads a command line that is plainly right, without loading commander: a command of the table,
 * options by their whole names with values that begin with no dash, operands as many as it takes.
 * For anything else, wrong or only unusual, it is undefined, and commander is asked.
 *
 * What it does read, it reads as commander would: `test/cli/exact-line.test.ts`.
 */
export function parseExactly(argv: readonly string[]): Call | undefined {
  let command: CommandSpec | undefined;
  const globals = initialValues(GLOBAL_OPTIONS);
  let options: OptionValues = {};
  const operands: string[] = [];
  let hasVariadic = false;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (!word.startsWith("-") || word === "-") {
      if (word === "") return undefined;
      if (command !== undefined) {
        // Commander takes the program's own options out first: to it, this word may stand behind
        // the variadic option's last value, and be one more.
        if (hasVariadic) return undefined;
        operands.push(word);
        continue;
      }
      command = COMMANDS.find(({ name }) => name === word);
      if (command === undefined) return undefined;
      options = initialValues(command.options);
      continue;
    }
    const [name, attached] = split(word);
    const global = find(GLOBAL_OPTIONS, name);
    const spec = global ?? find(command?.options, name);
    if (spec === undefined) return undefined;
    let value: string | undefined;
    if (takesValue(spec)) {
      value = attached;
      if (value === undefined) {
        at += 1;
        value = argv[at];
      }
      if (value === undefined || value === "" || value.startsWith("-")) return undefined;
    } else if (attached !== undefined) {
      return undefined;
    }
    const values = global === undefined ? options : globals;
    if (!take(spec, value, values)) return undefined;
    if (attached !== undefined || !spec.flags.endsWith("...>")) continue;
    hasVariadic = true;
    // Every word that follows is one more value, up to the next option.
    for (let next = argv[at + 1]; next !== undefined; next = argv[at + 1]) {
      if (next === "" || next === "-") return undefined;
      if (next.startsWith("-")) break;
      if (!take(spec, next, values)) return undefined;
      at += 1;
    }
  }
  if (command === undefined || !fits(command, operands.length)) return undefined;
  return { kind: "command", command, globals: globalsOf(globals), options, operands };
}

/** Whether a command line asks for the version and nothing else. */
export function asksForVersion(argv: readonly string[]): boolean {
  return argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V");
}

function initialValues(specs: readonly OptionSpec[] = []): OptionValues {
  const values: OptionValues = {};
  for (const spec of specs) if (spec.kind === "off") values[attributeOf(spec)] = true;
  return values;
}

/** The name and the value of `--name=value`; of a short option nothing is split. */
function split(word: string): [name: string, value: string | undefined] {
  const at = word.startsWith("--") ? word.indexOf("=") : -1;
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function find(specs: readonly OptionSpec[] = [], name: string): OptionSpec | undefined {
  return specs.find(({ flags }) => longOf(flags) === name || shortOf(flags) === name);
}

/** Keeps what an option was given; false where that is an error, for commander to find again. */
function take(spec: OptionSpec, value: string | undefined, values: OptionValues): boolean {
  const name = attributeOf(spec);
  if (value === undefined) {
    values[name] = spec.kind !== "off";
    return true;
  }
  try {
    values[name] = withValue(spec, value, values[name]);
    return true;
  } catch {
    return false;
  }
}

/** Whether a command takes that many operands. */
function fits({ operands = [] }: CommandSpec, count: number): boolean {
  const least = operands.filter(({ usage }) => usage.startsWith("<")).length;
  const isOpen = operands.some(({ usage }) => usage.includes("..."));
  return count >= least && (isOpen || count <= operands.length);
}
