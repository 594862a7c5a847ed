import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { cleanEnv } from "./child.mjs";

const run = promisify(execFile);

const UNIT_MS = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/**
 * Loads a server with wrk, on one processor of its own where there is more than one.
 *
 * @param {{ url: string, token: string, seconds: number, close?: boolean, pinned?: boolean }} how
 * @returns {Promise<{ rate: number, p99: number }>} requests a second, milliseconds
 */
export async function loaded({ url, token, seconds, close = false, pinned = true }) {
  const wrk = [
    ...["wrk", "-t1", "-c64", `-d${seconds}s`, "--latency", "--timeout", "10s"],
    ...["-H", `Authorization: Bearer ${token}`],
    ...(close ? ["-H", "Connection: close"] : []),
    url,
  ];
  const [program = "", ...args] = pinned ? ["taskset", "-c", "1", ...wrk] : wrk;
  const { stdout } = await run(program, args, { env: cleanEnv() });
  if (/Non-2xx/.test(stdout)) throw new Error(`not every answer was a yes: ${stdout}`);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, number, unit] = /\n\s+99%\s+([\d.]+)(us|ms|s|m)\n/.exec(stdout) ?? [];
  const p99 = Number(number) * UNIT_MS[/** @type {keyof typeof UNIT_MS} */ (unit)];
  if (!(rate > 0) || !(p99 > 0)) throw new Error(`wrk said something else: ${stdout}`);
  return { rate, p99 };
}
