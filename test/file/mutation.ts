import fc from "fast-check";

/** One small change of a text; the numbers pick where and what. */
export interface Mutation {
  readonly kind: number;
  readonly at: number;
  readonly pick: number;
}

/** What tempts a reader at any place: marks, white space, line endings, odd characters. */
const PIECES: readonly string[] = [
  ...Array.from(" \t\n\r#:-?,[]{}&*!|>'\"%@`\\~=<.+/0123456789aeEfFnNoOyYxXzZT_"),
  ...Array.from("\u00e9\u0085\u00a0\u2028\u2029\ufeff\u0000\u0007\u007f\u0080\u{1f600}\uffff"),
  ..."\r\n ,: ,:\n, #,# ,- ,-\n,  ,    ,''".split(","),
  '""',
  "\\u0041",
  "\\ud83d",
  "\\x41",
  "\\n",
  "\\\n",
  "\n\n",
  "\n---\n",
  "\n...\n",
  "%YAML 1.1\n",
  "&a ",
  "*a",
  "!!str ",
  "<<: ",
  "? ",
  "null",
  "true",
  "|\n",
  ">-\n",
  " ".repeat(2100),
  `${" ".repeat(70)}# far`,
];

/** Values that some reader takes for no text, or that other rules hang on. */
const VALUES: readonly string[] = [
  ..."~ null no yes on 0123 1e3 1_000 1:30 0x1f 0b1 .5 .inf = << - -1 -x ? :x x: a#b alice".split(
    " ",
  ),
  "",
  '""',
  "''",
  '"a: b # c"',
  "a # b",
  "a: b",
  "two words",
  "{}",
  "[]",
  "{id: alice}",
  "{id: alice,}",
  '{"id":alice}',
  "[1, 2",
  "{a}",
  "[a: b]",
  '"2026-11-22T12:00:00Z"',
  '"2026-11-25T12:00:00Z"',
  '"2026-02-29T12:00:00Z"',
  '"2028-02-29T12:00:00+05:30"',
  '"1969-12-31T23:59:59Z"',
  "2026-11-22T12:00:00Z",
  "2026-11-22",
  '"*"',
  '"a:*  b"',
  "none",
  "60/1m",
  "revoked",
  "gone",
  "'it''s'",
  '"\\"\\\\\\/\\u00e9"',
  '"x" y',
  "x 'y' \"z\"",
  "J\u00fcrgen",
  "|",
  "&a b",
  "*a",
  "!t x",
  `"${"x".repeat(257)}"`,
];

const LINES: readonly string[] = [
  "# a comment",
  "api_keys:",
  "api_keys: {}",
  "retired_api_keys:",
  'api_key: "an old shared secret"',
  "admin_api_key: x",
  "id: zoe",
  "label: x",
  "expires: never",
  "no: x",
  '"on": x',
  "team: platform",
  'expires_at: "2026-12-01T00:00:00Z"',
  'created_at: "2030-12-01T00:00:00Z"',
  'not_before: "2030-12-01T00:00:00Z"',
  "state: revoked",
  "- item",
  "- a: b",
  "-",
  "key:",
  "key: value",
  "key: [a, {b: c}]",
  "a b: c",
  "<<: {a: b}",
  "x",
  '"0000000000000000000000000000000000000000000000000000000000000000":',
  '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08":',
  "",
  "   ",
];

/** Values and lines are changed more often than single characters, which mostly break a text. */
const LAST_KIND = 14;

/** Some mutations, anywhere alike. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.noBias(
  fc.array(fc.record({ kind: fc.nat(LAST_KIND), at: fc.nat(1 << 20), pick: fc.nat(1 << 20) }), {
    minLength: 1,
    maxLength: 2,
  }),
);

/** A text with mutations made to it, one after the other. */
export function mutated(text: string, list: readonly Mutation[]): string {
  return list.reduce(mutate, text);
}

function mutate(text: string, { kind, at, pick }: Mutation): string {
  const offset = at % (text.length + 1);
  const piece = oneOf(PIECES, pick);
  switch (kind) {
    case 0:
      return text.slice(0, offset) + piece + text.slice(offset);
    case 1:
      return text.slice(0, offset) + piece + text.slice(offset + 1);
    case 2:
      return text.slice(0, offset) + text.slice(offset + 1 + (pick % 3));
    default:
      return mutateLines(text, kind, at, pick);
  }
}

function mutateLines(text: string, kind: number, at: number, pick: number): string {
  const lines = text.split(/(?<=\n)/);
  const index = at % Math.max(1, lines.length);
  const line = lines[index] ?? "";
  const ending = /\r?\n?$/.exec(line)?.[0] ?? "";
  const bare = line.slice(0, line.length - ending.length);
  const margin = " ".repeat(pick % 7);
  switch (kind) {
    case 3:
      lines.splice(pick % (lines.length + 1), 0, line);
      break;
    case 4:
      lines.splice(index, 1);
      break;
    case 5:
      lines.splice(index, 2, lines[index + 1] ?? "", line);
      break;
    case 6:
      lines[index] = pick % 2 === 0 ? margin + line : line.replace(/^ {0,3}/, "");
      break;
    case 7:
      lines[index] = bare + oneOf(PIECES, pick) + ending;
      break;
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
      lines[index] = bare.replace(/: .*$|:$/, () => `: ${oneOf(VALUES, pick)}`) + ending;
      break;
    default: {
      const spaces = /^ */.exec(line)?.[0] ?? "";
      const added = oneOf(LINES, pick >> 3);
      lines.splice(index, 0, `${pick % 3 === 0 ? margin : spaces}${added}${ending || "\n"}`);
    }
  }
  return lines.join("");
}

function oneOf(list: readonly string[], pick: number): string {
  return list[pick % list.length] ?? "";
}
