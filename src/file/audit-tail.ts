import {
  GENESIS,
  hashOfLine,
  MAX_LINE_BYTES,
  parseAuditLine,
  tornHash,
  type AuditLine,
} from "./audit-line.js";
import type { FileHandle } from "./disk.js";

/** The end of a log, as whoever appends to it needs to know it. */
export interface AuditTail {
  /** The hash that the next line carries: of the last whole line, or of what is torn behind it. */
  readonly prev: string;
  /** The last whole line, where there is one. */
  readonly last: AuditLine | undefined;
  /** The hash of {@link last}, or that of an empty log. */
  readonly chain: string;
  /** How many octets stand behind the last whole line that are none; undefined where nothing does. */
  readonly tornOctets: number | undefined;
  /** Whether the file ends in the middle of a line. */
  readonly isOpen: boolean;
}

const FIRST_LOOK = 64 * 1024;
/** A whole line, what is torn of another, and what is torn of the line that was to mend it. */
const LONGEST_LOOK = 3 * MAX_LINE_BYTES;
const LF = 0x0a;

/**
 * Reads the end of a log, however long it is: the last 64 KiB, more only where no whole line ends
 * there, 3 MiB at most. Undefined where no whole line is found within that.
 */
export async function readAuditTail(
  file: FileHandle,
  size: number,
): Promise<AuditTail | undefined> {
  for (let look = FIRST_LOOK; ; look = Math.min(LONGEST_LOOK, 8 * look)) {
    const length = Math.min(look, size);
    const bytes = await readAt(file, size - length, length);
    const tail = tailOf(bytes, length === size);
    if (tail !== undefined) return tail;
    if (length === size || look === LONGEST_LOOK) return undefined;
  }
}

function tailOf(bytes: Buffer, isWhole: boolean): AuditTail | undefined {
  const isOpen = bytes.length > 0 && bytes.at(-1) !== LF;
  // Where lines end: at each LF, and at the end of the file for one that lacks its LF.
  let end = isOpen ? bytes.length : bytes.length - 1;
  while (end > 0) {
    const begin = bytes.lastIndexOf(LF, end - 1) + 1;
    // A line that begins before what was read is cut: its rest can't be told from garbage.
    if (begin === 0 && !isWhole) return undefined;
    const octets = bytes.subarray(begin, end);
    const last = parseAuditLine(octets);
    if (last !== undefined) return tailBehind(bytes, end, { last, chain: hashOfLine(octets) });
    end = begin - 1;
  }
  if (!isWhole) return undefined;
  return tailBehind(bytes, -1, { last: undefined, chain: GENESIS });
}

/** The tail where the last whole line ends at `end`, without its LF. */
function tailBehind(
  bytes: Buffer,
  end: number,
  known: Pick<AuditTail, "last" | "chain">,
): AuditTail {
  const isOpen = bytes.length > 0 && bytes.at(-1) !== LF;
  const torn = bytes.subarray(end + 1, isOpen ? bytes.length : Math.max(bytes.length - 1, 0));
  const isTorn = bytes.length > end + 1;
  return {
    ...known,
    prev: isTorn ? hashOfTorn(torn) : known.chain,
    tornOctets: isTorn ? torn.length : undefined,
    isOpen,
  };
}

function hashOfTorn(torn: Buffer): string {
  let hash: string | undefined;
  for (let begin = 0; begin <= torn.length;) {
    const lf = torn.indexOf(LF, begin);
    const end = lf === -1 ? torn.length : lf;
    hash = tornHash(hash, hashOfLine(torn.subarray(begin, end)));
    begin = end + 1;
  }
  return hash ?? hashOfLine(torn);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}
