import { connect } from "node:net";
import { KeysError, systemCode } from "../../errors.js";
import type { HaproxyMap } from "./haproxy-map.js";

/** Octets of one command: HAProxy takes 16 KiB, less what it reserves. */
const COMMAND_OCTETS = 8192;
/** How long one command may take, in milliseconds. */
const ANSWER_MS = 5000;
/** More changes than this are brought as a whole. */
const MOST_CHANGES = 500;

/** A map as a running HAProxy holds it. */
export interface HaproxyStatus {
  /** Tells one HAProxy from another that has taken its place. */
  readonly pid: number;
  /** Seconds since it started. */
  readonly uptime: number;
  /** The version of the map that is in force. */
  readonly version: number;
  readonly entries: number;
}

/** The runtime API of a HAProxy, for one map. Everything may throw KeysError `haproxy-failed`. */
export interface HaproxyRuntime {
  status(): Promise<HaproxyStatus>;
  /** Replaces the map as a whole, in one step for those who look up. */
  replace(map: HaproxyMap): Promise<HaproxyStatus>;
  /** Brings what differs; removals first. */
  change(from: HaproxyMap, to: HaproxyMap): Promise<HaproxyStatus>;
}

/**
 * Talks to the runtime API of HAProxy 2.4 and later, a connection a command, and checks every
 * answer.
 *
 * @param socket - the path of its socket.
 * @param name - the map's name, as it stands in HAProxy's configuration.
 */
export function createHaproxyRuntime(socket: string, name: string): HaproxyRuntime {
  const ask = (command: string): Promise<string> => talk(socket, command);

  /** A command whose only good answer is none. */
  async function order(command: string): Promise<void> {
    const answer = (await ask(command)).trim();
    if (answer !== "") throw failed(`did not take a change: ${firstLine(answer)}`);
  }

  async function status(): Promise<HaproxyStatus> {
    const answer = await ask("show info;show map");
    const pid = /^Pid: (\d+)$/m.exec(answer)?.[1];
    const uptime = /^Uptime_sec: (\d+)$/m.exec(answer)?.[1];
    const row = answer.split("\n").find((line) => nameOf(line) === name);
    const counts = /curr_ver=(\d+) next_ver=\d+ entry_cnt=(\d+)/.exec(row ?? "");
    if (pid === undefined || uptime === undefined)
      throw failed("answers in a way that is not known");
    if (counts === null) throw failed(`has no map ${name}`);
    return {
      pid: Number(pid),
      uptime: Number(uptime),
      version: Number(counts[1]),
      entries: Number(counts[2]),
    };
  }

  async function replace(map: HaproxyMap): Promise<HaproxyStatus> {
    const answer = await ask(`prepare map ${name}`);
    const version = /New version created: (\d+)/.exec(answer)?.[1];
    if (version === undefined) throw failed(`did not begin a change: ${firstLine(answer)}`);
    try {
      const rows = [...map].map(([key, value]) => `${key} ${value}\n`);
      for (const batch of batchesOf(rows)) {
        await order(`add map @${version} ${name} <<\n${batch.join("")}`);
      }
      await order(`commit map @${version} ${name}`);
    } catch (error) {
      // What was brought so far is not in force; it must not stay in memory either.
      await ask(`clear map @${version} ${name}`).catch(() => undefined);
      throw error;
    }
    const now = await confirmed(map);
    if (now.version !== Number(version)) throw failed("has another change in force");
    return now;
  }

  async function change(from: HaproxyMap, to: HaproxyMap): Promise<HaproxyStatus> {
    const commands = [
      ...[...from.keys()].filter((key) => !to.has(key)).map((key) => `del map ${name} ${key}`),
      ...[...to]
        .filter(([key, value]) => from.get(key) !== value)
        .map(([key, value]) => `${from.has(key) ? "set" : "add"} map ${name} ${key} ${value}`),
    ];
    if (commands.length > MOST_CHANGES) return replace(to);
    for (const batch of batchesOf(commands)) await order(batch.join(";"));
    return confirmed(to);
  }

  async function confirmed(map: HaproxyMap): Promise<HaproxyStatus> {
    const now = await status();
    if (now.entries !== map.size) throw failed("holds another number of keys than it was given");
    return now;
  }

  return { status, replace, change };
}

/** The file's name in a row of `show map`. */
function nameOf(row: string): string | undefined {
  return /^\d+ \(([^)]*)\) /.exec(row)?.[1];
}

function* batchesOf(texts: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = [];
  let octets = 0;
  for (const text of texts) {
    if (batch.length > 0 && octets + text.length > COMMAND_OCTETS) {
      yield batch;
      [batch, octets] = [[], 0];
    }
    batch.push(text);
    octets += text.length + 1;
  }
  if (batch.length > 0) yield batch;
}

function talk(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = "";
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(failed(why, cause));
    };
    socket.setEncoding("utf8");
    socket.setTimeout(ANSWER_MS, () => {
      fail("does not answer");
    });
    socket.on("connect", () => {
      socket.write(`${command}\n`);
    });
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", (error) => {
      fail(`can't be reached at ${path} (${systemCode(error) ?? "error"})`, error);
    });
    socket.on("end", () => {
      socket.destroy();
      resolve(answer);
    });
  });
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]?.slice(0, 200) ?? "";
}

function failed(what: string, cause?: unknown): KeysError {
  return new KeysError("haproxy-failed", `haproxy ${what}`, {
    hint: "start HAProxy with the configuration that was printed, and name its socket with --haproxy-socket",
    ...(cause === undefined ? {} : { cause }),
  });
}
