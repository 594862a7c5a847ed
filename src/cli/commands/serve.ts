import { generationOf } from "../../core/generation.js";
import type { Keystore } from "../../core/keystore.js";
import { isKeysError, KeysError } from "../../errors.js";
import { KeystoreInvalidError } from "../../file/keystore-invalid.js";
import type { ListenAddress } from "../../server/address.js";
import { loadForStart, type LoadedKeystore } from "../../file/load.js";
import { startServer, type RunningServer } from "../../server/serve.js";
import { limitedCountOf } from "../../server/snapshot.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { environmentPolicy, keystoreFile, type KeystoreFile } from "../keystore-file.js";
import { countProblems } from "../render/diagnostic.js";
import { EMPTY, reportProblems } from "../troubled-file.js";
import { invalid, refuseToken } from "../values.js";
import { packageVersion } from "../version.js";

/**
 * The options of `keys serve`. None has a default in the flag tree: an option goes before its
 * variable (`KEYS_HOST`, `KEYS_PORT`, `KEYS_ALLOW_EMPTY`), and that before the default here.
 */
export interface ServeOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default `8787`; `0` for any free port. */
  readonly port?: string;
  readonly allowEmpty?: boolean;
  /** Start nothing, and exit as the start would. */
  readonly check?: boolean;
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = "8787";
const HIGHEST_PORT = 65_535;

/** `keys serve`: the verify server, until SIGTERM or SIGINT; SIGHUP reads the file again. */
export async function serve(context: Context, options: ServeOptions): Promise<ExitStatus> {
  const file = keystoreFile(context);
  const address = addressOf(context, options);
  let server: RunningServer | undefined;
  const release = context.onHangup(() => void server?.reload());
  try {
    const loaded = await load(context, file, options);
    if (options.check === true) {
      await sayReady(context, file, loaded.keystore, undefined);
      return 0;
    }
    server = await start(context, loaded, address);
    await sayReady(context, file, loaded.keystore, server);
    await aborted(context.interrupt);
    await context.talk.note("stopping");
    await server.stop();
    return 0;
  } finally {
    release();
  }
}

type Servable = LoadedKeystore & { readonly keystore: Keystore };

/**
 * What is to be served, with everything that is wrong said on stderr.
 *
 * @throws KeysError `keystore-invalid`, for a file that can't be read as well; `file-not-found`.
 */
async function load(
  context: Context,
  file: KeystoreFile,
  options: ServeOptions,
): Promise<Servable> {
  const allowEmpty = options.allowEmpty ?? flagOf(context, "KEYS_ALLOW_EMPTY");
  const loaded = await readFor(file, context, allowEmpty);
  const { keystore, diagnostics } = loaded;
  if (keystore === undefined) {
    throw new KeystoreInvalidError(
      diagnostics,
      `${file.name} can't be served: ${countProblems(diagnostics)}`,
      "mend what is listed; `keys validate` checks again",
    );
  }
  const warnings = diagnostics.filter(({ code }) => !EMPTY.includes(code));
  await reportProblems(context, file, warnings);
  if (keystore.liveCount === 0) {
    await context.talk.warn("the keystore is empty: every request gets 401 until a key is added");
  }
  const limited = limitedCountOf(keystore);
  if (limited > 0) {
    await context.talk.warn(
      `rate limits are not enforced yet: ${limited} live ${limited === 1 ? "key has" : "keys have"} one`,
    );
  }
  return { ...loaded, keystore };
}

async function readFor(
  file: KeystoreFile,
  context: Context,
  allowEmpty: boolean,
): Promise<LoadedKeystore> {
  try {
    return await loadForStart(file.path, { policy: environmentPolicy(context), allowEmpty });
  } catch (error) {
    if (!isKeysError(error, "file-unreadable", "file-is-directory", "file-changing")) throw error;
    // A start tells nothing but 'not this keystore' from 'no keystore' (KEYSTORE.md).
    throw new KeysError("keystore-invalid", error.message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

async function start(
  context: Context,
  loaded: Servable,
  address: ListenAddress,
): Promise<RunningServer> {
  const { io, globals, talk } = context;
  const server = await startServer(
    loaded,
    {
      ...address,
      version: packageVersion(),
      policy: () => environmentPolicy(context),
      requestLog: !globals.quiet,
    },
    { now: () => io.now(), write: (text) => io.stderr.write(text) },
  );
  if (!server.loopback) {
    await talk.warn(
      `tokens travel in the clear: ${server.url} can be reached from other machines, without TLS`,
    );
  }
  return server;
}

async function sayReady(
  context: Context,
  file: KeystoreFile,
  keystore: Keystore,
  server: RunningServer | undefined,
): Promise<void> {
  const { liveCount } = keystore;
  const keys = `${liveCount} ${liveCount === 1 ? "key" : "keys"} of ${file.name}`;
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

function addressOf({ io }: Context, options: ServeOptions): ListenAddress {
  const host = options.host ?? (io.env["KEYS_HOST"] || DEFAULT_HOST);
  if (host === "") throw invalid("--host", "is empty", "an address of this machine");
  refuseToken("--host", host);
  const [name, port] =
    options.port === undefined
      ? ["KEYS_PORT", io.env["KEYS_PORT"] || DEFAULT_PORT]
      : ["--port", options.port];
  if (!/^\d{1,5}$/.test(port) || Number(port) > HIGHEST_PORT) {
    throw invalid(name, "is no port", "0 to 65535; 0 takes any that is free");
  }
  return { host, port: Number(port) };
}

function flagOf({ io }: Context, name: string): boolean {
  const value = (io.env[name] ?? "").toLowerCase();
  if (["1", "true", "yes"].includes(value)) return true;
  if (["", "0", "false", "no"].includes(value)) return false;
  throw invalid(name, "is neither yes nor no", "1 or 0, true or false, yes or no");
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
