// JSON.stringify leaves these as they are, and some terminals obey U+0080–9F and reorder by the rest.
const UNSAFE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * One JSON document and a line end. Characters that a terminal would obey are escaped, which any
 * reader of JSON undoes.
 *
 * @param indented - for a reader at a terminal; otherwise one line.
 */
export function formatJson(value: unknown, indented: boolean): string {
  const text = JSON.stringify(value, null, indented ? 2 : undefined);
  return `${text.replace(UNSAFE, escape)}\n`;
}

function escape(character: string): string {
  let escaped = "";
  for (let index = 0; index < character.length; index += 1) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
