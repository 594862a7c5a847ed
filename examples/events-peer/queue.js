import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { dirname } from "node:path";

const LINE_END = 0x0a;
const CHUNK_OCTETS = 64 * 1024;

/**
 * A file of lines, each a checksum and a record in JSON. A record is durable when `append` resolves:
 * it outlives the process and the machine. Records that wait at the same time share one `fsync`.
 */
export class Queue {
  #file;
  #end;
  #waiting = [];
  #flushing;
  #failure;

  constructor(file, end) {
    this.#file = file;
    this.#end = end;
  }

  /** Opens the file or makes it. A last line that a crash has torn is ended, so that none joins it. */
  static async open(path) {
    const file = await open(path, "a+", 0o600);
    let { size } = await file.stat();
    if (size > 0) {
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
      if (buffer[0] !== LINE_END) {
        await file.write("\n");
        size += 1;
      }
    }
    await file.sync();
    const directory = await open(dirname(path), "r");
    await directory.sync();
    await directory.close();
    return new Queue(file, size);
  }

  /** How many octets are durable: whole lines, all of them. */
  get end() {
    return this.#end;
  }

  /** Resolves when the record is durable. Once a write has failed, everything after it fails too. */
  append(record) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line: formatLine(record), resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** The durable lines from an offset on: `{ record, end }`, without a record where it is garbage. */
  async *lines(from) {
    const buffer = Buffer.alloc(CHUNK_OCTETS);
    const to = this.#end;
    let rest = Buffer.alloc(0);
    let start = from;
    for (let at = from; at < to;) {
      const { bytesRead } = await this.#file.read(buffer, 0, Math.min(CHUNK_OCTETS, to - at), at);
      if (bytesRead === 0) return;
      at += bytesRead;
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      for (let end = rest.indexOf(LINE_END); end !== -1; end = rest.indexOf(LINE_END)) {
        start += end + 1;
        yield { record: parseLine(rest.subarray(0, end).toString("utf8")), end: start };
        rest = rest.subarray(end + 1);
      }
    }
  }

  async close() {
    await this.#flushing;
    await this.#file.close();
  }

  async #flush() {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        if (this.#failure !== undefined) throw this.#failure;
        const octets = Buffer.from(batch.map(({ line }) => line).join(""));
        await this.#file.appendFile(octets);
        await this.#file.datasync();
        this.#end += octets.length;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // After a failed sync nobody knows what is on the disk: only a new start can tell.
        this.#failure = error;
        for (const { reject } of batch) reject(error);
      }
    }
    this.#flushing = undefined;
  }
}

function formatLine(record) {
  const text = JSON.stringify(record);
  return `${checksum(text)} ${text}\n`;
}

/** Undefined where the line is torn or garbage. */
function parseLine(line) {
  const text = line.slice(line.indexOf(" ") + 1);
  if (line !== `${checksum(text)} ${text}`) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checksum(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
