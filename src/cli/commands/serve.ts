import { fileURLToPath } from "node:url";
import { generationOf } from "../../core/generation.js";
import type { Keystore } from "../../core/keystore.js";
import { isKeysError, KeysError } from "../../errors.js";
import { KeystoreInvalidError } from "../../file/keystore-invalid.js";
import { loadForStart, type LoadedKeystore } from "../../file/load.js";
import { isAuditWritable } from "../../file/audit-access.js";
import { isMountPoint } from "../../file/mount-point.js";
import type { Policy } from "../../file/policy.js";
import { isLocal, resolveAddress } from "../../server/address.js";
import type { ServableKeystore } from "../../server/host.js";
import type { PrimaryOptions } from "../../server/primary.js";
import { startServer, type RunningServer } from "../../server/serve.js";
import { loadTls } from "../../server/tls.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import type { GivenOptions } from "../given-setting.js";
import { keystoreFile, namedFile, type KeystoreFile } from "../keystore-file.js";
import { countProblems } from "../render/diagnostic.js";
import { readServeSettings, type ServeSettings } from "../serve-settings.js";
import { readSystemToken } from "../system-token.js";
import { EMPTY, reportProblems } from "../troubled-file.js";
import { packageVersion } from "../version.js";

/** The options of `keys serve`: what `given-setting.ts` names, and `check`. */
export type ServeOptions = GivenOptions;

/** How long what is in flight is waited for once a second signal has come, in milliseconds. */
const HASTY_GRACE_MS = 500;

/** `keys serve`: the verify server, until SIGTERM or SIGINT; SIGHUP reads the file again. */
export async function serve(context: Context, options: ServeOptions): Promise<ExitStatus> {
  // Whoever asks for a trial must not get a server.
  if (context.globals.dryRun && options["check"] !== true) {
    throw new KeysError("usage", "--dry-run is not for a server: there is no change to show", {
      hint: "`keys serve --check` starts nothing, and exits as a start would",
    });
  }
  const file = keystoreFile(context);
  const given = readServeSettings(context, options);
  const settings = { ...given, address: await resolveAddress(given.address) };
  let server: RunningServer | undefined;
  const release = context.onHangup(() => void server?.reload());
  try {
    const start = await prepare(context, file, settings);
    if (options["check"] === true) {
      await sayReady(context, file, start.loaded.keystore, undefined);
      return 0;
    }
    server = await open(context, start);
    await sayReady(context, file, start.loaded.keystore, server);
    await aborted(context.interrupt);
    await context.talk.note("stopping");
    await stopped(context, server);
    return 0;
  } finally {
    release();
  }
}

/** Everything that a start needs, read and judged. */
interface Start {
  readonly loaded: ServableKeystore;
  readonly options: PrimaryOptions;
}

/** Starts serving, in this process or with workers, which are loaded only where they are asked for. */
async function open({ io }: Context, { loaded, options }: Start): Promise<RunningServer> {
  const deps = { now: () => io.now(), write: (text: string) => io.stderr.write(text) };
  if (options.workers === 1) return startServer(loaded, options, deps);
  const { startPrimary } = await import("../../server/primary.js");
  return startPrimary(loaded, options, deps);
}

/** Reads what a start needs, and says what is to be said before it. */
async function prepare(
  context: Context,
  file: KeystoreFile,
  settings: ServeSettings,
): Promise<Start> {
  const { systemTokenFile, tls: tlsFiles } = settings;
  const systemDigest =
    systemTokenFile === undefined
      ? undefined
      : await readSystemToken(namedFile(systemTokenFile, context.io.cwd));
  const tls = tlsFiles === undefined ? undefined : await loadTls(tlsFiles);
  const reservedIds = [
    ...(systemDigest === undefined ? [] : ["system"]),
    ...(settings.allowUnauthenticated ? ["anonymous"] : []),
  ];
  const { idOnlyPeers } = settings;
  const workerPolicy = { idOnlyPeers, reservedIds, systemDigest };
  const policy = (): Policy => ({ ...workerPolicy, nowMs: context.io.now() });
  const loaded = await load(context, file, settings, policy());
  await warn(context, file, settings, loaded.keystore);
  return {
    loaded,
    options: {
      address: settings.address,
      tls: tls?.pair,
      tlsFiles: tls === undefined || tlsFiles === undefined ? undefined : { ...tlsFiles, ...tls },
      version: packageVersion(),
      realm: settings.realm,
      issuer: settings.issuer,
      userHeaders: settings.userHeaders,
      defaultLimit: settings.rateLimit === "none" ? undefined : settings.rateLimit,
      trustedProxies: settings.trustedProxies,
      systemDigest,
      allowImpersonation: settings.allowImpersonation,
      allowUnauthenticated: settings.allowUnauthenticated,
      auditFile: settings.auditFile,
      usageFile: settings.usageFile,
      sweep: settings.sweep,
      policy,
      workers: settings.workers,
      // Where the bundle has it.
      workerPath: fileURLToPath(new URL("./serve-worker.cjs", import.meta.url)),
      workerPolicy,
      // Where requests are not logged, what is left is for people.
      logForm: settings.log === "json" ? "json" : "text",
      requestLog: settings.log !== "off" && !context.globals.quiet,
    },
  };
}

/**
 * What is to be served, with everything that is wrong said on stderr.
 *
 * @throws KeysError `keystore-invalid`, for a file that can't be read as well; `file-not-found`.
 */
async function load(
  context: Context,
  file: KeystoreFile,
  settings: ServeSettings,
  policy: Policy,
): Promise<ServableKeystore> {
  const local = isLocal(settings.address);
  const loaded = await readFor(file, {
    policy,
    allowEmpty: settings.allowEmpty,
    allowKeyless: settings.allowUnauthenticated && local,
  });
  const { keystore, diagnostics } = loaded;
  if (keystore === undefined) {
    const isKeyless = diagnostics.some(({ code }) => code === "no-keys");
    throw new KeystoreInvalidError(
      diagnostics,
      `${file.name} can't be served: ${countProblems(diagnostics)}`,
      settings.allowUnauthenticated && isKeyless && !local
        ? "without any keys, --allow-unauthenticated serves on a loopback address only"
        : "mend what is listed; `keys validate` checks again",
    );
  }
  const warnings = diagnostics.filter(({ code }) => !EMPTY.includes(code));
  await reportProblems(context, file, warnings, Number.POSITIVE_INFINITY);
  if (keystore.liveCount === 0) {
    await context.talk.warn("the keystore is empty: every key gets 401 until one is added");
  }
  return { ...loaded, keystore };
}

async function readFor(
  file: KeystoreFile,
  options: Parameters<typeof loadForStart>[1],
): Promise<LoadedKeystore> {
  try {
    return await loadForStart(file.path, options);
  } catch (error) {
    if (!isKeysError(error, "file-unreadable", "file-is-directory", "file-changing")) throw error;
    // A start tells nothing but 'not this keystore' from 'no keystore' (KEYSTORE.md).
    throw new KeysError("keystore-invalid", error.message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

/** What an operator should know at every start. */
async function warn(
  { talk }: Context,
  file: KeystoreFile,
  settings: ServeSettings,
  keystore: Keystore,
): Promise<void> {
  if (settings.allowUnauthenticated) {
    await talk.warn(
      "requests without a credential pass as anonymous, wherever no scope and no workspace is asked",
    );
  }
  if (await isMountPoint(file.path)) {
    await talk.warn(
      `${file.name} is itself a mount point: a replaced file may never be seen here; mount its directory`,
    );
  }
  const { auditFile, allowImpersonation, sweep } = settings;
  const records = allowImpersonation || sweep || keystore.adminDigest !== undefined;
  if (records && !(await isAuditWritable(file.path, { auditFile }))) {
    await talk.warn(
      "the audit log can't be written: what this server would change or has to record fails or goes unrecorded; name a place with --audit-file",
    );
  }
}

async function sayReady(
  context: Context,
  file: KeystoreFile,
  keystore: Keystore,
  server: RunningServer | undefined,
): Promise<void> {
  const { liveCount } = keystore;
  const keys = `${liveCount} ${liveCount === 1 ? "key" : "keys"} of ${file.name}`;
  if (server?.url.startsWith("http:") === true && !server.local) {
    await context.talk.warn(
      `tokens travel in the clear: ${server.url} can be reached from other machines, without TLS`,
    );
  }
  await context.talk.note(
    server === undefined ? `would serve ${keys}` : `serving ${keys} at ${server.url}`,
  );
  if (!context.globals.json) return;
  await context.printJson({
    file: file.name,
    url: server?.url ?? null,
    generation: generationOf(keystore),
    keys: liveCount,
  });
}

/** Stops; a second signal shortens the grace. */
async function stopped({ io }: Context, server: RunningServer): Promise<void> {
  let release: (() => void) | undefined;
  try {
    release = io.onSignal((name) => {
      if (name !== "SIGHUP") void server.stop(HASTY_GRACE_MS);
    });
    await server.stop();
  } finally {
    release?.();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener(
      "abort",
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
