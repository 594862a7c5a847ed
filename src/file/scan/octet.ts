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

/** 1 for what may start a plain scalar to every reader, whatever follows. */
export const PLAIN_START: Uint8Array = tableOf((character) =>
  /[A-Za-z0-9_/.()~+<=^$;\\]/.test(character),
);

/** 1 for what a plain scalar inside brackets is made of here; readers allow more. */
export const PLAIN_FLOW: Uint8Array = tableOf((character) => /[A-Za-z0-9_/.@+*-]/.test(character));

/** 1 for what an id is made of that headers carry as it is (`isPortableId`). */
export const PORTABLE: Uint8Array = tableOf((character) => /[A-Za-z0-9._@+:-]/.test(character));

/** 1 for what may be the start of a plain scalar that some reader takes for no text. */
export const SUSPICIOUS_START: Uint8Array = tableOf((character) =>
  /[-+.0-9~<=!&*yYnNtTfFoO]/.test(character),
);

/** 1 for the letters and digits of ASCII. */
export const ALPHANUMERIC: Uint8Array = tableOf((character) => /[A-Za-z0-9]/.test(character));

/** The value of a hex digit; with {@link UPPER} for an upper-case one; {@link NO_HEX} for others. */
export const HEX: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  if (/[0-9a-f]/.test(character)) return Number.parseInt(character, 16);
  return /[A-F]/.test(character) ? Number.parseInt(character, 16) | 0x10 : 0x80;
});
export const UPPER = 0x10;
export const NO_HEX = 0x80;

function tableOf(isMember: (character: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) =>
    octet < WIDE && isMember(String.fromCharCode(octet)) ? 1 : 0,
  );
}
