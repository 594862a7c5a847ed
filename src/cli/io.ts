/** The signals that end a command, or make a server read its file again. */
export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** A stream that is written to. */
export interface Output {
  readonly isTTY: boolean;
  /** The terminal's width in characters, or undefined where there is no terminal. */
  columns(): number | undefined;
  /** Resolves when every octet has been handed over; rejects with the system's error. */
  write(text: string): Promise<void>;
  /** As far as the system can tell, what was written has arrived: a file is synced. */
  flush(): Promise<void>;
  /** Whether it is the null device, which is also how Node shows a closed stream. */
  isNullDevice(): Promise<boolean>;
}

/** The stream that is read from. */
export interface Input {
  readonly isTTY: boolean;
  /**
   * Everything up to the end, or the first `limit + 1` octets, so that a caller sees that there is
   * more. Rejects with the system's error, or the signal's reason once it is aborted.
   */
  read(limit: number, signal: AbortSignal): Promise<Uint8Array>;
}

/** What prompts talk through: the streams of the terminal itself. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** The world as a command sees it: every part of it comes in here, so that tests can bring theirs. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An absolute path. */
  readonly cwd: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** Whom the system runs this for: a user's name, or a number that has none. */
  userName(): string;
  /** Octets that nobody can guess. */
  randomBytes(size: number): Uint8Array;
  /** Calls `listener` for each signal until the returned function is called. */
  onSignal(listener: (name: SignalName) => void): () => void;
  /** Called only where stdin and stderr are terminals. */
  terminal(): Terminal;
}
