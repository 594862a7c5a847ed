import { formatInstant } from "../../core/instant.js";
import { stateAt, type Entry } from "../../core/entry.js";
import type { LastUse } from "../../file/usage.js";
import { formatRelative } from "./relative-time.js";
import type { Style } from "./style.js";
import { formatTable, NOTHING, type Column, type DrawnTable } from "./table.js";
import { visible } from "./visible.js";

/** Keys that end within this time are set off: 14 days, as `expires-soon` is. */
const SOON_MS = 14 * 86_400_000;

/** How a table of keys is drawn. */
export interface KeyTableOptions {
  readonly nowMs: number;
  readonly lastUsed: LastUse;
  /** Whether the last use is what was asked for: other columns are left out before it. */
  readonly keepsUsed: boolean;
  /** The terminal's width, or undefined for a pipe: then instants are whole and nothing is cut. */
  readonly width: number | undefined;
  readonly style: Style;
}

/** A table of keys, as wide as the terminal allows; whole in a pipe. */
export function formatKeyTable(
  entries: readonly Entry[],
  { nowMs, lastUsed, keepsUsed, width, style }: KeyTableOptions,
): Promise<DrawnTable> {
  const column = (
    head: string,
    text: (entry: Entry) => string | undefined,
    extra: Partial<Column> = {},
  ): Column => {
    let cells: readonly string[] | undefined;
    // Written when a layout that has the column is tried.
    const write = (): readonly string[] => entries.map((entry) => visible(text(entry) || NOTHING));
    return {
      ...extra,
      head,
      get cells() {
        return (cells ??= write());
      },
    };
  };
  const day = (ms: number): string =>
    width === undefined ? formatInstant(ms) : formatInstant(ms).slice(0, 10);
  const relative = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : formatRelative(ms, nowMs);
  const alert = (text: string, row: number): string => {
    const entry = entries[row];
    return entry === undefined ? text : urgency(entry, nowMs, style)(text);
  };

  const fingerprint = column("FINGERPRINT", (entry) => entry.fingerprint, {
    style: (text) => style.bold(text),
  });
  const id = column("ID", (entry) => entry.id);
  const label = column("LABEL", (entry) => entry.label, { narrowed: "cut" });
  const scopes = column("SCOPES", (entry) => entry.scopes.join(" "), { narrowed: "cut" });
  const created = column("CREATED", ({ createdAt }) =>
    createdAt === undefined ? undefined : day(createdAt),
  );
  const expires = column(
    "EXPIRES",
    ({ expiresAt }) =>
      expiresAt === undefined ? undefined : `${day(expiresAt)} (${relative(expiresAt) ?? ""})`,
    { style: alert },
  );
  const shortCreated = column("CREATED", ({ createdAt }) => relative(createdAt));
  const shortExpires = column("EXPIRES", ({ expiresAt }) => relative(expiresAt), { style: alert });
  const used = column("LAST USED", ({ digest }) => {
    const ms = lastUsed.get(digest);
    if (ms === undefined) return undefined;
    return `${day(Math.floor(ms / 1000) * 1000)} (${relative(ms) ?? ""})`;
  });
  const shortUsed = column("LAST USED", ({ digest }) => relative(lastUsed.get(digest)));
  const state = column("STATE", (entry) => stateAt(entry, nowMs), { style: alert });

  return formatTable(
    [
      [fingerprint, id, label, scopes, created, expires, used, state],
      [fingerprint, id, label, scopes, shortCreated, shortExpires, shortUsed, state],
      ...(keepsUsed
        ? [
            [fingerprint, id, label, scopes, shortExpires, shortUsed, state],
            [fingerprint, id, label, shortExpires, shortUsed, state],
            [fingerprint, id, label, shortUsed, state],
            [fingerprint, id, shortUsed, state],
          ]
        : [
            [fingerprint, id, label, scopes, shortCreated, shortExpires, state],
            [fingerprint, id, label, scopes, shortExpires, state],
            [fingerprint, id, label, shortExpires, state],
            [fingerprint, id, shortExpires, state],
          ]),
    ],
    { width, head: (text) => style.dim(text) },
  );
}

function urgency(entry: Entry, nowMs: number, style: Style): (text: string) => string {
  if (entry.place === "retired") return style.dim;
  if (entry.expiresAt === undefined) return (text) => text;
  if (entry.expiresAt <= nowMs) return style.bad;
  return entry.expiresAt - nowMs <= SOON_MS ? style.warn : (text) => text;
}
