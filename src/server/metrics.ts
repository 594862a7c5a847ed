import type { Answer } from "../core/problem.js";
import { DURATION_BOUNDS, type CounterSnapshot } from "./counters.js";
import { countKeys, type KeyCounts } from "./key-counts.js";
import type { KeystoreState } from "./keystore-state.js";
import type { Handler } from "./message.js";
import type { Services } from "./services.js";

/** The media type of OpenMetrics 1.0. */
const OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** What the metrics tell of. */
export interface MetricsOptions {
  readonly state: KeystoreState;
  readonly services: Pick<Services, "counters">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** `GET /metrics`, of all workers together: no token, digest, id or path in any label. */
export function createMetricsHandler({ state, services, now }: MetricsOptions): Handler {
  function answer(counters: CounterSnapshot): Answer {
    const { keystore, generation } = state.snapshot();
    const body = formatMetrics(counters, countKeys(keystore, now()), generation);
    return {
      status: 200,
      headers: [
        "Cache-Control",
        "no-store",
        "Content-Type",
        OPEN_METRICS,
        "Content-Length",
        String(Buffer.byteLength(body)),
      ],
      body,
    };
  }
  return () => {
    const counters = services.counters();
    return counters instanceof Promise
      ? counters.then((late) => ({ answer: answer(late) }))
      : { answer: answer(counters) };
  };
}

/** Counters in the text format of OpenMetrics 1.0; the names are those of HTTP.md, 'Operations'. */
function formatMetrics(counters: CounterSnapshot, keys: KeyCounts, generation: string): string {
  return [
    ...family("keys_verify", "counter", "Verdicts by their outcome."),
    ...labelled("keys_verify_total", "verdict", counters.verdicts),
    ...family("keys_verify_duration_seconds", "histogram", "Time that a verdict took.", "seconds"),
    ...histogram("keys_verify_duration_seconds", counters),
    ...family("keys_keystore_keys", "gauge", "Keys of the keystore in force by state."),
    ...labelled("keys_keystore_keys", "state", keys),
    ...family("keys_keystore_loads", "counter", "Loads of the keystore by result."),
    ...labelled("keys_keystore_loads_total", "result", counters.loads),
    ...family("keys_keystore", "info", "The keystore in force."),
    `keys_keystore_info{generation="${generation}"} 1`,
    ...family("keys_last_used_dropped", "counter", "Instants of last use that were not written."),
    `keys_last_used_dropped_total ${counters.lastUsedDropped}`,
    "# EOF",
    "",
  ].join("\n");
}

function family(name: string, type: string, help: string, unit?: string): readonly string[] {
  const lines = [`# TYPE ${name} ${type}`, `# HELP ${name} ${help}`];
  return unit === undefined ? lines : [...lines, `# UNIT ${name} ${unit}`];
}

function labelled(
  name: string,
  label: string,
  values: Readonly<Record<string, number>>,
): readonly string[] {
  return Object.entries(values).map(([value, count]) => `${name}{${label}="${value}"} ${count}`);
}

function histogram(name: string, { durations, durationSum }: CounterSnapshot): readonly string[] {
  let total = 0;
  const buckets = durations.map((count, index) => {
    total += count;
    const bound = DURATION_BOUNDS[index];
    return `${name}_bucket{le="${bound === undefined ? "+Inf" : formatBound(bound)}"} ${total}`;
  });
  return [...buckets, `${name}_count ${total}`, `${name}_sum ${durationSum}`];
}

/** Canonical numbers of OpenMetrics have a point or an exponent. */
function formatBound(bound: number): string {
  const text = String(bound);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
