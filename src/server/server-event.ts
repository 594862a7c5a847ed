/** How grave an event is. */
export type LogLevel = "info" | "warning" | "error";

/** What the server tells of itself, beside its requests. */
export interface ServerEvent {
  readonly level: LogLevel;
  /** A stable name, such as `keystore-refused`. */
  readonly event: string;
  /** A sentence for the operator. */
  readonly message: string;
  /** What belongs to it; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}
