import fc from "fast-check";
import { digestOf } from "../../src/core/digest.js";

/** A keystore as an operator might have written it, with the keys that stand in it. */
export interface WrittenKeystore {
  readonly text: string;
  /** Fields of each live key, by digest. */
  readonly live: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

interface Layout {
  readonly eol: "\n" | "\r\n";
  readonly bom: boolean;
  readonly finalEol: boolean;
  readonly step: number;
  readonly form: "block" | "flow" | "flow lines" | "json" | "json lines";
  readonly comments: boolean;
  readonly trailingComma: boolean;
}

const layouts: fc.Arbitrary<Layout> = fc.record({
  eol: fc.constantFrom("\n", "\r\n"),
  bom: fc.boolean(),
  finalEol: fc.boolean(),
  step: fc.integer({ min: 1, max: 6 }),
  form: fc.constantFrom("block", "block", "block", "flow", "flow lines", "json", "json lines"),
  comments: fc.boolean(),
  trailingComma: fc.boolean(),
});

/** Texts that tempt a reader: non-strings, quotes, comments, breaks, other alphabets. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("no", "0123", "1e3", "2026-11-22", "~", "=", "<<", "y", "1:30", "a: b", "- x"),
  fc.constantFrom(
    "# c",
    "a #b",
    '"q"',
    "it's",
    "{x}",
    "[y]",
    "*a",
    "&b",
    "!t",
    "%d",
    "|",
    ">",
    "@",
  ),
  fc.constantFrom("\u2028", "\u2029 x", "é", "日本", "😀", "a\\b", " lead", "trail ", "\ufeff"),
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => !/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(text)),
);

const ids: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("alice", "bob", "no", "true", "0123", "1e3", "a@example.com", "x:y"),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@+:-]{0,20}$/),
);

/** Fields as `create` gives them. */
export const newFields: fc.Arbitrary<ReadonlyMap<string, string>> = fc
  .record(
    {
      id: ids,
      label: texts,
      created_at: fc.constant("2026-11-22T10:00:00Z"),
      expires_at: fc.constant("2027-11-22T10:00:00Z"),
      scopes: fc.constantFrom("a", "a:* b", "*"),
      rate_limit: fc.constantFrom("60/1m", "none"),
    },
    { requiredKeys: ["id"] },
  )
  .map((fields) => new Map(Object.entries(fields)));

const settings: fc.Arbitrary<readonly [string, string]> = fc.constantFrom(
  ["port", "8000"],
  ["name", '"a # b"'],
  ["anchors", "&base { a: 1 }"],
  ["list", "[1, two, {three: 3}]"],
  ["secret", "'it''s'"],
  ["nothing", "~"],
);

/** Documents with some live keys in any of the forms people write. */
export const keystores: fc.Arbitrary<WrittenKeystore> = fc
  .tuple(
    layouts,
    fc.array(fc.tuple(newFields, fc.boolean()), { maxLength: 5 }),
    fc.uniqueArray(settings, { selector: ([name]) => name, maxLength: 4 }),
    fc.nat(4),
    fc.nat(),
  )
  .map(([layout, entries, around, position, seed]) => {
    const live = new Map<string, ReadonlyMap<string, string>>();
    for (const [index, [fields]] of entries.entries()) {
      live.set(digestOf(`${String(seed)}-${String(index)}`), fields);
    }
    const flows = entries.map(([, flow]) => flow);
    return { text: write(layout, live, flows, around, position), live };
  });

function write(
  layout: Layout,
  live: ReadonlyMap<string, ReadonlyMap<string, string>>,
  flows: readonly boolean[],
  around: readonly (readonly [string, string])[],
  position: number,
): string {
  const lines = layout.form.startsWith("json")
    ? writeJson(layout, live, around, position)
    : writeYaml(layout, live, flows, around, position);
  const text = lines.join(layout.eol) + (layout.finalEol ? layout.eol : "");
  return (layout.bom ? "\ufeff" : "") + text;
}

function writeJson(
  { form, step, trailingComma }: Layout,
  live: ReadonlyMap<string, ReadonlyMap<string, string>>,
  around: readonly (readonly [string, string])[],
  position: number,
): string[] {
  const pairs = around.map(([name]) => `"${name}": 1`);
  const rows = [...live].map(([digest, fields]) => `"${digest}": ${flow(fields)}`);
  const comma = trailingComma ? "," : "";
  if (form === "json") {
    const tail = rows.length > 0 ? comma : "";
    pairs.splice(position, 0, `"api_keys": {${rows.join(", ")}${tail}}`);
    return [`{${pairs.join(", ")}${comma}}`];
  }
  const margin = " ".repeat(step);
  const inner = rows.map((row, index) => {
    return `${margin}${margin}${row}${index < rows.length - 1 ? "," : comma}`;
  });
  pairs.splice(position, 0, ['"api_keys": {', ...inner, `${margin}}`].join("\n"));
  const all = pairs.map((pair, index) => margin + pair + (index < pairs.length - 1 ? "," : comma));
  return ["{", ...all.join("\n").split("\n"), "}"];
}

function writeYaml(
  { form, step, comments, trailingComma }: Layout,
  live: ReadonlyMap<string, ReadonlyMap<string, string>>,
  flows: readonly boolean[],
  around: readonly (readonly [string, string])[],
  position: number,
): string[] {
  const margin = " ".repeat(step);
  const note = comments ? " # note" : "";
  const block: string[] = [];
  const rows = [...live];
  if (rows.length === 0) {
    block.push(`api_keys: {}${note}`);
  } else if (form === "flow") {
    const inner = rows.map(([digest, fields]) => `"${digest}": ${flow(fields)}`).join(", ");
    block.push(`api_keys: {${inner}${trailingComma ? "," : ""}}${note}`);
  } else if (form === "flow lines") {
    const last = rows.length - 1;
    block.push(`api_keys: {${note}`);
    for (const [index, [digest, fields]] of rows.entries()) {
      const comma = index < last || trailingComma ? "," : "";
      block.push(`${margin}"${digest}": ${flow(fields)}${comma}${note}`);
    }
    block.push(`${margin}}`);
  } else {
    block.push(`api_keys:${note}`);
    for (const [index, [digest, fields]] of rows.entries()) {
      if (comments) block.push(`${margin}# who`);
      if (flows[index] === true) {
        block.push(`${margin}"${digest}": ${flow(fields)}${note}`);
        continue;
      }
      block.push(`${margin}"${digest}":${note}`);
      for (const [name, value] of fields) {
        block.push(`${margin}${margin}${name}: ${quoted(value)}${note}`);
      }
      if (comments) block.push(`${margin}${margin}# end`, "");
    }
  }
  const sections = around.map(([name, value]) => [`${name}: ${value}${note}`]);
  sections.splice(position, 0, block);
  return [...(comments ? ["# head", ""] : []), ...sections.flat(), ...(comments ? ["# tail"] : [])];
}

function flow(fields: ReadonlyMap<string, string>): string {
  const inner = [...fields].map(([name, value]) => `"${name}": ${quoted(value)}`);
  return `{${inner.join(", ")}}`;
}

/** In double quotes; what readers would fold or drop is escaped. */
function quoted(value: string): string {
  return JSON.stringify(value).replace(
    /[\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
}
