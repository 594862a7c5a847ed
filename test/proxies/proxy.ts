import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { binEnv, runKeys, startKeys, type RunningKeys } from "../helpers/bin.js";
import { runs, type Requirement } from "../helpers/requires.js";

/** A real proxy of this machine. */
export interface Program {
  readonly name: "nginx" | "caddy" | "haproxy";
  /** The name that the command of the configuration reads it by. */
  readonly file: string;
  readonly requirement: Requirement;
}

const why = "a real proxy is started with the printed configuration";

export const NGINX: Program = {
  name: "nginx",
  file: "nginx.conf",
  requirement: { needs: "nginx", why, available: runs("nginx", "-v") },
};

export const CADDY: Program = {
  name: "caddy",
  file: "Caddyfile",
  requirement: { needs: "caddy", why, available: runs("caddy", "version") },
};

export const HAPROXY: Program = {
  name: "haproxy",
  file: "haproxy.cfg",
  requirement: { needs: "haproxy", why, available: runs("haproxy", "-v") },
};

const START_MS = 20_000;

/** A directory of its own, and all that runs in it until {@link Stage.close}. */
export interface Stage {
  readonly directory: string;
  readonly keystore: string;
  /** Starts `keys serve` on a free port. */
  serve(...more: readonly string[]): Promise<RunningKeys & { readonly url: string }>;
  /**
   * Prints a configuration, writes it unedited, and starts the proxy by the command in its first
   * line.
   */
  proxy(program: Program, ...options: readonly string[]): Promise<RunningProxy>;
  close(): Promise<void>;
}

/** A proxy that listens. */
export interface RunningProxy {
  readonly port: number;
  readonly child: ChildProcess;
  /** What it said. */
  readonly talk: () => string;
  /** Stops it and starts it again by the same command. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A stage with a keystore of this text. */
export function openStage(keystoreText: string): Stage {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "keyhold-proxy-")));
  // A worker of a proxy that root started is another user.
  fs.chmodSync(directory, 0o755);
  const keystore = path.join(directory, "keys.yaml");
  fs.writeFileSync(keystore, keystoreText, { mode: 0o600 });
  const endings: (() => Promise<unknown>)[] = [];

  return {
    directory,
    keystore,
    async serve(...more) {
      const port = more.includes("--port") ? [] : ["--port", "0"];
      const keys = startKeys(["serve", "--file", keystore, ...port, ...more], {
        cwd: directory,
        timeoutMs: 300_000,
      });
      endings.push(async () => {
        keys.kill("SIGKILL");
        await keys.ended.catch(() => undefined);
      });
      let talk = "";
      keys.stderr?.on("data", (chunk: Buffer) => {
        talk += chunk.toString();
      });
      const url = await until(
        () => /at (https?:\S+)/.exec(talk)?.[1],
        () => talk,
      );
      return { ...keys, url };
    },
    async proxy(program, ...options) {
      const port = await freePort();
      const { exitCode, stdout, stderr } = await runKeys(
        [
          "config",
          program.name,
          "--file",
          keystore,
          "--listen",
          `127.0.0.1:${String(port)}`,
          ...options,
        ],
        { cwd: directory },
      );
      if (exitCode !== 0) throw new Error(stderr);
      fs.writeFileSync(path.join(directory, program.file), stdout);
      const proxy = await startProxy(stdout, directory, port);
      endings.push(() => proxy.stop());
      return proxy;
    },
    async close() {
      for (const end of endings.reverse()) await end();
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function startProxy(text: string, cwd: string, port: number): Promise<RunningProxy> {
  const command = /^# (.+)\n/.exec(text)?.[1];
  if (command === undefined) throw new Error("the configuration does not begin with its command");
  let talk = "";
  let child = start();
  function start(): ChildProcess {
    const started = spawn("bash", ["--noprofile", "--norc", "-c", `exec env ${command}`], {
      cwd,
      env: binEnv(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [started.stdout, started.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        talk += chunk.toString();
      });
    }
    return started;
  }
  async function listening(): Promise<void> {
    await until(
      async () => ((await accepts(port)) ? true : undefined),
      () => talk,
    );
  }
  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(timer);
  }
  await listening();
  return {
    port,
    get child() {
      return child;
    },
    talk: () => talk,
    async restart() {
      await stop();
      child = start();
      await listening();
    },
    stop,
  };
}

/** What a probe gives, once it gives something. */
export async function until<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  explain: () => string,
): Promise<T> {
  const end = Date.now() + START_MS;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`waited in vain: ${explain()}`);
    await delay(25);
  }
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => {
      resolve(false);
    });
  });
}
