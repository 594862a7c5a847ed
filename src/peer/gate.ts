import { satisfiesScope } from "../core/scope.js";
import type { Answer } from "../core/problem.js";
import { KeysError } from "../errors.js";
import { requirementOf, type Asked } from "./asked.js";
import type { Client } from "./client.js";
import type { CredentialSource } from "./credential-source.js";
import { undecided } from "./undecided.js";
import { createVerdictAnswers, limitHeaders } from "./verdict-answer.js";
import type { Identity, Verdict } from "./verdict.js";
import type { Verifier } from "./verifier.js";

/** Who decides: a verifier in this process, or a client of a verify server. */
export type Authority =
  | { readonly verifier: Verifier; readonly client?: never }
  | { readonly client: Client; readonly verifier?: never };

/** What a middleware asks of each request. `R` is the framework's request. */
export type AuthOptions<R> = Authority & {
  /** Scopes, all of which the key must satisfy. */
  readonly scopes?: readonly string[];
  /** Workspaces that requests touch, or how to tell from a request: from its path, say. */
  readonly workspaces?: readonly string[] | ((request: R) => readonly string[]);
  /**
   * Whether a request without a credential passes, without an identity; a presented credential is
   * judged as ever. Not together with scopes or workspaces. Default false.
   */
  readonly optional?: boolean;
  /** The realm of challenges: printable ASCII without `"` and `\`. Default `keys`. */
  readonly realm?: string;
  /** Told of each verdict, for a log. It holds no token. */
  readonly onVerdict?: (verdict: Verdict, request: R) => void;
  /** Told of what went wrong where a request was denied with 503 by a defect; may not throw. */
  readonly onFault?: (error: unknown) => void;
};

/** What becomes of a request. */
export type Passage =
  | {
      readonly ok: true;
      readonly identity: Identity | undefined;
      /** Headers of the answer to come, names and values in turn. */
      readonly headers: readonly string[];
    }
  | { readonly ok: false; readonly answer: Answer };

/** Judges requests before an app sees them. */
export interface Gate<R extends object> {
  /** Never rejects: whatever goes wrong, the request is denied. */
  judge(request: R, source: () => CredentialSource): Promise<Passage>;
}

interface Admission {
  readonly identity: Identity;
  readonly answers: ReturnType<typeof createVerdictAnswers>;
}

const OPTIONS: ReadonlySet<string> = new Set([
  "client",
  "onFault",
  "onVerdict",
  "optional",
  "realm",
  "scopes",
  "verifier",
  "workspaces",
]);

// By request, so that nothing that writes to a request can stand in for a verdict.
const admitted = new WeakMap<object, Admission>();

/**
 * @throws KeysError `value-invalid` where an option is unknown or ill-formed: a typo must not open
 *   a door.
 */
export function createGate<R extends object>(options: AuthOptions<R>): Gate<R> {
  const authority = checked(options);
  const { scopes = [], workspaces = [], optional = false, onVerdict, onFault } = options;
  const answers = createVerdictAnswers(options.realm);
  const fixed: Asked = {
    scopes,
    workspaces: typeof workspaces === "function" ? [] : workspaces,
  };
  const askedOf =
    typeof workspaces === "function"
      ? (request: R): Asked => ({ scopes, workspaces: workspaces(request) })
      : (): Asked => fixed;
  if (requirementOf(fixed) === undefined) {
    throw new KeysError("value-invalid", "scopes or workspaces are no lists of scope-tokens");
  }
  const asks = scopes.length > 0 || typeof workspaces === "function" || workspaces.length > 0;
  if (optional && asks) {
    throw new KeysError("value-invalid", "what is optional can't have scopes or workspaces asked");
  }

  return {
    async judge(request, source) {
      try {
        const verdict = await authority.verify(source(), askedOf(request));
        onVerdict?.(verdict, request);
        if (verdict.ok) {
          const { identity } = verdict;
          admitted.set(request, { identity, answers });
          return { ok: true, identity, headers: limitHeaders(verdict) };
        }
        if (optional && verdict.error === "unauthenticated") {
          return { ok: true, identity: undefined, headers: [] };
        }
        return { ok: false, answer: answers(verdict) };
      } catch (error) {
        tell(onFault, error);
        return { ok: false, answer: answers(undecided("unexpected-answer")) };
      }
    },
  };
}

/** A check of scopes behind a gate: of the identity that a gate gave this request, no other. */
export type ScopeCheck = (request: object) => Answer | undefined;

/**
 * @returns a function that gives the answer where the request may not pass.
 * @throws KeysError `value-invalid` where no scope is given, or one that can't be asked for.
 */
export function createScopeCheck(scopes: readonly string[]): ScopeCheck {
  if (scopes.length === 0 || requirementOf({ scopes }) === undefined) {
    throw new KeysError("value-invalid", "give at least one scope, each a scope-token without `*`");
  }
  const answersWithoutGate = createVerdictAnswers();
  const refusal = { ok: false, kind: "refused", reason: undefined, source: "local" } as const;
  return (request) => {
    const admission = admitted.get(request);
    if (admission === undefined) {
      return answersWithoutGate({ ...refusal, error: "unauthenticated", fingerprint: undefined });
    }
    const { identity, answers } = admission;
    if (scopes.every((scope) => satisfiesScope(identity.scopes, scope))) return undefined;
    const { fingerprint } = identity;
    return answers({ ...refusal, error: "insufficient_scope", scopes, fingerprint });
  };
}

/** What it throws is dropped: the request is denied for a defect already. */
function tell(onFault: ((error: unknown) => void) | undefined, fault: unknown): void {
  try {
    onFault?.(fault);
  } catch {
    // Nobody is left to tell.
  }
}

function checked(options: Authority): Verifier | Client {
  const unknown = Object.keys(options).find((name) => !OPTIONS.has(name));
  if (unknown !== undefined) throw new KeysError("value-invalid", `no such option: ${unknown}`);
  // JavaScript may give both, or neither.
  const { verifier, client }: { verifier?: Verifier; client?: Client } = options;
  const authority = verifier ?? client;
  const both = verifier !== undefined && client !== undefined;
  if (authority === undefined || typeof authority.verify !== "function" || both) {
    throw new KeysError("value-invalid", "give either a verifier or a client");
  }
  return authority;
}
