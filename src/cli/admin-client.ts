import { isDigest } from "../core/fingerprint.js";
import { KeysError } from "../errors.js";
import { answerInvalid, originOf, type HttpAnswer, type HttpClient } from "./http-client.js";

/** Longest list of keys that is read, in octets: over 100,000 keys with long ids. */
const MAX_LIST_OCTETS = 64 * 1024 * 1024;
const MAX_ANSWER_OCTETS = 64 * 1024;

/** A request about one key that the server refused, and that says nothing about the next. */
export interface KeyRefusal {
  readonly status: number;
  readonly reason: string;
}

/**
 * A server's admin interface as far as every server has it that keeps the contract: `GET`, `PUT` and
 * `DELETE` of `/admin/keys` (HTTP.md). What is wrong with the server or the token as a whole is
 * thrown: `peer-refused`, `peer-unreachable`, `peer-answer-invalid`.
 */
export interface AdminClient {
  /** Who each live key of the server belongs to, by digest. */
  list(): Promise<ReadonlyMap<string, string>>;
  /** Makes a key live, or gives it another id. */
  put(digest: string, id: string): Promise<KeyRefusal | undefined>;
  /** Takes a key out of service; one that is not live any more is no refusal. */
  remove(digest: string): Promise<KeyRefusal | undefined>;
}

/** The admin interface of the server at `base`, asked with an admin token. */
export function createAdminClient(http: HttpClient, base: string, token: string): AdminClient {
  const where = originOf(base);
  const headers = { Authorization: `Bearer ${token}` };
  const at = (digest: string): string => `${base}/admin/keys/${digest}`;

  async function ofKey(
    method: "PUT" | "DELETE",
    digest: string,
    body?: string,
  ): Promise<KeyRefusal | undefined> {
    const maxOctets = MAX_ANSWER_OCTETS;
    const request = { method, url: at(digest), headers, maxOctets };
    const answer = await http.ask(body === undefined ? request : { ...request, body });
    if (method === "DELETE" && answer.status === 404 && isJson(answer.body)) return undefined;
    if (answer.status === 409 || answer.status === 422) {
      return { status: answer.status, reason: refusalOf(answer) };
    }
    requireOk(answer, where);
    // Anything may answer 200 to anything; the contract names the key.
    if (member(answer.body, "hash") !== digest) throw answerInvalid(where, "not about that key");
    return undefined;
  }

  return {
    async list() {
      const url = `${base}/admin/keys`;
      const answer = await http.ask({ method: "GET", url, headers, maxOctets: MAX_LIST_OCTETS });
      requireOk(answer, where);
      const keys = keysOf(answer.body);
      if (keys === undefined) throw answerInvalid(where, "no list of keys");
      return keys;
    },
    put: (digest, id) => ofKey("PUT", digest, JSON.stringify({ id })),
    remove: (digest) => ofKey("DELETE", digest),
  };
}

/** Refuses every answer that speaks of the token or the server, not of a key. */
function requireOk({ status }: HttpAnswer, where: string): void {
  if (status === 200) return;
  const [said, hint] = meaningOf(status, where);
  throw new KeysError("peer-refused", `${said} (${status})`, { hint });
}

function meaningOf(status: number, where: string): readonly [string, string] {
  switch (status) {
    case 401:
      return [
        `${where} does not know the admin token`,
        "it is the token whose digest stands there as admin_api_key_sha256",
      ];
    case 403:
      return [
        `${where} takes the token for a contributor's, not the admin's`,
        "give the admin token",
      ];
    case 429:
      return [`${where} has seen too many wrong tokens from here`, "wait a minute, then try again"];
    case 404:
    case 405:
      return [`${where} has no admin interface there`, "is that the server's address?"];
    case 503:
      return [
        `${where} has no admin key, or can't answer now`,
        "give its keystore an admin_api_key_sha256",
      ];
    default:
      return status >= 300 && status < 400
        ? [
            `${where} redirects, and the token is not sent on`,
            "name the address that it redirects to",
          ]
        : [`${where} could not do it`, "its log says why"];
  }
}

/** Why one key was refused. Of the server's own words only a plain code is repeated. */
function refusalOf({ status, body }: HttpAnswer): string {
  const error = member(body, "error");
  const code = typeof error === "string" && /^[a-z][a-z0-9_-]{0,39}$/.test(error) ? error : "";
  const meaning =
    status === 409
      ? "its digest is retired there, or is the admin key's or the legacy key's"
      : "the server takes no such digest or id";
  return code === "" ? meaning : `${meaning} (${code})`;
}

function keysOf(text: string): ReadonlyMap<string, string> | undefined {
  const keys = member(text, "keys");
  if (!Array.isArray(keys)) return undefined;
  const found = new Map<string, string>();
  for (const key of keys as unknown[]) {
    if (typeof key !== "object" || key === null) return undefined;
    const { hash, id } = key as { hash?: unknown; id?: unknown };
    if (typeof hash !== "string" || !isDigest(hash) || typeof id !== "string") return undefined;
    found.set(hash, id);
  }
  return found;
}

function isJson(text: string): boolean {
  return parsed(text) !== undefined;
}

function member(text: string, name: string): unknown {
  const value = parsed(text);
  if (typeof value !== "object" || value === null) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
