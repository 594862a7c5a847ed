import { generationOf } from "../core/generation.js";
import { KeysError } from "../errors.js";
import { reloadedKeystore } from "../file/load.js";
import type { Policy } from "../file/policy.js";
import { readStore, type StoredKeystore } from "../file/store.js";
import { fileSignature } from "../file/watch.js";
import type { Context } from "./context.js";
import { unanswered, waitForServers, type WaitedServer } from "./server-wait.js";

/** Which servers to wait for, and how long. */
export interface GenerationWait {
  readonly urls: readonly string[];
  readonly timeoutMs: number;
}

/** What a wait came to; `problem` where not every server has the change in force. */
export interface GenerationWaitResult {
  readonly waited: readonly WaitedServer[];
  readonly problem: KeysError | undefined;
}

/**
 * Waits until every server has a file's keys in force, as the file is while they are asked. Servers
 * refuse a file with errors, so there they are not asked.
 *
 * @param after - the file as the command left it.
 */
export async function waitForGeneration(
  context: Context,
  { urls, timeoutMs }: GenerationWait,
  after: StoredKeystore,
  policy: () => Policy,
): Promise<GenerationWaitResult> {
  const keystore = reloadedKeystore(after);
  if (keystore === undefined) {
    return {
      waited: urls.map((url) => unanswered(url, "not-asked")),
      problem: new KeysError("not-everywhere", "no server was asked: none loads the file as it is"),
    };
  }
  const what = urls.length === 1 ? urls.join("") : `${urls.length} servers`;
  await context.talk.note(`waiting for ${what}`);
  const untrusted = new Map<string, KeysError>();
  const waited = await waitForServers(urls, {
    timeoutMs,
    signal: context.interrupt,
    generation: followGeneration(after, generationOf(keystore), policy),
    onUntrusted: (url, error) => untrusted.set(url, error),
  });
  for (const { url, workers, state } of waited) {
    if (state === "current") await context.talk.note(`${url} has it in force${inAll(workers)}`);
  }
  return { waited, problem: problemOf(context, waited, untrusted) };
}

/** The generation of a file, read again only where the file has changed. */
function followGeneration(
  { path }: StoredKeystore,
  first: string,
  policy: () => Policy,
): () => Promise<string> {
  let known = first;
  let signature: string | undefined;
  let reading: Promise<string> | undefined;
  async function read(): Promise<string> {
    const now = await fileSignature(path);
    if (now === signature) return known;
    try {
      const keystore = reloadedKeystore(await readStore(path, policy()));
      // What servers refuse leaves them at what they have.
      if (keystore !== undefined) known = generationOf(keystore);
    } catch (error) {
      if (!(error instanceof KeysError)) throw error;
    }
    signature = now;
    return known;
  }
  return () =>
    (reading ??= read().finally(() => {
      reading = undefined;
    }));
}

function problemOf(
  context: Context,
  waited: readonly WaitedServer[],
  untrusted: ReadonlyMap<string, KeysError>,
): KeysError | undefined {
  const stragglers = waited.filter(({ state }) => state !== "current");
  if (stragglers.length === 0) return undefined;
  const names = stragglers
    .map((server) => `${server.url} (${untrusted.get(server.url)?.message ?? stateOf(server)})`)
    .join(", ");
  if (context.interrupt.aborted) {
    return new KeysError("interrupted", `interrupted while waiting for ${names}`, {
      hint: "the file is changed; the same command with --wait goes on waiting",
    });
  }
  const [first] = untrusted.values();
  return new KeysError("not-everywhere", `not in force everywhere: ${names}`, {
    hint:
      first?.hint === undefined
        ? "the file is changed; the same command with --wait goes on waiting, and a server's /readyz says what keeps it"
        : `${first.hint}; the file is changed, and the same command with --wait waits again`,
  });
}

function stateOf({ state, workers, workers_current }: WaitedServer): string {
  switch (state) {
    case "behind":
      return workers !== null && workers_current !== null && workers_current < workers
        ? `in ${workers_current} of ${workers} workers, or an older one`
        : "it has other keys in force";
    case "invalid":
      return "no verify server answers there";
    default:
      return "it can't be asked";
  }
}

function inAll(workers: number | null): string {
  return workers === null || workers === 1 ? "" : ` in all ${workers} workers`;
}
