import { constants } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { KeysError, systemCode } from "../errors.js";
import { open, realpath, unlink, type FileHandle } from "../file/disk.js";
import { ignore } from "../file/file-failure.js";
import type { Context } from "./context.js";
import type { IssuedRecord } from "./key-record.js";
import type { KeystoreFile } from "./keystore-file.js";
import { formatJson } from "./render/json.js";

/** How a new token reaches the operator, once (KEYSTORE.md, invariant 6). */
export interface TokenDelivery {
  /** Makes as sure as can be that {@link show} will work; may be called again. */
  prepare(): Promise<void>;
  /**
   * Hands the token over: `record` holds it where it goes to stdout. Rejects with the system's error
   * where it could not be handed over whole.
   */
  show(token: string, record: (token: string | null) => IssuedRecord): Promise<void>;
  /** Leaves nothing behind, where there will be nothing to show. Never rejects. */
  discard(): Promise<void>;
}

/** Through stdout, as a line or in the command's JSON. */
export function stdoutDelivery({ io, globals }: Context): TokenDelivery {
  return {
    async prepare() {
      if (!(await io.stdout.isNullDevice())) return;
      throw new KeysError(
        "output-failed",
        "stdout is closed or the null device: the token would be lost; nothing was changed",
        { hint: "--token-file PATH writes the token to a file" },
      );
    },
    async show(token, record) {
      const text = globals.json ? formatJson(record(token), io.stdout.isTTY) : `${token}\n`;
      await io.stdout.write(text);
      await io.stdout.flush();
    },
    discard: () => Promise.resolve(),
  };
}

/** Through a file of its own, which must not exist. */
export function fileDelivery(
  context: Context,
  name: string,
  keystore: KeystoreFile,
): TokenDelivery {
  const path = resolve(context.io.cwd, name);
  let handle: FileHandle | undefined;
  return {
    async prepare() {
      if (handle !== undefined) return;
      await refuseKeystoreItself(path, keystore.path);
      handle = await openExclusive(path, name);
    },
    async show(token, record) {
      if (handle === undefined) throw new Error("not prepared");
      await handle.writeFile(`${token}\n`);
      await handle.sync();
      await handle.close();
      await syncDirectory(dirname(path));
      if (context.globals.json) await context.printJson(record(null));
      handle = undefined;
    },
    async discard() {
      if (handle === undefined) return;
      // The key is retired whether this succeeds or not: what is left then is a token of no key.
      await handle.close().catch(ignore);
      await unlink(path).catch(ignore);
      handle = undefined;
    },
  };
}

async function openExclusive(path: string, name: string): Promise<FileHandle> {
  try {
    const handle = await open(
      path,
      constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY,
      0o600,
    );
    return handle;
  } catch (error) {
    if (systemCode(error) === "EEXIST") {
      throw new KeysError("token-file-exists", `${name} is there already; nothing was changed`, {
        hint: "name a file that does not exist: a token is never written over anything",
      });
    }
    const code = systemCode(error) ?? "unknown error";
    throw new KeysError(
      "output-failed",
      `${name} could not be made (${code}); nothing was changed`,
      {
        hint: "name a file in a directory that is there and writable",
        cause: error,
      },
    );
  }
}

/** A keystore that isn't there yet would be made first as the token's file, then be replaced. */
async function refuseKeystoreItself(path: string, keystorePath: string): Promise<void> {
  if ((await realName(path)) !== (await realName(keystorePath))) return;
  throw new KeysError("usage", "--token-file names the keystore itself", {
    hint: "give the token a file of its own",
  });
}

async function realName(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const directory = await realpath(dirname(path)).catch(() => dirname(path));
    return join(directory, basename(path));
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
