const PLAIN_ID = /^[A-Za-z][A-Za-z0-9._@+-]*$/;

// What JSON leaves as it is and some YAML reader would fold, drop or refuse.
const TO_ESCAPE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A text in double quotes that every YAML reader reads back as that same text. */
export function formatQuoted(text: string): string {
  return JSON.stringify(text).replace(
    TO_ESCAPE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * A field's value as it is written: an id without quotes where it is text to every reader so, all
 * else in double quotes.
 */
export function formatFieldValue(
  name: string,
  text: string,
  isPlainString: (text: string) => boolean,
): string {
  const plain = name === "id" && PLAIN_ID.test(text) && isPlainString(text);
  return plain ? text : formatQuoted(text);
}

/** A field's name as it is written. */
export function formatFieldName(name: string): string {
  return /^[a-z]+(?:_[a-z]+)*$/.test(name) ? name : formatQuoted(name);
}
