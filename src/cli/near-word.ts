/** The word of a list that a misspelt one nearly is: two changes at most, and less than half of it. */
export function nearWord(text: string, words: readonly string[]): string | undefined {
  let nearest: { word: string; distance: number } | undefined;
  for (const word of words) {
    const distance = distanceOf(text.slice(0, 2 * word.length), word);
    if (distance > 2 || distance * 2 >= word.length) continue;
    if (nearest === undefined || distance < nearest.distance) nearest = { word, distance };
  }
  return nearest?.word;
}

/** How many letters must be put in, taken out or replaced to make one of the other (Levenshtein). */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let index = 0; index < from.length; index += 1) {
    const letter = from[index];
    const next = [index + 1];
    for (let at = 0; at < to.length; at += 1) {
      const replaced = (row[at] ?? 0) + (to[at] === letter ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
