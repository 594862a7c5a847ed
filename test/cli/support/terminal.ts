import { spawn } from "@lydell/node-pty";
import { onTestFinished } from "vitest";
import { binEnv, binPath, nodePath } from "../../helpers/bin.js";

/** The bin in a pseudo-terminal: stdin, stdout and stderr are all that terminal. */
export interface TerminalSession {
  /** Everything drawn so far, with its control sequences. */
  readonly drawn: () => string;
  /** Resolves when a text has been drawn after all that was waited for before. */
  waitFor(text: string): Promise<void>;
  type(keys: string): void;
  /** How it ended: `signal` is 0 where none ended it. */
  readonly ended: Promise<{ exitCode: number; signal: number }>;
}

export interface TerminalOptions {
  readonly cwd: string;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Run in a shell instead, with `keys` as `$KEYS`, so that streams can be sent elsewhere. */
  readonly shell?: string;
}

const PATIENCE_MS = 15_000;

/** Starts the bin in a terminal. */
export function openTerminal(
  args: readonly string[],
  { cwd, columns = 80, env = {}, shell }: TerminalOptions,
): TerminalSession {
  const [file, argv] =
    shell === undefined ? [nodePath, [binPath, ...args]] : ["/bin/sh", ["-c", shell]];
  const pty = spawn(file, argv, {
    cols: columns,
    rows: 40,
    cwd,
    env: binEnv({ TERM: "xterm-256color", KEYS: `${nodePath} ${binPath}`, ...env }),
  });
  let drawn = "";
  let waitedTo = 0;
  let isOver = false;
  const waiting = new Set<() => void>();
  pty.onData((data) => {
    drawn += data;
    for (const check of [...waiting]) check();
  });
  const ended = new Promise<{ exitCode: number; signal: number }>((resolve) => {
    pty.onExit(({ exitCode, signal = 0 }) => {
      isOver = true;
      resolve({ exitCode, signal });
    });
  });
  onTestFinished(() => {
    if (!isOver) pty.kill("SIGKILL");
  });
  return {
    drawn: () => drawn,
    ended,
    type: (keys) => {
      pty.write(keys);
    },
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`${JSON.stringify(text)} was not drawn: ${JSON.stringify(drawn)}`));
        }, PATIENCE_MS);
        const check = (): void => {
          const at = drawn.indexOf(text, waitedTo);
          if (at === -1) return;
          waitedTo = at + text.length;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

/** What is seen of a drawing: without its control sequences. */
export function seen(drawn: string): string {
  // eslint-disable-next-line no-control-regex -- a terminal's control sequences start so
  return drawn.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "");
}
