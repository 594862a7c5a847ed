import type { Command } from "commander";
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
import { examplesText, once, onceFile, repeatable } from "./flags.js";
import type { Called, Load } from "./program.js";

const KEY = "its fingerprint, or at least six digits of it";
const TIME = "30s 12h 90d 2w 1y, an instant, or never";

/** Adds every command that is built. Each loads its own part only when it is called. */
export function addCommands(program: Command, called: Called): void {
  function add<Options>(
    usage: string,
    summary: string,
    examples: readonly string[],
    load: Load<Options>,
  ): Command {
    const command = program.command(usage).description(summary);
    return command.addHelpText("before", examplesText(examples)).action(() => {
      called.run = async (context) =>
        (await load())(context, command.opts() as Options, command.args);
    });
  }

  add<InitOptions>(
    "init",
    "make a keystore with one key, for its owner",
    [
      "keys init",
      "keys init --if-missing --token-file /run/owner-token    in a container's entrypoint",
    ],
    async () => (await import("./commands/init.js")).init,
  )
    .addOption(once("--id <name>", "whose key it is (default: owner)"))
    .option("--if-missing", "do nothing where a live key stands")
    .addOption(once("--prefix <prefix>", "what the token starts with (default: key)"));

  add<CreateOptions>(
    "create",
    "make a key: mint its token, or take its digest",
    [
      "keys create --id alice --label laptop --expires 90d",
      'keys create --id ci --scopes "events:write apps:read" --rate-limit 60/1m',
      "TOKEN=$(keys create --id alice)",
      "keys create --id bob --digest c1f29e0b…             made by bob with `keys hash`",
      "keys create --id eve --token-stdin < token.txt      a token that exists already",
    ],
    async () => (await import("./commands/create.js")).create,
  )
    .addOption(once("--id <name>", "whose key it is; asked for at a terminal"))
    .addOption(once("--label <text>", "what it is for"))
    .addOption(
      repeatable("--scopes <list>", "what it may do, separated by spaces: 'events:write apps:*'"),
    )
    .addOption(once("--expires <time>", `when it ends: ${TIME}`))
    .addOption(once("--not-before <time>", "when it begins"))
    .addOption(once("--rate-limit <limit>", "how often it may be used: 60/1m, or none"))
    .addOption(
      repeatable("--workspaces <list>", "bind it to these workspaces, separated by spaces"),
    )
    .addOption(once("--prefix <prefix>", "what the token starts with (default: key)"))
    .option("--allow-weak", "take one of under 20 characters with --token-stdin, too")
    .addOption(once("--digest <hex>", "take a digest from `keys hash` instead"));

  add<ListOptions>(
    "list",
    "list keys",
    [
      "keys list",
      "keys list --state all --sort -created",
      "keys list --expiring 30d",
      "keys list --json | jq -r '.keys[].id'",
    ],
    async () => (await import("./commands/list.js")).list,
  )
    .addOption(once("--id <name>", "only this contributor's"))
    .addOption(once("--state <state>", "live, retired or all (default: live)"))
    .addOption(once("--expiring <time>", "only those that end until then, such as 30d"))
    .addOption(
      once("--sort <field>", "created, expires, fingerprint, id, label, state; -id reverses"),
    )
    .addOption(once("--format <format>", "table, json or csv (default: table)"));

  add<ShowOptions>(
    "show",
    "show everything about one key",
    ["keys show c1f29e0ba7d3", "keys show --id alice --json"],
    async () => (await import("./commands/show.js")).show,
  )
    .argument("[key]", KEY)
    .addOption(once("--id <name>", "a contributor's only key"));

  add<SetOptions>(
    "set",
    "change what is said of a key",
    [
      "keys set c1f29e0ba7d3 --label desktop --expires 1y",
      "keys set c1f29e0ba7d3 --scopes events:write --unset rate-limit",
    ],
    async () => (await import("./commands/set.js")).set,
  )
    .argument("[key]", KEY)
    .addOption(once("--id <name>", "give it to another contributor"))
    .addOption(once("--label <text>", "what it is for"))
    .addOption(repeatable("--scopes <list>", "what it may do, in place of what it may now"))
    .addOption(once("--expires <time>", `when it ends: ${TIME}`))
    .addOption(once("--not-before <time>", "when it begins"))
    .addOption(once("--rate-limit <limit>", "how often it may be used: 60/1m, or none"))
    .addOption(repeatable("--workspaces <list>", "bind it to these workspaces"))
    .addOption(
      repeatable(
        "--unset <field>",
        "remove label, scopes, expires, not-before, rate-limit, workspaces",
      ),
    );

  add<RevokeOptions>(
    "revoke",
    "take keys out of service for good",
    [
      'keys revoke c1f29e0ba7d3 --reason "laptop lost"',
      "keys revoke --id alice --yes",
      "keys revoke c1f29e0ba7d3 --purge                    drop it without a trace",
    ],
    async () => (await import("./commands/revoke.js")).revoke,
  )
    .argument("[key]", KEY)
    .addOption(once("--id <name>", "all of a contributor's"))
    .option("--all", "every key of the keystore")
    .addOption(once("--reason <text>", "why, kept with the retired key"))
    .option("--purge", "drop the entry altogether");

  add<DisableOptions>(
    "disable",
    "take keys out of service for a while",
    ["keys disable c1f29e0ba7d3", "keys disable --id alice --reason holiday --yes"],
    async () => (await import("./commands/disable.js")).disable,
  )
    .argument("[key]", KEY)
    .addOption(once("--id <name>", "all of a contributor's"))
    .addOption(once("--reason <text>", "why, kept with the key"));

  add<EnableOptions>(
    "enable",
    "take disabled keys back into service",
    ["keys enable c1f29e0ba7d3", "keys enable --id alice"],
    async () => (await import("./commands/enable.js")).enable,
  )
    .argument("[key]", KEY)
    .addOption(once("--id <name>", "all of a contributor's that are disabled"));

  add<RotateOptions>(
    "rotate",
    "give a key a new token",
    [
      "keys rotate c1f29e0ba7d3 --grace 24h                the old token works for a day",
      "keys rotate --id alice --yes                        the old token ends now",
    ],
    async () => (await import("./commands/rotate.js")).rotate,
  )
    .argument("[key]", KEY)
    .addOption(once("--id <name>", "a contributor's only live key"))
    .addOption(once("--grace <time>", "how long the old token works on, such as 24h"))
    .addOption(once("--expires <time>", `when the new key ends: ${TIME} (default: as the old one)`))
    .addOption(once("--prefix <prefix>", "what the token starts with (default: key)"));

  add(
    "sweep",
    "retire keys that have expired",
    ["keys sweep", "keys sweep --dry-run"],
    async () => (await import("./commands/sweep.js")).sweep,
  );

  add<ValidateOptions>(
    "validate",
    "list everything that is wrong with keystores",
    [
      "keys validate",
      "keys validate --strict --require-expiry keys.yaml staging.yaml",
      "git show HEAD:keys.yaml | keys validate - --json",
    ],
    async () => (await import("./commands/validate.js")).validate,
  )
    .argument("[file...]", "keystores; - for stdin (default: as --file says)")
    .addOption(once("--format <format>", "text or json (default: text)"))
    .option("--strict", "take warnings for errors")
    .option("--allow-empty", "let an empty keystore pass")
    .addOption(once("--peers <kind>", "id-only: some peers read nothing but ids"))
    .addOption(once("--max-age <time>", "no live key may be older, such as 90d"))
    .option("--require-expiry", "every live key must expire")
    .option("--require-scopes", "every live key must have scopes");

  add<MigrateOptions>(
    "migrate",
    "turn raw keys and flat entries into digests with entries",
    ["keys migrate --dry-run", "keys migrate --id alice --yes"],
    async () => (await import("./commands/migrate.js")).migrate,
  ).addOption(once("--id <name>", "whose key the raw api_key is (default: owner)"));

  add(
    "hash",
    "print the digest of a token from stdin",
    [
      "keys hash                                           asks for the token",
      "keys hash < token.txt",
    ],
    async () => (await import("./commands/hash.js")).hash,
  );

  add(
    "identify",
    "say what a token from stdin is, whose, and whether it is valid",
    [
      "keys identify                                       asks for the token",
      "keys identify < token.txt",
    ],
    async () => (await import("./commands/identify.js")).identify,
  );

  add<PushOptions>(
    "push",
    "bring a running server's keys to what the file says",
    [
      "keys push https://keys.example.com --dry-run         asks for the admin token",
      "keys push https://keys.example.com --admin-token-file admin-token --yes",
      "pass show admin | keys push https://keys.example.com --yes",
    ],
    async () => (await import("./commands/push.js")).push,
  )
    .argument("<url>", "the server; its /admin/keys is asked")
    .addOption(
      onceFile(
        "--admin-token-file <path>",
        "the admin token, in a file that only its owner can read",
        "a prompt or stdin",
      ),
    )
    .option("--prune", "remove what the server has and the file does not know");

  add<ServeOptions>(
    "serve",
    "answer over HTTP whose token a request carries",
    ["keys serve", "keys serve --host 0.0.0.0 --port 8787", "keys serve --check"],
    async () => (await import("./commands/serve.js")).serve,
  )
    .addOption(once("--host <address>", "where to listen (default: KEYS_HOST, else 127.0.0.1)"))
    .addOption(once("--port <number>", "0 for any (default: KEYS_PORT, else 8787)"))
    .option("--allow-empty", "start with an empty keystore: everybody gets 401")
    .option("--check", "start nothing; exit as a start would");
}
