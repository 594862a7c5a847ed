import { KeysError, systemCode } from "../errors.js";
import type { Io } from "./io.js";
import { formatJson } from "./render/json.js";
import { loadStyle, wantsColour, type Style } from "./render/style.js";
import { visible } from "./render/visible.js";

/** The options that every command takes. */
export interface GlobalOptions {
  readonly file: string | undefined;
  readonly json: boolean;
  /** False with `--no-input`: never prompt. */
  readonly input: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly quiet: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
  /** Adopt a token that exists: for `create`. What reads a token anyway reads it from stdin. */
  readonly tokenStdin: boolean;
  /** Where a new token goes instead of stdout. */
  readonly tokenFile: string | undefined;
}

/** What is said to the operator, on stderr. That it can't be said never fails a command. */
export interface Talk {
  /** One line that is left out with `--quiet`. */
  note(line: string): Promise<void>;
  /** One line of warning, left out with `--quiet`. */
  warn(line: string): Promise<void>;
  /** Rendered text, as it is. */
  show(text: string): Promise<void>;
}

/** What a command is given besides its own options. */
export interface Context {
  readonly io: Io;
  readonly globals: GlobalOptions;
  /** Aborted by SIGINT, SIGTERM and, unless {@link onHangup} is used, SIGHUP. */
  readonly interrupt: AbortSignal;
  /** SIGHUP calls this instead of interrupting, until the returned function is called. */
  onHangup(listener: () => void): () => void;
  readonly talk: Talk;
  /** The style of one stream: each is judged by itself. */
  style(stream: "stdout" | "stderr"): Promise<Style>;
  /**
   * Writes data to stdout. A reader that has seen enough (EPIPE) ends it quietly.
   *
   * @throws KeysError `output-failed`
   */
  print(text: string): Promise<void>;
  /** {@link print} of one JSON document. */
  printJson(value: unknown): Promise<void>;
}

/** A context, and how to let go of the signals it listens to. */
export interface OpenContext {
  readonly context: Context;
  readonly close: () => void;
}

/** The context of one command. */
export function openContext(io: Io, globals: GlobalOptions): OpenContext {
  const interrupt = new AbortController();
  const hangup = new Set<() => void>();
  const close = io.onSignal((name) => {
    if (name === "SIGHUP" && hangup.size > 0) for (const listener of hangup) listener();
    else interrupt.abort(interrupted());
  });
  const print = (text: string): Promise<void> => printData(io, text);
  const style = (stream: "stdout" | "stderr"): Promise<Style> =>
    loadStyle(wantsColour(io[stream], io.env, globals.color));
  const context: Context = {
    io,
    globals,
    interrupt: interrupt.signal,
    onHangup(listener) {
      hangup.add(listener);
      return () => {
        hangup.delete(listener);
      };
    },
    talk: createTalk(io, globals, style),
    style,
    print,
    printJson: (value) => print(formatJson(value, io.stdout.isTTY)),
  };
  return { context, close };
}

/** What a command that was interrupted throws. */
export function interrupted(): KeysError {
  return new KeysError("interrupted", "interrupted; nothing was changed");
}

function createTalk(
  io: Io,
  globals: GlobalOptions,
  style: (stream: "stderr") => Promise<Style>,
): Talk {
  async function show(text: string): Promise<void> {
    try {
      await io.stderr.write(text);
    } catch {
      // Nobody listens; what the command does is not less done.
    }
  }
  return {
    show,
    note: async (line) => {
      if (!globals.quiet) await show(`${visible(line)}\n`);
    },
    warn: async (line) => {
      if (globals.quiet) return;
      const { warn } = await style("stderr");
      await show(`keys: ${warn("warning:")} ${visible(line)}\n`);
    },
  };
}

async function printData(io: Io, text: string): Promise<void> {
  try {
    await io.stdout.write(text);
  } catch (error) {
    if (systemCode(error) !== "EPIPE") throw outputFailed(error);
  }
}

function outputFailed(cause: unknown): KeysError {
  const code = systemCode(cause);
  const reason = code === "ENOSPC" ? ": no space is left on the device" : "";
  return new KeysError("output-failed", `the output could not be written${reason}`, { cause });
}
