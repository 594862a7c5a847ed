import { parseArgs } from "node:util";

export const USAGE = `usage: node server.js [--keystore FILE] [--data DIRECTORY] [--port PORT]

  --keystore FILE     the keys that contributors have (default: keys.yaml)
  --data DIRECTORY    where queue and database are (default: data)
  --port PORT         where to listen, on 127.0.0.1; 0 for any free port (default: 8080)
  --apply-every MS    how long events may wait for the database, in milliseconds (default: 20);
                      the queue has them all the while
  --help              show this`;

/** The service's options; undefined where `--help` is asked for. Throws for a wrong one. */
export function readSettings(args) {
  const { values } = parseArgs({
    args,
    options: {
      keystore: { type: "string", default: "keys.yaml" },
      data: { type: "string", default: "data" },
      port: { type: "string", default: "8080" },
      "apply-every": { type: "string", default: "20" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  return {
    keystore: values.keystore,
    data: values.data,
    port: wholeNumber("--port", values.port, 65_535),
    // The longest that a timer knows.
    applyEvery: wholeNumber("--apply-every", values["apply-every"], 2 ** 31 - 1),
  };
}

function wholeNumber(option, text, most) {
  if (/^\d{1,10}$/.test(text) && Number(text) <= most) return Number(text);
  throw new Error(`${option} takes a whole number from 0 to ${most}`);
}
