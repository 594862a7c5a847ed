import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cleanEnv, freePort, started } from "./child.mjs";

/** @import { Bench } from "./types.d.ts" */

/** @typedef {{ url: string, stop: (this: void) => Promise<void> }} Running */

const here = path.dirname(fileURLToPath(import.meta.url));

/** How long a server may take to answer first. */
const START_MS = 30_000;

/**
 * Starts a program on one processor, or on all, and waits until it answers.
 *
 * @param {string} name
 * @param {(port: number) => readonly string[]} command
 * @param {{ token: string, cores?: string, cwd?: string }} options
 * @returns {Promise<Running>}
 */
async function running(name, command, { token, cores, cwd }) {
  const port = await freePort();
  const line = command(port);
  const [program = "", ...args] = cores === undefined ? line : ["taskset", "-c", cores, ...line];
  const server = started(program, args, cwd === undefined ? {} : { cwd });
  const url = `http://127.0.0.1:${port}/verify`;
  const end = performance.now() + START_MS;
  while ((await ask(url, token).catch(() => undefined))?.status !== 200) {
    if (server.isEnded() || performance.now() > end) {
      await server.stop();
      throw new Error(`${name} did not start: ${server.talk()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { url, stop: () => server.stop() };
}

/**
 * @param {Bench} bench
 * @param {string} file
 * @param {{ token: string, cores?: string, args: readonly string[] }} options
 */
export function keysServe({ node, root }, file, { args, ...options }) {
  const bin = path.join(root, "bin", "keys.cjs");
  return running(
    "keys serve",
    (port) => [node, bin, "serve", "--file", file, "--port", String(port), ...args],
    options,
  );
}

/**
 * One of `measured/http-*.mjs`.
 *
 * @param {Bench} bench
 * @param {string} name
 * @param {Readonly<Record<string, unknown>>} input
 * @param {{ token: string, cores?: string }} options
 */
export function peer({ node, root }, name, input, options) {
  const script = path.join(here, "measured", `http-${name}.mjs`);
  return running(name, (port) => [node, script, JSON.stringify({ root, port, ...input })], options);
}

/**
 * HAProxy with what `keys config haproxy --map` prints, its upstream a fixed 200, or without the
 * check.
 *
 * @param {Bench} bench
 * @param {string} file
 * @param {{ token: string, cores?: string, checks: boolean }} options
 */
export function haproxy({ node, root, directory }, file, { checks, ...options }) {
  const config = path.join(directory, `haproxy-${checks ? "map" : "fixed"}.cfg`);
  return running(
    "haproxy",
    (port) => {
      const bin = path.join(root, "bin", "keys.cjs");
      const { stdout, stderr, status } = spawnSync(
        node,
        [bin, "config", "haproxy", "--map", "keys.map", "--file", file, "--listen", String(port)],
        { cwd: directory, env: cleanEnv(), encoding: "utf8" },
      );
      if (status !== 0) throw new Error(`keys config haproxy: ${stderr}`);
      const text = stdout
        .replace(/bind :/, "bind 127.0.0.1:")
        .replace(/^global$/m, "global\n    nbthread 1")
        .replace(/^\s+server upstream .*$/m, "    http-request return status 200");
      writeFileSync(
        config,
        checks ? text : text.replace(/^ {4}(?:http-request|acl) (?!return).*\n/gm, ""),
      );
      return ["haproxy", "-db", "-f", config];
    },
    { ...options, cwd: directory },
  );
}

/**
 * The headers of one answer, in order, but for those that Node adds by itself.
 *
 * @param {Running} server
 * @param {string} token
 */
export async function headersOf({ url }, token) {
  const { rawHeaders } = await ask(url, token);
  /** @type {string[]} */
  const kept = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = [rawHeaders[at], rawHeaders[at + 1]];
    if (!/^(?:date|connection|keep-alive)$/i.test(name)) kept.push(name, value);
  }
  return kept;
}

/**
 * @param {string} url
 * @param {string} token
 * @returns {Promise<{ status: number, rawHeaders: string[] }>}
 */
function ask(url, token) {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent: false, headers: { authorization: `Bearer ${token}` } }, (response) => {
        response.resume().on("end", () => {
          resolve({ status: response.statusCode ?? 0, rawHeaders: response.rawHeaders });
        });
      })
      .on("error", reject);
  });
}
