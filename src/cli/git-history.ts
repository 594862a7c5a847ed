import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import type { Io } from "./io.js";

/** How many of the file's last versions are looked at. */
const VERSIONS = 200;
const TIMEOUT_MS = 5000;
const LARGEST_VERSION = 64 * 1024 * 1024;

const run = promisify(execFile);

/**
 * Whether any of the versions of a file that git keeps satisfies `test`; false where git is absent,
 * the file is not in a repository, or git does not answer in time. What is sought never becomes an
 * argument of git: the versions are read and judged here.
 */
export async function isInGitHistory(
  io: Io,
  path: string,
  test: (bytes: Uint8Array) => boolean,
): Promise<boolean> {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const file = await realpath(path);
    const git = async (...args: readonly string[]): Promise<Buffer> => {
      const { stdout } = await run("git", args, {
        cwd: dirname(file),
        encoding: "buffer",
        env: { ...io.env, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0" },
        maxBuffer: LARGEST_VERSION,
        signal: deadline,
      });
      return stdout;
    };
    const name = basename(file);
    const commits = await git("rev-list", `--max-count=${VERSIONS}`, "HEAD", "--", name);
    for (const commit of commits.toString("ascii").split("\n")) {
      if (commit === "") continue;
      // A commit that removed the file has no version of it.
      const version = await git("cat-file", "blob", `${commit}:./${name}`).catch(() => undefined);
      if (version !== undefined && test(version)) return true;
    }
  } catch {
    // No git, no repository, no commit: then nothing is known of a history.
  }
  return false;
}
