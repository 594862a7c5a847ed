import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import type { Answer } from "../core/problem.js";
import { createGate, createScopeCheck, type AuthOptions } from "./gate.js";
import { pairsOf } from "./node-answer.js";
import type { Identity } from "./verdict.js";

export type { AuthOptions, Authority } from "./gate.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Whose key it is, once `auth` has let the request in. Nothing a client sends sets it. */
    identity: Identity | undefined;
  }
}

/** A hook that may answer in place of the route. */
export type ScopeHook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/**
 * A plugin that lets in who has a key that may do what is asked, and puts `request.identity`:
 * `app.register(auth({ … }))`. It holds for every route of the context it is registered in, also
 * for those that stand before it. All others get the status, challenge and problem of HTTP.md's
 * 'Verdicts'. Register it once for a route: each use is a verdict, and charges a rate limit.
 *
 * @throws KeysError `value-invalid` where an option is unknown or ill-formed.
 */
export function auth(options: AuthOptions<FastifyRequest>): FastifyPluginCallback {
  const gate = createGate(options);
  const plugin: FastifyPluginCallback = (app, _, done) => {
    if (!app.hasRequestDecorator("identity")) app.decorateRequest("identity", undefined);
    app.addHook("onRequest", async (request, reply) => {
      const passage = await gate.judge(request, () => request.raw);
      if (!passage.ok) return send(reply, passage.answer);
      request.identity = passage.identity;
      for (const [name, value] of pairsOf(passage.headers)) reply.header(name, value);
      return undefined;
    });
    done();
  };
  return Object.assign(plugin, {
    // What `fastify-plugin` sets: the hook belongs to the context that registers the plugin.
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "keyhold",
  });
}

/**
 * A hook for routes, `{ onRequest: requireScope("apps:write") }`: lets on whom `auth` has let in,
 * where the key satisfies every scope; others get 403, or 401 where there is no identity.
 *
 * @throws KeysError `value-invalid` where no scope is given, or one that can't be asked for.
 */
export function requireScope(...scopes: readonly string[]): ScopeHook {
  const check = createScopeCheck(scopes);
  return (request, reply) => {
    const answer = check(request);
    return Promise.resolve(answer === undefined ? undefined : send(reply, answer));
  };
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  for (const [name, value] of pairsOf(headers)) reply.header(name, value);
  // Octets: to a text in JSON Fastify would add a charset, which the media type does not have.
  return reply.code(status).send(Buffer.from(body));
}
