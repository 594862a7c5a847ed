import { cpus } from "node:os";
import { isInstalled } from "../child.mjs";
import { canonicalFile, tokenOf } from "../keystores.mjs";
import { loaded } from "../load-generator.mjs";
import { atLeast, atMost, milliseconds, rate, rowOf, skippedRow } from "../ratio.mjs";
import { haproxy, headersOf, keysServe, peer } from "../servers.mjs";

/** @import { Bench, Row, Target } from "../types.d.ts" */
/** @import { Running } from "../servers.mjs" */

const suite = "http";
const KEYS = 10_000;
/** A limit that nobody comes near in a second, but that is counted. */
const LIMIT = "1000000/1s";

const ROWS = {
  bare: {
    measure: "`/verify` of `keys serve --log off`, a key under a limit, 64 connections",
    baseline: "bare `node:http`, a fixed 200 with the same headers",
    unit: "rate",
    target: atLeast(0.9),
  },
  p99: {
    measure: "the same",
    baseline: "bare `node:http`",
    unit: "p99",
    target: atMost(1.3),
  },
  fastify: {
    measure: "the same",
    baseline: "fastify with the same check",
    unit: "rate",
    target: atLeast(1.2),
  },
  hono: {
    measure: "the same",
    baseline: "hono with the same check",
    unit: "rate",
    target: atLeast(1.5),
  },
  log: {
    measure: "with `--log json`",
    baseline: "`--log off`",
    unit: "rate",
    target: atLeast(0.8),
  },
  workers: {
    measure: "`--workers 2` on two cores, the load generator on one of them",
    baseline: "one worker",
    unit: "rate",
    target: atLeast(1.6),
  },
  close: {
    measure: "the same, `Connection: close`",
    baseline: "one worker, `Connection: close`",
    unit: "rate",
    target: atLeast(1),
  },
  haproxy: {
    measure: "HAProxy, one thread, with what `keys config haproxy --map` prints",
    baseline: "HAProxy, one thread, with a fixed 200",
    unit: "rate",
    target: undefined,
  },
  beside: {
    measure: "HAProxy, one thread, with what `keys config haproxy --map` prints",
    baseline: "`keys serve --log off`, one process",
    unit: "rate",
    target: undefined,
  },
};

/** @typedef {keyof typeof ROWS} Name */

/** @param {Bench} bench @returns {Promise<Row[]>} */
export default async function http(bench) {
  const missing = ["wrk", "taskset"].filter((program) => !isInstalled(program));
  if (missing.length > 0 || cpus().length < 2) {
    const why = missing.length > 0 ? `${missing.join(", ")} missing` : "needs two processors";
    return Object.keys(ROWS).map((name) => skipped(/** @type {Name} */ (name), why));
  }
  const file = canonicalFile(bench, KEYS, LIMIT);
  const rows = await alone(bench, file);
  if (bench.short) return rows;
  rows.push(...(await workers(bench, file)));
  rows.push(...(await besideHaproxy(bench, file)));
  return rows;
}

/** One process on one processor, the load on the other. @param {Bench} bench @param {string} file */
async function alone(bench, file) {
  const token = tokenOf(42);
  const options = { token, cores: "0" };
  bench.say("http: one process");
  const off = await keysServe(bench, file, { ...options, args: ["--log", "off"] });
  const headers = await headersOf(off, token);
  const input = { file, headers };
  const found = await series(
    bench,
    {
      off,
      bare: await peer(bench, "bare", input, options),
      fastify: await peer(bench, "fastify", input, options),
      hono: await peer(bench, "hono", input, options),
      log: await keysServe(bench, file, { ...options, args: ["--log", "json"] }),
    },
    { token, rounds: 5, seconds: 2 },
  );
  return [
    row("bare", found.off.rates, found.bare.rates),
    row("p99", found.off.p99s, found.bare.p99s),
    row("fastify", found.off.rates, found.fastify.rates),
    row("hono", found.off.rates, found.hono.rates),
    row("log", found.log.rates, found.off.rates),
  ];
}

/** @param {Bench} bench @param {string} file */
async function workers(bench, file) {
  const token = tokenOf(42);
  bench.say("http: workers");
  const options = { token, cores: "0,1" };
  const two = await keysServe(bench, file, {
    ...options,
    args: ["--log", "off", "--workers", "2"],
  });
  const one = await keysServe(bench, file, { ...options, args: ["--log", "off"] });
  const kept = await series(bench, { two, one }, { token, rounds: 3, seconds: 2, keep: true });
  const closed = await series(bench, { two, one }, { token, rounds: 3, seconds: 2, close: true });
  return [
    row("workers", kept.two.rates, kept.one.rates),
    row("close", closed.two.rates, closed.one.rates),
  ];
}

/** @param {Bench} bench @param {string} file */
async function besideHaproxy(bench, file) {
  if (!isInstalled("haproxy")) {
    return [skipped("haproxy", "haproxy missing"), skipped("beside", "haproxy missing")];
  }
  const token = tokenOf(42);
  bench.say("http: HAProxy");
  const options = { token, cores: "0" };
  const found = await series(
    bench,
    {
      map: await haproxy(bench, file, { ...options, checks: true }),
      fixed: await haproxy(bench, file, { ...options, checks: false }),
      ours: await keysServe(bench, file, { ...options, args: ["--log", "off"] }),
    },
    { token, rounds: 3, seconds: 2 },
  );
  return [
    row("haproxy", found.map.rates, found.fixed.rates),
    row("beside", found.map.rates, found.ours.rates),
  ];
}

/**
 * Loads servers in turn, each warm; then stops them, unless they are to be kept.
 *
 * @template {string} Server
 * @param {Bench} bench
 * @param {Record<Server, Running>} servers
 * @param {{ token: string, rounds: number, seconds: number, close?: boolean, keep?: boolean }} how
 */
async function series(bench, servers, { rounds, seconds, keep = false, ...how }) {
  const names = /** @type {Server[]} */ (Object.keys(servers));
  const found = /** @type {Record<Server, { rates: number[], p99s: number[] }>} */ (
    Object.fromEntries(names.map((name) => [name, nothing()]))
  );
  const last = bench.short ? Math.min(rounds, 3) : rounds;
  try {
    for (const name of names) await loaded({ ...how, url: servers[name].url, seconds: 1 });
    for (let round = 0; round < last; round += 1) {
      for (const name of names) {
        const { rate: perSecond, p99 } = await loaded({ ...how, url: servers[name].url, seconds });
        found[name].rates.push(perSecond);
        found[name].p99s.push(p99);
      }
    }
  } finally {
    if (!keep) for (const name of names) await servers[name].stop();
  }
  return found;
}

/** @returns {{ rates: number[], p99s: number[] }} */
function nothing() {
  return { rates: [], p99s: [] };
}

/** @param {Name} name @param {number[]} subject @param {number[]} against @returns {Row} */
function row(name, subject, against) {
  /** @type {{ measure: string, baseline: string, unit: string, target: Target | undefined }} */
  const about = ROWS[name];
  const show = about.unit === "p99" ? milliseconds : rate;
  return rowOf({ ...about, id: `http-${name}`, suite, show, subject, against });
}

/** @param {Name} name @param {string} why @returns {Row} */
function skipped(name, why) {
  return skippedRow({ ...ROWS[name], id: `http-${name}`, suite }, why);
}
