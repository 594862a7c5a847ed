import type { Presentation } from "../core/problem.js";

/** The path for nginx's `auth_request`: as `/verify`, with a query. */
export const NGINX_PATH = "/nginx";

/**
 * Answers for nginx's `auth_request`, which lets 2xx through, denies on 401 and 403, and makes a
 * 500 of all else: 400 becomes 401, 429 and 503 become 403. The true status stands in
 * `X-Auth-Status` and the problem's `error` in `X-Auth-Error`: nginx keeps no body of a verdict.
 */
export const FOR_NGINX: Presentation = {
  status: (status) => {
    if (status === 400) return 401;
    return status === 429 || status === 503 ? 403 : status;
  },
  headers: (status, code) => [
    "X-Auth-Status",
    String(status),
    ...(code === undefined ? [] : ["X-Auth-Error", code]),
  ],
};
