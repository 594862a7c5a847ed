import { isToken } from "../core/credential.js";
import { digestOfHeader } from "../core/digest.js";
import type { Entry } from "../core/entry.js";
import type { Answer } from "../core/problem.js";
import { NO_REQUIREMENT, verifyDigest, type Verdict } from "../core/verify.js";
import { readClientCredentials, type ClientCredentials } from "./client-credentials.js";
import { answerFailure, type FailureOptions } from "./failures.js";
import { parseForm } from "./form.js";
import { jsonAnswer, type Handler, type KeysRequest, type Reply } from "./message.js";
import type { Awaitable, Services } from "./services.js";
import type { Snapshot } from "./snapshot.js";

/** Where tokens are introspected. */
export const INTROSPECT_PATH = "/introspect";

const CALLER = { scopes: ["keys:introspect"], workspaces: [] };

/** What introspection is made from. */
export interface IntrospectOptions extends FailureOptions {
  readonly snapshot: () => Snapshot;
  readonly services: Services;
  /** Without `"` and `\`. */
  readonly realm: string;
}

/**
 * `POST /introspect`: OAuth 2.0 Token Introspection (RFC 7662). The caller is a key with the scope
 * `keys:introspect`. A token that is not in service is `{"active":false}` and nothing more; of two
 * answers nobody can tell why. What `/verify` calls malformed is looked up here no more than there.
 * Charges no limit.
 */
export function createIntrospectHandler(options: IntrospectOptions): Handler {
  const { services, now, realm } = options;
  const inactive = jsonAnswer(200, { active: false });

  function judge(token: string): { readonly digest: string; readonly verdict: Verdict } {
    const digest = digestOfHeader(token);
    const { keystore } = options.snapshot();
    return { digest, verdict: verifyDigest(keystore, digest, NO_REQUIREMENT, now()) };
  }

  function refuse(
    request: KeysRequest,
    client: ClientCredentials | undefined,
    reply: Omit<Reply, "answer"> = {},
    isBasic = client?.method === "basic",
  ): Awaitable<Reply> {
    const scheme = isBasic ? "Basic" : "Bearer";
    const answer = withHeaders(jsonAnswer(401, { error: "invalid_client" }), [
      "WWW-Authenticate",
      `${scheme} realm="${realm}"`,
    ]);
    const refused: Reply = { ...reply, answer, outcome: "invalid_client" };
    return client === undefined ? refused : answerFailure(request, refused, options);
  }

  function introspect(token: string): Reply {
    if (!isToken(token)) return { answer: inactive, outcome: "inactive", reason: "malformed" };
    const { digest, verdict } = judge(token);
    if (!verdict.ok) return { answer: inactive, verdict, digest, outcome: "inactive" };
    services.used(digest, now());
    return { answer: jsonAnswer(200, introspection(verdict.entry)), verdict, digest };
  }

  return (request) => {
    const form = parseForm(request.rawHeaders, request.body ?? new Uint8Array());
    if (form === undefined) return invalidRequest();
    const client = readClientCredentials(request.rawHeaders, form);
    if (client === "conflict") return invalidRequest();
    if (typeof client === "string") {
      return refuse(request, undefined, {}, client === "unreadable-basic");
    }
    if (!isToken(client.secret)) return refuse(request, client, { reason: "malformed" });
    const digest = digestOfHeader(client.secret);
    const verdict = verifyDigest(options.snapshot().keystore, digest, CALLER, now());
    if (!verdict.ok || !isClient(client, verdict.entry)) {
      return refuse(request, client, { verdict, digest });
    }
    services.used(digest, now());
    const token = form.get("token");
    return token === undefined ? invalidRequest() : introspect(token);
  };
}

/** Whether a client is who its key says; by Bearer it need not say. */
function isClient({ method, id }: ClientCredentials, entry: Entry): boolean {
  if (id === undefined) return method === "bearer";
  return id === Buffer.from(entry.id ?? "", "utf8").toString("latin1");
}

/** RFC 7662 §2.2; members without a value are left out. */
function introspection(entry: Entry): object {
  const { id, scopes, createdAt, expiresAt, fingerprint } = entry;
  return {
    active: true,
    sub: id,
    scope: scopes.length === 0 ? undefined : scopes.join(" "),
    iat: seconds(createdAt),
    exp: seconds(expiresAt),
    token_type: "Bearer",
    client_id: id,
    jti: fingerprint,
  };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000);
}

function invalidRequest(): Reply {
  return { answer: jsonAnswer(400, { error: "invalid_request" }), outcome: "invalid_request" };
}

function withHeaders(answer: Answer, headers: readonly string[]): Answer {
  return { ...answer, headers: [...headers, ...answer.headers] };
}
