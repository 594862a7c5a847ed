/** Counters at an instant, as plain data that can be sent between processes and added up. */
export interface CounterSnapshot {
  /** Verdicts by name: `ok`, or the problem's `error`. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** Observations by bucket of `keys_verify_duration_seconds`, not cumulative; the last is +Inf. */
  readonly durations: readonly number[];
  /** Sum of all durations, in seconds. */
  readonly durationSum: number;
  /** Loads of the keystore by result: `applied`, `refused`. */
  readonly loads: Readonly<Record<string, number>>;
  readonly lastUsedDropped: number;
}

/** The verdicts that are counted, as the metrics name them. */
const VERDICTS = [
  "ok",
  "unauthenticated",
  "invalid_request",
  "invalid_token",
  "insufficient_scope",
  "workspace_denied",
  "rate_limited",
  "too_many_failures",
  "misconfigured",
  "unavailable",
] as const;

/** Upper bounds of the buckets of verify's duration, in seconds; one more is unbounded. */
export const DURATION_BOUNDS: readonly number[] = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
  0.25, 0.5, 1, 2.5,
];

/** The counters of one process. */
export interface Counters {
  /** Counts a verdict, and how long it took in seconds. */
  verdict(name: string, seconds: number): void;
  /** Counts a load of the keystore. */
  load(result: "applied" | "refused"): void;
  /** Counts instants of last use that could not be written. */
  lastUsedDropped(count: number): void;
  snapshot(): CounterSnapshot;
}

/** Counters from zero; a verdict costs two additions and allocates nothing. */
export function createCounters(): Counters {
  const places = new Map<string, number>(VERDICTS.map((name, place) => [name, place]));
  const unforeseen = VERDICTS.indexOf("unavailable");
  const verdicts = new Float64Array(VERDICTS.length);
  const durations = new Float64Array(DURATION_BOUNDS.length + 1);
  const loads = { applied: 0, refused: 0 };
  let durationSum = 0;
  let dropped = 0;
  return {
    verdict(name, seconds) {
      const place = places.get(name) ?? unforeseen;
      verdicts[place] = (verdicts[place] ?? 0) + 1;
      let bucket = 0;
      while (bucket < DURATION_BOUNDS.length && seconds > (DURATION_BOUNDS[bucket] ?? 0))
        bucket += 1;
      durations[bucket] = (durations[bucket] ?? 0) + 1;
      durationSum += seconds;
    },
    load(result) {
      loads[result] += 1;
    },
    lastUsedDropped(count) {
      dropped += count;
    },
    snapshot: () => ({
      verdicts: Object.fromEntries(VERDICTS.map((name, place) => [name, verdicts[place] ?? 0])),
      durations: [...durations],
      durationSum,
      loads: { ...loads },
      lastUsedDropped: dropped,
    }),
  };
}

/** The sum of two processes' counters. */
export function addCounters(a: CounterSnapshot, b: CounterSnapshot): CounterSnapshot {
  return {
    verdicts: addRecords(a.verdicts, b.verdicts),
    durations: a.durations.map((count, bucket) => count + (b.durations[bucket] ?? 0)),
    durationSum: a.durationSum + b.durationSum,
    loads: addRecords(a.loads, b.loads),
    lastUsedDropped: a.lastUsedDropped + b.lastUsedDropped,
  };
}

function addRecords(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}
