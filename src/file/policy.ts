/** What is demanded of a file beyond being valid (`keys validate`, `KEYS_PEERS`). */
export interface Policy {
  /** Milliseconds since 1970: ages and expiries are judged at this instant. */
  readonly nowMs: number;
  /** Every live key must expire. Default false. */
  readonly requireExpiry?: boolean;
  /** Every live key must have scopes. Default false. */
  readonly requireScopes?: boolean;
  /** Oldest allowed age of a live key, in milliseconds; a key of unknown age passes. */
  readonly maxAgeMs?: number | undefined;
  /** True where peers read nothing but ids (`--peers id-only`). Default false. */
  readonly idOnlyPeers?: boolean;
}
