const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const ASCII = /^[ -~]*$/;
const ZERO = /\p{Mn}|\p{Me}|\u200d/u;

/** How many columns of a terminal a text takes: East Asian wide characters take two. */
export function displayWidth(text: string): number {
  // The patterns above are slow to make ready: a list of plain texts does without.
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** A text in at most `width` columns: what does not fit gives way to `…`. */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = "";
  let used = 1;
  for (const character of text) {
    used += widthOf(character);
    if (used > width) break;
    cut += character;
  }
  return `${cut}…`;
}

/**
 * A text in lines of at most `width` columns, at least one: broken at spaces, and within a word that
 * is longer than a line. Nothing but the spaces at the breaks is lost.
 */
export function wrapToWidth(text: string, width: number): readonly string[] {
  if (displayWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of text.split(" ")) {
    const length = displayWidth(word);
    if (line !== "" && used + 1 + length <= width) {
      line += ` ${word}`;
      used += 1 + length;
      continue;
    }
    if (line !== "") lines.push(line);
    [line, used] = ["", 0];
    for (const character of word) {
      const own = widthOf(character);
      if (used + own > width && line !== "") {
        lines.push(line);
        [line, used] = ["", 0];
      }
      line += character;
      used += own;
    }
  }
  return [...lines, line];
}

function widthOf(character: string): number {
  if (ZERO.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
