import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isKeysError, type KeysError } from "../../src/errors.js";
import { acquireLock, type Lock, type LockOptions } from "../../src/file/lock.js";
import { buildChildModules } from "../helpers/child-modules.js";
import { describeWith, runs } from "../helpers/requires.js";

// Long enough never to pass in a test: what it guards must not depend on waiting.
const NEVER_MS = 3_600_000;

let build: string;
let dir: string;
let path: string;
let children: ChildProcess[] = [];

beforeAll(() => {
  build = buildChildModules(["file/lock"], {
    "holder.js": holderSource,
    "counter.js": counterSource,
    "no-links.js": noLinksSource,
  });
});

afterAll(() => {
  fs.rmSync(build, { recursive: true });
});

beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "keyhold-lock-"));
  path = join(dir, "keys.yaml");
});

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  children = [];
  fs.rmSync(dir, { recursive: true });
});

/** Takes the lock, says so (or the error's code), answers `?` with isHeld, and releases on EOF. */
const holderSource = `
import { acquireLock } from "./file/lock.js";
const [path, options] = process.argv.slice(2);
try {
  const lock = await acquireLock(path, JSON.parse(options));
  process.stdout.write("held\\n");
  for await (const chunk of process.stdin) {
    for (const _ of String(chunk)) process.stdout.write(String(await lock.isHeld()) + "\\n");
  }
  await lock.release();
  process.stdout.write("released\\n");
} catch (error) {
  process.stdout.write(error.code + "|" + error.message + "|" + error.hint + "\\n");
}
`;

/** Adds lines, one by one, to the file that the lock guards; says which when each is there. */
const counterSource = `
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { acquireLock } from "./file/lock.js";
const [path, id] = process.argv.slice(2);
for (let n = 0; ; n += 1) {
  const lock = await acquireLock(path, { foreignMs: 3_600_000 });
  const line = id + "." + n;
  const text = readFileSync(path, "utf8");
  await delay(Math.random() * 3);
  writeFileSync(path + "." + id, text + line + "\\n");
  await delay(Math.random() * 3);
  renameSync(path + "." + id, path);
  process.stdout.write(line + "\\n");
  if (Math.random() < 0.1) process.kill(process.pid, "SIGKILL");
  await lock.release();
}
`;

const noLinksSource = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
fs.link = (from, to, callback) =>
  process.nextTick(callback, Object.assign(new Error("no links"), { code: "ENOTSUP" }));
syncBuiltinESMExports();
`;

interface Holder {
  child: ChildProcess;
  pid: number;
  /** The next line it says. */
  next: () => Promise<string>;
}

function start(file: string, args: string[], uid?: number): Holder {
  const child = spawn(process.execPath, args, {
    cwd: "/",
    stdio: ["pipe", "pipe", "inherit"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  children.push(child);
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const next = async (): Promise<string> => {
    for (;;) {
      const end = text.indexOf("\n");
      if (end >= 0) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        return line;
      }
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${file} ended`);
      await delay(2);
    }
  };
  if (child.pid === undefined) throw new Error("not started");
  return { child, pid: child.pid, next };
}

function startHolder(options: LockOptions = {}, uid?: number, nodeArgs: string[] = []): Holder {
  const args = [...nodeArgs, join(build, "holder.js"), path, JSON.stringify(options)];
  return start("holder", args, uid);
}

async function kill(holder: Holder): Promise<void> {
  holder.child.kill("SIGKILL");
  await once(holder.child, "exit");
}

/** The content of a lock of a killed process, changed as a test needs it. */
async function deadLock(changes: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const holder = startHolder();
  expect(await holder.next()).toBe("held");
  const text = fs.readFileSync(`${path}.lock`, "utf8");
  await kill(holder);
  const content = { ...(JSON.parse(text) as Record<string, unknown>), ...changes };
  fs.writeFileSync(`${path}.lock`, JSON.stringify(content));
  return content;
}

async function failure(promise: Promise<unknown>): Promise<KeysError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isKeysError(error)) throw new Error(`no KeysError: ${String(error)}`);
  return error;
}

async function timed<T>(promise: Promise<T>): Promise<{ value: T; ms: number }> {
  const begun = performance.now();
  const value = await promise;
  return { value, ms: performance.now() - begun };
}

/** Whether the lock can be had, without waiting for it longer than the dead take. */
async function isFree(options: LockOptions = {}): Promise<boolean> {
  try {
    const lock = await acquireLock(path, { foreignMs: NEVER_MS, timeoutMs: 150, ...options });
    await lock.release();
    return true;
  } catch (error) {
    if (isKeysError(error, "lock-timeout")) return false;
    throw error;
  }
}

describe("a lock", () => {
  it("stands beside the file while it is held, and leaves nothing", async () => {
    const lock = await acquireLock(path);
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml.lock"]);
    expect(await lock.isHeld()).toBe(true);
    expect(await lock.isHeld()).toBe(true);
    await lock.release();
    expect(fs.readdirSync(dir)).toEqual([]);
    expect(await lock.isHeld()).toBe(false);
    await lock.release();
  });

  it("says who holds it, readable by all", async () => {
    const lock = await acquireLock(path);
    const content: unknown = JSON.parse(fs.readFileSync(`${path}.lock`, "utf8"));
    expect(content).toMatchObject({ host: hostname(), pid: process.pid });
    expect(fs.statSync(`${path}.lock`).mode & 0o777).toBe(0o644);
    await lock.release();
  });

  it("excludes a second taker in the same process", async () => {
    const lock = await acquireLock(path);
    expect(await isFree()).toBe(false);
    await lock.release();
    expect(await isFree()).toBe(true);
  });

  it("excludes another process until it releases", async () => {
    const holder = startHolder();
    expect(await holder.next()).toBe("held");
    expect(await isFree()).toBe(false);
    const waiting = acquireLock(path);
    holder.child.stdin?.end();
    await (await waiting).release();
    expect(await holder.next()).toBe("released");
  });

  it("released twice, does not touch the next holder's", async () => {
    const first = await acquireLock(path);
    await first.release();
    const second = await acquireLock(path);
    await first.release();
    expect(await second.isHeld()).toBe(true);
    await second.release();
  });

  it("gives a sign of life", async () => {
    const lock = await acquireLock(path, { refreshMs: 20 });
    fs.utimesSync(`${path}.lock`, 1, 1);
    await expect.poll(() => fs.statSync(`${path}.lock`).mtimeMs).toBeGreaterThan(1000);
    await lock.release();
  });

  it("can be waited for only so long, and names its holder", async () => {
    const lock = await acquireLock(path);
    const { value, ms } = await timed(failure(acquireLock(path, { timeoutMs: 200 })));
    expect(value.code).toBe("lock-timeout");
    expect(value.hint).toContain(String(process.pid));
    expect(value.hint).toContain(hostname());
    expect(value.hint).toContain(`${path}.lock`);
    expect(ms).toBeGreaterThanOrEqual(200);
    expect(await lock.isHeld()).toBe(true);
    await lock.release();
  });

  it("is not waited for once interrupted", async () => {
    const lock = await acquireLock(path);
    const controller = new AbortController();
    const waiting = failure(acquireLock(path, { signal: controller.signal }));
    await delay(100);
    controller.abort();
    const { value, ms } = await timed(waiting);
    expect(value.code).toBe("interrupted");
    expect(ms).toBeLessThan(100);
    await lock.release();
    expect(fs.readdirSync(dir)).toEqual([]);
    const again = await failure(acquireLock(path, { signal: controller.signal }));
    expect(again.code).toBe("interrupted");
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it("sweeps what crashes left, and nothing else", async () => {
    const nonce = "0123456789abcdef".repeat(2);
    for (const name of [`${nonce}.tmp`, `${nonce}.next`, "tmp", "x.tmp", `${nonce}.tmp.bak`]) {
      fs.writeFileSync(`${path}.lock.${name}`, "");
    }
    await (await acquireLock(path)).release();
    expect(fs.readdirSync(dir).sort()).toEqual([
      `keys.yaml.lock.${nonce}.tmp.bak`,
      "keys.yaml.lock.tmp",
      "keys.yaml.lock.x.tmp",
    ]);
  });

  it("that lost its name to another is not held, and leaves the other's", async () => {
    const lock = await acquireLock(path);
    const content = fs.readFileSync(`${path}.lock`, "utf8");
    fs.rmSync(`${path}.lock`);
    const other = await acquireLock(path);
    expect(await lock.isHeld()).toBe(false);
    await lock.release();
    expect(await other.isHeld()).toBe(true);
    expect(fs.readFileSync(`${path}.lock`, "utf8")).not.toBe(content);
    await other.release();
  });

  it("in a directory that does not exist says so", async () => {
    const error = await failure(acquireLock(join(dir, "missing", "keys.yaml")));
    expect(error.code).toBe("file-unwritable");
    expect(error.message).toContain(join(dir, "missing"));
  });
});

describe("a dead holder of this machine", () => {
  it("is succeeded at once when it was killed", async () => {
    const holder = startHolder();
    expect(await holder.next()).toBe("held");
    await kill(holder);
    const { value: lock, ms } = await timed(acquireLock(path, { foreignMs: NEVER_MS }));
    expect(ms).toBeLessThan(1000);
    expect(await lock.isHeld()).toBe(true);
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml.lock"]);
    await lock.release();
  });

  it("is succeeded at once when its process id is another's by now", async () => {
    await deadLock({ pid: process.pid });
    expect(await isFree()).toBe(true);
  });

  it("is succeeded at once after a boot", async () => {
    await deadLock({ pid: process.pid, started: null, boot: "0-1-2-3" });
    expect(await isFree()).toBe(true);
  });

  it("is succeeded at once together with heirs that died too", async () => {
    const content = await deadLock();
    const heir = { ...content, nonce: "a".repeat(32) };
    const second = { ...content, nonce: "b".repeat(32) };
    fs.writeFileSync(`${path}.lock.${String(content["nonce"])}.next`, JSON.stringify(heir));
    fs.writeFileSync(`${path}.lock.${heir.nonce}.next`, JSON.stringify(second));
    const lock = await acquireLock(path, { foreignMs: NEVER_MS, timeoutMs: 150 });
    expect(await lock.isHeld()).toBe(true);
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml.lock"]);
    await lock.release();
  });

  it("is not succeeded past a living heir", async () => {
    const content = await deadLock();
    const lock = await acquireLock(`${path}2`);
    const heir = `${path}.lock.${String(content["nonce"])}.next`;
    fs.renameSync(`${path}2.lock`, heir);
    expect(await isFree()).toBe(false);
    fs.rmSync(heir);
    expect(await isFree()).toBe(true);
    await lock.release();
  });

  it("has one heir only, among many", async () => {
    const content = JSON.stringify(await deadLock());
    let inside = 0;
    let most = 0;
    for (let round = 0; round < 30; round += 1) {
      fs.writeFileSync(
        `${path}.lock`,
        content.replace(/[0-9a-f]{32}/, String(round).padStart(32, "0")),
      );
      const takers = Array.from({ length: 16 }, async () => {
        const lock = await acquireLock(path, { foreignMs: NEVER_MS });
        most = Math.max(most, (inside += 1));
        if (!(await lock.isHeld())) most = Infinity;
        inside -= 1;
        await lock.release();
      });
      await Promise.all(takers);
    }
    expect(most).toBe(1);
    expect(fs.readdirSync(dir)).toEqual([]);
  }, 60_000);

  it("loses no other's work, though writers are killed again and again", async () => {
    fs.writeFileSync(path, "");
    const acknowledged: string[] = [];
    const begun = performance.now();
    let killed = 0;
    // Eight seconds, and on a busy machine as long as it takes to see enough of it.
    const isOver = (): boolean => {
      const elapsed = performance.now() - begun;
      const isEnough = killed > 20 && acknowledged.length > 100;
      return elapsed > (isEnough ? 8_000 : 90_000);
    };
    const writer = async (slot: number): Promise<void> => {
      for (let life = 0; !isOver(); life += 1) {
        const { child, next } = start("counter", [
          join(build, "counter.js"),
          path,
          `${String(slot)}.${String(life)}`,
        ]);
        const deadline = setTimeout(() => child.kill("SIGKILL"), 300 + Math.random() * 1000);
        for (;;) {
          const line = await next().catch(() => undefined);
          if (line === undefined) break;
          acknowledged.push(line);
        }
        clearTimeout(deadline);
        killed += 1;
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, slot) => writer(slot)));
    const lines = fs.readFileSync(path, "utf8").trimEnd().split("\n");
    expect(killed).toBeGreaterThan(20);
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(new Set(lines).size).toBe(lines.length);
    expect(acknowledged.filter((line) => !lines.includes(line))).toEqual([]);
    // Each killed writer can have one that it did not live to acknowledge.
    expect(lines.length - acknowledged.length).toBeLessThanOrEqual(killed);
    await (await acquireLock(path, { foreignMs: NEVER_MS, timeoutMs: 500 })).release();
    expect(fs.readdirSync(dir).filter((name) => name.includes(".lock"))).toEqual([]);
  }, 180_000);
});

describeWith(
  {
    needs: "/proc",
    why: "zombies and stopped processes are told from its files",
    available: () => fs.existsSync("/proc/self/stat"),
  },
  "a holder that looks dead or alive but is not",
  () => {
    it("is succeeded at once as a zombie", async () => {
      // sleep(1), its parent, never asks how it ended; the shell would give it no stdin.
      const command = `exec 3<&0; "$0" "$1" "$2" "{}" <&3 & exec sleep 60`;
      const child = spawn("sh", ["-c", command, process.execPath, join(build, "holder.js"), path]);
      children.push(child);
      await expect.poll(() => fs.existsSync(`${path}.lock`), { timeout: 5000 }).toBe(true);
      const { pid } = JSON.parse(fs.readFileSync(`${path}.lock`, "utf8")) as { pid: number };
      process.kill(pid, "SIGKILL");
      await expect
        .poll(() => fs.readFileSync(`/proc/${String(pid)}/stat`, "utf8"))
        .toContain(") Z ");
      expect(await isFree({ timeoutMs: 500 })).toBe(true);
    });

    it("is never robbed while it is stopped", async () => {
      const holder = startHolder();
      expect(await holder.next()).toBe("held");
      holder.child.kill("SIGSTOP");
      const error = await failure(acquireLock(path, { timeoutMs: 600, foreignMs: 50 }));
      expect(error.code).toBe("lock-timeout");
      expect(error.hint).toContain(String(holder.pid));
      holder.child.kill("SIGCONT");
      holder.child.stdin?.write("?");
      expect(await holder.next()).toBe("true");
      await kill(holder);
    });
  },
);

describe("a foreign holder", () => {
  it.each([
    ["another host", { host: "elsewhere" }],
    ["another process-id namespace", { namespace: "pid:[1]" }],
  ])("on %s is succeeded only after a silence", async (_, changes) => {
    await deadLock(changes);
    expect(await isFree()).toBe(false);
    const { value: lock, ms } = await timed(acquireLock(path, { foreignMs: 400 }));
    expect(ms).toBeGreaterThanOrEqual(400);
    expect(ms).toBeLessThan(2000);
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml.lock"]);
    await lock.release();
  });

  it.each([
    ["nothing", ""],
    ["half a record", '{"host":"vm","pid":1'],
    ["a host that would drive a terminal", null],
  ])("is what a lock file is that holds %s", async (_, text) => {
    const content = text ?? JSON.stringify(await deadLock({ host: "\u001b[2J" }));
    fs.writeFileSync(`${path}.lock`, content);
    const error = await failure(acquireLock(path, { timeoutMs: 100 }));
    expect(error.code).toBe("lock-timeout");
    expect(error.hint).not.toContain("\u001b");
    const { ms } = await timed(isFree({ foreignMs: 300, timeoutMs: 2000 }));
    expect(ms).toBeGreaterThanOrEqual(300);
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it.each([
    ["slow", 1],
    ["fast", 4e9],
  ])("with a %s clock is not robbed while it gives signs of life", async (_, seconds) => {
    await deadLock({ host: "elsewhere" });
    let time: number = seconds;
    const signs = setInterval(() => {
      fs.utimesSync(`${path}.lock`, time, (time += 1));
    }, 50);
    expect(await isFree({ foreignMs: 3000, timeoutMs: 4000 })).toBe(false);
    clearInterval(signs);
    const { value: free, ms } = await timed(isFree({ foreignMs: 400, timeoutMs: 5000 }));
    expect(free).toBe(true);
    expect(ms).toBeGreaterThanOrEqual(400);
  });

  it("that was robbed asleep learns it before it changes anything", async () => {
    // An owner who looks foreign to us: its host's name is changed in the file only.
    const lock: Lock = await acquireLock(path, { refreshMs: NEVER_MS });
    const content = JSON.parse(fs.readFileSync(`${path}.lock`, "utf8")) as Record<string, unknown>;
    fs.writeFileSync(`${path}.lock`, JSON.stringify({ ...content, host: "elsewhere" }));
    expect(await lock.isHeld()).toBe(true);
    const robber = await acquireLock(path, { foreignMs: 100 });
    expect(await lock.isHeld()).toBe(false);
    await lock.release();
    expect(await robber.isHeld()).toBe(true);
    await robber.release();
  });

  it("is no longer the holder from the moment that it has an heir", async () => {
    const lock = await acquireLock(path);
    const { nonce } = JSON.parse(fs.readFileSync(`${path}.lock`, "utf8")) as { nonce: string };
    fs.writeFileSync(`${path}.lock.${nonce}.next`, "");
    expect(await lock.isHeld()).toBe(false);
    await lock.release();
    expect(fs.existsSync(`${path}.lock`)).toBe(true);
  });
});

describe("on a file system without links", () => {
  const noLinks = (): string[] => ["--import", join(build, "no-links.js")];

  it("a lock excludes and is succeeded at once all the same", async () => {
    const first = startHolder({}, undefined, noLinks());
    expect(await first.next()).toBe("held");
    const second = startHolder({ timeoutMs: 100 }, undefined, noLinks());
    expect(await second.next()).toMatch(/^lock-timeout\|/);
    await kill(first);
    const third = startHolder({ timeoutMs: 500, foreignMs: NEVER_MS }, undefined, noLinks());
    expect(await third.next()).toBe("held");
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml.lock"]);
    third.child.stdin?.end();
    expect(await third.next()).toBe("released");
    expect(fs.readdirSync(dir)).toEqual([]);
  });
});

describeWith(
  {
    needs: "root",
    why: "processes are started as another user",
    available: () => process.getuid?.() === 0,
  },
  "another user's lock",
  () => {
    const nobody = 65_534;

    it("can't be made where the directory can't be written", async () => {
      fs.chmodSync(dir, 0o755);
      const [code, message, hint] = (await startHolder({}, nobody).next()).split("|");
      expect(code).toBe("file-unwritable");
      expect(message).toContain(dir);
      expect(hint).toMatch(/writable/);
      expect(fs.readdirSync(dir)).toEqual([]);
    });

    it("is judged by whether its holder lives", async () => {
      fs.chmodSync(dir, 0o777);
      const lock = await acquireLock(path);
      const error = await startHolder({ timeoutMs: 300, foreignMs: 50 }, nobody).next();
      expect(error).toMatch(/^lock-timeout\|/);
      await lock.release();
      const holder = startHolder();
      expect(await holder.next()).toBe("held");
      await kill(holder);
      const heir = startHolder({ timeoutMs: 500, foreignMs: NEVER_MS }, nobody);
      expect(await heir.next()).toBe("held");
    });
  },
);

describeWith(
  {
    needs: "a right to mount",
    why: "a small file system is filled",
    available: runs("unshare", "--mount", "true"),
  },
  "on a full disk",
  () => {
    it("no lock is made and nothing is left", async () => {
      const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=16k,mode=755", "none", dir]);
      expect(mounted.status).toBe(0);
      try {
        expect(() => {
          fs.writeFileSync(join(dir, "filler"), Buffer.alloc(65_536));
        }).toThrow("ENOSPC");
        const error = await failure(acquireLock(path));
        expect(error.code).toBe("file-unwritable");
        expect(error.message).toContain(dir);
        expect(fs.readdirSync(dir)).toEqual(["filler"]);
        fs.rmSync(join(dir, "filler"));
        expect(await isFree()).toBe(true);
      } finally {
        spawnSync("umount", [dir]);
      }
    });
  },
);
