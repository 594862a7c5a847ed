/**
 * One lock across processes, so that writers never lose each other's work (docs: KEYSTORE.md,
 * invariant 7).
 *
 * The lock of `keys.yaml` is the file `keys.yaml.lock`. It appears with its whole content or not
 * at all (a private file is written, then linked to the name), and says who holds it: host, boot,
 * process-id namespace, process, the process's start time, and a nonce that is never used twice.
 *
 * Releasing is removing the file. The hard part is a holder that died. No system call removes a
 * file only if it is still the one that was looked at; so whoever sees a dead lock and simply
 * removes it may remove the next holder's, made a moment ago by somebody who saw the same. Nor
 * does a second lock around the takeover help: its holder may die as well.
 *
 * So nothing is removed. A dead lock with nonce N is inherited: the heir links its own private
 * file to `keys.yaml.lock.N.next`. Linking never overwrites, so N has one heir at most. The heir
 * then renames that file over `keys.yaml.lock`: there is no instant without a lock. If the heir
 * dies in between, with nonce M, then `keys.yaml.lock.M.next` is what its heir makes, and so on:
 * the last of this chain is who holds the lock, or is about to.
 *
 * A waiter may be late: it saw N dead, and before it links, N's heir has come, renamed and gone.
 * Therefore an heir looks at `keys.yaml.lock` again after linking. If N no longer stands there,
 * the claim is void, and is withdrawn. If N does, the claim is good, because
 *  - a nonce that has left `keys.yaml.lock` never comes back (each attempt draws a new one), and
 *  - while N stands there, `keys.yaml.lock.N.next` is removed by no one: only by the renaming
 *    itself, by its owner when the claim is void, and by a later holder's sweep, which spares the
 *    heirs of the nonce that stands there, its own.
 * The same holds for each further link of the chain as long as its first is unchanged.
 *
 * Between processes of one machine this is exact, since whether a process lives is known exactly.
 * A holder elsewhere is taken for dead after 30 s without a sign of life; should it have been
 * asleep, {@link Lock.isHeld} tells it, and it must ask before it changes anything.
 */
import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KeysError, systemCode } from "../errors.js";
import { link, lstat, open, readdir, rename, unlink, type FileHandle } from "./disk.js";
import { fileFailure, ignore, ignoreMissing } from "./file-failure.js";
import { identifySelf, judge, parseHolder, type Holder, type Owner } from "./lock-holder.js";

/** For {@link acquireLock}. Durations in milliseconds. */
export interface LockOptions {
  /** How long to wait for a holder. Default 60,000. */
  timeoutMs?: number | undefined;
  /** How long to wait for a holder that is known to live. Default `timeoutMs`. */
  aliveMs?: number | undefined;
  /** How long a holder on another host may give no sign of life. Default 30,000. */
  foreignMs?: number | undefined;
  /** How often a holder gives a sign of life: well below `foreignMs`. Default 5,000. */
  refreshMs?: number | undefined;
  /** Interrupts the waiting. */
  signal?: AbortSignal | undefined;
}

/** A lock that is held. It must be released, or it is held until the process ends. */
export interface Lock {
  /** Whether the lock is still ours: not released, nor taken over by another. Never rejects. */
  isHeld(): Promise<boolean>;
  /** Gives the lock up; again does nothing. Leaves another's lock alone. Never rejects. */
  release(): Promise<void>;
}

/** A lock file as it was seen once. */
interface Sighting {
  /** The nonce; for a file that can't be understood, a digest of what is known of it. */
  readonly key: string;
  readonly holder: Holder | undefined;
  readonly mtimeNs: bigint;
}

const POLL_MIN_MS = 5;
const POLL_MAX_MS = 50;
const MAX_LOCK_BYTES = 4096;
const MAX_CHAIN = 64;
const LEFTOVER = /^([0-9a-f]{32})\.(?:tmp|next)$/;

/**
 * Takes the lock of the file at `realPath` (links already followed: one file, one lock), waiting
 * for whoever has it. Not fair: among waiters anyone may be next. Two calls in one process exclude
 * each other like two processes.
 * Errors: `lock-timeout` (a living holder kept it for `timeoutMs`); `interrupted` (by `signal`);
 * `file-unwritable` (the lock can't be made: no permission, no space).
 */
export async function acquireLock(realPath: string, options: LockOptions = {}): Promise<Lock> {
  const { timeoutMs = 60_000, foreignMs = 30_000, refreshMs = 5_000, signal } = options;
  const { aliveMs = timeoutMs } = options;
  const lockPath = `${realPath}.lock`;
  const begun = monotonicMs();
  try {
    const self = await identifySelf();
    const isSilent = watchForSigns(foreignMs);
    for (;;) {
      requireUninterrupted(signal);
      // Before the look: a pause of ours in between must not count as a silence of the holder's.
      const now = monotonicMs();
      const chain = await lookAlong(lockPath);
      const last = chain.at(-1);
      const standing = last === undefined ? "dead" : await judge(last.holder, self);
      const silent = last !== undefined && isSilent(last, now);
      if (standing === "dead" || (standing === "foreign" && silent)) {
        const lock = await claim(lockPath, chain, self, refreshMs);
        if (lock !== undefined) return await unlessInterrupted(lock, signal);
      }
      const patienceMs = standing === "alive" ? aliveMs : timeoutMs;
      if (monotonicMs() - begun >= patienceMs) {
        throw lockTimeout(realPath, lockPath, last?.holder, patienceMs);
      }
      // Short enough to see an interrupt in time; jittered, so that waiters don't march in step.
      await delay(POLL_MIN_MS + Math.random() * (POLL_MAX_MS - POLL_MIN_MS));
    }
  } catch (error) {
    throw fileFailure(error, "file-unwritable", `cannot make a lock in ${dirname(lockPath)}`);
  }
}

/**
 * One attempt to become the holder: of no lock at all if `chain` is empty, else as the heir of its
 * last. Undefined when another was quicker.
 */
async function claim(
  lockPath: string,
  chain: readonly Sighting[],
  self: Owner,
  refreshMs: number,
): Promise<Lock | undefined> {
  const nonce = randomBytes(16).toString("hex");
  const first = chain[0];
  const last = chain.at(-1);
  const name = last === undefined ? lockPath : heirPath(lockPath, last.key);
  const file = await publish(lockPath, name, { ...self, nonce, created: new Date().toISOString() });
  if (file === undefined) return undefined;
  const lock = hold(lockPath, nonce, file, refreshMs);
  let isOurs = false;
  try {
    if (first !== undefined && (await look(lockPath))?.key === first.key) {
      await rename(name, lockPath).catch(ignoreMissing);
    }
    isOurs = await lock.isHeld();
    if (isOurs) await sweep(lockPath, nonce);
  } finally {
    if (!isOurs) {
      if (name !== lockPath) await unlink(name).catch(ignore);
      await lock.release();
    }
  }
  return isOurs ? lock : undefined;
}

/**
 * Makes `name`, unless it exists, at once with its content. Gives the open file, through which its
 * holder touches just this file, whatever the name stands for by then.
 */
async function publish(
  lockPath: string,
  name: string,
  holder: Holder,
): Promise<FileHandle | undefined> {
  const temp = `${lockPath}.${holder.nonce}.tmp`;
  const text = `${JSON.stringify(holder)}\n`;
  const file = await open(temp, "wx", 0o600);
  try {
    await fill(file, text);
  } catch (error) {
    await discard(file, temp);
    throw error;
  }
  try {
    await link(temp, name);
  } catch (error) {
    const code = systemCode(error) ?? "";
    // A network file system may say so when it has done it, but lost its first answer.
    const isLinked = code === "EEXIST" && (await file.stat()).nlink > 1;
    if (!isLinked) {
      await discard(file, temp);
      // ENOENT: a holder has swept our private file away. It holds the lock, so nothing is lost.
      if (code === "EEXIST" || code === "ENOENT") return undefined;
      if (CANNOT_LINK.has(code)) return await publishUnlinked(name, text);
      throw error;
    }
  }
  await unlink(temp).catch(ignore);
  return file;
}

const CANNOT_LINK: ReadonlySet<string> = new Set([
  "EACCES",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EPERM",
]);

/**
 * Where a file system knows no links. A lock without content may then be seen, and is left behind
 * by a crash at that instant: it counts as a foreign one.
 */
async function publishUnlinked(name: string, text: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(name, "wx", 0o600);
  } catch (error) {
    if (systemCode(error) === "EEXIST") return undefined;
    throw error;
  }
  try {
    await fill(file, text);
    return file;
  } catch (error) {
    await discard(file, name);
    throw error;
  }
}

async function fill(file: FileHandle, text: string): Promise<void> {
  await file.writeFile(text);
  // Nothing in it is secret, and other users must be able to tell whether the holder lives.
  await file.chmod(0o644).catch(ignore);
}

async function discard(file: FileHandle, name: string): Promise<void> {
  await file.close().catch(ignore);
  await unlink(name).catch(ignore);
}

function hold(lockPath: string, nonce: string, file: FileHandle, refreshMs: number): Lock {
  let released: Promise<void> | undefined;
  const refresh = setInterval(() => {
    const now = new Date();
    file.utimes(now, now).catch(ignore);
  }, refreshMs).unref();

  async function isOurs(): Promise<boolean> {
    try {
      if ((await look(lockPath))?.holder?.nonce !== nonce) return false;
      // Whoever took us for dead makes this first.
      return (await look(heirPath(lockPath, nonce))) === undefined;
    } catch {
      return false;
    }
  }

  async function letGo(): Promise<void> {
    clearInterval(refresh);
    if (await isOurs()) await unlink(lockPath).catch(ignore);
    // Should it still stand there (out of descriptors, a directory made read-only), it must not
    // say that a living process holds it: without content it is no one's, and goes after 30 s.
    await file.truncate(0).catch(ignore);
    await file.close().catch(ignore);
  }

  return {
    isHeld: async () => released === undefined && (await isOurs()),
    release: () => (released ??= letGo()),
  };
}

/**
 * Removes what crashes have left, for the holder. Another's private file may be a living waiter's:
 * it tries to become the holder, which it can't, and will make a new one.
 */
async function sweep(lockPath: string, nonce: string): Promise<void> {
  const prefix = `${basename(lockPath)}.`;
  try {
    for (const name of await readdir(dirname(lockPath))) {
      if (!name.startsWith(prefix)) continue;
      const owner = LEFTOVER.exec(name.slice(prefix.length))?.[1];
      if (owner === undefined || owner === nonce) continue;
      await unlink(join(dirname(lockPath), name)).catch(ignore);
    }
  } catch {
    // What lies there harms no one.
  }
}

/** The lock file and its chain of heirs; empty when nobody holds the lock. */
async function lookAlong(lockPath: string): Promise<Sighting[]> {
  const chain: Sighting[] = [];
  let sighting = await look(lockPath);
  while (sighting !== undefined && chain.length < MAX_CHAIN) {
    chain.push(sighting);
    sighting = await look(heirPath(lockPath, sighting.key));
  }
  return chain;
}

async function look(path: string): Promise<Sighting | undefined> {
  try {
    return await readLock(path);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (code === "ENOENT") return undefined;
    if (!["EACCES", "EPERM", "ELOOP", "EISDIR", "ENXIO"].includes(code)) throw error;
  }
  // Something is there that can't be read, by us at least.
  const stats = await lstat(path, { bigint: true }).catch(ignoreMissing);
  return stats === undefined ? undefined : sightingOf(undefined, Buffer.alloc(0), stats);
}

async function readLock(path: string): Promise<Sighting> {
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = await file.stat({ bigint: true });
    const buffer = Buffer.alloc(MAX_LOCK_BYTES);
    const { bytesRead } = await file.read(buffer, 0, MAX_LOCK_BYTES, 0);
    const bytes = buffer.subarray(0, bytesRead);
    return sightingOf(parseHolder(bytes.toString("utf8")), bytes, stats);
  } finally {
    await file.close();
  }
}

function sightingOf(
  holder: Holder | undefined,
  bytes: Buffer,
  { dev, ino, mtimeNs }: { dev: bigint; ino: bigint; mtimeNs: bigint },
): Sighting {
  if (holder !== undefined) return { key: holder.nonce, holder, mtimeNs };
  const hash = createHash("sha256").update(`${String(dev)} ${String(ino)} ${String(mtimeNs)}\n`);
  return { key: hash.update(bytes).digest("hex").slice(0, 32), holder, mtimeNs };
}

function heirPath(lockPath: string, key: string): string {
  return `${lockPath}.${key}.next`;
}

/**
 * Tells whether a lock has stood unchanged for `foreignMs` of our own clock since first seen:
 * the clocks of other hosts, which set its times, are never compared with ours.
 */
function watchForSigns(foreignMs: number): (seen: Sighting, nowMs: number) => boolean {
  let known = "";
  let sinceMs = 0;
  return (seen, nowMs) => {
    const sign = `${seen.key} ${String(seen.mtimeNs)}`;
    if (sign !== known) [known, sinceMs] = [sign, nowMs];
    return nowMs - sinceMs >= foreignMs;
  };
}

async function unlessInterrupted(lock: Lock, signal: AbortSignal | undefined): Promise<Lock> {
  if (signal?.aborted === true) await lock.release();
  requireUninterrupted(signal);
  return lock;
}

/** As `performance.now()`, for which Node loads a dozen modules first. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

function requireUninterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new KeysError(
      "interrupted",
      "interrupted while waiting for the lock; nothing was changed",
    );
  }
}

function lockTimeout(
  realPath: string,
  lockPath: string,
  holder: Holder | undefined,
  timeoutMs: number,
): KeysError {
  const seconds = String(Math.round(timeoutMs / 100) / 10);
  const who =
    holder === undefined
      ? "something that does not say who it is"
      : `process ${String(holder.pid)} on host ${holder.host}`;
  return new KeysError(
    "lock-timeout",
    `cannot change ${realPath}: waited ${seconds} s for another writer`,
    { hint: `${who} holds ${lockPath}; wait for it, or end it, and try again` },
  );
}
