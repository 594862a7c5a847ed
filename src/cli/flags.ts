import { Option } from "commander";
import { KeysError } from "../errors.js";
import { refuseToken } from "./values.js";

/** Examples as help begins with them. */
export function examplesText(examples: readonly string[]): string {
  return `Examples:\n${examples.map((example) => `  ${example}\n`).join("")}`;
}

/** An option with a value that may be given once: the second would silently win. */
export function once(flags: string, description: string): Option {
  const name = nameOf(flags);
  return new Option(flags, description).argParser<string | undefined>((value, previous) => {
    refuseToken(name, value);
    if (previous === undefined) return value;
    throw new KeysError("usage", `${name} is given twice`, { hint: "give it once" });
  });
}

/** {@link once} of a file's name, which is not empty. */
export function onceFile(flags: string, description: string, without: string): Option {
  const option = once(flags, description);
  const name = nameOf(flags);
  const parse = option.parseArg;
  return option.argParser<string | undefined>((value, previous) => {
    if (value !== "") return parse?.(value, previous);
    throw new KeysError("usage", `${name} is empty`, {
      hint: `name a file, or leave ${name} out for ${without}`,
    });
  });
}

/** An option with a value that may be given several times. */
export function repeatable(flags: string, description: string): Option {
  const name = nameOf(flags);
  return new Option(flags, description).argParser<readonly string[] | undefined>(
    (value, previous = []) => {
      refuseToken(name, value);
      return [...previous, value];
    },
  );
}

function nameOf(flags: string): string {
  return flags.split(" ")[0] ?? flags;
}
