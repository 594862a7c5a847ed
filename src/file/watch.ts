import type { StoredKeystore } from "./store.js";
import type { Policy } from "./document.js";

/** What a watcher tells. */
export interface WatchEvents {
  /** The file has new, settled content, or could not be read. */
  readonly onChange: (result: { store: StoredKeystore } | { error: unknown }) => void;
  readonly policy: () => Policy;
}

/** Follows a keystore file; `check` looks at once (SIGHUP), `close` ends it. */
export interface StoreWatcher {
  check(): Promise<void>;
  close(): void;
}

/** Follows a keystore file however it is replaced. */
export function watchStore(path: string, events: WatchEvents): StoreWatcher {
  void path;
  void events;
  throw new Error("not yet");
}
