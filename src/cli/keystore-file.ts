import { resolve } from "node:path";
import { KeysError } from "../errors.js";
import type { Policy } from "../file/policy.js";
import type { Context } from "./context.js";

/** A keystore's file. */
export interface KeystoreFile {
  /** As it was named, for output. */
  readonly name: string;
  /** Absolute, for everything else. */
  readonly path: string;
}

/** Which file where none is named. */
const DEFAULT_FILE = "keys.yaml";

/** The file that is meant: `--file`, else `KEYS_FILE`, else `keys.yaml`. */
export function keystoreFile({ io, globals }: Context): KeystoreFile {
  // A variable that is set to nothing is as good as unset.
  return namedFile(globals.file ?? (io.env["KEYS_FILE"] || DEFAULT_FILE), io.cwd);
}

/** A file by its name, from a working directory. */
export function namedFile(name: string, cwd: string): KeystoreFile {
  return { name, path: resolve(cwd, name) };
}

/** What the environment demands of every file: `KEYS_PEERS`. */
export function environmentPolicy({ io }: Context): Policy {
  const peers = io.env["KEYS_PEERS"] ?? "";
  if (peers !== "" && peers !== "id-only") {
    throw new KeysError("value-invalid", "KEYS_PEERS has a value that is not known", {
      hint: "KEYS_PEERS=id-only, or unset",
    });
  }
  return { nowMs: io.now(), idOnlyPeers: peers === "id-only" };
}
