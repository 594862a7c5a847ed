import type { Entry } from "../../core/entry.js";
import { stateAt } from "../../core/entry.js";
import type { Keystore } from "../../core/keystore.js";
import { KeysError } from "../../errors.js";
import { readStore } from "../../file/store.js";
import type { LastUse } from "../../file/usage.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { keyRecord, type KeyRecord } from "../key-record.js";
import { environmentPolicy, keystoreFile } from "../keystore-file.js";
import { lastUse } from "../last-use.js";
import { formatCsv } from "../render/csv.js";
import { formatKeyTable } from "../render/key-table.js";
import { invalid } from "../refuse-token.js";
import { readableKeystore, reportProblems } from "../troubled-file.js";
import { parseEnd, parseTime } from "../values.js";

/** The options of `keys list`. */
export interface ListOptions {
  readonly id?: string;
  readonly state?: string;
  readonly expiring?: string;
  readonly unused?: string;
  readonly sort?: string;
  readonly format?: string;
  readonly usageFile?: string;
}

type Format = "table" | "json" | "csv";

/** The columns of CSV: the members of JSON, in their order. */
const CSV_COLUMNS = [
  "digest",
  "fingerprint",
  "id",
  "label",
  "scopes",
  "workspaces",
  "rate_limit",
  "created_at",
  "expires_at",
  "not_before",
  "last_used_at",
  "state",
  "retired_at",
  "reason",
] as const satisfies readonly (keyof KeyRecord)[];

/** What `--sort` takes. Times are compared as numbers; what a key lacks comes last. */
const SORTS: Readonly<
  Record<string, (entry: Entry, now: SortTimes) => string | number | undefined>
> = {
  created: ({ createdAt }) => createdAt,
  expires: ({ expiresAt }) => expiresAt,
  fingerprint: ({ digest }) => digest,
  id: ({ id }) => id,
  label: ({ label }) => label,
  state: (entry, { nowMs }) => stateAt(entry, nowMs),
  used: ({ digest }, { lastUsed }) => lastUsed.get(digest),
};

/** What values depend on besides the entry. */
interface SortTimes {
  readonly nowMs: number;
  readonly lastUsed: LastUse;
}

/** `keys list`: the keys of a file. */
export async function list(context: Context, options: ListOptions): Promise<ExitStatus> {
  const { globals, talk } = context;
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const { nowMs } = policy;
  const format = parseFormat(options.format, globals.json);
  const choose = parseState(options.state ?? "live");
  const sort = parseSort(options.sort);
  const untilMs =
    options.expiring === undefined ? undefined : parseEnd("--expiring", options.expiring, nowMs);

  const sinceMs = parseUnused(options.unused, nowMs);

  const store = await readStore(file.path, policy);
  const keystore = readableKeystore(store, file);
  await reportProblems(context, file, store.diagnostics);
  const lastUsed = await lastUse(context, file, options.usageFile);
  const entries = choose(keystore)
    .filter(({ id }) => options.id === undefined || id === options.id)
    .filter(
      ({ expiresAt }) => untilMs === undefined || (expiresAt !== undefined && expiresAt <= untilMs),
    )
    .filter((entry) => sinceMs === undefined || isUnused(entry, sinceMs, lastUsed));
  if (sort !== undefined) entries.sort((a, b) => sort(a, b, { nowMs, lastUsed }));

  const records = (): KeyRecord[] => entries.map((entry) => keyRecord(entry, nowMs, lastUsed));
  if (format === "json") {
    await context.printJson({ keys: records() });
  } else if (format === "csv") {
    await context.print(formatCsv([CSV_COLUMNS, ...records().map(csvRow)]));
  } else if (entries.length === 0) {
    await talk.note(`no such key in ${file.name}`);
  } else {
    const style = await context.style("stdout");
    const width = context.io.stdout.columns();
    const keepsUsed = sinceMs !== undefined || options.sort?.endsWith("used") === true;
    const drawing = { nowMs, lastUsed, keepsUsed, width, style };
    const { text, leftOut } = await formatKeyTable(entries, drawing);
    await context.print(text);
    if (leftOut.length > 0) await sayLeftOut(context, leftOut);
  }
  return 0;
}

async function sayLeftOut(context: Context, heads: readonly string[]): Promise<void> {
  if (context.globals.quiet) return;
  const { dim } = await context.style("stderr");
  await context.talk.show(
    `${dim(`${heads.join(", ")} left out: widen the terminal, or --json`)}\n`,
  );
}

function csvRow(record: KeyRecord): string[] {
  return CSV_COLUMNS.map((name) => {
    const value = record[name];
    if (value === null) return "";
    return typeof value === "string" ? value : value.join(" ");
  });
}

function parseUnused(unused: string | undefined, nowMs: number): number | undefined {
  if (unused === undefined) return undefined;
  const sinceMs = parseTime("--unused", unused, nowMs, -1);
  if (sinceMs !== undefined) return sinceMs;
  throw invalid("--unused", "needs a time", "a duration such as 90d, or an instant");
}

/** Neither used nor made since: a new key had no time to be used. */
function isUnused({ digest, createdAt }: Entry, sinceMs: number, lastUsed: LastUse): boolean {
  return (lastUsed.get(digest) ?? createdAt ?? -Infinity) < sinceMs;
}

function parseFormat(format: string | undefined, json: boolean): Format {
  if (format === undefined) return json ? "json" : "table";
  if (format !== "table" && format !== "json" && format !== "csv") {
    throw invalid("--format", "is not known", "table, json or csv");
  }
  if (json && format !== "json") {
    throw new KeysError("usage", `--json and --format ${format} contradict each other`, {
      hint: "leave one out",
    });
  }
  return format;
}

function parseState(state: string): (keystore: Keystore) => Entry[] {
  switch (state) {
    case "live":
      return (keystore) => [...keystore.live()];
    case "retired":
      return (keystore) => [...keystore.retired()];
    case "all":
      return (keystore) => [...keystore.live(), ...keystore.retired()];
    default:
      throw invalid("--state", "is not known", "live, retired or all");
  }
}

function parseSort(
  sort: string | undefined,
): ((a: Entry, b: Entry, times: SortTimes) => number) | undefined {
  if (sort === undefined) return undefined;
  const isReversed = sort.startsWith("-");
  const name = isReversed ? sort.slice(1) : sort;
  const valueOf = Object.hasOwn(SORTS, name) ? SORTS[name] : undefined;
  if (valueOf === undefined) {
    throw invalid(
      "--sort",
      "is not known",
      `${Object.keys(SORTS).join(", ")}; with - before it the other way round`,
    );
  }
  const direction = isReversed ? -1 : 1;
  return (a, b, times) => {
    const [first, second] = [valueOf(a, times), valueOf(b, times)];
    if (first === undefined || second === undefined) {
      return Number(first === undefined) - Number(second === undefined);
    }
    if (first === second) return 0;
    return first < second ? -direction : direction;
  };
}
