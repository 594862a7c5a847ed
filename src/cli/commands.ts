import type { CommandSpec } from "./command.js";
import type { AuditOptions } from "./commands/audit.js";
import type { ConfigOptions } from "./commands/config.js";
import type { CreateOptions } from "./commands/create.js";
import type { DisableOptions } from "./commands/disable.js";
import type { EnableOptions } from "./commands/enable.js";
import type { InitOptions } from "./commands/init.js";
import type { ListOptions } from "./commands/list.js";
import type { MigrateOptions } from "./commands/migrate.js";
import type { PushOptions } from "./commands/push.js";
import type { RevokeOptions } from "./commands/revoke.js";
import type { RotateOptions } from "./commands/rotate.js";
import type { ServeOptions } from "./commands/serve.js";
import type { SetOptions } from "./commands/set.js";
import type { ShowOptions } from "./commands/show.js";
import type { ValidateOptions } from "./commands/validate.js";
import { once, onceFile, repeatable, toggle } from "./option.js";

// To add a command: an entry below, with its part in `commands/`, loaded by import() alone. Options
// are made with once(), onceFile(), repeatable() and toggle() of `option.ts`, and nothing else: two
// readers work from this table, commander (`program.ts`: help, and whatever is wrong with a line) and
// the exact reader (`exact-line.ts`: what is plainly right), and a test holds them to agree on every
// entry. This module is loaded by every call: what it imports, beyond types, all commands pay for.

const KEY = "its fingerprint, or at least six digits of it";
const TIME = "30s 12h 90d 2w 1y, an instant, or never";

const AUDIT_FILE = onceFile(
  "--audit-file <path>",
  "its audit log (default: KEYS_AUDIT_FILE, else beside the keystore)",
  "the one beside the keystore",
);
const USAGE_FILE = onceFile(
  "--usage-file <path>",
  "when keys were last used (default: KEYS_USAGE_FILE, else beside the keystore)",
  "the one beside the keystore",
);

/** Every command that is built. Each loads its own part only when it is called. */
export const COMMANDS: readonly CommandSpec[] = [
  command<InitOptions>({
    name: "init",
    summary: "make a keystore with one key, for its owner",
    examples: [
      "keys init",
      "keys init --if-missing --token-file /run/owner-token    in a container's entrypoint",
    ],
    options: [
      once("--id <name>", "whose key it is (default: owner)"),
      toggle("--if-missing", "do nothing where a live key stands"),
      once("--prefix <prefix>", "what the token starts with (default: key)"),
    ],
    load: async () => (await import("./commands/init.js")).init,
  }),
  command<CreateOptions>({
    name: "create",
    summary: "make a key: mint its token, or take its digest",
    examples: [
      "keys create --id alice --label laptop --expires 90d",
      'keys create --id ci --scopes "events:write apps:read" --rate-limit 60/1m',
      "TOKEN=$(keys create --id alice)",
      "keys create --id bob --digest c1f29e0b…             made by bob with `keys hash`",
      "keys create --id eve --token-stdin < token.txt      a token that exists already",
    ],
    options: [
      once("--id <name>", "whose key it is; asked for at a terminal"),
      once("--label <text>", "what it is for"),
      repeatable("--scopes <list>", "what it may do, separated by spaces: 'events:write apps:*'"),
      once("--expires <time>", `when it ends: ${TIME}`),
      once("--not-before <time>", "when it begins"),
      once("--rate-limit <limit>", "how often it may be used: 60/1m, or none"),
      repeatable("--workspaces <list>", "bind it to these workspaces, separated by spaces"),
      once("--prefix <prefix>", "what the token starts with (default: key)"),
      toggle("--allow-weak", "take one of under 20 characters with --token-stdin, too"),
      once("--digest <hex>", "take a digest from `keys hash` instead"),
    ],
    load: async () => (await import("./commands/create.js")).create,
  }),
  command<ListOptions>({
    name: "list",
    summary: "list keys",
    examples: [
      "keys list",
      "keys list --state all --sort -created",
      "keys list --expiring 30d",
      "keys list --unused 90d                              never used, or not since then",
      "keys list --json | jq -r '.keys[].id'",
    ],
    options: [
      once("--id <name>", "only this contributor's"),
      once("--state <state>", "live, retired or all (default: live)"),
      once("--expiring <time>", "only those that end until then, such as 30d"),
      once("--unused <time>", "only those that were not used since, such as 90d"),
      once("--sort <field>", "created, expires, fingerprint, id, label, state, used; -id reverses"),
      once("--format <format>", "table, json or csv (default: table)"),
      USAGE_FILE,
    ],
    load: async () => (await import("./commands/list.js")).list,
  }),
  command<ShowOptions>({
    name: "show",
    summary: "show everything about one key",
    examples: ["keys show c1f29e0ba7d3", "keys show --id alice --json"],
    operands: [{ usage: "[key]", description: KEY }],
    options: [once("--id <name>", "a contributor's only key"), AUDIT_FILE, USAGE_FILE],
    load: async () => (await import("./commands/show.js")).show,
  }),
  command<SetOptions>({
    name: "set",
    summary: "change what is said of a key",
    examples: [
      "keys set c1f29e0ba7d3 --label desktop --expires 1y",
      "keys set c1f29e0ba7d3 --scopes events:write --unset rate-limit",
    ],
    operands: [{ usage: "[key]", description: KEY }],
    options: [
      once("--id <name>", "give it to another contributor"),
      once("--label <text>", "what it is for"),
      repeatable("--scopes <list>", "what it may do, in place of what it may now"),
      once("--expires <time>", `when it ends: ${TIME}`),
      once("--not-before <time>", "when it begins"),
      once("--rate-limit <limit>", "how often it may be used: 60/1m, or none"),
      repeatable("--workspaces <list>", "bind it to these workspaces"),
      repeatable(
        "--unset <field>",
        "remove label, scopes, expires, not-before, rate-limit, workspaces",
      ),
    ],
    load: async () => (await import("./commands/set.js")).set,
  }),
  command<RevokeOptions>({
    name: "revoke",
    summary: "take keys out of service for good",
    examples: [
      'keys revoke c1f29e0ba7d3 --reason "laptop lost"',
      "keys revoke --id alice --yes",
      "keys revoke c1f29e0ba7d3 --purge                    drop the entry, too",
      "keys revoke c1f29e0ba7d3 --wait http://10.0.0.1:8787 http://10.0.0.2:8787",
    ],
    operands: [{ usage: "[key]", description: KEY }],
    options: [
      once("--id <name>", "all of a contributor's"),
      toggle("--all", "every key of the keystore"),
      once("--reason <text>", "why, kept with the retired key"),
      toggle("--purge", "drop the entry altogether"),
      repeatable("--wait <url...>", "wait until these servers, each named directly, know it"),
      once("--timeout <time>", "how long to wait, such as 2m (default: 30s)"),
    ],
    load: async () => (await import("./commands/revoke.js")).revoke,
  }),
  command<DisableOptions>({
    name: "disable",
    summary: "take keys out of service for a while",
    examples: ["keys disable c1f29e0ba7d3", "keys disable --id alice --reason holiday --yes"],
    operands: [{ usage: "[key]", description: KEY }],
    options: [
      once("--id <name>", "all of a contributor's"),
      once("--reason <text>", "why, kept with the key"),
    ],
    load: async () => (await import("./commands/disable.js")).disable,
  }),
  command<EnableOptions>({
    name: "enable",
    summary: "take disabled keys back into service",
    examples: ["keys enable c1f29e0ba7d3", "keys enable --id alice"],
    operands: [{ usage: "[key]", description: KEY }],
    options: [once("--id <name>", "all of a contributor's that are disabled")],
    load: async () => (await import("./commands/enable.js")).enable,
  }),
  command<RotateOptions>({
    name: "rotate",
    summary: "give a key a new token",
    examples: [
      "keys rotate c1f29e0ba7d3 --grace 24h                the old token works for a day",
      "keys rotate --id alice --yes                        the old token ends now",
    ],
    operands: [{ usage: "[key]", description: KEY }],
    options: [
      once("--id <name>", "a contributor's only live key"),
      once("--grace <time>", "how long the old token works on, such as 24h"),
      once("--expires <time>", `when the new key ends: ${TIME} (default: as the old one)`),
      once("--prefix <prefix>", "what the token starts with (default: key)"),
    ],
    load: async () => (await import("./commands/rotate.js")).rotate,
  }),
  command({
    name: "sweep",
    summary: "retire keys that have expired",
    examples: ["keys sweep", "keys sweep --dry-run"],
    load: async () => (await import("./commands/sweep.js")).sweep,
  }),
  command<ValidateOptions>({
    name: "validate",
    summary: "list everything that is wrong with keystores",
    examples: [
      "keys validate",
      "keys validate --strict --require-expiry keys.yaml staging.yaml",
      "git show HEAD:keys.yaml | keys validate - --json",
    ],
    operands: [
      { usage: "[file...]", description: "keystores; - for stdin (default: as --file says)" },
    ],
    options: [
      once("--format <format>", "text or json (default: text)"),
      toggle("--strict", "take warnings for errors"),
      toggle("--allow-empty", "let an empty keystore pass"),
      once("--peers <kind>", "id-only: some peers read nothing but ids"),
      once("--max-age <time>", "no live key may be older, such as 90d"),
      toggle("--require-expiry", "every live key must expire"),
      toggle("--require-scopes", "every live key must have scopes"),
    ],
    load: async () => (await import("./commands/validate.js")).validate,
  }),
  command<MigrateOptions>({
    name: "migrate",
    summary: "turn raw keys and flat entries into digests with entries",
    examples: ["keys migrate --dry-run", "keys migrate --id alice --yes"],
    options: [once("--id <name>", "whose key the raw api_key is (default: owner)")],
    load: async () => (await import("./commands/migrate.js")).migrate,
  }),
  command({
    name: "hash",
    summary: "print the digest of a token from stdin",
    examples: [
      "keys hash                                           asks for the token",
      "keys hash < token.txt",
    ],
    load: async () => (await import("./commands/hash.js")).hash,
  }),
  command({
    name: "identify",
    summary: "say what a token from stdin is, whose, and whether it is valid",
    examples: [
      "keys identify                                       asks for the token",
      "keys identify < token.txt",
    ],
    load: async () => (await import("./commands/identify.js")).identify,
  }),
  command<PushOptions>({
    name: "push",
    summary: "bring a running server's keys to what the file says",
    examples: [
      "keys push https://keys.example.com --dry-run         asks for the admin token",
      "keys push https://keys.example.com --admin-token-file admin-token --yes",
      "pass show admin | keys push https://keys.example.com --yes",
    ],
    operands: [{ usage: "<url>", description: "the server; its /admin/keys is asked" }],
    options: [
      onceFile(
        "--admin-token-file <path>",
        "the admin token, in a file that only its owner can read",
        "a prompt or stdin",
      ),
      toggle("--prune", "remove what the server has and the file does not know"),
    ],
    load: async () => (await import("./commands/push.js")).push,
  }),
  command<AuditOptions>({
    name: "audit",
    summary: "tell who changed what when; verify that nobody changed the record",
    examples: [
      "keys audit --since 30d",
      "keys audit --id alice --json",
      "keys audit verify                                   prints the head: keep it elsewhere",
      "keys audit verify --head 3f1c…                      whether the log still leads there",
    ],
    operands: [{ usage: "[key]", description: `only of this key: ${KEY}; or: verify` }],
    options: [
      once("--id <name>", "only of this contributor's keys"),
      once("--actor <name>", "only by this one: alice, os:alice, admin, server"),
      once("--since <time>", "only what is not older, such as 30d"),
      once("--head <hash>", "with verify: the hash of a line that must be there"),
      AUDIT_FILE,
    ],
    load: async () => (await import("./commands/audit.js")).audit,
  }),
  command<ServeOptions>({
    name: "serve",
    summary: "answer over HTTP whose token a request carries",
    examples: [
      "keys serve",
      "keys serve --port 9000 --workers auto --rate-limit 60/1m",
      "keys serve --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem",
      "keys serve --socket /run/keys/verify.sock --log text",
      "keys serve --check",
    ],
    options: [
      once("--host <address>", "where to listen (default: 127.0.0.1)"),
      once("--port <number>", "the port; 0 for any that is free (default: 8787)"),
      onceFile("--socket <path>", "listen on a unix socket instead", "a port"),
      onceFile("--tls-cert <path>", "serve HTTPS with this certificate chain (PEM)", "plain HTTP"),
      onceFile("--tls-key <path>", "its private key (PEM)", "plain HTTP"),
      once("--workers <number>", "processes that answer; auto: one a processor (default: 1)"),
      once("--rate-limit <limit>", "for keys without their own, such as 60/1m (default: none)"),
      once("--realm <text>", "the realm of challenges (default: keys)"),
      once("--issuer <url>", "in OAuth metadata (default: the address it listens on)"),
      repeatable("--user-header <name>", "send the id under this header, too"),
      toggle("--sweep", "retire keys in the file as they expire"),
      once("--peers <kind>", "id-only: some peers read nothing but ids"),
      onceFile(
        "--audit-file <path>",
        "the record of changes (default: <keystore>.audit.jsonl)",
        "the one beside the keystore",
      ),
      onceFile(
        "--usage-file <path>",
        "when keys were last used (default: <keystore>.usage.json)",
        "the one beside the keystore",
      ),
      toggle("--allow-empty", "start with an empty keystore: everybody gets 401"),
      toggle("--allow-unauthenticated", "requests without a credential pass as anonymous"),
      onceFile(
        "--system-token-file <path>",
        "holds the token of the one trusted caller",
        "no such caller",
      ),
      toggle("--allow-impersonation", "that caller may act for a tenant"),
      once("--log <format>", "a line a request, on stderr: json, text or off (default: json)"),
      repeatable("--trusted-proxy <cidr>", "believe X-Forwarded-For of these addresses"),
      toggle("--check", "start nothing; exit as a start would"),
    ],
    after:
      "\nEach option but --check may be given as a variable instead: --tls-cert as KEYS_TLS_CERT,\n" +
      "--sweep as KEYS_SWEEP=1. An option goes before its variable; an empty variable is none.",
    stays: true,
    load: async () => (await import("./commands/serve.js")).serve,
  }),
  command<ConfigOptions>({
    name: "config",
    summary: "print the configuration of a reverse proxy that asks who may in",
    examples: [
      "keys config nginx --upstream http://127.0.0.1:3000 > nginx.conf",
      "keys config caddy --server http://127.0.0.1:8787 --scope apps:read > Caddyfile",
      "keys config haproxy --map keys.map > haproxy.cfg    looks keys up by itself",
      "keys config haproxy --map keys.map --keep           brings each change to HAProxy",
    ],
    operands: [{ usage: "[proxy]", description: "nginx, caddy, traefik, envoy or haproxy" }],
    options: [
      once("--server <url>", "the verify server (default: http://127.0.0.1:8787)"),
      onceFile("--server-ca <file>", "the CA of its certificate", "the system's roots"),
      once("--upstream <url>", "what is protected (default: http://127.0.0.1:3000)"),
      once("--listen <port>", "where the proxy listens (default: 8080)"),
      repeatable("--scope <name>", "what a key must be allowed to do"),
      repeatable("--workspace <name>", "where a key must be at home"),
      repeatable("--user-header <name>", "a further header that carries the id"),
      toggle("--pass-credential", "let the upstream have the credential, too"),
      toggle("--snippet", "only the part to include"),
      onceFile("--map <file>", "write HAProxy's map of keys", "no map"),
      toggle("--keep", "stay, and bring each change to the map and to HAProxy"),
      onceFile(
        "--haproxy-socket <path>",
        "the socket of HAProxy's runtime API (default: haproxy.sock)",
        "haproxy.sock",
      ),
    ],
    stays: true,
    load: async () => (await import("./commands/config.js")).config,
  }),
];

/** Sees that a command takes the options that its entry promises. */
function command<Options>(spec: CommandSpec<Options>): CommandSpec {
  return spec;
}
