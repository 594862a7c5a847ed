import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isKeysError, type KeysError } from "../../src/errors.js";
import type { Snapshot } from "../../src/file/snapshot.js";
import { acquireLock } from "../../src/file/lock.js";
import { editFile } from "../../src/file/locked-edit.js";
import { buildChildModules } from "../helpers/child-modules.js";

let build: string;
let dir: string;
let path: string;

beforeAll(() => {
  build = buildChildModules(["file/locked-edit"], { "writer.js": writerSource });
});

afterAll(() => {
  fs.rmSync(build, { recursive: true });
});

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "keyhold-edit-")));
  path = join(dir, "keys.yaml");
});

afterEach(() => {
  fs.rmSync(dir, { recursive: true });
});

/** Adds lines until it has added `count`, acknowledging each. */
const writerSource = `
import { editFile } from "./file/locked-edit.js";
const [path, id, count] = process.argv.slice(2);
for (let n = 0; n < Number(count); n += 1) {
  const line = id + "." + n + "\\n";
  await editFile(path, (old) => ({ bytes: Buffer.from((old?.bytes ?? "") + line) }));
  process.stdout.write(line);
}
`;

function startWriter(id: string, count: number): { child: ChildProcess; said: () => string[] } {
  const child = spawn(process.execPath, [join(build, "writer.js"), path, id, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  // A line without its end was not acknowledged.
  return { child, said: () => text.split("\n").slice(0, -1) };
}

async function failure(promise: Promise<unknown>): Promise<KeysError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isKeysError(error)) throw new Error(`no KeysError: ${String(error)}`);
  return error;
}

/** An edit that adds a text. */
const adding =
  (text: string) =>
  (old: Snapshot | undefined): { bytes: Buffer } => ({
    bytes: Buffer.from(`${old?.bytes?.toString() ?? ""}${text}`),
  });

describe("editFile", () => {
  it("makes, then changes a file, and leaves nothing beside it", async () => {
    const made = await editFile(path, adding("a"));
    expect(made).toEqual({ result: { bytes: Buffer.from("a") }, written: true, realPath: path });
    await editFile(path, adding("b"));
    expect(fs.readFileSync(path, "utf8")).toBe("ab");
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });

  it("writes nothing when there is nothing to write, and gives what the edit gave", async () => {
    fs.writeFileSync(path, "a");
    fs.utimesSync(path, 5, 5);
    expect(await editFile(path, () => undefined)).toMatchObject({ written: false });
    const found = await editFile(path, (old) =>
      Promise.resolve({ size: old?.size, bytes: undefined }),
    );
    expect(found).toEqual({
      result: { size: 1n, bytes: undefined },
      written: false,
      realPath: path,
    });
    expect(fs.statSync(path).mtimeMs).toBe(5000);
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });

  it("keeps a symbolic link, also a dangling one", async () => {
    fs.mkdirSync(join(dir, "real"));
    fs.symlinkSync("real/keys.yaml", path);
    await editFile(path, adding("a"));
    const { realPath } = await editFile(path, adding("b"));
    expect(realPath).toBe(join(dir, "real/keys.yaml"));
    expect(fs.lstatSync(path).isSymbolicLink()).toBe(true);
    expect(fs.readFileSync(join(dir, "real/keys.yaml"), "utf8")).toBe("ab");
  });

  it("locks the real file, by whichever link it is named", async () => {
    fs.writeFileSync(path, "a");
    fs.symlinkSync("keys.yaml", join(dir, "link"));
    const lock = await acquireLock(path);
    const error = await failure(editFile(join(dir, "link"), adding("b"), { timeoutMs: 50 }));
    expect(error.code).toBe("lock-timeout");
    await lock.release();
  });

  it("gives what the edit threw, with nothing left", async () => {
    const refusal = new Error("no");
    await expect(editFile(path, () => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it("removes what a killed writer left", async () => {
    fs.writeFileSync(join(dir, ".keys.yaml.0123456789abcdef.tmp"), "x");
    await editFile(path, () => undefined);
    expect(fs.readdirSync(dir)).toEqual([]);
  });
});

describe("an edit by hand meanwhile", () => {
  it.each<[string, () => void]>([
    [
      "in place",
      () => {
        fs.appendFileSync(path, "hand ");
      },
    ],
    [
      "by a rename",
      () => {
        fs.writeFileSync(`${path}~`, "old hand ");
        fs.renameSync(`${path}~`, path);
      },
    ],
  ])("%s is not lost: the edit is made anew", async (_, byHand) => {
    fs.writeFileSync(path, "old ");
    let calls = 0;
    const { written } = await editFile(path, (old) => {
      calls += 1;
      if (calls === 1) byHand();
      return adding("keys")(old);
    });
    expect(written).toBe(true);
    expect(calls).toBe(2);
    expect(fs.readFileSync(path, "utf8")).toBe("old hand keys");
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });

  it("that makes the file first is not lost", async () => {
    let calls = 0;
    await editFile(path, (old) => {
      calls += 1;
      if (calls === 1) fs.writeFileSync(path, "hand ");
      return adding("keys")(old);
    });
    expect(fs.readFileSync(path, "utf8")).toBe("hand keys");
  });

  it("that tightens the mode is not undone", async () => {
    fs.writeFileSync(path, "a");
    fs.chmodSync(path, 0o644);
    await editFile(path, (old) => {
      fs.chmodSync(path, 0o600);
      return adding("b")(old);
    });
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  it("that turns the link to another file is followed", async () => {
    fs.writeFileSync(join(dir, "one"), "one ");
    fs.writeFileSync(join(dir, "two"), "two ");
    fs.symlinkSync("one", path);
    let calls = 0;
    await editFile(path, (old) => {
      calls += 1;
      if (calls === 1) {
        fs.symlinkSync("two", `${path}~`);
        fs.renameSync(`${path}~`, path);
      }
      return adding("keys")(old);
    });
    expect(fs.readFileSync(join(dir, "one"), "utf8")).toBe("one ");
    expect(fs.readFileSync(join(dir, "two"), "utf8")).toBe("two keys");
    expect(fs.readlinkSync(path)).toBe("two");
  });

  it("again and again is given in to", async () => {
    fs.writeFileSync(path, "");
    let calls = 0;
    const edit = editFile(path, (old) => {
      calls += 1;
      fs.appendFileSync(path, "x");
      return adding("keys")(old);
    });
    expect((await failure(edit)).code).toBe("file-changing");
    expect(calls).toBe(20);
    expect(fs.readFileSync(path, "utf8")).toBe("x".repeat(20));
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });
});

describe("a lock that was lost meanwhile", () => {
  it("is taken again, and the edit made anew", async () => {
    fs.writeFileSync(path, "old ");
    let calls = 0;
    await editFile(path, async (old) => {
      calls += 1;
      if (calls === 1) {
        fs.rmSync(`${path}.lock`);
        const other = await acquireLock(path);
        setTimeout(() => void other.release(), 100);
      }
      return adding("keys")(old);
    });
    expect(calls).toBe(2);
    expect(fs.readFileSync(path, "utf8")).toBe("old keys");
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });
});

describe("an interrupt", () => {
  it("before the rename leaves all as it was", async () => {
    fs.writeFileSync(path, "old");
    const controller = new AbortController();
    const edit = editFile(
      path,
      (old) => {
        controller.abort();
        return adding("new")(old);
      },
      { signal: controller.signal },
    );
    expect((await failure(edit)).code).toBe("interrupted");
    expect(fs.readFileSync(path, "utf8")).toBe("old");
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });

  it("while the new file is being written leaves all as it was", async () => {
    fs.writeFileSync(path, "old");
    const controller = new AbortController();
    const watcher = fs.watch(dir, (_, name) => {
      if (name?.endsWith(".tmp") === true && name.startsWith(".keys.yaml.")) controller.abort();
    });
    const bytes = Buffer.alloc(64_000_000);
    const error = await failure(editFile(path, () => ({ bytes }), { signal: controller.signal }));
    watcher.close();
    expect(error.code).toBe("interrupted");
    expect(fs.readFileSync(path, "utf8")).toBe("old");
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });

  it("while waiting for the lock changes nothing", async () => {
    const lock = await acquireLock(path);
    const signal = AbortSignal.timeout(50);
    expect((await failure(editFile(path, adding("a"), { signal }))).code).toBe("interrupted");
    await lock.release();
    expect(fs.readdirSync(dir)).toEqual([]);
  });
});

describe("many writers at once", () => {
  it("all get through, in one process", async () => {
    const texts = Array.from({ length: 32 }, (_, n) => `line ${String(n)}\n`);
    await Promise.all(texts.map((text) => editFile(path, adding(text))));
    expect(
      fs
        .readFileSync(path, "utf8")
        .split(/(?<=\n)/)
        .sort(),
    ).toEqual(texts.sort());
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  });

  it("all get through, in 32 processes", async () => {
    const writers = Array.from({ length: 32 }, (_, n) => startWriter(String(n), 4));
    await Promise.all(writers.map(({ child }) => once(child, "close")));
    const lines = fs.readFileSync(path, "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(128);
    expect(lines.sort()).toEqual(writers.flatMap(({ said }) => said()).sort());
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  }, 60_000);

  it("lose nothing that was acknowledged when they are killed", async () => {
    const acknowledged: string[] = [];
    let killed = 0;
    const slot = async (id: number): Promise<void> => {
      for (let life = 0; life < 6; life += 1) {
        const { child, said } = startWriter(`${String(id)}.${String(life)}`, 1_000_000);
        // From its first words on: on a busy machine a start alone can take a second.
        child.stdout?.once("data", () => {
          setTimeout(() => child.kill("SIGKILL"), Math.random() * 600);
        });
        await once(child, "close");
        acknowledged.push(...said());
        killed += 1;
      }
    };
    await Promise.all(Array.from({ length: 6 }, (_, id) => slot(id)));
    const lines = fs.readFileSync(path, "utf8").trimEnd().split("\n");
    expect(acknowledged.length).toBeGreaterThan(20);
    expect(acknowledged.filter((line) => !lines.includes(line))).toEqual([]);
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.length - acknowledged.length).toBeLessThanOrEqual(killed);
    await editFile(path, () => undefined, { timeoutMs: 1000 });
    expect(fs.readdirSync(dir)).toEqual(["keys.yaml"]);
  }, 60_000);
});
