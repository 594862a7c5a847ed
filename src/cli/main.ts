import { KeysError } from "../errors.js";
import type { CommandSpec } from "./command.js";
import { openContext, type Context, type GlobalOptions } from "./context.js";
import { asksForVersion, parseExactly } from "./exact-line.js";
import { EXIT_STATUS, type ExitStatus } from "./exit-codes.js";
import { waitForDisk } from "../file/disk.js";
import { guessGlobals } from "./globals.js";
import { runCall, type Invocation } from "./invocation.js";
import type { Io } from "./io.js";
import { processIo } from "./process-io.js";
import { errorRecord, formatError, toKeysError } from "./render/error.js";
import { packageVersion } from "./version.js";

/**
 * Runs one command line in a given world, and never throws.
 *
 * @param argv - what follows the command's name: without Node and script.
 * @param begin - is told of the command that is about to run.
 * @returns the exit status (`docs/exit-codes.md`).
 */
export async function run(
  argv: readonly string[],
  io: Io,
  begin: (command: CommandSpec) => void = () => undefined,
): Promise<ExitStatus> {
  let globals = guessGlobals(argv);
  try {
    const invocation = await read(argv, io);
    switch (invocation.kind) {
      case "text":
        await within(io, globals, (context) => context.print(invocation.text));
        return 0;
      case "nothing":
        if (!globals.json) await within(io, globals, ({ talk }) => talk.show(invocation.help));
        throw new KeysError("usage", "no command is given", {
          hint: "`keys --help` lists the commands",
        });
      case "command":
        globals = invocation.globals;
        begin(invocation.command);
        return await within(io, globals, async (context) => {
          try {
            return await runCall(invocation, context);
          } catch (error) {
            return await report(context, error);
          }
        });
    }
  } catch (error) {
    return await within(io, globals, (context) => report(context, error));
  }
}

/**
 * The program: runs the command line of this process.
 *
 * @returns the exit status, for the shell around it to set.
 */
export function main(): Promise<ExitStatus> {
  const io = processIo();
  const argv = process.argv.slice(2);
  // Once a command is done, a signal must not make it look undone on its last instants.
  io.onSignal(() => undefined);
  return new Promise((resolve) => {
    // What a library throws outside any call of ours must not print its own stack. A server that
    // is running is told to stop: nobody knows what state it is in.
    let isEnding = false;
    process.on("uncaughtException", (error) => {
      if (isEnding) return;
      isEnding = true;
      void within(io, guessGlobals(argv), (context) => report(context, error))
        .then(resolve)
        .finally(() => process.kill(process.pid, "SIGTERM"));
    });
    waitForDisk();
    void run(argv, io, ({ stays }) => {
      waitForDisk(stays !== true);
    }).then(resolve);
  });
}

async function read(argv: readonly string[], io: Io): Promise<Invocation> {
  const call = parseExactly(argv);
  if (call !== undefined) return call;
  if (asksForVersion(argv)) return { kind: "text", text: `${packageVersion()}\n` };
  const { parseCommandLine } = await import("./program.js");
  return parseCommandLine(argv, packageVersion(), io.stdout.columns());
}

async function within<T>(
  io: Io,
  globals: GlobalOptions,
  act: (context: Context) => Promise<T>,
): Promise<T> {
  const { context, close } = openContext(io, globals);
  try {
    return await act(context);
  } finally {
    close();
  }
}

/** Tells an error, on stdout too where JSON was asked for, and gives its exit status. */
async function report(context: Context, thrown: unknown): Promise<ExitStatus> {
  const { globals, talk } = context;
  const error = toKeysError(thrown);
  if (error.code === "keystore-invalid") {
    const { reportInvalid } = await import("./troubled-file.js");
    await reportInvalid(context, error);
  }
  await talk.show(formatError(error, await context.style("stderr")));
  if (globals.json) {
    await context.printJson(errorRecord(error)).catch(() => {
      // Told on stderr already.
    });
  }
  return EXIT_STATUS[error.code];
}
