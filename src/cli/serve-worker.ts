import cluster from "node:cluster";
import type { FromWorker, ToWorker } from "../server/ipc.js";
import { runWorker } from "../server/worker.js";
import { processIo } from "./process-io.js";

// What `keys serve --workers` runs in each worker; run by anybody else it does nothing. All that it
// has to know comes over its channel, so that nothing stands in its arguments or its environment.
if (cluster.isWorker && process.connected) {
  const io = processIo();
  // A terminal sends its signals to the whole group: the primary says what follows.
  io.onSignal(() => undefined);
  const worker = runWorker(
    {
      send: (message: FromWorker) => {
        if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
      },
      onMessage: (listener) => {
        process.on("message", (message) => {
          listener(message as ToWorker);
        });
      },
      close: () => {
        if (process.connected) process.disconnect();
      },
    },
    { now: () => io.now(), write: (text) => io.stderr.write(text) },
  );
  process.on("uncaughtException", (error) => {
    void worker.fail(error);
  });
}
