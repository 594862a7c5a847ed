import { parseCredential } from "../core/credential.js";
import { digestOfHeader } from "../core/digest.js";
import {
  createRefusalAnswers,
  problemAnswer,
  type Answer,
  type Presentation,
} from "../core/problem.js";
import { parseRequirement, parseRequirementSegment } from "../core/requirement.js";
import {
  MALFORMED,
  NO_CREDENTIAL,
  NO_REQUIREMENT,
  verifyDigest,
  type Requirement,
} from "../core/verify.js";
import type { Handler, KeysRequest, RefusalAnswers, Reply } from "./message.js";
import type { Snapshot } from "./snapshot.js";

/** The path whose query says what is required. */
export const VERIFY_PATH = "/verify";
/** Where a path segment says what is required, and the rest of the path is the client's. */
const SEGMENT_PREFIX = `${VERIFY_PATH}/-/`;

/** What a verdict over HTTP is made from. */
export interface VerifyOptions {
  /** The keystore in force at this instant. */
  readonly snapshot: () => Snapshot;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly realm: string;
  readonly presentation: Presentation;
}

/**
 * `/verify` in its three forms (HTTP.md, 'For reverse proxies'), any method. What is required comes
 * from the proxy's configuration and is read before the credential is: an ill-formed requirement
 * denies, whoever asks. The body is never read.
 */
export function createVerifyHandler(options: VerifyOptions): Handler {
  const refusals = createRefusalAnswers(options.realm, options.presentation);
  const misconfigured: Reply = {
    answer: problemAnswer("misconfigured", {}, options.presentation),
    outcome: "misconfigured",
  };
  return (request) => {
    const requirement = requirementOf(request);
    if (requirement === undefined) return misconfigured;
    return judge(request.rawHeaders, requirement, options, refusals);
  };
}

/** What a request is asked for; undefined where that is ill-formed. */
function requirementOf({ path, query }: KeysRequest): Requirement | undefined {
  if (path.startsWith(SEGMENT_PREFIX)) {
    return parseRequirementSegment(path.slice(SEGMENT_PREFIX.length).split("/", 1)[0] ?? "");
  }
  // A requirement was to follow and does not.
  if (path === `${VERIFY_PATH}/-`) return undefined;
  // Path and query are the client's: no requirement, and no look at the query.
  if (path.startsWith(`${VERIFY_PATH}/`)) return NO_REQUIREMENT;
  return query === undefined ? NO_REQUIREMENT : parseRequirement(query);
}

function judge(
  rawHeaders: readonly string[],
  requirement: Requirement,
  options: VerifyOptions,
  refusals: RefusalAnswers,
): Reply {
  const read = parseCredential(rawHeaders);
  if (read.kind !== "credential") {
    const verdict = read.kind === "none" ? NO_CREDENTIAL : MALFORMED;
    return { answer: refusals(verdict), verdict };
  }
  const snapshot = options.snapshot();
  const digest = digestOfHeader(read.credential.token);
  const verdict = verifyDigest(snapshot.keystore, digest, requirement, options.now());
  const answer = verdict.ok
    ? presented(snapshot.success(verdict.entry), options.presentation)
    : refusals(verdict);
  return { answer, verdict, digest };
}

function presented(answer: Answer, presentation: Presentation): Answer {
  const extra = presentation.headers(answer.status);
  return extra.length === 0 ? answer : { ...answer, headers: [...answer.headers, ...extra] };
}
