import type { RateLimit } from "../core/rate-limit.js";
import { countKeys } from "./key-counts.js";
import type { KeystoreState } from "./keystore-state.js";
import { jsonAnswer, type Handler, type Reply } from "./message.js";
import type { Services, WorkerGenerations } from "./services.js";

/** What the status tells of. */
export interface StatusOptions {
  readonly state: KeystoreState;
  readonly services: Pick<Services, "generations">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly defaultLimit: RateLimit | undefined;
  readonly systemDigest: string | undefined;
  readonly allowImpersonation: boolean;
  readonly allowUnauthenticated: boolean;
}

/**
 * `GET /status`: booleans and counts, no digests and no ids. `workers_current` of `workers` have
 * `generation` in force, so that a revocation can be known to hold everywhere.
 */
export function createStatusHandler(options: StatusOptions): Handler {
  const { state, services, now } = options;
  function reply(generation: string, { workers, current }: WorkerGenerations): Reply {
    const { keystore, loadedAtMs } = state.snapshot();
    const degraded = state.degraded();
    return {
      answer: jsonAnswer(200, {
        ready: !state.stopping(),
        degraded: degraded.length > 0,
        generation,
        age_s: Math.max(0, Math.floor((now() - loadedAtMs) / 1000)),
        workers,
        workers_current: current,
        keys: countKeys(keystore, now()),
        admin_key: keystore.adminDigest !== undefined,
        default_rate_limit: options.defaultLimit !== undefined,
        system_token: options.systemDigest !== undefined,
        impersonation: options.allowImpersonation,
        unauthenticated: options.allowUnauthenticated,
      }),
    };
  }
  return () => {
    const { generation } = state.snapshot();
    const asked = services.generations(generation);
    return asked instanceof Promise
      ? asked.then((workers) => reply(generation, workers))
      : reply(generation, asked);
  };
}
