import { isToken } from "../core/credential.js";
import { digestOf } from "../core/digest.js";
import type { Entry } from "../core/entry.js";
import type { RateLimit } from "../core/rate-limit.js";
import { isAskable } from "../core/scope.js";
import { verifyDigest } from "../core/verify.js";
import { parseJsonBody } from "./json-body.js";
import { jsonAnswer, problemReply, type Handler, type Reply } from "./message.js";
import type { Services } from "./services.js";
import type { Snapshot } from "./snapshot.js";

/** Where the mana-core-auth contract validates keys. */
export const VALIDATE_PATH = "/api/v1/api-keys/validate";

/** What that contract's client takes for no limit: requests in so many seconds. */
const UNLIMITED = { requests: 1_000_000, window: 60 };

/** What validation is made from. */
export interface ValidateOptions {
  readonly snapshot: () => Snapshot;
  readonly services: Pick<Services, "used">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly defaultLimit: RateLimit | undefined;
}

/**
 * `POST /api/v1/api-keys/validate` of the mana-core-auth contract (HTTP.md): 200 for every verdict.
 * Unknown, retired and expired keys get the same answer. It charges no limit.
 */
export function createValidateHandler(options: ValidateOptions): Handler {
  const invalid = jsonAnswer(200, { valid: false, error: "Invalid or revoked API key" });

  function judge(apiKey: string, scope: string | undefined): Reply {
    const octets = Buffer.from(apiKey, "utf8");
    if (!isToken(octets.toString("latin1"))) {
      return { answer: invalid, outcome: "invalid_token", reason: "malformed" };
    }
    const nowMs = options.now();
    const digest = digestOf(octets);
    const scopes = scope === undefined ? [] : [scope];
    const requirement = { scopes, workspaces: [] };
    const verdict = verifyDigest(options.snapshot().keystore, digest, requirement, nowMs);
    if (!verdict.ok) {
      const isScope = verdict.error === "insufficient_scope";
      return { answer: isScope ? lacks(scope ?? "") : invalid, verdict, digest };
    }
    if (scope !== undefined && !isAskable(scope)) {
      // No key has what can't be granted, `*` among it.
      return { answer: lacks(scope), verdict, digest, outcome: "insufficient_scope" };
    }
    options.services.used(digest, nowMs);
    return { answer: jsonAnswer(200, validity(verdict.entry, scope, options)), verdict, digest };
  }

  return (request) => {
    const body = parseJsonBody(request.body);
    const { apiKey, scope } = body ?? {};
    const isScope = scope === undefined || scope === null || typeof scope === "string";
    if (typeof apiKey !== "string" || !isScope) return problemReply("bad_request");
    return judge(apiKey, scope ?? undefined);
  };
}

function lacks(scope: string): Reply["answer"] {
  return jsonAnswer(200, { valid: false, error: `API key does not have scope: ${scope}` });
}

function validity(entry: Entry, asked: string | undefined, options: ValidateOptions): object {
  const limit = entry.rateLimit ?? options.defaultLimit ?? "none";
  return {
    valid: true,
    userId: entry.id,
    scopes: scopesOf(entry.scopes, asked),
    rateLimit:
      limit === "none"
        ? UNLIMITED
        : { requests: limit.requests, window: Math.ceil(limit.windowMs / 1000) },
  };
}

/** That client takes an empty list for every scope, and knows no wildcards. */
function scopesOf(granted: readonly string[], asked: string | undefined): readonly string[] {
  if (granted.includes("*")) return [];
  if (granted.length === 0) return ["-"];
  return asked === undefined || granted.includes(asked) ? granted : [...granted, asked];
}
