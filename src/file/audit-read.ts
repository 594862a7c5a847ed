import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { KeysError, systemCode } from "../errors.js";
import { fileFailure } from "./file-failure.js";
import {
  GENESIS,
  hashOfLine,
  MAX_LINE_BYTES,
  parseAuditLine,
  tornHash,
  type AuditLine,
} from "./audit-line.js";
import { open } from "./disk.js";

/** Something between two line ends of a log. */
export interface AuditRecord {
  /** Counted from 1. */
  readonly number: number;
  /** Undefined for what is no line of such a log. */
  readonly line: AuditLine | undefined;
  /** SHA-256 of the octets, without the line end. */
  readonly hash: string;
  /** Whether a line end stands behind it: not behind the last, while it is being written or torn. */
  readonly isEnded: boolean;
}

/** What {@link verifyAudit} found. */
export interface AuditVerdict {
  /** How many lines there are, torn ones too. */
  readonly lines: number;
  /** The hash of the last whole line, to be kept elsewhere; null where there is none. */
  readonly head: string | null;
  /** How many times a crash left a piece of a line. */
  readonly torn: number;
  /** Whether the log ends with a change of which nobody has said yet what came of it. */
  readonly isOpen: boolean;
  /** Whether the hash that was asked for stands in the chain; undefined where none was. */
  readonly hasHead: boolean | undefined;
  /** The first line that does not follow from those before it, where there is one. */
  readonly broken: BrokenLine | undefined;
}

/** Where a chain breaks, and how. */
export interface BrokenLine {
  /** Counted from 1. */
  readonly line: number;
  readonly reason: string;
}

const CHUNK = 64 * 1024;
const LF = 0x0a;

/**
 * Reads a log from its beginning, one line after the other, whatever its size; those that are none
 * too. `path` is the log's own.
 *
 * @throws KeysError `file-not-found`; `file-unreadable`
 */
export async function* readAudit(path: string): AsyncGenerator<AuditRecord, void, undefined> {
  const { O_RDONLY, O_NONBLOCK } = constants;
  const file = await open(path, O_RDONLY | O_NONBLOCK).catch((error: unknown) => {
    throw readFailure(error, path);
  });
  try {
    if (!(await file.stat()).isFile()) {
      throw new KeysError("file-unreadable", `cannot read ${path}: not a regular file`);
    }
    const chunk = Buffer.alloc(CHUNK);
    const current = new LineBuffer();
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK, null);
      if (bytesRead === 0) break;
      let begin = 0;
      for (
        let end = chunk.indexOf(LF);
        end !== -1 && end < bytesRead;
        end = chunk.indexOf(LF, begin)
      ) {
        current.add(chunk.subarray(begin, end));
        yield current.take(true);
        begin = end + 1;
      }
      current.add(chunk.subarray(begin, bytesRead));
    }
    if (!current.isEmpty) yield current.take(false);
  } catch (error) {
    throw readFailure(error, path);
  } finally {
    await file.close();
  }
}

/**
 * Whether the chain holds from the first line of a log to its last. What a chain can't show is that
 * all of it was written anew, or that its end was cut off: for that keep `head` elsewhere, and ask
 * for it.
 *
 * @param head - the hash of a line that must be there.
 * @throws KeysError what {@link readAudit} throws
 */
export async function verifyAudit(path: string, head?: string): Promise<AuditVerdict> {
  const chain = new Chain(head);
  for await (const record of readAudit(path)) {
    const reason = chain.follow(record);
    if (reason !== undefined) {
      return chain.verdict(reason);
    }
  }
  return chain.verdict(chain.end());
}

/** A line as it comes in pieces. Of one that is too long only the hash is kept. */
class LineBuffer {
  #pieces: Buffer[] = [];
  #length = 0;
  #hash: Hash | undefined;
  #number = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  add(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length <= MAX_LINE_BYTES) {
      // A copy: the chunk is read into again.
      this.#pieces.push(Buffer.from(piece));
      return;
    }
    this.#hash ??= createHash("sha256").update(Buffer.concat(this.#pieces));
    this.#hash.update(piece);
    this.#pieces = [];
  }

  take(isEnded: boolean): AuditRecord {
    this.#number += 1;
    const octets = Buffer.concat(this.#pieces);
    const isLong = this.#hash !== undefined;
    const record: AuditRecord = {
      number: this.#number,
      line: isLong ? undefined : parseAuditLine(octets),
      hash: this.#hash?.digest("hex") ?? hashOfLine(octets),
      isEnded,
    };
    this.#pieces = [];
    this.#length = 0;
    this.#hash = undefined;
    return record;
  }
}

/** Follows a log line by line. */
class Chain {
  readonly #sought: string | undefined;
  #lines = 0;
  #head = GENESIS;
  #last: AuditLine | undefined;
  #hasHead = false;
  #tornCount = 0;
  /** What is torn just before, until a line says so. */
  #torn: { readonly line: number; readonly hash: string; readonly isEnded: boolean } | undefined;

  constructor(sought: string | undefined) {
    this.#sought = sought;
  }

  /** Where the chain breaks at this line, if it does. */
  follow({ number, line, hash, isEnded }: AuditRecord): BrokenLine | undefined {
    this.#lines = number;
    if (line === undefined) {
      const torn = this.#torn;
      this.#torn = { line: torn?.line ?? number, hash: tornHash(torn?.hash, hash), isEnded };
      return undefined;
    }
    const broken = this.#torn === undefined ? this.#judge(line, number) : this.#judgeTorn(line);
    if (broken !== undefined) return broken;
    this.#head = hash;
    this.#last = line;
    if (hash === this.#sought) this.#hasHead = true;
    return undefined;
  }

  /** Where it breaks at the end. A piece without a line end is what a crash leaves. */
  end(): BrokenLine | undefined {
    if (this.#torn === undefined) return undefined;
    if (this.#torn.isEnded) return noLine(this.#torn.line);
    this.#tornCount += 1;
    return undefined;
  }

  verdict(broken: BrokenLine | undefined): AuditVerdict {
    return {
      lines: this.#lines,
      head: this.#last === undefined ? null : this.#head,
      torn: this.#tornCount,
      isOpen: this.#last?.kind === "intent",
      hasHead: this.#sought === undefined ? undefined : this.#hasHead,
      broken,
    };
  }

  #judge(line: AuditLine, number: number): BrokenLine | undefined {
    if (line.prev === this.#head && line.kind !== "torn") return undefined;
    const reason =
      number === 1
        ? "it is not the beginning of a log: what stood before it was removed"
        : `it does not follow from line ${String(number - 1)}: one of the two was changed, or something was put or taken from between them`;
    return { line: number, reason };
  }

  /** Behind what is torn stands a line that says so, and goes on from the last whole one. */
  #judgeTorn(line: AuditLine): BrokenLine | undefined {
    const torn = this.#torn;
    this.#torn = undefined;
    if (torn === undefined) return undefined;
    const isMended = line.kind === "torn" && line.prev === torn.hash && line.chain === this.#head;
    if (!isMended) return noLine(torn.line);
    this.#tornCount += 1;
    return undefined;
  }
}

function noLine(line: number): BrokenLine {
  return { line, reason: "it is no line of an audit log" };
}

function readFailure(error: unknown, path: string): unknown {
  if (systemCode(error) === "ENOENT") {
    return new KeysError("file-not-found", `there is no audit log at ${path}`, {
      hint: "it begins with the first change; another is named with --audit-file or KEYS_AUDIT_FILE",
      cause: error,
    });
  }
  return fileFailure(error, "file-unreadable", `cannot read ${path}`);
}
