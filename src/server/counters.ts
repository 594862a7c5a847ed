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
