import { applySplices, lineStart, nextLine, type Splice } from "./splice.js";

/** Lines that give way to others; counted from 0. */
export interface LineChange {
  readonly oldStart: number;
  readonly oldCount: number;
  readonly newStart: number;
  readonly newCount: number;
}

interface Region {
  readonly start: number;
  end: number;
  readonly splices: Splice[];
}

/**
 * The lines that splices change, in order: what a diff without context shows. Taken from the edit
 * itself, so that it names the very entry that is meant and not one that looks alike.
 */
export function lineChanges(text: string, splices: readonly Splice[]): LineChange[] {
  const changes: LineChange[] = [];
  let [line, counted, shift] = [0, 0, 0];
  for (const region of regionsOf(text, splices)) {
    line += countLines(text.slice(counted, region.start));
    counted = region.start;
    const old = linesOf(text.slice(region.start, region.end));
    const inside = region.splices.map((splice) => ({
      ...splice,
      start: splice.start - region.start,
      end: splice.end - region.start,
    }));
    const now = linesOf(applySplices(text.slice(region.start, region.end), inside));
    const [before, after] = common(old, now);
    const oldCount = old.length - before - after;
    const newCount = now.length - before - after;
    if (oldCount > 0 || newCount > 0) {
      const oldStart = line + before;
      changes.push({ oldStart, oldCount, newStart: oldStart + shift, newCount });
    }
    shift += now.length - old.length;
  }
  return changes;
}

/** Whole lines around splices; those that meet are one region. */
function regionsOf(text: string, splices: readonly Splice[]): Region[] {
  const regions: Region[] = [];
  const ordered = splices
    .map((splice, index) => ({ splice, index }))
    .sort((a, b) => a.splice.start - b.splice.start || a.index - b.index);
  for (const { splice } of ordered) {
    const start = lineStart(text, splice.start);
    const end = regionEnd(text, splice, start);
    const last = regions.at(-1);
    if (last !== undefined && start < last.end) {
      last.end = Math.max(last.end, end);
      last.splices.push(splice);
    } else {
      regions.push({ start, end, splices: [splice] });
    }
  }
  return regions;
}

function regionEnd(text: string, splice: Splice, start: number): number {
  const { end } = splice;
  if (end === splice.start && end === start && splice.text.endsWith("\n")) return end;
  return end > start && text[end - 1] === "\n" ? end : nextLine(text, end);
}

/** How many lines two lists share at their beginnings and at their ends. */
function common(old: readonly string[], now: readonly string[]): [before: number, after: number] {
  const most = Math.min(old.length, now.length);
  let before = 0;
  while (before < most && old[before] === now[before]) before += 1;
  let after = 0;
  while (after < most - before && old.at(-1 - after) === now.at(-1 - after)) after += 1;
  return [before, after];
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.split(/(?<=\n)/);
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
