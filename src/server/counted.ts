import { performance } from "node:perf_hooks";
import type { Counters } from "./counters.js";
import type { Handler, Reply } from "./message.js";

/**
 * A handler whose verdicts are counted, by name and by how long they took. What it throws counts as
 * `unavailable`, and is thrown on.
 */
export function counted(handle: Handler, counters: Counters): Handler {
  function count(outcome: string, startedMs: number): void {
    counters.verdict(outcome, (performance.now() - startedMs) / 1000);
  }
  async function countLate(reply: Promise<Reply>, startedMs: number): Promise<Reply> {
    try {
      const late = await reply;
      count(outcomeOf(late), startedMs);
      return late;
    } catch (error) {
      count("unavailable", startedMs);
      throw error;
    }
  }
  return (request) => {
    const startedMs = request.atMs ?? performance.now();
    try {
      const reply = handle(request);
      if (reply instanceof Promise) return countLate(reply, startedMs);
      count(outcomeOf(reply), startedMs);
      return reply;
    } catch (error) {
      count("unavailable", startedMs);
      throw error;
    }
  };
}

/** `ok`, or the `error` of the problem. */
function outcomeOf({ outcome, verdict }: Reply): string {
  if (outcome !== undefined) return outcome;
  return verdict === undefined || verdict.ok ? "ok" : verdict.error;
}
