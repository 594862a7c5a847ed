import { KeysError } from "../errors.js";
import { refuseToken } from "./refuse-token.js";

/**
 * What an option does with what follows it:
 * - `value`: takes one value, once;
 * - `file`: the same, of a file's name, which is not empty;
 * - `list`: takes one value each time it is given;
 * - `switch`: takes none and is true where it is given;
 * - `off`: takes none; a name `--no-x` makes `x`, else true, false.
 */
export type OptionKind = "value" | "file" | "list" | "switch" | "off";

/** One option, as the table of commands holds it. */
export interface OptionSpec {
  /** As help shows it: `--id <name>`, `-y, --yes`. */
  readonly flags: string;
  readonly description: string;
  readonly kind: OptionKind;
  /** What holds without it, for the hint on an empty file's name. */
  readonly without?: string;
}

/** What a command's options came to, by {@link attributeOf} each. */
export type OptionValues = Record<string, unknown>;

/** An option with a value that may be given once: the second would silently win. */
export function once(flags: string, description: string): OptionSpec {
  return { flags, description, kind: "value" };
}

/** {@link once} of a file's name, which is not empty. */
export function onceFile(flags: string, description: string, without: string): OptionSpec {
  return { flags, description, kind: "file", without };
}

/** An option with a value that may be given several times. */
export function repeatable(flags: string, description: string): OptionSpec {
  return { flags, description, kind: "list" };
}

/** An option without a value; `--no-x` turns off what else is on. */
export function toggle(flags: string, description: string): OptionSpec {
  return { flags, description, kind: longOf(flags).startsWith("--no-") ? "off" : "switch" };
}

/** The long name: `--id` of `--id <name>`, `--yes` of `-y, --yes`. */
export function longOf(flags: string): string {
  const start = flags.indexOf("--");
  const end = flags.indexOf(" ", start);
  return end === -1 ? flags.slice(start) : flags.slice(start, end);
}

/** The short name, `-y` of `-y, --yes`; undefined where there is none. */
export function shortOf(flags: string): string | undefined {
  return flags.startsWith("--") ? undefined : flags.slice(0, 2);
}

/** The name under which its value is found: `ifMissing` of `--if-missing`, `color` of `--no-color`. */
export function attributeOf({ flags, kind }: OptionSpec): string {
  const name = longOf(flags).slice(kind === "off" ? 5 : 2);
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether it takes a value. */
export function takesValue({ kind }: OptionSpec): boolean {
  return kind === "value" || kind === "file" || kind === "list";
}

/**
 * What an option holds once one more value is given.
 *
 * @throws KeysError `usage`; `value-invalid` for a value that holds a token
 */
export function withValue(
  { flags, kind, without }: OptionSpec,
  value: string,
  previous: unknown,
): unknown {
  const name = longOf(flags);
  if (kind === "file" && value === "") {
    throw new KeysError("usage", `${name} is empty`, {
      hint: `name a file, or leave ${name} out for ${without ?? "none"}`,
    });
  }
  refuseToken(name, value);
  if (kind === "list") return [...((previous as readonly string[] | undefined) ?? []), value];
  if (previous === undefined) return value;
  throw new KeysError("usage", `${name} is given twice`, { hint: "give it once" });
}
