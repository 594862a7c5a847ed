import { INTROSPECT_PATH } from "./introspect.js";
import { jsonAnswer, problemReply, type Handler } from "./message.js";

/** Where an authorization server describes itself (RFC 8414 §3). */
export const METADATA_PATH = "/.well-known/oauth-authorization-server";

/**
 * `GET /.well-known/oauth-authorization-server` (RFC 8414): where tokens are introspected, and how a
 * caller says who it is. 404 where nothing says what clients call this server; never from `Host`,
 * which is the client's.
 *
 * @param issuer - the URL that clients know this server by; undefined where none is known.
 */
export function createMetadataHandler(issuer: () => string | undefined): Handler {
  return () => {
    const known = issuer();
    if (known === undefined) return problemReply("not_found");
    return {
      answer: jsonAnswer(200, {
        issuer: known,
        introspection_endpoint: known.replace(/\/$/, "") + INTROSPECT_PATH,
        introspection_endpoint_auth_methods_supported: [
          "client_secret_basic",
          "client_secret_post",
          "Bearer",
        ],
        response_types_supported: [],
        grant_types_supported: [],
      }),
    };
  };
}
