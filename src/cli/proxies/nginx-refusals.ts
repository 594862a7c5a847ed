import { problemAnswer, type ProblemCode } from "../../core/problem.js";

/** Under which nginx finds the problems of what it refuses by itself; `internal`. */
const OWN = "/.keys-problem";

/** What nginx refuses by itself: the statuses it has for it, and the problem that is answered. */
const OWN_REFUSALS: readonly {
  readonly nginx: string;
  readonly code: ProblemCode;
  readonly detail?: string;
}[] = [
  // 501 and 505: a transfer coding and a version that it does not know.
  { nginx: "400 501 505", code: "bad_request" },
  { nginx: "404", code: "not_found" },
  { nginx: "405", code: "method_not_allowed" },
  { nginx: "414", code: "target_too_long", detail: "the request target is too long" },
  // 494 is nginx's own for a header line that fits in no buffer.
  { nginx: "494", code: "headers_too_large", detail: "a request header is too large" },
];

/** The directives that replace nginx's own pages; a location with one of its own repeats them. */
export const OWN_ERROR_PAGES: readonly string[] = OWN_REFUSALS.map(
  ({ nginx, code }) => `error_page ${nginx} = ${OWN}/${code};`,
);

/**
 * The locations behind {@link OWN_ERROR_PAGES}. They are no named ones: nginx has no path to give
 * those where it could not read the request.
 */
export const OWN_PROBLEMS: readonly string[] = OWN_REFUSALS.flatMap(({ code, detail }) => [
  `location = ${OWN}/${code} {`,
  "    internal;",
  ...asProblem(),
  `    ${returned(code, detail === undefined ? {} : { detail })}`,
  "}",
]);

/** What to keep of a verdict for {@link REFUSALS}: nginx does not keep its body. */
export const KEPT_OF_REFUSAL: readonly string[] = [
  "auth_request_set $keys_status $upstream_http_x_auth_status;",
  "auth_request_set $keys_error $upstream_http_x_auth_error;",
  "auth_request_set $keys_retry_after $upstream_http_retry_after;",
  "auth_request_set $keys_challenge $upstream_http_www_authenticate;",
  "auth_request_set $keys_limit $upstream_http_ratelimit;",
  "auth_request_set $keys_limit_policy $upstream_http_ratelimit_policy;",
];

/** Where a refusal of the verify server goes. */
export const REFUSAL_PAGES: readonly string[] = [
  "# auth_request knows 401 and 403 alone; the true status may be 400, 429 or 503.",
  "error_page 401 = @keys_unauthorized;",
  "error_page 403 = @keys_denied;",
  "# No verdict: the verify server is down, or its answer is none.",
  "error_page 500 = @keys_unavailable;",
];

/** The locations behind {@link REFUSAL_PAGES}. */
export const REFUSALS: readonly string[] = [
  "location @keys_unauthorized {",
  "    # The challenge of a 401 is there already.",
  ...asProblem(),
  ...where("invalid_request"),
  ...where("invalid_token"),
  `    ${returned("unauthenticated")}`,
  "}",
  "",
  "location @keys_denied {",
  ...asProblem(),
  "    add_header WWW-Authenticate $keys_challenge always;",
  "    add_header Retry-After $keys_retry_after always;",
  "    add_header RateLimit $keys_limit always;",
  "    add_header RateLimit-Policy $keys_limit_policy always;",
  ...where("insufficient_scope"),
  ...where("workspace_denied"),
  "    if ($keys_error = rate_limited) {",
  `        ${rateLimited()}`,
  "    }",
  ...where("too_many_failures"),
  ...where("misconfigured"),
  ...where("unavailable"),
  "    # A server that names no error.",
  "    if ($keys_status = 429) {",
  `        return 429 '${plain(429, "Too Many Requests")}';`,
  "    }",
  "    if ($keys_status = 503) {",
  `        ${returned("unavailable")}`,
  "    }",
  `    return 403 '${plain(403, "Forbidden")}';`,
  "}",
  "",
  "location @keys_unavailable {",
  ...asProblem(),
  "    add_header Retry-After 5 always;",
  `    ${returned("unavailable")}`,
  "}",
];

function asProblem(): readonly string[] {
  return [
    "    default_type application/problem+json;",
    "    add_header Cache-Control no-store always;",
  ];
}

function where(code: ProblemCode): readonly string[] {
  return [`    if ($keys_error = ${code}) {`, `        ${returned(code)}`, "    }"];
}

/** The problem with the server's own words, none of which has a `$` or a backslash. */
function returned(code: ProblemCode, members: Readonly<Record<string, unknown>> = {}): string {
  const { status, body } = problemAnswer(code, { members });
  return `return ${status} '${body.replaceAll("'", "\\'")}';`;
}

/** With `retry_after_ms` from the whole seconds of `Retry-After`, which the server always sends. */
function rateLimited(): string {
  const { status, body } = problemAnswer("rate_limited");
  return `return ${status} '${body.slice(0, -1)},"retry_after_ms":\${keys_retry_after}000}';`;
}

function plain(status: number, title: string): string {
  return JSON.stringify({ type: "about:blank", title, status });
}
