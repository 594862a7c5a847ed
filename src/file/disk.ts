/*
 * The part of `node:fs/promises` that is used here, made of the calls of `node:fs`: loading the
 * former brings readline and more along, which is a tenth of a command's start.
 */
import type * as Fs from "node:fs";
import { promisify } from "node:util";

// An import of all of it has a bundle copy it, name by name.
const fs = process.getBuiltinModule("node:fs");

type Call<Given extends readonly unknown[], Result> = (...given: Given) => Promise<Result>;
type OfPath<Result> = Call<[path: string], Result>;
type OfPaths<Result> = Call<[from: string, to: string], Result>;
type OfFile<Given extends readonly unknown[], Result> = Call<[fd: number, ...Given], Result>;

type Encoding = "utf8" | "latin1";
/** Times in nanoseconds. */
interface Nanoseconds {
  readonly bigint: true;
}

let isWaiting = false;

/**
 * Has this thread wait for the disk from now on, except for `sync`, in place of one of those that Node
 * keeps for it: for a command, which has nothing else to do. A hundred calls take 4 ms less so. A
 * signal is seen at the next `sync` or pause.
 *
 * @param wanted - false for a process that has others to serve. Default true.
 */
export function waitForDisk(wanted: boolean = true): void {
  isWaiting = wanted;
}

/** @param pool - makes the call of a thread of Node's: when it is first needed, which it may never be. */
function either<Given extends readonly unknown[], Result>(
  pool: () => Call<Given, Result>,
  waiting: (...given: Given) => Result,
): Call<Given, Result> {
  let pooled: Call<Given, Result> | undefined;
  return async (...given) => (isWaiting ? waiting(...given) : await (pooled ??= pool())(...given));
}

export const access: Call<[path: string, mode?: number], void> = either(
  () => promisify(fs.access),
  fs.accessSync,
);
export const link: OfPaths<void> = either(() => promisify(fs.link), fs.linkSync);
export const lstat: Call<[path: string, options: Nanoseconds], Fs.BigIntStats> = either<
  [string, Nanoseconds],
  Fs.BigIntStats
>(
  () => promisify(fs.lstat),
  (path, options) => fs.lstatSync(path, options),
);
export const readdir: OfPath<string[]> = either<[string], string[]>(
  () => promisify(fs.readdir),
  (path) => fs.readdirSync(path),
);
export const readFile: Call<[path: string, encoding: Encoding], string> = either<
  [string, Encoding],
  string
>(
  () => promisify(fs.readFile),
  (path, encoding) => fs.readFileSync(path, encoding),
);
export const readlink: OfPath<string> = either<[string], string>(
  () => promisify(fs.readlink),
  (path) => fs.readlinkSync(path),
);
export const realpath: OfPath<string> = either(
  () => promisify(fs.realpath.native),
  (path: string) => fs.realpathSync.native(path),
);
export const rename: OfPaths<void> = either(() => promisify(fs.rename), fs.renameSync);
export const stat: OfPath<Fs.Stats> = either<[string], Fs.Stats>(
  () => promisify(fs.stat),
  (path) => fs.statSync(path),
);
export const unlink: OfPath<void> = either(() => promisify(fs.unlink), fs.unlinkSync);

type Flags = string | number;
type Piece = [buffer: Uint8Array, offset: number, length: number, position: number | null];

const openAt = either<[string, Flags, number | undefined], number>(
  () => promisify(fs.open),
  (path, flags, mode) => fs.openSync(path, flags, mode),
);
const closeOf: OfFile<[], void> = either(() => promisify(fs.close), fs.closeSync);
const statOf = either<[number], Fs.Stats>(
  () => promisify(fs.fstat),
  (fd) => fs.fstatSync(fd),
);
const bigStatOf = either<[number, Nanoseconds], Fs.BigIntStats>(
  () => promisify(fs.fstat),
  (fd, options) => fs.fstatSync(fd, options),
);
/** Gives how much it read: up to `length` octets from a position, or for null from where it is. */
export const readFrom: OfFile<Piece, number> = either(
  () => {
    const read = promisify(fs.read);
    return async (fd, ...piece) => (await read(fd, ...piece)).bytesRead;
  },
  (fd: number, ...piece: Piece) => fs.readSync(fd, ...piece),
);
/** Gives how much of it was written. */
export const writeTo: OfFile<[Uint8Array], number> = either(
  () => {
    const write = promisify(fs.write);
    return async (fd, bytes) => (await write(fd, bytes)).bytesWritten;
  },
  (fd: number, bytes: Uint8Array) => fs.writeSync(fd, bytes),
);
const chmodOf: OfFile<[number], void> = either(() => promisify(fs.fchmod), fs.fchmodSync);
const chownOf: OfFile<[number, number], void> = either(() => promisify(fs.fchown), fs.fchownSync);
const timesOf: OfFile<[Date, Date], void> = either(() => promisify(fs.futimes), fs.futimesSync);
const truncateOf: OfFile<[number], void> = either(() => promisify(fs.ftruncate), fs.ftruncateSync);
// A disk may take seconds for it, and its thread too has to wait then.
const syncOf: OfFile<[], void> = (fd) => promisify(fs.fsync)(fd);

/** Opens a file; `mode` is for one that is made. */
export async function open(path: string, flags: Flags, mode?: number): Promise<FileHandle> {
  return new FileHandle(await openAt(path, flags, mode));
}

/** A file that is open. Rejections are the system's errors. */
export class FileHandle {
  readonly #fd: number;
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  stat(): Promise<Fs.Stats>;
  stat(options: Nanoseconds): Promise<Fs.BigIntStats>;
  stat(options?: Nanoseconds): Promise<Fs.Stats | Fs.BigIntStats> {
    return options === undefined ? this.#call(statOf) : this.#call(bigStatOf, options);
  }

  /** Reads up to `length` octets from a position; for null, from where the last read ended. */
  async read(...piece: Piece): Promise<{ readonly bytesRead: number }> {
    return { bytesRead: await this.#call(readFrom, ...piece) };
  }

  /** Writes all of it behind what was written before, in as few calls as the system lets it be. */
  async writeFile(content: Uint8Array | string): Promise<void> {
    let rest = typeof content === "string" ? Buffer.from(content) : content;
    while (rest.length > 0) rest = rest.subarray(await this.#call(writeTo, rest));
  }

  sync(): Promise<void> {
    return this.#call(syncOf);
  }

  chmod(mode: number): Promise<void> {
    return this.#call(chmodOf, mode);
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.#call(chownOf, uid, gid);
  }

  utimes(accessed: Date, modified: Date): Promise<void> {
    return this.#call(timesOf, accessed, modified);
  }

  truncate(length: number): Promise<void> {
    return this.#call(truncateOf, length);
  }

  /** Waits for what is under way: the number of a closed file may at once be that of another. */
  close(): Promise<void> {
    return (this.#closed ??= Promise.allSettled(this.#running).then(() => closeOf(this.#fd)));
  }

  async #call<Given extends readonly unknown[], Result>(
    operation: OfFile<Given, Result>,
    ...given: Given
  ): Promise<Result> {
    if (this.#closed !== undefined) {
      throw Object.assign(new Error("EBADF: the file is closed"), { code: "EBADF" });
    }
    const running = operation(this.#fd, ...given);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}
