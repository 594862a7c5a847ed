/** One figure of the benchmark: a ratio, never a time alone. */
export interface Row {
  /** Stable: notes and earlier results are found by it. */
  readonly id: string;
  readonly suite: string;
  readonly measure: string;
  readonly baseline: string;
  /** What is compared: `time`, `memory`, `rate`. */
  readonly unit: string;
  /** Undefined for a figure that is only reported. */
  readonly target: Target | undefined;
  /** Median of the ratios of pairs taken in turn; undefined where skipped. */
  readonly ratio: number | undefined;
  /** The ratio of the best of either side. */
  readonly best: number | undefined;
  readonly least: number | undefined;
  readonly most: number | undefined;
  /** How many pairs. */
  readonly n: number;
  /** What was measured and what it was measured against, in the unit's own measure. */
  readonly subject: string;
  readonly against: string;
  /** The same two as numbers, for the arithmetic of the document. */
  readonly values: readonly [number, number] | undefined;
  /** Why there is no ratio. */
  readonly skipped: string | undefined;
}

export interface Target {
  readonly kind: "at most" | "at least";
  readonly value: number;
}

/** What a suite is given. */
export interface Bench {
  /** The Node that is measured. */
  readonly node: string;
  /** Its major version. */
  readonly major: number;
  /** Fewer rounds and smaller files. */
  readonly short: boolean;
  /** A directory that goes when the run ends. */
  readonly directory: string;
  /** The checkout. */
  readonly root: string;
  /** Told of progress. */
  readonly say: (line: string) => void;
}

/** The results of one run under one Node. */
export interface RunResult {
  readonly node: string;
  readonly date: string;
  readonly machine: string;
  readonly rows: readonly Row[];
}
