import { isKeysError, KeysError } from "../../errors.js";
import { MAX_FILE_BYTES } from "../../file/snapshot.js";
import type { Diagnostic } from "../../file/diagnostic.js";
import { stat } from "../../file/disk.js";
import { parseKeystore, type KeystoreDocument } from "../../file/document.js";
import type { Policy } from "../../file/policy.js";
import { readStore } from "../../file/store.js";
import type { Context } from "../context.js";
import { EXIT_STATUS, type ExitStatus } from "../exit-codes.js";
import { environmentPolicy, keystoreFile, namedFile } from "../keystore-file.js";
import { countProblems, formatDiagnostics, type Problem } from "../render/diagnostic.js";
import type { Style } from "../render/style.js";
import { visible } from "../render/visible.js";
import { invalid, refuseToken } from "../refuse-token.js";
import { parseTime } from "../values.js";

/** The options of `keys validate`. */
export interface ValidateOptions {
  readonly format?: string;
  readonly strict?: boolean;
  readonly allowEmpty?: boolean;
  readonly peers?: string;
  readonly maxAge?: string;
  readonly requireExpiry?: boolean;
  readonly requireScopes?: boolean;
}

/** What is said of one file. A file that can't be read has its error as its one diagnostic. */
interface FileReport {
  readonly path: string;
  readonly diagnostics: readonly Problem[];
  readonly document: KeystoreDocument | undefined;
  readonly status: ExitStatus;
}

/** Names stdin. */
const STDIN = "-";

/** What git can't keep, and so can't be demanded of a file. */
const NEVER_STRICT: ReadonlySet<string> = new Set(["file-permissions", "owner-mismatch"]);

/**
 * `keys validate`: every problem of every file. With several files the exit status is the gravest:
 * 3 (one is invalid) before 4 (one is missing) before 1 (one can't be read).
 */
export async function validate(
  context: Context,
  options: ValidateOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const json = parseFormat(options.format, context.globals.json);
  const policy = policyOf(context, options);
  const names = operands.length > 0 ? operands : [keystoreFile(context).name];
  if (names.filter((name) => name === STDIN).length > 1) {
    throw new KeysError("usage", "stdin is named twice", { hint: "give - once" });
  }
  for (const name of names) refuseToken("[file]", name);
  const reports: FileReport[] = [];
  for (const name of names) {
    reports.push(await reportOn(context, name, policy, options, names.length > 1));
  }
  if (json) await context.printJson({ files: reports.map(fileRecord) });
  else await context.print(await formatReports(context, reports));
  return gravest(reports);
}

async function reportOn(
  context: Context,
  name: string,
  policy: Policy,
  options: ValidateOptions,
  amongOthers: boolean,
): Promise<FileReport> {
  try {
    const { diagnostics, document } = await read(context, name, policy);
    const judged = judge(diagnostics, options);
    const isValid = judged.every(({ severity }) => severity !== "error");
    return { path: name, diagnostics: judged, document, status: isValid ? 0 : 3 };
  } catch (error) {
    if (!amongOthers || !isKeysError(error) || error.code === "interrupted") throw error;
    const { code, message, hint = "" } = error;
    const problem: Problem = {
      severity: "error",
      code,
      path: [],
      line: 1,
      column: 1,
      message,
      hint,
    };
    return {
      path: name,
      diagnostics: [problem],
      document: undefined,
      status: EXIT_STATUS[code],
    };
  }
}

async function read(
  { io, interrupt }: Context,
  name: string,
  policy: Policy,
): Promise<{ diagnostics: readonly Diagnostic[]; document: KeystoreDocument }> {
  if (name !== STDIN) {
    const { path } = namedFile(name, io.cwd);
    await refusePipe(path, name);
    return readStore(path, policy);
  }
  const bytes = await io.stdin.read(MAX_FILE_BYTES, interrupt);
  if (bytes.length > MAX_FILE_BYTES) {
    throw new KeysError("file-unreadable", "what stdin holds is larger than 256 MiB", {
      hint: "split the keystore or purge retired keys",
    });
  }
  const document = parseKeystore(bytes, policy);
  return { diagnostics: document.diagnostics, document };
}

/** A process substitution, say: it can't be looked at twice, which tells a file that changes. */
async function refusePipe(path: string, name: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFIFO() !== true) return;
  throw new KeysError("file-unreadable", `${name} is a pipe, not a file`, {
    hint: "`keys validate -` reads stdin: let it come in there",
  });
}

function judge(
  diagnostics: readonly Diagnostic[],
  { strict = false, allowEmpty = false }: ValidateOptions,
): readonly Diagnostic[] {
  return diagnostics
    .filter(({ code }) => !allowEmpty || code !== "empty-keystore")
    .map((diagnostic) =>
      strict && !NEVER_STRICT.has(diagnostic.code)
        ? { ...diagnostic, severity: "error" as const }
        : diagnostic,
    );
}

function policyOf(context: Context, options: ValidateOptions): Policy {
  const policy = environmentPolicy(context);
  const { peers, maxAge, requireExpiry = false, requireScopes = false } = options;
  if (peers !== undefined && peers !== "id-only") {
    throw invalid("--peers", "is not known", "id-only");
  }
  const oldest =
    maxAge === undefined ? undefined : parseTime("--max-age", maxAge, policy.nowMs, -1);
  return {
    nowMs: policy.nowMs,
    idOnlyPeers: peers === "id-only" || policy.idOnlyPeers === true,
    maxAgeMs: oldest === undefined ? undefined : policy.nowMs - oldest,
    requireExpiry,
    requireScopes,
  };
}

function parseFormat(format: string | undefined, json: boolean): boolean {
  if (format === undefined) return json;
  if (format !== "text" && format !== "json") {
    throw invalid("--format", "is not known", "text or json");
  }
  if (json && format === "text") {
    throw new KeysError("usage", "--json and --format text contradict each other", {
      hint: "leave one out",
    });
  }
  return format === "json";
}

function gravest(reports: readonly FileReport[]): ExitStatus {
  const order: readonly ExitStatus[] = [3, 4, 1];
  return order.find((status) => reports.some((report) => report.status === status)) ?? 0;
}

function fileRecord({ path, diagnostics }: FileReport): object {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  return {
    path,
    valid: errors === 0,
    errors,
    warnings: diagnostics.length - errors,
    diagnostics,
  };
}

async function formatReports(context: Context, reports: readonly FileReport[]): Promise<string> {
  const style = await context.style("stdout");
  return reports
    .map((report) => {
      const name = report.path === STDIN ? "<stdin>" : report.path;
      const summary = context.globals.quiet
        ? ""
        : `${visible(name)}: ${verdictOn(report, style)}\n`;
      return formatDiagnostics(name, report.diagnostics, style) + summary;
    })
    .join("");
}

function verdictOn({ document, diagnostics, status }: FileReport, style: Style): string {
  const problems = countProblems(diagnostics);
  if (status !== 0) return `${style.bad("not valid")}, ${problems}`;
  const keystore = document?.keystore;
  const keys = `${keystore?.liveCount ?? 0} live, ${keystore?.retiredCount ?? 0} retired`;
  const warned = problems === "" ? "" : `, ${problems}`;
  return `${style.good("valid")}, ${keys}${warned}`;
}
