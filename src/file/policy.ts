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
  /** Ids that the modes of a server give to others than contributors. Default none. */
  readonly reservedIds?: readonly string[];
  /** The digest of a server's system token, which may not stand in the file. */
  readonly systemDigest?: string | undefined;
}
