import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** @import { Bench } from "./types.d.ts" */

const here = path.dirname(fileURLToPath(import.meta.url));

/**
 * The environment of what is timed. NODE_EXTRA_CA_CERTS makes every start of Node 20 read the whole
 * bundle; the rest could change what a process does.
 */
export function cleanEnv() {
  const changing = /^(?:NODE_|KEYS_|KEYHOLD_|CI$|FORCE_COLOR$|npm_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !changing.test(name)));
}

/**
 * Runs `measured/NAME.mjs` in a process of its own, and gives what it prints as JSON.
 *
 * @param {Bench} bench
 * @param {string} name
 * @param {Readonly<Record<string, unknown>>} input
 * @returns {any}
 */
export function measured({ node, root }, name, input) {
  const script = path.join(here, "measured", `${name}.mjs`);
  const { status, signal, stdout, stderr, error } = spawnSync(
    node,
    ["--max-old-space-size=8192", script, JSON.stringify({ root, ...input })],
    { encoding: "utf8", env: cleanEnv(), maxBuffer: 1 << 26 },
  );
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${name} failed (${status ?? signal}): ${stderr}`);
  return JSON.parse(stdout);
}

/**
 * A process that serves until the test ends.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string }} options
 */
export function started(program, args, options = {}) {
  const child = spawn(program, args, {
    env: cleanEnv(),
    stdio: ["ignore", "ignore", "pipe"],
    ...options,
  });
  let talk = "";
  child.stderr.setEncoding("utf8").on("data", (/** @type {string} */ chunk) => {
    // What a server logs under load is thrown away.
    if (talk.length < 4096) talk += chunk;
  });
  let ended = false;
  const end = new Promise((resolve) => {
    child.on("error", resolve).on("close", resolve);
  }).then(() => {
    ended = true;
  });
  return {
    pid: child.pid,
    talk: () => talk,
    isEnded: () => ended,
    /** Told to end, and waited for. */
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 5000);
      await end;
      clearTimeout(late);
    },
  };
}

/** A TCP port that nothing listens on at this moment. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      resolve(undefined);
    }),
  );
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** @param {string} program */
export function isInstalled(program) {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}
