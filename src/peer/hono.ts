import type { Context, MiddlewareHandler } from "hono";
import type { Answer } from "../core/problem.js";
import type { CredentialSource } from "./credential-source.js";
import { createGate, createScopeCheck, type AuthOptions } from "./gate.js";
import { pairsOf } from "./node-answer.js";
import type { Identity } from "./verdict.js";

export type { AuthOptions, Authority } from "./gate.js";

/** What an app's handlers find: `c.get("identity")`. */
export interface IdentityEnv {
  Variables: { identity: Identity };
}

/** The same behind `auth({ …, optional: true })`. */
export interface OptionalIdentityEnv {
  Variables: { identity: Identity | undefined };
}

/**
 * Lets in who has a key that may do what is asked, and sets `identity`. All others get the status,
 * challenge and problem of HTTP.md's 'Verdicts'. Use it once for a request: each use is a verdict,
 * and charges a rate limit.
 *
 * Under `@hono/node-server` the header lines are read as they came. Elsewhere there are only
 * Fetch's headers, which join lines: two credentials are seen there as well.
 *
 * @throws KeysError `value-invalid` where an option is unknown or ill-formed.
 */
export function auth(
  options: AuthOptions<Context> & { readonly optional: true },
): MiddlewareHandler<OptionalIdentityEnv>;
export function auth(
  options: AuthOptions<Context> & { readonly optional?: false },
): MiddlewareHandler<IdentityEnv>;
export function auth(options: AuthOptions<Context>): MiddlewareHandler {
  const gate = createGate(options);
  return async (c, next) => {
    const passage = await gate.judge(c, () => sourceOf(c));
    if (!passage.ok) return responseOf(passage.answer);
    c.set("identity", passage.identity);
    await next();
    for (const [name, value] of pairsOf(passage.headers)) c.header(name, value);
    return undefined;
  };
}

/**
 * Lets on whom `auth` has let in, where the key satisfies every scope; others get 403, or 401 where
 * there is no identity.
 *
 * @throws KeysError `value-invalid` where no scope is given, or one that can't be asked for.
 */
export function requireScope(...scopes: readonly string[]): MiddlewareHandler {
  const check = createScopeCheck(scopes);
  return async (c, next) => {
    const answer = check(c);
    if (answer !== undefined) return responseOf(answer);
    await next();
    return undefined;
  };
}

function responseOf({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers: pairsOf(headers) });
}

function sourceOf(c: Context): CredentialSource {
  const env: unknown = c.env;
  if (typeof env !== "object" || env === null || !("incoming" in env)) return c.req.raw;
  const { incoming } = env;
  if (typeof incoming !== "object" || incoming === null || !("rawHeaders" in incoming)) {
    return c.req.raw;
  }
  return Array.isArray(incoming.rawHeaders) ? (incoming.rawHeaders as string[]) : c.req.raw;
}
