import { fingerprintOf } from "../core/fingerprint.js";
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

/** A request, as the members of its line. */
export interface RequestRecord {
  readonly ts: string;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly id: string | null;
  readonly fingerprint: string | null;
  readonly remote: string | null;
  readonly ms: number;
  readonly request_id: string;
  readonly route: string | null;
  readonly status: number;
}

/** What a line tells of a request. */
export function requestRecord(logged: LoggedRequest): RequestRecord {
  const { verdict, digest, outcome, reason, id, answer } = logged.reply;
  const refused = verdict?.ok === false ? verdict : undefined;
  return {
    ts: timeText(logged.atMs),
    verdict: outcome ?? (verdict?.ok === true ? "ok" : (refused?.error ?? null)),
    reason: reason ?? refused?.reason ?? null,
    id: id ?? verdict?.entry?.id ?? null,
    fingerprint: digest === undefined ? null : fingerprintOf(digest),
    remote: logged.remote ?? null,
    ms: Math.round(logged.ms * 1000) / 1000,
    request_id: logged.requestId,
    route: logged.route ?? null,
    status: answer.status,
  };
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
