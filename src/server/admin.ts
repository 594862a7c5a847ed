import { parseCredential } from "../core/credential.js";
import { digestOfHeader, isDigest } from "../core/digest.js";
import { idProblem, isReservedId } from "../core/id.js";
import { formatInstant } from "../core/instant.js";
import { createRefusalAnswers, type ProblemCode } from "../core/problem.js";
import {
  MALFORMED,
  NO_CREDENTIAL,
  NO_REQUIREMENT,
  verifyDigest,
  type Refusal,
} from "../core/verify.js";
import { isKnownWeakDigest } from "../core/weak.js";
import { isKeysError, KeysError } from "../errors.js";
import type { Change } from "../file/change.js";
import { reloadedKeystore } from "../file/load.js";
import type { StoredKeystore } from "../file/store.js";
import { answerFailure, type FailureOptions } from "./failures.js";
import { parseJsonBody } from "./json-body.js";
import { jsonAnswer, problemReply, type Handler, type KeysRequest, type Reply } from "./message.js";
import { holdsCredential } from "./misplaced-credential.js";
import type { Awaitable, Services } from "./services.js";
import type { Snapshot } from "./snapshot.js";
import { isSameDigest } from "./system.js";

/** Where keys are administered; a digest follows. */
export const ADMIN_PATH = "/admin/keys";

/** What the admin interface is made from. */
export interface AdminOptions extends FailureOptions {
  readonly snapshot: () => Snapshot;
  readonly services: Services;
  readonly realm: string;
}

/** The handlers of the admin interface. */
export interface AdminHandlers {
  readonly list: Handler;
  readonly put: Handler;
  readonly remove: Handler;
}

/** Thrown out of a plan, so that nothing is changed. */
class AdminRefusal extends Error {
  override readonly name = "AdminRefusal";
  readonly problem: ProblemCode;

  constructor(problem: ProblemCode) {
    super(problem);
    this.problem = problem;
  }
}

/**
 * `/admin/keys` of the context-intelligence contract (HTTP.md): who holds the admin key lists live
 * keys, puts them and takes them away. Everything goes through the file, under its lock, audited.
 */
export function createAdminHandlers(options: AdminOptions): AdminHandlers {
  const { services, now } = options;
  const refusals = createRefusalAnswers(options.realm);

  function refuse(verdict: Refusal, digest?: string): Reply {
    return { answer: refusals(verdict), verdict, digest };
  }

  /** The answer to who may not; undefined for the admin. */
  function denial(request: KeysRequest): Awaitable<Reply> | undefined {
    const read = parseCredential(request.rawHeaders);
    if (read.kind === "malformed") return refuse(MALFORMED);
    if (read.kind === "none" || read.credential.scheme !== "bearer") return refuse(NO_CREDENTIAL);
    const { keystore } = options.snapshot();
    const digest = digestOfHeader(read.credential.token);
    const { adminDigest } = keystore;
    if (adminDigest !== undefined && isSameDigest(digest, adminDigest)) return undefined;
    const verdict = verifyDigest(keystore, digest, NO_REQUIREMENT, now());
    if (!verdict.ok) return answerFailure(request, refuse(verdict, digest), options);
    const code = adminDigest === undefined ? "admin_disabled" : "admin_required";
    return { ...problemReply(code), verdict, digest };
  }

  /** Whether an id is a token: that of the key itself, or another's. */
  function isCredential(id: string, digest: string): boolean {
    return holdsCredential(id, options.snapshot().keystore, (other) => other === digest);
  }

  function guarded(handle: Handler): Handler {
    return (request) => denial(request) ?? handle(request);
  }

  async function edit(
    plan: (store: StoredKeystore) => readonly Change[],
    action: string,
    done: object,
  ): Promise<Reply> {
    try {
      await services.edit(
        (store) => {
          // What could not be taken into force afterwards is not begun with.
          if (reloadedKeystore(store) === undefined) {
            throw new KeysError("keystore-invalid", "the keystore's file is not valid");
          }
          return plan(store);
        },
        { actor: "admin", action },
      );
      return { answer: jsonAnswer(200, done), outcome: "ok", id: "admin" };
    } catch (error) {
      if (error instanceof AdminRefusal) return { ...problemReply(error.problem), id: "admin" };
      if (!isKeysError(error)) throw error;
      return { ...problemReply("write_failed"), reason: error.code, id: "admin" };
    }
  }

  return {
    list: guarded(() => {
      const keys: object[] = [];
      for (const { digest, id, place } of options.snapshot().keystore.live()) {
        // What no request here may touch is not offered.
        if (place === "live") keys.push({ hash: digest, id });
      }
      return { answer: jsonAnswer(200, { keys }), outcome: "ok", id: "admin" };
    }),
    put: guarded((request) => {
      const digest = digestIn(request);
      if (digest === undefined || isKnownWeakDigest(digest)) return problemReply("digest_invalid");
      const body = parseJsonBody(request.body);
      if (body === undefined) return problemReply("bad_request");
      const { id } = body;
      if (typeof id !== "string" || !isNewId(id) || isCredential(id, digest)) {
        return problemReply("id_invalid");
      }
      return edit((store) => planPut(store, digest, id, now()), "admin-put", { hash: digest, id });
    }),
    remove: guarded((request) => {
      const digest = digestIn(request);
      if (digest === undefined) return problemReply("digest_invalid");
      const done = { hash: digest, deleted: true };
      return edit((store) => planRemove(store, digest, now()), "admin-delete", done);
    }),
  };
}

/** JSON can hold half of a character, which no file can. */
function isNewId(id: string): boolean {
  const isWhole = Buffer.from(id, "utf8").toString("utf8") === id;
  return isWhole && idProblem(id) === undefined && !isReservedId(id);
}

function digestIn({ path }: KeysRequest): string | undefined {
  const digest = path.slice(ADMIN_PATH.length + 1);
  return isDigest(digest) ? digest : undefined;
}

function planPut(
  { document: { keystore } }: StoredKeystore,
  digest: string,
  id: string,
  nowMs: number,
): readonly Change[] {
  if (digest === keystore?.adminDigest) throw new AdminRefusal("digest_conflict");
  const entry = keystore?.find(digest);
  if (entry === undefined) {
    const fields = new Map([
      ["id", id],
      ["created_at", formatInstant(nowMs)],
    ]);
    return [{ kind: "add", digest, fields }];
  }
  // Neither does a retired key come back by this way, nor does the legacy key get an owner.
  if (entry.place !== "live") throw new AdminRefusal("digest_conflict");
  return entry.id === id ? [] : [{ kind: "set", digest, fields: new Map([["id", id]]) }];
}

function planRemove(
  { document: { keystore } }: StoredKeystore,
  digest: string,
  nowMs: number,
): readonly Change[] {
  if (digest === keystore?.adminDigest) throw new AdminRefusal("digest_conflict");
  const entry = keystore?.find(digest);
  if (entry?.place === "legacy") throw new AdminRefusal("digest_conflict");
  if (entry?.place !== "live") throw new AdminRefusal("not_found");
  return [{ kind: "retire", digest, state: "revoked", retiredAt: nowMs }];
}
