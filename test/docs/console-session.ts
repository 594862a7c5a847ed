import { randomUUID } from "node:crypto";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { binEnv, binPath, nodePath } from "../helpers/bin.js";

/** The port that documents show. The session has a free one in its place, there and back. */
const SHOWN_PORT = "8787";

/** A reader's shell: where the commands of one document run, one after the other. */
export interface Session {
  /** An empty directory, which becomes a reader's clone. */
  readonly folder: string;
  /** Where the package `keyhold` is. */
  readonly root: string;
  /** Files that stand there before the first command, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** Everything is killed after this many milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Runs commands in one bash, without a terminal and with an empty stdin. `keys`, `npx keys` and
 * `npx keyhold` are the built bin, `npm ci` does nothing, and `keyhold` and the
 * frameworks that it has middleware for can be imported.
 *
 * @returns what each printed, stdout and stderr in the order of a reader; `(not run)` where the
 *   shell ended before it.
 */
export async function runSession(
  commands: readonly string[],
  { folder, root, files, timeoutMs }: Session,
): Promise<string[]> {
  const [bin, work] = [join(folder, "bin"), join(folder, "clone")];
  for (const name of [bin, work, join(folder, "node_modules")]) mkdirSync(name);
  symlinkSync(root, join(folder, "node_modules", "keyhold"));
  for (const framework of ["express", "fastify", "hono"]) {
    const installed = join(root, "node_modules", framework);
    symlinkSync(installed, join(folder, "node_modules", framework));
  }
  const keys = `exec '${nodePath}' '${binPath}' "$@"`;
  const shims = {
    keys,
    keyhold: keys,
    node: `exec '${nodePath}' "$@"`,
    npm: '[ "$*" = ci ]',
    npx: `case $1 in keys | keyhold) shift; ${keys};; esac; exit 127`,
  };
  for (const [name, body] of Object.entries(shims)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  for (const [name, text] of files) writeFileSync(join(work, name), text);

  const port = String(await freePort());
  const mark = randomUUID();
  const steps = commands.flatMap((command) => [
    `printf '\\n%s\\n' ${mark}`,
    command.replaceAll(SHOWN_PORT, port),
  ]);
  const script = join(folder, "session.sh");
  const end = "kill $(jobs -p) 2>/dev/null; wait";
  writeFileSync(script, ["exec 2>&1", ...steps, end, ""].join("\n"));

  const env = binEnv({ KEYS_PORT: port, HOME: folder });
  const shell = execa("bash", ["--noprofile", "--norc", script], {
    cwd: work,
    env: { ...env, PATH: `${bin}:${env["PATH"] ?? ""}` },
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    // A group of its own, so that a server left running ends with it.
    detached: true,
  });
  const endAll = (): void => {
    if (shell.pid === undefined) return;
    try {
      process.kill(-shell.pid, "SIGKILL");
    } catch {
      // Nothing of the group is left.
    }
  };
  const timer = setTimeout(endAll, timeoutMs);
  try {
    const { stdout } = await shell;
    const outputs = stdout.replaceAll(port, SHOWN_PORT).split(`${mark}\n`).slice(1);
    return commands.map((_, index) => outputs[index] ?? "(not run)");
  } finally {
    clearTimeout(timer);
    endAll();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no port"));
        else resolve(address.port);
      });
    });
  });
}
