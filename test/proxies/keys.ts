import { digestOf } from "../../src/core/digest.js";
import { mintToken } from "../helpers/keystores.js";

/** A keystore of every kind of key, and the tokens of them. */
export interface Keys {
  readonly text: string;
  /** Holds `apps:read` and `other`. */
  readonly good: string;
  /** Holds `apps:*`. */
  readonly wild: string;
  /** Holds `*`, with an id that headers carry percent-encoded. */
  readonly odd: string;
  /** Holds no scope. */
  readonly bare: string;
  /** Holds `app:read`, `apps` and `xapps:read`: all but what is asked. */
  readonly near: string;
  /** Holds `*`, bound to the workspaces `green` and `bluegreen`. */
  readonly elsewhere: string;
  /** Holds `apps:read`, bound to `blue` and `green`. */
  readonly bound: string;
  readonly revoked: string;
  readonly expired: string;
  readonly early: string;
  /** May be used once an hour. */
  readonly limited: string;
  /** Stands nowhere. */
  readonly unknown: string;
}

/** The id of the key `odd`. */
export const ODD_ID = "ö|b/o %{b}\\\"';#$`";

/** Fresh keys. */
export function makeKeys(): Keys {
  const names = [
    "good",
    "wild",
    "odd",
    "bare",
    "near",
    "elsewhere",
    "bound",
    "revoked",
    "expired",
    "early",
    "limited",
    "unknown",
  ] as const;
  const tokens = Object.fromEntries(names.map((name) => [name, mintToken()])) as Record<
    (typeof names)[number],
    string
  >;
  const entry = (name: (typeof names)[number], fields: Record<string, string>): string[] => [
    `  "${digestOf(tokens[name])}":`,
    ...Object.entries({ id: name, ...fields }).map(
      ([field, value]) => `    ${field}: ${JSON.stringify(value)}`,
    ),
  ];
  const text = [
    "api_keys:",
    ...entry("good", { scopes: "apps:read other" }),
    ...entry("wild", { scopes: "apps:*" }),
    ...entry("odd", { id: ODD_ID, scopes: "*" }),
    ...entry("bare", {}),
    ...entry("near", { scopes: "app:read apps xapps:read" }),
    ...entry("elsewhere", { scopes: "*", workspaces: "green bluegreen" }),
    ...entry("bound", { scopes: "apps:read", workspaces: "blue green" }),
    ...entry("expired", { scopes: "*", expires_at: "2024-01-01T00:00:00Z" }),
    ...entry("early", { scopes: "*", not_before: "2999-01-01T00:00:00Z" }),
    ...entry("limited", { scopes: "*", rate_limit: "1/1h" }),
    "retired_api_keys:",
    ...entry("revoked", { scopes: "*", state: "revoked", retired_at: "2024-01-01T00:00:00Z" }),
    "",
  ].join("\n");
  return { text, ...tokens };
}
