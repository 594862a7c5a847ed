import { formatInstant } from "../../core/instant.js";
import { KeysError } from "../../errors.js";
import { readStore } from "../../file/store.js";
import { createAdminClient } from "../admin-client.js";
import { confirm, mustConfirm } from "../confirmation.js";
import type { Context } from "../context.js";
import { EXIT_STATUS, type ExitStatus } from "../exit-codes.js";
import { createHttpClient } from "../http-client.js";
import { environmentPolicy, keystoreFile, namedFile } from "../keystore-file.js";
import { planPush, type PushPlan } from "../push-plan.js";
import { runPush, type PushRun } from "../push-run.js";
import { formatError } from "../render/error.js";
import { countSteps, formatFailures, formatPushPlan, pushRecord } from "../render/push.js";
import { readTokenFile } from "../secret-file.js";
import { readToken } from "../secret-input.js";
import { parseServerUrl, warnOfPlainHttp } from "../server-url.js";
import { soundKeystore } from "../troubled-file.js";

/** The options of `keys push`. */
export interface PushOptions {
  readonly adminTokenFile?: string;
  /** Remove what the server has and the file does not know. */
  readonly prune?: boolean;
}

/** For one request. */
const TIMEOUT_MS = 30_000;

/** `keys push`: brings a running server's keys to what the file says. */
export async function push(
  context: Context,
  options: PushOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  // Taken for nothing, it would leave the push waiting for the token on stdin.
  if (context.globals.tokenFile !== undefined) {
    throw new KeysError("usage", "--token-file is for a new token, and push makes none", {
      hint: "the admin token's file is named with --admin-token-file",
    });
  }
  const url = parseServerUrl("the URL", operands[0] ?? "");
  const file = keystoreFile(context);
  const policy = environmentPolicy(context);
  const store = await readStore(file.path, policy);
  // Revoking the last key must reach the server as any other revocation does.
  const keystore = soundKeystore(store, file, ["empty-keystore"]);
  await warnOfPlainHttp(context, url);
  const token = await readAdminToken(context, options);
  const http = createHttpClient({ timeoutMs: TIMEOUT_MS, signal: context.interrupt });
  try {
    const client = createAdminClient(http, url, token);
    const plan = planPush(keystore, await client.list(), policy.nowMs, options.prune ?? false);
    await sayBefore(context, plan);
    if (context.globals.dryRun) return await report(context, url, plan, undefined);
    await ask(context, url, plan);
    return await report(context, url, plan, await runPush(client, plan.steps));
  } finally {
    http.close();
  }
}

/** Never from an argument or the environment. */
function readAdminToken(context: Context, { adminTokenFile }: PushOptions): Promise<string> {
  if (adminTokenFile === undefined) return readToken(context, "Admin token");
  if (context.globals.tokenStdin) {
    throw new KeysError("usage", "the admin token is given in two ways", {
      hint: "give --admin-token-file, or --token-stdin, not both",
    });
  }
  return readTokenFile(namedFile(adminTokenFile, context.io.cwd));
}

/** The difference: data where nothing else is to come, else talk that the question is about. */
async function sayBefore(context: Context, plan: PushPlan): Promise<void> {
  const { talk, globals } = context;
  if (globals.dryRun) {
    if (!globals.json) await context.print(formatPushPlan(plan, await context.style("stdout")));
  } else if (!globals.quiet || mustConfirm(context)) {
    await talk.show(formatPushPlan(plan, await context.style("stderr")));
  }
  if (plan.legacy) await talk.note("the legacy api_key is not sent: it has no entry");
  const { wider, nextEndMs } = plan;
  if (wider > 0) {
    await talk.warn(
      `${wider === 1 ? "1 key has" : `${wider} keys have`} an end, scopes, workspaces or a limit here, and the server learns only the id`,
    );
  }
  if (nextEndMs !== undefined) {
    await talk.note(
      `the server lets an ended key in until it is told: push again after ${formatInstant(nextEndMs)}, when the next one ends`,
    );
  }
}

async function ask(context: Context, url: string, { steps, prunesAll }: PushPlan): Promise<void> {
  if (steps.length === 0) return;
  if (prunesAll && mustConfirm(context)) {
    throw new KeysError(
      "confirmation-required",
      "--prune would leave the server without any key; nothing was changed",
      { hint: "are that the right file and server? --yes confirms it" },
    );
  }
  const what = steps.length === 1 ? "this change" : `these ${steps.length} changes`;
  await confirm(context, `Make ${what} at ${url}?`);
}

async function report(
  context: Context,
  url: string,
  plan: PushPlan,
  run: PushRun | undefined,
): Promise<ExitStatus> {
  const { talk, globals } = context;
  if (globals.json) await context.printJson(pushRecord(url, plan, run));
  if (run === undefined) {
    await talk.note(plan.steps.length === 0 ? "nothing would change" : "dry run: nothing was sent");
  } else {
    const style = await context.style("stderr");
    await talk.show(formatFailures(run.failed, style));
    await talk.note(`${url}: ${countSteps(run.done)}, ${plan.unchanged} unchanged`);
  }
  const error = whyIncomplete(plan, run);
  if (error === undefined) return 0;
  await talk.show(formatError(error, await context.style("stderr")));
  return EXIT_STATUS[error.code];
}

function whyIncomplete(plan: PushPlan, run: PushRun | undefined): KeysError | undefined {
  if (run?.stopped?.code === "interrupted") {
    return new KeysError("interrupted", "interrupted; what is listed as not done may be missing", {
      hint: "the same command again does the rest",
    });
  }
  if (run !== undefined && run.stopped !== undefined) {
    return new KeysError("push-incomplete", `not everything was sent: ${run.stopped.message}`, {
      hint: run.stopped.hint ?? "the same command again does the rest",
      cause: run.stopped,
    });
  }
  if (run !== undefined && run.failed.length > 0) {
    return new KeysError("push-incomplete", "the server refused some of it", {
      hint: "what is listed as not done has the reason",
    });
  }
  if (plan.refused.length === 0) return undefined;
  const count = plan.refused.length;
  return new KeysError(
    "push-incomplete",
    `${count === 1 ? "1 key was" : `${count} keys were`} not sent: expired or not valid yet, which the server could not know`,
    { hint: "`keys sweep` retires what has expired; push a key that begins later when it does" },
  );
}
