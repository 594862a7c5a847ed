import { isEvent } from "./event.js";

/** Most records of one transaction. */
const BATCH = 500;

/**
 * Brings what is durable in the queue into the database, in its order: after a crash and in daily
 * life by the same way. Runs one at a time.
 */
export function createApplier(queue, database) {
  let running = Promise.resolve();

  async function run() {
    const { offset } = database.progress();
    // A queue that is shorter than what was read of it is another one: from its beginning.
    const from = offset <= queue.end ? offset : 0;
    let batch = { records: [], skipped: 0, end: from };
    for await (const { record, end } of queue.lines(from)) {
      batch.end = end;
      if (isRecord(record)) batch.records.push(record);
      else batch.skipped += 1;
      if (batch.records.length === BATCH) {
        database.apply(batch.records, batch.end, batch.skipped);
        batch = { records: [], skipped: 0, end };
      }
    }
    if (batch.end !== offset) database.apply(batch.records, batch.end, batch.skipped);
  }

  return {
    /** Resolves when everything that is durable by now is in the database. */
    run() {
      running = running.then(run, run);
      return running;
    },
  };
}

function isRecord(record) {
  return (
    typeof record === "object" &&
    record !== null &&
    typeof record.id === "string" &&
    typeof record.received_at === "string" &&
    isEvent(record.event) &&
    typeof record.event.created_by === "string"
  );
}
