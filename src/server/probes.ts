import type { Handler } from "./message.js";
import { jsonAnswer } from "./message.js";
import type { KeystoreState } from "./keystore-state.js";

/** `GET /healthz`: up. */
export function createHealthHandler(): Handler {
  const reply = { answer: jsonAnswer(200, { status: "ok" }) };
  return () => reply;
}

/** `GET /version`. */
export function createVersionHandler(version: string): Handler {
  const reply = { answer: jsonAnswer(200, { name: "keyhold", version }) };
  return () => reply;
}

/**
 * `GET /readyz`: `ready`, the `generation` in force, for how many seconds it has been (`age_s`), and
 * what is `degraded`. Degraded is still 200; 503 only while stopping.
 */
export function createReadyHandler(state: KeystoreState, now: () => number): Handler {
  return () => {
    const { generation, loadedAtMs } = state.snapshot();
    const ready = !state.stopping();
    return {
      answer: jsonAnswer(ready ? 200 : 503, {
        ready,
        generation,
        age_s: Math.max(0, Math.floor((now() - loadedAtMs) / 1000)),
        degraded: state.degraded(),
      }),
    };
  };
}
