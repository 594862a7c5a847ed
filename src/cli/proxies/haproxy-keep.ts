import { stateAt } from "../../core/entry.js";
import type { Keystore } from "../../core/keystore.js";
import { isKeysError } from "../../errors.js";
import { reloadedKeystore } from "../../file/load.js";
import type { Lock } from "../../file/lock.js";
import { watchStore, type WatchResult } from "../../file/watch.js";
import type { Context } from "../context.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { reportProblems } from "../troubled-file.js";
import { warnOf, type KeysForMap } from "./haproxy-keys.js";
import { keptByAnother, type MapFile } from "./haproxy-map-file.js";
import { createHaproxyMap, type HaproxyMap } from "./haproxy-map.js";
import type { HaproxyRuntime, HaproxyStatus } from "./haproxy-runtime.js";

/** How often HAProxy and the clock are looked at, in milliseconds. */
const LOOK_MS = 250;
/** For how long HAProxy may be out of reach or refuse before it is a failure, in milliseconds. */
const PATIENCE_MS = 10_000;

/** What {@link keepMap} keeps. */
export interface Kept {
  readonly keys: KeysForMap;
  readonly file: MapFile;
  /** The map's, taken already. */
  readonly lock: Lock;
  /** The map's name, as it was given. */
  readonly name: string;
  /** What the file holds. */
  readonly written: HaproxyMap;
  readonly runtime: HaproxyRuntime;
}

/** What HAProxy was last seen to hold. */
interface Applied {
  readonly map: HaproxyMap;
  readonly status: HaproxyStatus;
}

/**
 * Follows a keystore and the clock: writes the map anew at each change and brings the change to a
 * running HAProxy; one that has started again gets the whole map. A bad keystore leaves the last
 * good map in force. Resolves when it is interrupted.
 *
 * @throws KeysError `lock-timeout` where another has taken the map; `haproxy-failed` where HAProxy lacks a change for ten seconds; what writing the
 *   map throws, after HAProxy was told.
 */
export async function keepMap(context: Context, kept: Kept): Promise<void> {
  const { io, interrupt } = context;
  const follower = followKeystore(context, kept.keys);
  let wanted = kept.written;
  let applied: Applied | undefined;
  let failingSince: number | undefined;
  try {
    while (!interrupt.aborted) {
      if (!(await kept.lock.isHeld())) throw keptByAnother(kept.name);
      const next = follower.map();
      const isNew = !isSame(next, wanted);
      wanted = next;
      // A running HAProxy is told even where the file can't be written: then that is the failure.
      const writing = isNew ? kept.file.write(wanted) : Promise.resolve();
      const written = await Promise.allSettled([writing]);
      try {
        applied = await reconcile(context, kept.runtime, wanted, applied);
        failingSince = undefined;
      } catch (error) {
        if (!isKeysError(error, "haproxy-failed")) throw error;
        applied = undefined;
        if (failingSince === undefined) await context.talk.warn(`${error.message}; trying again`);
        failingSince ??= io.now();
        if (io.now() - failingSince >= PATIENCE_MS) throw error;
      }
      if (written[0].status === "rejected") throw written[0].reason;
      await follower.pause();
    }
  } finally {
    follower.close();
  }
}

async function reconcile(
  { talk }: Context,
  runtime: HaproxyRuntime,
  wanted: HaproxyMap,
  applied: Applied | undefined,
): Promise<Applied> {
  const status = await runtime.status();
  if (applied === undefined || !isUndisturbed(applied, status)) {
    const now = await runtime.replace(wanted);
    await talk.note(`HAProxy (process ${now.pid}) has the whole map: ${keyCount(wanted)}`);
    return { map: wanted, status: now };
  }
  if (applied.map === wanted || isSame(applied.map, wanted)) return { map: applied.map, status };
  const now = await runtime.change(applied.map, wanted);
  await talk.note(`HAProxy has the change: ${keyCount(wanted)}`);
  return { map: wanted, status: now };
}

/** Whether it is the HAProxy that was told, and nobody else has changed its map. */
function isUndisturbed({ map, status: then }: Applied, now: HaproxyStatus): boolean {
  return (
    now.pid === then.pid &&
    now.uptime >= then.uptime &&
    now.version === then.version &&
    now.entries === map.size
  );
}

interface Follower {
  /** The map of the keystore in force, at this instant. */
  map(): HaproxyMap;
  /** Waits for news, or a moment. */
  pause(): Promise<void>;
  close(): void;
}

function followKeystore(context: Context, { keystore, since }: KeysForMap): Follower {
  const { io, talk, interrupt } = context;
  const file = keystoreFile(context);
  let current = keystore;
  let isTroubled = false;
  let made: { keystore: Keystore; until: number; map: HaproxyMap } | undefined;
  let wakeUp = (): void => undefined;
  interrupt.addEventListener(
    "abort",
    () => {
      wakeUp();
    },
    { once: true },
  );

  async function take(result: WatchResult): Promise<void> {
    const wasTroubled = isTroubled;
    isTroubled = true;
    if ("error" in result) {
      await talk.warn(`${result.error.message}; the last good keystore stays in force`);
      return;
    }
    const next = reloadedKeystore(result.store);
    if (next === undefined) {
      await reportProblems(context, file, result.store.diagnostics);
      await talk.warn(`${file.name} is not valid; the last good keystore stays in force`);
      return;
    }
    isTroubled = false;
    current = next;
    wakeUp();
    if (wasTroubled) await talk.note(`${file.name} is valid again, and in force`);
    await warnOf(context, next);
  }

  const watcher = watchStore(file.path, {
    since,
    policy: () => environmentPolicy(context),
    onChange: (result) => void take(result),
  });
  const release = context.onHangup(() => void watcher.check());

  return {
    map() {
      const now = io.now();
      if (made === undefined || made.keystore !== current || now >= made.until) {
        const map = createHaproxyMap(current, now);
        made = { keystore: current, until: nextExpiry(current, now), map };
      }
      return made.map;
    },
    pause: () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          wakeUp();
        }, LOOK_MS);
        wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
        if (interrupt.aborted) wakeUp();
      }),
    close() {
      release();
      watcher.close();
    },
  };
}

/** When the map of a keystore next changes by itself. */
function nextExpiry(keystore: Keystore, nowMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const entry of keystore.live()) {
    if (entry.expiresAt === undefined || stateAt(entry, nowMs) !== "live") continue;
    next = Math.min(next, entry.expiresAt);
  }
  return next;
}

function isSame(one: HaproxyMap, other: HaproxyMap): boolean {
  if (one === other) return true;
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

function keyCount(map: HaproxyMap): string {
  const count = map.size - 1;
  return `${count} ${count === 1 ? "key" : "keys"}`;
}
