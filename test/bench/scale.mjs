import { markdownTable } from "./table.mjs";

/** @import { RunResult } from "./types.d.ts" */

const MILLION = 1_000_000;

/** How often a server looks at its file, in milliseconds (`src/file/watch.ts`). */
const WATCH_MS = 250;

/** What is needed for the arithmetic: the row of each figure. */
const NEEDED = {
  load: `load-${MILLION}`,
  memory: `load-${MILLION}-memory`,
  small: "load-linear-100000",
  reload: `load-reload-${MILLION}`,
  smallReload: "load-reload-10000",
  http: "http-bare",
  workers: "http-workers",
  log: "http-log",
  proxy: "http-haproxy",
  hit: "verify-hit",
  miss: "verify-miss",
  limit: "limit",
  revoke: `edit-revoke-${MILLION}`,
};

/**
 * What so many processes can carry, worked out from the measured figures alone.
 *
 * @param {RunResult} result
 */
export function scaleText({ node, rows }) {
  const found = new Map(rows.map((row) => [row.id, row.values]));
  const missing = Object.values(NEEDED).filter((id) => found.get(id) === undefined);
  if (missing.length > 0) {
    return `## Scale\n\nWorked out once these are measured: ${missing.join(", ")}.\n`;
  }
  /** @param {keyof typeof NEEDED} name @param {0 | 1} which */
  const value = (name, which) => found.get(NEEDED[name])?.[which] ?? Number.NaN;
  const figures = {
    loadMs: value("load", 0),
    peakMiB: value("memory", 0) / 1024,
    smallMs: value("small", 0),
    tenThousandMs: value("small", 1),
    reloadMs: value("reload", 0),
    startMs: value("reload", 1),
    smallReloadMs: value("smallReload", 0),
    perSecond: value("http", 0),
    twoWorkers: value("workers", 0),
    oneWorker: value("workers", 1),
    logShare: value("log", 0) / value("log", 1),
    proxyPerSecond: value("proxy", 0),
    hitNs: value("hit", 0),
    missNs: value("miss", 0),
    limitPerSecond: value("limit", 0),
    revokeMs: value("revoke", 0),
    writeMs: value("revoke", 1),
  };
  return `## Scale\n\n${sections(node, figures).join("\n\n")}\n`;
}

/**
 * @param {string} node
 * @param {Record<string, number>} figures
 */
function sections(node, figures) {
  const {
    loadMs = 0,
    peakMiB = 0,
    smallMs = 0,
    tenThousandMs = 0,
    reloadMs = 0,
    startMs = 0,
    smallReloadMs = 0,
    perSecond = 0,
    twoWorkers = 0,
    oneWorker = 0,
    logShare = 0,
    proxyPerSecond = 0,
    hitNs = 0,
    missNs = 0,
    limitPerSecond = 0,
    revokeMs = 0,
    writeMs = 0,
  } = figures;
  const perKeyUs = (loadMs * 1000) / MILLION;
  const delayMs = WATCH_MS + reloadMs;
  const smallDelayMs = WATCH_MS + smallReloadMs;
  return [
    `From the figures of Node ${node} above, on that machine; with another machine the sentences stay and
the numbers move. Nothing here is a promise: each line says how it was worked out. "Ready" is read,
validated and ready to look up; a server works out the generation on top of it before a keystore comes
into force: ${ms(startMs)} in all for a million keys at its start, ${ms(reloadMs)} where one of them has changed
since, with requests answered meanwhile. A revocation counts from when the file has it.`,
    markdownTable(
      ["", "keys", "verdicts a second", "memory", "reload", "a revocation is in force after"],
      [
        [
          "one process",
          "10,000",
          number(perSecond),
          "-",
          ms(smallReloadMs),
          `${ms(smallDelayMs)}: ${WATCH_MS} ms until the change is seen, and the reload`,
        ],
        [
          "one process",
          number(MILLION),
          `${number(perSecond)}, less what a look-up in the larger table takes`,
          `${peakMiB.toFixed(0)} MiB at the peak of a load; twice the table while a reload runs`,
          ms(reloadMs),
          `${ms(delayMs)}: ${WATCH_MS} ms, ${ms(reloadMs)} for the reload`,
        ],
        [
          "two workers on two cores that the load shares",
          number(MILLION),
          number(twoWorkers),
          `${(2 * peakMiB).toFixed(0)} MiB: each worker has its own table`,
          `${ms(reloadMs)}, and the same again for the workers, at the same time`,
          `as with one process; \`revoke --wait\` returns when every worker has it`,
        ],
        [
          "HAProxy with the map, one thread",
          "10,000",
          number(proxyPerSecond),
          "HAProxy's own tree",
          "`--keep` sends the rows that changed",
          "as with one process; no limits are counted",
        ],
        [
          "a fleet of 10 such processes behind shared limits",
          number(MILLION),
          `${number(10 * perSecond)}: 10 × ${number(perSecond)}`,
          `${(10 * peakMiB).toFixed(0)} MiB: 10 × ${peakMiB.toFixed(0)} MiB`,
          `${ms(reloadMs)}, each for itself`,
          `${ms(delayMs)} after the file has reached the last of them`,
        ],
      ],
    ).trim(),
    `The fleet is on paper: limits are shared between the workers of one machine today, by leases, and not
between machines. What sharing would add is a message a lease, not one a request.`,
    `### Where the time goes

- A verdict in the process is ${hitNs.toFixed(0)} ns, a limit ${(1e9 / limitPerSecond).toFixed(0)} ns. A request over HTTP is
  ${(1e6 / perSecond).toFixed(1)} µs (1 s ÷ ${number(perSecond)}). So ${((100 * (hitNs + 1e9 / limitPerSecond) * perSecond) / 1e9).toFixed(0)} % of a request is the
  check, the rest is HTTP: a peer that embeds the check is
  ${(1e9 / hitNs / perSecond).toFixed(0)} times as fast as one that asks.
- An unknown token costs ${missNs.toFixed(0)} ns, no more than a known one: guessing loads a server no more than use.
- A line a request costs ${(100 * (1 - logShare)).toFixed(0)} % of the rate (\`--log json\` against \`--log off\`).`,
    `### How cost grows

- **With keys.** Loading takes ${perKeyUs.toFixed(2)} µs a key (${ms(loadMs)} ÷ ${number(MILLION)}), and grows
  with their number: ${ms(tenThousandMs)} for 10,000, ${ms(smallMs)} for 100,000, ${ms(loadMs)} for a million. A verdict does not
  grow but for the processor's caches. 256 MiB is the largest file, about
  ${number(Math.floor((256 * 2 ** 20) / 140))} keys of 140 octets.
- **With replicas.** Every replica reads the file for itself: N of them cost N times the processor time
  and the memory of one, and no time more, since they read at once. Workers of one machine share one
  watcher and one limiter; two on the measured machine gave ${(twoWorkers / oneWorker).toFixed(2)} times one.
- **With change.** A change writes the whole file: ${ms(revokeMs)} in a million keys by a server that has
  them, of which ${ms(writeMs)} are the writing of the octets alone. One writer at a time can make
  ${(1000 / revokeMs).toFixed(1)} changes a second there, and every replica spends
  ${ms(reloadMs)} on each reload; changes that come within one look (${WATCH_MS} ms) cost one reload. Where the keys
  are many and change by the minute, several smaller keystores are the cheaper way.`,
    `### When which

- Up to what one process answers: one \`keys serve\`, or the library in the peer itself.
- For more on one machine: \`--workers\`, or HAProxy with the map where no limits need be counted.
- For more than one machine: a process beside each proxy, the file brought to each by what deploys
  configuration. Limits then count for each machine alone.`,
  ];
}

/** @param {number} value */
function number(value) {
  return Math.round(value).toLocaleString("en-GB");
}

/** @param {number} value */
function ms(value) {
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
