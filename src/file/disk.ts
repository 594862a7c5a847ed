/*
 * The part of `node:fs/promises` that is used here, made of the calls of `node:fs`: loading the
 * former brings readline and more along, which is a tenth of a command's start.
 */
import * as fs from "node:fs";
import { promisify } from "node:util";

/** Times in nanoseconds. */
interface Nanoseconds {
  readonly bigint: true;
}

const openAt = promisify(fs.open);
const closeOf = promisify(fs.close);
const statOf = promisify(fs.stat);
const lstatOf = promisify(fs.lstat);
const fstatOf = promisify(fs.fstat);
const readFrom = promisify(fs.read);
const writeTo = promisify(fs.write);
const fsyncOf = promisify(fs.fsync);
const fchmodOf = promisify(fs.fchmod);
const fchownOf = promisify(fs.fchown);
const futimesOf = promisify(fs.futimes);
const ftruncateOf = promisify(fs.ftruncate);

export const access: (path: string, mode?: number) => Promise<void> = promisify(fs.access);
export const link: (path: string, name: string) => Promise<void> = promisify(fs.link);
export const readdir: (path: string) => Promise<string[]> = promisify(fs.readdir);
export const readFile: (path: string, encoding: "utf8" | "latin1") => Promise<string> = promisify(
  fs.readFile,
);
export const readlink: (path: string) => Promise<string> = promisify(fs.readlink);
export const realpath: (path: string) => Promise<string> = promisify(fs.realpath.native);
export const rename: (path: string, name: string) => Promise<void> = promisify(fs.rename);
export const unlink: (path: string) => Promise<void> = promisify(fs.unlink);

export function stat(path: string): Promise<fs.Stats> {
  return statOf(path);
}

/** Of a link itself. */
export function lstat(path: string, options: Nanoseconds): Promise<fs.BigIntStats> {
  return lstatOf(path, options);
}

/** Opens a file; `mode` is for one that is made. */
export async function open(
  path: string,
  flags: string | number,
  mode?: number,
): Promise<FileHandle> {
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

  stat(): Promise<fs.Stats>;
  stat(options: Nanoseconds): Promise<fs.BigIntStats>;
  stat(options?: Nanoseconds): Promise<fs.Stats | fs.BigIntStats> {
    return this.#call((fd) => fstatOf(fd, options));
  }

  /** Reads up to `length` octets from a position; for null, from where the last read ended. */
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): Promise<{ readonly bytesRead: number }> {
    return this.#call((fd) => readFrom(fd, buffer, offset, length, position));
  }

  /** Writes all of it behind what was written before, in as few calls as the system lets it be. */
  async writeFile(content: Uint8Array | string): Promise<void> {
    let rest = typeof content === "string" ? Buffer.from(content) : content;
    while (rest.length > 0) {
      const part = rest;
      const { bytesWritten } = await this.#call((fd) => writeTo(fd, part));
      rest = rest.subarray(bytesWritten);
    }
  }

  sync(): Promise<void> {
    return this.#call((fd) => fsyncOf(fd));
  }

  chmod(mode: number): Promise<void> {
    return this.#call((fd) => fchmodOf(fd, mode));
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.#call((fd) => fchownOf(fd, uid, gid));
  }

  utimes(accessed: Date, modified: Date): Promise<void> {
    return this.#call((fd) => futimesOf(fd, accessed, modified));
  }

  truncate(length: number): Promise<void> {
    return this.#call((fd) => ftruncateOf(fd, length));
  }

  /** Waits for what is under way: the number of a closed file may at once be that of another. */
  close(): Promise<void> {
    return (this.#closed ??= Promise.allSettled(this.#running).then(() => closeOf(this.#fd)));
  }

  async #call<T>(operation: (fd: number) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) {
      throw Object.assign(new Error("EBADF: the file is closed"), { code: "EBADF" });
    }
    const running = operation(this.#fd);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}
