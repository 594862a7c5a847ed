import { execFile } from "node:child_process";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { access, realpath } from "../file/disk.js";
import type { Io } from "./io.js";

/**
 * What a search of git's history came to: `unknown` where git is missing or fails, does not answer
 * in time, or has only a part of the history here.
 */
export type HistoryFinding = "found" | "absent" | "unknown";

const TIMEOUT_MS = 10_000;
/** Most octets that git may answer at once: names, or {@link CHUNK} versions. */
const LARGEST_ANSWER = 64 * 1024 * 1024;
/** How many versions are read at once. */
const CHUNK = 50;

const ENVIRONMENT = {
  GIT_LITERAL_PATHSPECS: "1",
  GIT_NO_LAZY_FETCH: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
};

/** Runs git in the repository's top directory, `input` on its stdin. */
type Git = (args: readonly string[], input?: Uint8Array | string) => Promise<string>;

const run = promisify(execFile);

/**
 * Looks for texts in every version of a file that git keeps: in all branches and tags, the reflog
 * and the index, under every name that the file had. What is sought never becomes an argument of
 * git: the versions are read and judged here.
 *
 * @param content - what the file holds, or held: another name of the same content is its name too.
 */
export async function searchGitHistory(
  io: Io,
  path: string,
  content: Uint8Array,
  sought: readonly string[],
): Promise<HistoryFinding> {
  const file = await realpath(path);
  if (!(await isInRepository(dirname(file)))) return "absent";
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const [top = "", shallow = "", prefix = ""] = (
      await gitIn(
        io,
        dirname(file),
        deadline,
      )(["rev-parse", "--show-toplevel", "--is-shallow-repository", "--show-prefix"])
    ).split("\n");
    const git = gitIn(io, utf8(top), deadline);
    const names = await namesOf(git, utf8(prefix) + basename(file), content);
    const needles = sought.map(latin1);
    const versions = await versionsOf(git, names);
    for (let at = 0; at < versions.length; at += CHUNK) {
      const read = await git(["cat-file", "--batch"], lines(versions.slice(at, at + CHUNK)));
      if (needles.some((needle) => read.includes(needle))) return "found";
    }
    return shallow === "false" ? "absent" : "unknown";
  } catch {
    return "unknown";
  }
}

/** Whether a directory is in a repository, as far as it can be told without git. */
async function isInRepository(directory: string): Promise<boolean> {
  try {
    await access(join(directory, ".git"));
    return true;
  } catch {
    const parent = dirname(directory);
    return parent !== directory && isInRepository(parent);
  }
}

function gitIn(io: Io, cwd: string, signal: AbortSignal): Git {
  return async (args, input = "") => {
    const running = run("git", args, {
      cwd,
      // Names and contents may be any octets.
      encoding: "latin1",
      env: { ...io.env, ...ENVIRONMENT },
      maxBuffer: LARGEST_ANSWER,
      signal,
    });
    // A git that does not read its stdin says why by its exit status.
    running.child.stdin?.on("error", () => undefined).end(input);
    return (await running).stdout;
  };
}

/** Every name of the file: its own, those it was renamed from, those of the same content. */
async function namesOf(git: Git, name: string, content: Uint8Array): Promise<readonly string[]> {
  const id = (await git(["hash-object", "--stdin"], content)).trim();
  const hasCommit = await git(["rev-parse", "--quiet", "--verify", "HEAD"]).then(
    () => true,
    () => false,
  );
  const listings = [
    await git(["ls-files", "--stage", "-z"]),
    hasCommit ? await git(["ls-tree", "-r", "-z", "HEAD"]) : "",
  ];
  // Each row is its mode and id, a tab, and its name.
  const twins = listings
    .flatMap((listing) => listing.split("\0"))
    .filter((row) => row.slice(0, row.indexOf("\t")).includes(id))
    .map((row) => utf8(row.slice(row.indexOf("\t") + 1)));
  const names = new Set([name, ...twins]);
  for (const each of [...names]) {
    const log = ["log", "--all", "--follow", "--name-only", "--format=", "-z", "--", each];
    for (const former of (await git(log)).split("\0")) {
      if (former !== "") names.add(utf8(former));
    }
  }
  return [...names];
}

/** The ids of every version of the files with these names. */
async function versionsOf(git: Git, names: readonly string[]): Promise<readonly string[]> {
  const commits = ["--all", "--reflog", "--full-history"];
  const versions = ["--objects", "--no-object-names", "--filter=object:type=blob"];
  const known = await git([
    ...["rev-list", ...commits, ...versions, "--filter-provided-objects", "--", ...names],
  ]);
  const staged = await git(["ls-files", "--stage", "-z", "--", ...names]);
  const stagedIds = staged.split("\0").map((row) => row.split(" ")[1] ?? "");
  return [...new Set([...known.split("\n"), ...stagedIds])].filter((id) => id !== "");
}

function lines(ids: readonly string[]): string {
  return ids.map((id) => `${id}\n`).join("");
}

/** The octets of a text, one character each, as git's answers are read. */
function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** {@link latin1} the other way round. */
function utf8(octets: string): string {
  return Buffer.from(octets, "latin1").toString("utf8");
}
