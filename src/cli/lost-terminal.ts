import { closeSync, openSync } from "node:fs";

/** Standard input, output and error. */
const STANDARD = [0, 1, 2] as const;

/**
 * Sees that this process ends as it means to where its terminal has gone away by then: Node sets the
 * terminals that it found at its start back to what they were, and aborts (exit 134) where one can't
 * be set. A descriptor that is another file by then is left alone, so the null device takes its place.
 */
export function outliveTerminal(isTerminal: (fd: number) => boolean): void {
  const terminals = STANDARD.filter(isTerminal);
  if (terminals.length === 0) return;
  process.once("exit", () => {
    for (const fd of terminals) {
      if (isTerminal(fd)) continue;
      closeSync(fd);
      // The lowest that is free: the one just closed.
      openSync("/dev/null", "r+");
    }
  });
}
