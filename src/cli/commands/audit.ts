import { resolveTarget } from "../../file/snapshot.js";
import { auditPath } from "../../file/audit-log.js";
import { auditEvents } from "../../file/audit-event.js";
import { verifyAudit, type AuditVerdict } from "../../file/audit-read.js";
import { parseInstant } from "../../core/instant.js";
import { KeysError } from "../../errors.js";
import { auditRecord, type AuditEventRecord } from "../audit-record.js";
import { auditPlace } from "../audit-trail.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { parseNaming } from "../key-naming.js";
import { keystoreFile } from "../keystore-file.js";
import { formatAuditTable } from "../render/audit-table.js";
import { formatError } from "../render/error.js";
import { invalid, parseTime } from "../values.js";

/** The options of `keys audit`. */
export interface AuditOptions {
  readonly id?: string;
  readonly actor?: string;
  readonly since?: string;
  readonly head?: string;
  readonly auditFile?: string;
}

const HASH = /^[0-9a-f]{64}$/;
const FINGERPRINT_LENGTH = 12;

/** `keys audit`: who changed what when; `keys audit verify`: whether its chain holds. */
export async function audit(
  context: Context,
  options: AuditOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const path = await auditPath(
    await resolveTarget(keystoreFile(context).path),
    auditPlace(context, options.auditFile),
  );
  if (operands[0] === "verify") return await verify(context, path, options);
  if (options.head !== undefined) {
    throw new KeysError("usage", "--head is for `keys audit verify`", { hint: "leave it out" });
  }
  return await tell(context, path, options, operands);
}

async function tell(
  context: Context,
  path: string,
  options: AuditOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const isWanted = filterOf(context, options, operands);
  const events: AuditEventRecord[] = [];
  for await (const event of auditEvents(path)) {
    const record = isWanted(auditRecord(event));
    if (record !== undefined) events.push(record);
  }
  const broken = complaint(await verifyAudit(path), path);
  if (broken !== undefined) {
    await context.talk.warn(`${broken.message}; what is listed may not be what was written`);
  }
  if (context.globals.json) await context.printJson({ file: path, events });
  else if (events.length === 0) await context.talk.note("the audit log tells of no such change");
  else {
    const [nowMs, width] = [context.io.now(), context.io.stdout.columns()];
    const style = await context.style("stdout");
    await context.print(await formatAuditTable(events, { nowMs, width, style }));
  }
  return 0;
}

/** Gives an event with the keys that are asked for, or undefined where none is. */
function filterOf(
  { io }: Context,
  { id, actor, since }: AuditOptions,
  operands: readonly string[],
): (event: AuditEventRecord) => AuditEventRecord | undefined {
  const naming = parseNaming(operands, id === undefined ? {} : { id });
  // The log has no more of a digest than its fingerprint.
  const prefix = naming?.by === "prefix" ? naming.prefix.slice(0, FINGERPRINT_LENGTH) : "";
  const sinceMs =
    since === undefined ? undefined : (parseTime("--since", since, io.now(), -1) ?? -Infinity);
  return (event) => {
    const ms = event.at === null ? undefined : parseInstant(event.at);
    if (sinceMs !== undefined && (ms === undefined || ms < sinceMs)) return undefined;
    if (actor !== undefined && event.actor !== actor && event.actor !== `os:${actor}`)
      return undefined;
    if (naming === undefined) return event;
    const keys = event.keys.filter(
      (key) => key.fingerprint.startsWith(prefix) && (id === undefined || isOf(key, id)),
    );
    return keys.length === 0 ? undefined : { ...event, keys };
  };
}

/** Whose the key is, or was before it was given to another. */
function isOf(key: AuditEventRecord["keys"][number], id: string): boolean {
  return key.id === id || key.changes["id"]?.[0] === id;
}

async function verify(
  context: Context,
  path: string,
  { head, id, actor, since }: AuditOptions,
): Promise<ExitStatus> {
  if ([id, actor, since].some((option) => option !== undefined)) {
    throw new KeysError("usage", "the whole log is verified", {
      hint: "leave out --id, --actor and --since",
    });
  }
  const sought = head?.toLowerCase();
  if (sought !== undefined && !HASH.test(sought)) {
    throw invalid("--head", "is no hash of a line", "64 hex digits, as `keys audit verify` prints");
  }
  const verdict = await verifyAudit(path, sought);
  const error = complaint(verdict, path);
  if (context.globals.json) await context.printJson(verdictRecord(verdict, path, error));
  else if (error === undefined && verdict.head !== null) await context.print(`${verdict.head}\n`);
  await say(context, verdict, error);
  return error === undefined ? 0 : 5;
}

function complaint({ broken, hasHead }: AuditVerdict, path: string): KeysError | undefined {
  if (broken !== undefined) {
    return new KeysError(
      "audit-broken",
      `the chain of ${path} breaks at line ${String(broken.line)}: ${broken.reason}`,
      { hint: holdingHint(broken.line) },
    );
  }
  if (hasHead !== false) return undefined;
  return new KeysError("audit-broken", `the line of --head does not stand in ${path}`, {
    hint: "the end of the log was cut off, or all of it was written anew; or the hash is of another log",
  });
}

/**
 * What can be said of the lines before a break at one: the line just before it is vouched for by
 * nothing that holds, and may be the one that was changed.
 */
function holdingHint(line: number): string {
  const doubtful = `line ${String(line - 1)} itself may be the one that was changed`;
  const compare = "compare the log with a copy kept elsewhere";
  if (line === 1) return compare;
  if (line === 2) return `${doubtful}; ${compare}`;
  return `${doubtful}; the lines before it still follow from one another; ${compare}`;
}

function verdictRecord(
  { lines, head, torn, isOpen, broken }: AuditVerdict,
  file: string,
  error: KeysError | undefined,
): object {
  const reason = error === undefined ? null : { code: error.code, message: error.message };
  const broken_at = broken?.line ?? null;
  return { file, valid: error === undefined, lines, head, torn, open: isOpen, broken_at, reason };
}

async function say(
  context: Context,
  { lines, torn, isOpen }: AuditVerdict,
  error: KeysError | undefined,
): Promise<void> {
  const { talk } = context;
  if (error !== undefined) {
    await talk.show(formatError(error, await context.style("stderr")));
    return;
  }
  await talk.note(`the chain holds: ${String(lines)} lines; the hash of the last is its head`);
  if (torn > 0) await talk.warn(`${String(torn)} torn: a crash left a piece of a line`);
  if (isOpen) {
    await talk.warn("the last change is open: a writer is at work, or died; the next settles it");
  }
}
