import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../src/core/digest.js";

const [a, b, c, d] = ["token-a", "token-b", "token-c", "token-d"].map(digestOf) as [
  string,
  string,
  string,
  string,
];

/** Configurations as services have them, with keys among other settings. */
const CONFIGURATIONS: readonly string[] = [
  `api_keys:
  "${a}":
    id: alice
    created_at: "2026-11-22T10:00:00Z"
  "${b}":
    id: bob
    created_at: "2026-11-22T10:00:00Z"
    expires_at: "2027-11-22T10:00:00Z"
    scopes: "events:write apps:*"
    rate_limit: "60/1m"
    workspaces: "blue green"
retired_api_keys:
  "${c}":
    id: carol
    state: revoked
    retired_at: "2026-11-22T11:00:00Z"
    reason: "laptop lost"
`,
  `# The events service.
server:
  host: 0.0.0.0
  port: 8000   # behind the proxy
  tls: {cert: /etc/tls/cert.pem, key: /etc/tls/key.pem}
database:
  url: "postgres://events@db/events?sslmode=require"
  pool: {min: 1, max: 20}
feature_flags: [new-ui, "fast path", {name: x, on: true}]
workers:
- name: ingest
  threads: 4
  queues:
  - high
  - low
- name: mail
  threads: 1

# Who may send events.
api_keys:
  # the build machine
  '${a}':
    id: 'ci'   # no person
    label: "the build machine: \\"eins\\" #1"
    created_at: '2026-01-05T09:30:00+01:00'

  "${b}": {id: "dora", created_at: "2026-02-01T00:00:00Z", scopes: "*"}
  "${c}":
      label: it's hers
      id: erin@example.com
      team: platform
admin_api_key_sha256: "${d}"
log_level: info
`,
  `---
keys_note: ~
api_key: "an old shared secret"
admin_api_key: 'another old secret'
api_keys: {}
`,
  `api_keys:
    "${a}":
        "id": "Jürgen – Büro"
        label: "日本 😀"
        not_before: "2026-11-01T00:00:00Z"
        expires_at: "2026-11-30T00:00:00.250Z"
        rotated_to: "${b.slice(0, 12)}"
    ${b}:
        id: yes-man
    "${c.toUpperCase()}":
        id: o'neil
        expires_at: "2026-10-01T00:00:00Z"
retired_api_keys: {}
`,
  `api_keys:
  "${a}":
    id:
bob
    label: x
`,
  `retired_api_keys:
 "${a}":
  id: x
  state: "disabled"
  retired_at: "2026-11-22T11:00:00Z"
  note: "see ticket 12"
 "${b}":
  id: y
  state: expired
  retired_at: "2026-11-22T11:00:00Z"
api_keys:
 "${c}":
  id: "null"
other:
  nested:
    deeper:
      - 1
      - two: 2
        three: '3'
      - [4, 5]
    "quoted name": x
`,
];

/** A file name with the text. */
export type NamedText = readonly [name: string, text: string];

const folder = join(import.meta.dirname, "../vectors/keystore");

/** Every vector of a keystore, and configurations as services have them. */
export function writtenConfigurations(): NamedText[] {
  const vectors = readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name): NamedText => [name, readFileSync(join(folder, name), "utf8")]);
  const others = CONFIGURATIONS.flatMap((text, index): NamedText[] => [
    [`configuration ${String(index)}`, text],
    [`configuration ${String(index)} with CRLF`, text.replaceAll("\n", "\r\n")],
    [`configuration ${String(index)} with a mark`, `\ufeff${text.trimEnd()}`],
  ]);
  return [...vectors, ...others];
}
