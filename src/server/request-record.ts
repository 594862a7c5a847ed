import { fingerprintOf } from "../core/fingerprint.js";
import type { Reply } from "./message.js";
import type { RoutedReply } from "./routes.js";

/** A request as the log sees it. */
export interface LoggedRequest extends RoutedReply {
  /** When it came, in milliseconds since 1970. */
  readonly atMs: number;
  /** How long the answer took, in milliseconds. */
  readonly ms: number;
  readonly remote: string | undefined;
  readonly requestId: string;
}

/** What was decided, and about whom. */
export interface VerdictRecord {
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly id: string | null;
  readonly fingerprint: string | null;
}

/** A request, as the members of its line. */
export interface RequestRecord extends VerdictRecord {
  readonly ts: string;
  readonly remote: string | null;
  readonly ms: number;
  readonly request_id: string;
  readonly route: string | null;
  readonly status: number;
}

/** What a line tells of a reply. */
export function verdictRecord({ verdict, digest, outcome, reason, id }: Reply): VerdictRecord {
  const refused = verdict?.ok === false ? verdict : undefined;
  return {
    verdict: outcome ?? (verdict?.ok === true ? "ok" : (refused?.error ?? null)),
    reason: reason ?? refused?.reason ?? null,
    id: id ?? verdict?.entry?.id ?? null,
    fingerprint: digest === undefined ? null : fingerprintOf(digest),
  };
}

/** What a line tells of a request. */
export function requestRecord(logged: LoggedRequest): RequestRecord {
  return {
    ...verdictRecord(logged.reply),
    ts: timeText(logged.atMs),
    remote: logged.remote ?? null,
    ms: roundedMs(logged.ms),
    request_id: logged.requestId,
    route: logged.route ?? null,
    status: logged.reply.answer.status,
  };
}

/** To the microsecond. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

let lastMs = Number.NaN;
let lastText = "";

/** An instant as lines begin with it. A busy server has many in one millisecond. */
export function timeText(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}
