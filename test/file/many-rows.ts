import fc from "fast-check";
import { digestOf } from "../../src/core/digest.js";

/** Settings that are none of ours, some of which could stand last. */
export const OTHERS: readonly (readonly string[])[] = [
  [],
  [],
  [
    "workers: # note",
    "- name: é",
    "  ports: [1, {a: b}] # note",
    "  rest:",
    "-   x",
    "",
    "# behind",
  ],
  ["server:", "   tls:", "      cert: 'it''s'", "", "   # note", "   hosts:", "      - a # note"],
  ["list:", "  - 日本", "  - k:", "    - 1", "    # inside", "# behind"],
  ['"quoted": # note', "flags: {a: 1, b: [x]}", "nothing: ~"],
];

/** Many rows with what people put between them: more than an edit's skeleton keeps. */
export const manyRows: fc.Arbitrary<string> = fc
  .record({
    rows: fc.array(fc.nat(9), { minLength: 1, maxLength: 14 }),
    retired: fc.array(fc.nat(9), { maxLength: 9 }),
    eol: fc.constantFrom("\n", "\r\n"),
    step: fc.integer({ min: 1, max: 4 }),
    bare: fc.boolean(),
    first: fc.boolean(),
    wide: fc.boolean(),
    other: fc.constantFrom(...OTHERS),
  })
  .map(({ rows, retired, eol, step, bare, first, wide, other }) => {
    const live = [
      "api_keys: # who",
      ...rows.flatMap((kind, index) => row(kind, `l${index}`, step)),
    ];
    const gone =
      retired.length === 0
        ? []
        : ["retired_api_keys:", ...retired.flatMap((kind, i) => row(kind, `r${i}`, step, true))];
    const around = [wide ? "title: Schlüssel – 日本 😀" : "title: keys", ...other, ...live];
    const lines = first ? [...gone, ...around, "port: 1"] : [...around, "", ...gone, ...other];
    return lines.join(eol) + (bare ? "" : eol);
  });

function row(kind: number, name: string, step: number, isRetired = false): string[] {
  const [outer, inner] = [" ".repeat(step), " ".repeat(step * 2)];
  const digest = digestOf(name);
  const state = isRetired
    ? [`${inner}state: revoked`, `${inner}retired_at: "2026-11-01T00:00:00Z"`]
    : [];
  const fields = [`${inner}id: ${name}`, ...state];
  switch (kind) {
    case 0:
      return [`${outer}'${digest}': # a note`, ...fields, `${inner}label: "ü # x"  # é`];
    case 1:
      return [
        "# before",
        "",
        `${outer}"${digest}":`,
        `${inner}# inside`,
        ...fields,
        "",
        "  # behind",
      ];
    case 2:
      return isRetired
        ? [`${outer}"${digest}": {id: x, state: expired, retired_at: "2026-11-01T00:00:00Z"}`]
        : [`${outer}"${digest}": {id: x}`];
    case 3:
      return [`${outer}"${digest}":`, ...fields, `${inner}team: platform`];
    case 4:
      return [
        `${outer}"${digest}":`,
        ...fields,
        `${inner}expires_at: "2026-12-0${String((name.length % 9) + 1)}T00:00:00Z"`,
      ];
    default:
      return [`${outer}"${digest}":`, ...fields];
  }
}
