/** Control, format (bidirectional and invisible ones), surrogate and line-separating characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Nothing of that. It is looked for first, since the pattern above is slow to make ready. */
const ASCII = /^[ -~]*$/;

/**
 * A text as it may be shown: every character that a terminal obeys, or that hides or reorders
 * others, is written as `\u{1b}`. Whatever comes from a file or from outside passes through here, so
 * that a keystore can't forge what `keys` says. Line ends are escaped too: it is for one line.
 */
export function visible(text: string): string {
  return ASCII.test(text) ? text : text.replace(INVISIBLE, escape);
}

function escape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
