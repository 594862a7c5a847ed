import type { IncomingMessage, ServerResponse } from "node:http";
import { createGate, createScopeCheck, type AuthOptions } from "./gate.js";
import { sendAnswer, setHeaders } from "./node-answer.js";
import type { Identity } from "./verdict.js";

export type { AuthOptions, Authority } from "./gate.js";

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express's requests can be extended here only
  namespace Express {
    interface Request {
      /** Whose key it is, once `auth` has let the request in. Nothing a client sends sets it. */
      identity?: Identity | undefined;
    }
  }
}

/** A middleware of Express, and of anything else that hands on Node's request and response. */
export type Middleware<R extends IncomingMessage = IncomingMessage> = (
  request: R,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Lets in who has a key that may do what is asked, and puts `request.identity`. All others get the
 * status, challenge and problem of HTTP.md's 'Verdicts', and the app never sees the request. Use it
 * once for a request: each use is a verdict, and charges a rate limit.
 *
 * @throws KeysError `value-invalid` where an option is unknown or ill-formed.
 */
export function auth<R extends IncomingMessage = IncomingMessage>(
  options: AuthOptions<R>,
): Middleware<R> {
  const gate = createGate(options);
  return (request, response, next) => {
    gate
      .judge(request, () => request)
      .then((passage) => {
        if (!passage.ok) {
          sendAnswer(response, passage.answer);
          return;
        }
        Object.assign(request, { identity: passage.identity });
        setHeaders(response, passage.headers);
        next();
      })
      // A rejection that nobody handles would end the process.
      .catch(next);
  };
}

/**
 * Lets on whom `auth` has let in, where the key satisfies every scope; others get 403, or 401 where
 * there is no identity.
 *
 * @throws KeysError `value-invalid` where no scope is given, or one that can't be asked for.
 */
export function requireScope(...scopes: readonly string[]): Middleware {
  const check = createScopeCheck(scopes);
  return (request, response, next) => {
    const answer = check(request);
    if (answer === undefined) next();
    else sendAnswer(response, answer);
  };
}
