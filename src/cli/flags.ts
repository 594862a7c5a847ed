import { Option } from "commander";
import { KeysError } from "../errors.js";

/** Examples as help begins with them. */
export function examplesText(examples: readonly string[]): string {
  return `Examples:\n${examples.map((example) => `  ${example}\n`).join("")}`;
}

/** An option with a value that may be given once: the second would silently win. */
export function once(flags: string, description: string): Option {
  return new Option(flags, description).argParser<string | undefined>((value, previous) => {
    if (previous === undefined) return value;
    throw new KeysError("usage", `${flags.split(" ")[0] ?? flags} is given twice`, {
      hint: "give it once",
    });
  });
}

/** An option with a value that may be given several times. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser<readonly string[] | undefined>(
    (value, previous = []) => [...previous, value],
  );
}
