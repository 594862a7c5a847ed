/** Octets that mean something to the scanner. */
export const LF = 0x0a;
export const CR = 0x0d;
export const TAB = 0x09;
export const SPACE = 0x20;
export const HASH = 0x23;
export const DOUBLE_QUOTE = 0x22;
export const SINGLE_QUOTE = 0x27;
export const COMMA = 0x2c;
export const DASH = 0x2d;
export const COLON = 0x3a;
export const BACKSLASH = 0x5c;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/** Where the octets behind ASCII start: parts of longer characters. */
export const WIDE = 0x80;

/** What the scanner answers where it does not fully understand what stands there. */
export const DECLINED = -1;

const ASCII = String.fromCharCode(...Array.from({ length: WIDE }, (_, octet) => octet));

/** 1 for what may start a plain scalar to every reader, whatever follows. */
export const PLAIN_START: Uint8Array = tableOf(/[A-Za-z0-9_/.()~+<=^$;\\]/g);

/** 1 for what a plain scalar inside brackets is made of here; readers allow more. */
export const PLAIN_FLOW: Uint8Array = tableOf(/[A-Za-z0-9_/.@+*-]/g);

/** 1 for what an id is made of that headers carry as it is (`isPortableId`). */
export const PORTABLE: Uint8Array = tableOf(/[A-Za-z0-9._@+:-]/g);

/** 1 for what may be the start of a plain scalar that some reader takes for no text. */
export const SUSPICIOUS_START: Uint8Array = tableOf(/[-+.0-9~<=!&*yYnNtTfFoO]/g);

/** 1 for the letters and digits of ASCII. */
export const ALPHANUMERIC: Uint8Array = tableOf(/[A-Za-z0-9]/g);

/** The value of a hex digit; with {@link UPPER} for an upper-case one; {@link NO_HEX} for others. */
export const HEX: Uint8Array = new Uint8Array(256).fill(0x80);
for (let value = 0; value < 16; value += 1) {
  const digit = value.toString(16);
  HEX[digit.toUpperCase().charCodeAt(0)] = value | (value < 10 ? 0 : 0x10);
  HEX[digit.charCodeAt(0)] = value;
}
export const UPPER = 0x10;
export const NO_HEX = 0x80;

/** Of the characters that a pattern finds. By few steps, since each start of a command takes them. */
function tableOf(pattern: RegExp): Uint8Array {
  const table = new Uint8Array(256);
  for (const { index } of ASCII.matchAll(pattern)) table[index] = 1;
  return table;
}
