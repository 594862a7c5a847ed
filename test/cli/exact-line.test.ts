import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { parseExactly } from "../../src/cli/exact-line.js";
import { GLOBAL_OPTIONS } from "../../src/cli/globals.js";
import type { Invocation } from "../../src/cli/invocation.js";
import { longOf, shortOf, takesValue, type OptionSpec } from "../../src/cli/option.js";
import { parseCommandLine } from "../../src/cli/program.js";

const VALUES = ["alice", "90d", "a b", "a=b", "-", "--", "", "-5", "--json", "--id", "create", "é"];
const JUNK = ["--help", "-h", "-V", "-yq", "help", "nothing", "--no", "--nothing", "--i", "-x"];

/** What commander makes of a line; undefined where it finds it wrong. */
function byCommander(argv: readonly string[]): Invocation | undefined {
  try {
    return parseCommandLine(argv, "0.0.0", 80);
  } catch {
    return undefined;
  }
}

function names({ flags }: OptionSpec): string[] {
  return [longOf(flags), shortOf(flags) ?? longOf(flags)];
}

/** An option as it may be given, with a value where it takes one, and where it takes none. */
function given(specs: readonly OptionSpec[]): fc.Arbitrary<string[]> {
  const value = fc.oneof(fc.constantFrom(...VALUES), fc.string({ maxLength: 6 }));
  return fc.tuple(fc.constantFrom(...specs), fc.nat(1), value, fc.nat(9)).map((drawn) => {
    const [spec, which, text, form] = drawn;
    const name = names(spec)[which] ?? "";
    if (form === 0) return [name];
    if (form <= 2) return [`${name}=${text}`];
    return takesValue(spec) ? [name, text] : [name];
  });
}

function anyLine(): fc.Arbitrary<string[]> {
  return fc
    .tuple(fc.constantFrom(...COMMANDS), fc.constantFrom(...COMMANDS))
    .chain(([command, other]) =>
      fc.tuple(
        fc.array(given(GLOBAL_OPTIONS), { maxLength: 1 }),
        fc.constant([[command.name]]),
        fc.array(
          fc.oneof(
            { weight: 4, arbitrary: given([...(command.options ?? []), ...GLOBAL_OPTIONS]) },
            { weight: 2, arbitrary: fc.constantFrom(...VALUES).map((word) => [word]) },
            { weight: 1, arbitrary: fc.constantFrom(...JUNK).map((word) => [word]) },
            { weight: 1, arbitrary: given([...(other.options ?? []), ...GLOBAL_OPTIONS]) },
          ),
          { maxLength: 4 },
        ),
      ),
    )
    .map((parts) => parts.flat(2));
}

/** A line with each option once, and as many operands as the command has names for. */
function fullLines(): { name: string; argv: string[] }[] {
  return COMMANDS.map(({ name, options = [], operands = [] }) => ({
    name,
    argv: [
      name,
      ...operands.map((_, index) => `operand${index}`),
      ...[...options, ...GLOBAL_OPTIONS].flatMap((spec) =>
        takesValue(spec) ? [longOf(spec.flags), `of ${spec.flags}`] : [longOf(spec.flags)],
      ),
    ],
  }));
}

describe("the exact reader of a command line", () => {
  it.each(fullLines())("reads a line with every option of $name as commander does", ({ argv }) => {
    const call = parseExactly(argv);

    expect(call).toBeDefined();
    expect(call).toEqual(byCommander(argv));
  });

  it.each(COMMANDS)("reads $name alone as commander does, or leaves it", ({ name }) => {
    const call = parseExactly([name]);

    expect(call ?? byCommander([name])).toEqual(byCommander([name]));
  });

  it("reads any line as commander does, or leaves it", () => {
    let read = 0;
    fc.assert(
      fc.property(anyLine(), (argv) => {
        const call = parseExactly(argv);
        if (call === undefined) return;
        read += 1;
        expect(call).toEqual(byCommander(argv));
      }),
      { numRuns: 3000 },
    );

    expect(read).toBeGreaterThan(300);
  });

  it.each([
    { argv: [] },
    { argv: ["list", "--"] },
    { argv: ["list", "--help"] },
    { argv: ["list", "alice"] },
    { argv: ["list", "--id"] },
    { argv: ["list", "--id", "a", "--id", "b"] },
    { argv: ["list", "--json=yes"] },
    { argv: ["list", "--file", ""] },
    { argv: ["list", "-qy"] },
    { argv: ["--id", "alice", "list"] },
    // To commander the key is one more value of --wait.
    { argv: ["revoke", "--wait", "http://a:1", "--quiet", "c1f29e0ba7d3"] },
    { argv: ["help", "list"] },
    { argv: ["lists"] },
  ])("leaves $argv to commander", ({ argv }) => {
    expect(parseExactly(argv)).toBeUndefined();
  });
});
