import { parseCredential, type Credential } from "../core/credential.js";
import { digestOfHeader } from "../core/digest.js";
import type { LimitDecision } from "../core/limit-decision.js";
import { createRefusalAnswers, problemAnswer, type Presentation } from "../core/problem.js";
import { formatRateLimit } from "../core/rate-limit-header.js";
import type { RateLimit } from "../core/rate-limit.js";
import { parseRequirement, parseRequirementSegment } from "../core/requirement.js";
import {
  MALFORMED,
  NO_CREDENTIAL,
  NO_REQUIREMENT,
  verifyDigest,
  type Grant,
  type Refusal,
  type Requirement,
} from "../core/verify.js";
import { answerFailure, type FailureOptions } from "./failures.js";
import { createGrants, type LimitedGrant } from "./grants.js";
import { ANONYMOUS, headersOf, successAnswer, type Identity } from "./identity.js";
import type { Handler, KeysRequest, Reply } from "./message.js";
import { holdsCredential } from "./misplaced-credential.js";
import type { Awaitable, Services } from "./services.js";
import type { Snapshot } from "./snapshot.js";
import {
  impersonationIdentity,
  isSameDigest,
  isSystem,
  readImpersonation,
  systemIdentity,
} from "./system.js";

/** The path whose query says what is required. */
export const VERIFY_PATH = "/verify";
/** Where a path segment says what is required, and the rest of the path is the client's. */
const SEGMENT_PREFIX = `${VERIFY_PATH}/-/`;

/** A system token, or an impersonation, that may not have what it asks. */
const NOT_IMPERSONATED: Refusal = { ok: false, error: "invalid_token", reason: "unknown" };

/** What a verdict over HTTP is made from. */
export interface VerifyOptions extends FailureOptions {
  /** The keystore in force at this instant. */
  readonly snapshot: () => Snapshot;
  readonly realm: string;
  readonly presentation: Presentation;
  readonly services: Services;
  /** Further names under which the id is sent. */
  readonly userHeaders: readonly string[];
  /** The limit of keys without one of their own; undefined for none. */
  readonly defaultLimit: RateLimit | undefined;
  /** The digest of the system token, where there is one. */
  readonly systemDigest: string | undefined;
  readonly allowImpersonation: boolean;
  /** Whether a request without a credential passes where nothing is asked. */
  readonly allowUnauthenticated: boolean;
}

/**
 * `/verify` in its three forms (HTTP.md, 'For reverse proxies'), any method. What is required comes
 * from the proxy's configuration and is read before the credential is: an ill-formed requirement
 * denies, whoever asks. The body is never read.
 *
 * The reply comes at once but where a service of another process, or the audit log, has to be asked.
 */
export function createVerifyHandler(options: VerifyOptions): Handler {
  const { presentation, services, userHeaders, systemDigest } = options;
  const refusals = createRefusalAnswers(options.realm, presentation);
  const grantOf = createGrants(options);
  const misconfigured: Reply = {
    answer: problemAnswer("misconfigured", {}, presentation),
    outcome: "misconfigured",
  };
  const unavailable = problemAnswer("unavailable", {}, presentation);

  function refuse(refusal: Refusal, digest?: string): Reply {
    return { answer: refusals(refusal), verdict: refusal, digest };
  }

  function fail(request: KeysRequest, refused: Reply): Awaitable<Reply> {
    return answerFailure(request, refused, options, presentation);
  }

  function admit(identity: Identity, reason: string, id: string, digest?: string): Reply {
    const headers = headersOf(identity, options.snapshot().generation, userHeaders);
    return { answer: successAnswer(headers, presentation), outcome: "ok", reason, id, digest };
  }

  function withoutCredential(requirement: Requirement): Reply {
    const nothingAsked = requirement.scopes.length === 0 && requirement.workspaces.length === 0;
    return options.allowUnauthenticated && nothingAsked
      ? admit(ANONYMOUS, "unauthenticated", ANONYMOUS.id)
      : refuse(NO_CREDENTIAL);
  }

  /** The trusted caller: every scope and workspace, or those of the tenant it names. */
  function judgeSystem(request: KeysRequest, system: string): Awaitable<Reply> {
    const impersonation = readImpersonation(request.rawHeaders);
    if (impersonation.kind === "none") {
      return admit(systemIdentity(system), "system", "system", system);
    }
    const isNamed = impersonation.kind === "tenant" && !isCredential(impersonation.tenant, system);
    if (!isNamed || !options.allowImpersonation) {
      // Never the wider access instead.
      const refused = {
        ...refuse(NOT_IMPERSONATED, system),
        reason: "impersonation-refused",
        id: "system",
      };
      return fail(request, refused);
    }
    return impersonate(system, impersonation.tenant);
  }

  function isCredential(tenant: string, system: string): boolean {
    const { keystore } = options.snapshot();
    return holdsCredential(tenant, keystore, (digest) => isSameDigest(digest, system));
  }

  async function impersonate(system: string, tenant: string): Promise<Reply> {
    const identity = impersonationIdentity(system, tenant);
    try {
      await services.audit({
        actor: "system",
        action: "impersonate",
        fingerprint: identity.fingerprint,
        id: tenant,
        details: { segment: identity.tenant },
      });
    } catch {
      const reason = "audit-unwritable";
      return { answer: unavailable, outcome: "unavailable", reason, id: tenant, digest: system };
    }
    return admit(identity, "impersonation", tenant, system);
  }

  function judge(
    request: KeysRequest,
    credential: Credential,
    requirement: Requirement,
  ): Awaitable<Reply> {
    const digest = digestOfHeader(credential.token);
    if (isSystem(credential, digest, systemDigest)) return judgeSystem(request, systemDigest);
    const nowMs = options.now();
    const snapshot = options.snapshot();
    const verdict = verifyDigest(snapshot.keystore, digest, requirement, nowMs);
    if (!verdict.ok) {
      const refused = refuse(verdict, digest);
      return verdict.error === "invalid_token" ? fail(request, refused) : refused;
    }
    const granted = grantOf(snapshot, verdict.entry);
    const { limited } = granted;
    if (limited === undefined) {
      services.used(verdict.entry.digest, nowMs);
      return { answer: granted.answer, verdict, digest };
    }
    const decision = services.takeLimit(limited.lineage, limited.limit, request.atMs);
    return decision instanceof Promise
      ? decision.then((late) => conclude(limited, verdict, digest, late, nowMs))
      : conclude(limited, verdict, digest, decision, nowMs);
  }

  function conclude(
    { policy, answerAt }: LimitedGrant,
    verdict: Grant,
    digest: string,
    decision: LimitDecision,
    nowMs: number,
  ): Reply {
    const state = formatRateLimit(decision);
    if (decision.allowed) {
      services.used(verdict.entry.digest, nowMs);
      return { answer: answerAt(state), verdict, digest };
    }
    const headers = ["RateLimit-Policy", policy, "RateLimit", state];
    const { retryAfterMs } = decision;
    const members = { retry_after_ms: Math.ceil(retryAfterMs) };
    const answer = problemAnswer("rate_limited", { headers, retryAfterMs, members }, presentation);
    return { answer, verdict, digest, outcome: "rate_limited", reason: "rate-limited" };
  }

  return (request) => {
    const requirement = requirementOf(request);
    if (requirement === undefined) return misconfigured;
    const read = parseCredential(request.rawHeaders);
    if (read.kind === "none") return withoutCredential(requirement);
    if (read.kind === "malformed") return refuse(MALFORMED);
    return judge(request, read.credential, requirement);
  };
}

/** What a request is asked for; undefined where that is ill-formed. */
function requirementOf({ path, query }: KeysRequest): Requirement | undefined {
  // What nearly all ask, before all that begins alike.
  if (path === VERIFY_PATH && query === undefined) return NO_REQUIREMENT;
  if (path.startsWith(SEGMENT_PREFIX)) {
    return parseRequirementSegment(path.slice(SEGMENT_PREFIX.length).split("/", 1)[0] ?? "");
  }
  // A requirement was to follow and does not.
  if (path === `${VERIFY_PATH}/-`) return undefined;
  // Path and query are the client's: no requirement, and no look at the query.
  if (path.startsWith(`${VERIFY_PATH}/`)) return NO_REQUIREMENT;
  return query === undefined ? NO_REQUIREMENT : parseRequirement(query);
}
