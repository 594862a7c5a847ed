/** Longest id, label or reason, in code points. */
const TEXT_LENGTH = 256;

const PORTABLE_ID = /^[A-Za-z0-9][A-Za-z0-9._@+:-]*$/;
// U+0000–1F and U+007F–9F are what KEYSTORE.md calls control characters.
// eslint-disable-next-line no-control-regex -- finding control characters is what this is for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

const RESERVED: ReadonlySet<string> = new Set(["system", "anonymous"]);

/** What is wrong with a contributor's id, by diagnostic code; undefined where nothing is. */
export function idProblem(
  id: string,
): "id-blank" | "id-too-long" | "id-control-character" | undefined {
  if (hasControlCharacter(id)) return "id-control-character";
  if (id.trim() === "") return "id-blank";
  return isTooLong(id) ? "id-too-long" : undefined;
}

/** Whether `create` accepts an id: `[A-Za-z0-9][A-Za-z0-9._@+:-]*`, at most 256 characters. */
export function isPortableId(id: string): boolean {
  return id.length <= TEXT_LENGTH && PORTABLE_ID.test(id);
}

/** Whether an id names somebody else than a contributor (`system`, `anonymous`; HTTP.md). */
export function isReservedId(id: string): boolean {
  return RESERVED.has(id);
}

/** Whether a text may be a label or a reason: at most 256 code points, no control characters. */
export function isFreeText(text: string): boolean {
  return !isTooLong(text) && !hasControlCharacter(text);
}

/** Whether a text has a character of U+0000–1F or U+007F–9F. */
function hasControlCharacter(text: string): boolean {
  return CONTROL.test(text);
}

/** How many characters (code points) a text has. */
export function countCharacters(text: string): number {
  return Array.from(text).length;
}

function isTooLong(text: string): boolean {
  return text.length > TEXT_LENGTH && countCharacters(text) > TEXT_LENGTH;
}
