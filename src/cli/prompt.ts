import { KeysError } from "../errors.js";
import { interrupted, type Context } from "./context.js";
import { wantsColour } from "./render/style.js";
import { visible } from "./render/visible.js";

/** One of several things to choose from. */
export interface Choice<T> {
  readonly name: string;
  /** What it is found by besides its name. */
  readonly also: string;
  readonly value: T;
}

type Prompts = typeof import("@inquirer/prompts");
type Streams = NonNullable<Parameters<Prompts["input"]>[1]>;

/** What tells that nothing more is read from a terminal. */
const ENDS = ["pause", "end"] as const;

/** What inquirer throws on Ctrl-C, and when the signal it was given is aborted. */
const ENDED = new Set(["ExitPromptError", "AbortPromptError", "CancelPromptError"]);

/**
 * Whether the operator can be asked: stdin and stderr are terminals, neither `--no-input` nor `CI`
 * says otherwise. stdout may be anything: prompts are drawn on stderr.
 */
export function canPrompt({ io, globals }: Context): boolean {
  const inCi = (io.env["CI"] ?? "") !== "";
  return globals.input && !inCi && io.stdin.isTTY && io.stderr.isTTY;
}

/** Asks for a line; `problem` says what is wrong with one, or undefined. */
export function askText(
  context: Context,
  message: string,
  problem: (text: string) => string | undefined,
): Promise<string> {
  return ask(context, loadPrompts, ({ input }, theme, streams) =>
    input({ message, validate: (text) => problem(text) ?? true, theme }, streams),
  );
}

/** Asks for a secret: nothing of it is drawn. */
export function askSecret(context: Context, message: string): Promise<string> {
  return ask(context, loadPrompts, ({ password }, theme, streams) =>
    password({ message, mask: false, theme }, streams),
  );
}

/** Offers a list of at least one, to be searched by typing. */
export async function askChoice<T>(
  context: Context,
  message: string,
  choices: readonly [Choice<T>, ...Choice<T>[]],
): Promise<T> {
  const shown = choices.map(({ name, also }) => ({ name: visible(name), also }));
  const load = (): Promise<typeof import("./search-prompt.js")> => import("./search-prompt.js");
  const index = await ask(context, load, ({ searchPrompt }, theme, streams) =>
    searchPrompt({ message, choices: shown, theme }, streams),
  );
  return (choices[index] ?? choices[0]).value;
}

/** Asks for a yes; Enter alone is a no. */
export function askConfirm(context: Context, message: string): Promise<boolean> {
  return ask(context, loadPrompts, ({ confirm }, theme, streams) =>
    confirm({ message: visible(message), default: false, theme }, streams),
  );
}

function loadPrompts(): Promise<Prompts> {
  return import("@inquirer/prompts");
}

async function ask<M, T>(
  context: Context,
  load: () => Promise<M>,
  prompt: (prompts: M, theme: Partial<typeof PLAIN_THEME>, streams: Streams) => Promise<T>,
): Promise<T> {
  const { io, globals, interrupt } = context;
  if (interrupt.aborted) throw interrupted();
  const prompts = await load();
  const theme = wantsColour(io.stderr, io.env, globals.color) ? {} : PLAIN_THEME;
  const { input, output } = io.terminal();
  const over = new AbortController();
  // On Ctrl-D, or where the terminal goes away, readline lets go of the input, and inquirer would wait
  // for ever: for want of anything to wait for, the process would end as if all had been done. Once there
  // is an answer it lets go, too; then nobody listens to the signal any more.
  const letGo = (): void => {
    over.abort();
  };
  for (const event of ENDS) input.on(event, letGo);
  try {
    const signal = AbortSignal.any([interrupt, over.signal]);
    return await prompt(prompts, theme, { input, output, signal });
  } catch (error) {
    if (error instanceof Error && ENDED.has(error.name)) {
      throw new KeysError("interrupted", interrupted().message, { cause: error });
    }
    throw error;
  } finally {
    for (const event of ENDS) input.off(event, letGo);
  }
}

function plain(text: string): string {
  return text;
}

/** Inquirer looks at the environment for its colours, but not at `--no-color`. */
const PLAIN_THEME = {
  prefix: { idle: "?", done: "✔" },
  icon: { cursor: "❯" },
  style: {
    answer: plain,
    message: plain,
    error: (text: string): string => `> ${text}`,
    defaultAnswer: (text: string): string => `(${text})`,
    help: plain,
    highlight: plain,
    key: (text: string): string => `<${text}>`,
    description: plain,
    disabled: plain,
    keysHelpTip: (keys: [key: string, action: string][]): string =>
      keys.map(([key, action]) => `${key} ${action}`).join(", "),
  },
};
