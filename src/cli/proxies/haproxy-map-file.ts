import { resolve } from "node:path";
import { isKeysError, KeysError } from "../../errors.js";
import { writeAtomic } from "../../file/atomic.js";
import { readSnapshot, resolveTarget, type Snapshot } from "../../file/snapshot.js";
import { acquireLock, type Lock } from "../../file/lock.js";
import { formatHaproxyMap, MAP_MARK, type HaproxyMap } from "./haproxy-map.js";

const OWNER_ONLY = 0o600;
/** Longer than a holder on another host may be silent, so that a dead one's place can be taken. */
const FOREIGN_PATIENCE_MS = 40_000;
/** For a holder that is just about to end, as under a supervisor, in milliseconds. */
const LIVING_PATIENCE_MS = 1_000;

/** The file of a map. */
export interface MapFile {
  /** Replaces the file as a whole, mode 0600, durable when this resolves. @throws KeysError */
  write(map: HaproxyMap): Promise<void>;
  /**
   * Takes the map for oneself, by a lock beside it: two that keep one map by two keystores would
   * undo each other's changes without end.
   *
   * @throws KeysError `lock-timeout` where another keeps it; `interrupted`, `file-unwritable`.
   */
  own(signal: AbortSignal): Promise<Lock>;
}

/**
 * The file that a map is written to. What stands there must be a map that keys wrote, or empty, or
 * nothing: a name given by mistake must not cost anybody a file, the keystore least of all.
 *
 * @param keystore - the keystore's absolute path.
 * @throws KeysError `already-exists`, and what reading a file throws.
 */
export async function openMapFile(name: string, cwd: string, keystore: string): Promise<MapFile> {
  const path = await resolveTarget(resolve(cwd, name));
  if (path === (await resolveTarget(keystore))) throw occupied(name);
  await writable(path, name);
  return {
    async write(map) {
      const snapshot = await writable(path, name);
      await writeAtomic(path, Buffer.from(formatHaproxyMap(map)), {
        snapshot: snapshot === undefined ? undefined : { ...snapshot, mode: OWNER_ONLY },
      });
    },
    async own(signal) {
      try {
        return await acquireLock(path, {
          timeoutMs: FOREIGN_PATIENCE_MS,
          aliveMs: LIVING_PATIENCE_MS,
          signal,
        });
      } catch (error) {
        throw isKeysError(error, "lock-timeout") ? keptByAnother(name, error) : error;
      }
    },
  };
}

/** That a map is another's to keep. */
export function keptByAnother(name: string, cause?: KeysError): KeysError {
  return new KeysError("lock-timeout", `another --keep keeps ${name}`, {
    hint: cause?.hint ?? "one process keeps a map; give each its own with --map",
    cause,
  });
}

async function writable(path: string, name: string): Promise<Snapshot | undefined> {
  const snapshot = await readSnapshot(path);
  if (snapshot === undefined || snapshot.size === 0n) return snapshot;
  const start = snapshot.bytes?.subarray(0, MAP_MARK.length).toString("latin1");
  if (start !== MAP_MARK) throw occupied(name);
  return snapshot;
}

function occupied(name: string): KeysError {
  return new KeysError("already-exists", `${name} is there already, and is no map of keys`, {
    hint: "name another file with --map, or take that one away",
  });
}
