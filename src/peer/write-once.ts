/** What became of a write to a field that is written once. */
export interface WriteOnceResult {
  /** What the field holds from now on: the first writer's value. */
  readonly value: string;
  /** Whether this was the first write. */
  readonly written: boolean;
  /** Whether the field held another value: this writer's is dropped. */
  readonly conflict: boolean;
}

/**
 * The first writer stays.
 *
 * @param current - what the field holds; null or undefined where nobody has written it.
 * @param candidate - what this writer would write.
 */
export function writeOnce(current: string | null | undefined, candidate: string): WriteOnceResult {
  if (current === null || current === undefined) {
    return { value: candidate, written: true, conflict: false };
  }
  return { value: current, written: false, conflict: current !== candidate };
}
