import type { AnswerItem, FromWorker, QuestionItem, QuestionName, Questions } from "./ipc.js";

/** How long a worker waits for its primary, in milliseconds. */
const PATIENCE_MS = 2000;
/** How often questions past their time are looked for, in milliseconds. */
const CHECK_MS = 250;

/** A worker's line to its primary, for questions. */
export interface PrimaryLine {
  /** Rejects where the primary does not answer in time: then there is no verdict, and no yes. */
  ask<Name extends QuestionName>(
    name: Name,
    given: Questions[Name]["given"],
    patienceMs?: number,
  ): Promise<Questions[Name]["answer"]>;
  /** Takes in answers. */
  answered(answers: readonly AnswerItem[]): void;
  close(): void;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly untilMs: number;
}

/** No answer from the primary. */
class PrimaryUnreachable extends Error {
  override readonly name: string = "PrimaryUnreachable";
}

/**
 * Questions of one turn travel together, since a message costs more than what is in it.
 *
 * @param send - sends a message to the primary; may throw where it is gone.
 * @param monotonicMs - milliseconds of a clock that never goes back.
 */
export function createPrimaryLine(
  send: (message: FromWorker) => void,
  monotonicMs: () => number,
): PrimaryLine {
  const waiting = new Map<number, Waiting>();
  let queue: QuestionItem[] = [];
  let lastId = 0;

  function flush(): void {
    const questions = queue;
    queue = [];
    try {
      send({ kind: "questions", questions });
    } catch {
      for (const { id } of questions) fail(id);
    }
  }

  function fail(id: number): void {
    waiting.get(id)?.reject(new PrimaryUnreachable("the primary did not answer"));
    waiting.delete(id);
  }

  const checker = setInterval(() => {
    const now = monotonicMs();
    for (const [id, { untilMs }] of waiting) if (untilMs <= now) fail(id);
  }, CHECK_MS);
  checker.unref();

  return {
    ask: (name, given, patienceMs = PATIENCE_MS) =>
      new Promise((resolve, reject) => {
        lastId += 1;
        waiting.set(lastId, { resolve, reject, untilMs: monotonicMs() + patienceMs });
        if (queue.length === 0) setImmediate(flush);
        queue.push({ id: lastId, name, given } as QuestionItem);
      }),
    answered(answers) {
      for (const { id, ok, value } of answers) {
        if (ok) waiting.get(id)?.resolve(value as never);
        else fail(id);
        waiting.delete(id);
      }
    },
    close() {
      clearInterval(checker);
      for (const id of waiting.keys()) fail(id);
    },
  };
}
