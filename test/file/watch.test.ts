import { mkdir, mkdtemp, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { KeysError } from "../../src/errors.js";
import { readStore } from "../../src/file/store.js";
import { fileSignature, watchStore, type WatchOptions } from "../../src/file/watch.js";
import { eventually } from "../server/eventually.js";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const policy = { nowMs: NOW };

function text(id: string): string {
  return `api_keys:\n  "${"0123456789abcdef".repeat(4)}":\n    id: ${id}\n`;
}

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "keyhold-watch-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** What was told so far: the id of the only key, `(none)` where there is none, or a code. */
interface Followed {
  readonly told: string[];
  readonly check: () => Promise<void>;
}

async function follow(path: string, options: Partial<WatchOptions> = {}): Promise<Followed> {
  const told: string[] = [];
  const watcher = watchStore(path, {
    policy: () => policy,
    since: await fileSignature(path),
    pollMs: 20,
    settleMs: 10,
    onChange: (result) => {
      if ("error" in result) told.push(result.error.code);
      else told.push([...(result.store.document.keystore?.live() ?? [])][0]?.id ?? "(none)");
    },
    ...options,
  });
  onTestFinished(() => {
    watcher.close();
  });
  return { told, check: () => watcher.check() };
}

describe("watchStore", () => {
  it("tells of a write in place", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    const { told } = await follow(path);
    await writeFile(path, text("bobby"));
    await eventually(() => told).toEqual(["bobby"]);
  });

  it("goes on after a listener that threw", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    const heard: string[] = [];
    const { check } = await follow(path, {
      onChange: () => {
        heard.push("news");
        if (heard.length === 1) throw new Error("a listener's own");
      },
    });
    await expect(check()).rejects.toThrow("a listener's own");
    await writeFile(path, text("bobby"));
    await eventually(() => heard).toEqual(["news", "news"]);
  });

  it("tells of a file renamed over it", async () => {
    const base = await directory();
    const path = join(base, "keys.yaml");
    await writeFile(path, text("alice"));
    const { told } = await follow(path);
    await writeFile(join(base, "new"), text("bobby"));
    await rename(join(base, "new"), path);
    await eventually(() => told).toEqual(["bobby"]);
  });

  it("tells of a file of the same size, age and name swapped in by a link in its path", async () => {
    // As Kubernetes does: keys.yaml → ..data/keys.yaml, ..data → ..2026-…
    const base = await directory();
    for (const [name, id] of [
      ["..one", "alice"],
      ["..two", "bobby"],
    ] as const) {
      await mkdir(join(base, name));
      await writeFile(join(base, name, "keys.yaml"), text(id));
      await utimes(join(base, name, "keys.yaml"), 1, 1);
    }
    await symlink("..one", join(base, "..data"));
    await symlink("..data/keys.yaml", join(base, "keys.yaml"));
    const { told } = await follow(join(base, "keys.yaml"));
    await symlink("..two", join(base, "..data_tmp"));
    await rename(join(base, "..data_tmp"), join(base, "..data"));
    await eventually(() => told).toEqual(["bobby"]);
    await rm(join(base, "..one"), { recursive: true });
    await delay(100);
    expect(told).toEqual(["bobby"]);
  });

  it("tells of a link that is the path itself being swapped", async () => {
    const base = await directory();
    await writeFile(join(base, "one"), text("alice"));
    await writeFile(join(base, "two"), text("bobby"));
    await symlink("one", join(base, "keys.yaml"));
    const { told } = await follow(join(base, "keys.yaml"));
    await symlink("two", join(base, "tmp"));
    await rename(join(base, "tmp"), join(base, "keys.yaml"));
    await eventually(() => told).toEqual(["bobby"]);
  });

  it("tells of a write between the reading of what is in hand and its own beginning", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    const since = await fileSignature(path);
    await writeFile(path, text("bobby"));
    const { told } = await follow(path, { since });
    await eventually(() => told).toEqual(["bobby"]);
  });

  it("says nothing while nothing changes", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    const { told } = await follow(path);
    await delay(200);
    expect(told).toEqual([]);
  });

  it("tells of a missing file once, and of its return", async () => {
    const base = await directory();
    const path = join(base, "keys.yaml");
    await writeFile(path, text("alice"));
    const { told } = await follow(path);
    await rename(path, join(base, "away"));
    await eventually(() => told).toEqual(["file-not-found"]);
    await delay(200);
    await rename(join(base, "away"), path);
    await eventually(() => told).toEqual(["file-not-found", "alice"]);
  });

  it("tells of bad content once", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    const { told } = await follow(path);
    await writeFile(path, "api_keys: [\n");
    await eventually(() => told).toEqual(["(none)"]);
    await delay(200);
    expect(told).toEqual(["(none)"]);
  });

  it("never reads a file that is still being written", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    const reads: string[] = [];
    const { told } = await follow(path, {
      settleMs: 250,
      read: async (name, asked) => {
        reads.push(await readFile(name, "utf8"));
        return readStore(name, asked);
      },
    });
    const whole = text("bobby");
    for (let end = 0; end <= whole.length; end += 8) {
      await writeFile(path, whole.slice(0, end));
      await delay(10);
    }
    await writeFile(path, whole);
    await eventually(() => told).toEqual(["bobby"]);
    expect(reads).toEqual([whole]);
  });

  it("tells only of what still stood there after the read", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    let reads = 0;
    const { told } = await follow(path, {
      read: async (name, asked) => {
        const store = await readStore(name, asked);
        reads += 1;
        // Another write lands while this read is under way.
        if (reads === 1) await writeFile(name, text("carol"));
        return store;
      },
    });
    await writeFile(path, text("bobby"));
    await eventually(() => told).toEqual(["carol"]);
    expect(reads).toBe(2);
  });

  it("tries a failed read again without a change of the file, and tells of the failure once", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    let failing = true;
    const { told } = await follow(path, {
      read: (name, asked) =>
        failing
          ? Promise.reject(new KeysError("file-unreadable", "input/output error"))
          : readStore(name, asked),
    });
    await writeFile(path, text("bobby"));
    await eventually(() => told).toEqual(["file-unreadable"]);
    await delay(150);
    failing = false;
    await eventually(() => told).toEqual(["file-unreadable", "bobby"]);
  });

  it("check reads an unchanged file too, and waits for the telling", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    const { told, check } = await follow(path, { pollMs: 60_000 });
    await check();
    expect(told).toEqual(["alice"]);
    await rm(path);
    await check();
    await check();
    expect(told).toEqual(["alice", "file-not-found", "file-not-found"]);
  });

  it("is silent once closed", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    const told: unknown[] = [];
    const watcher = watchStore(path, {
      policy: () => policy,
      onChange: (result) => told.push(result),
      pollMs: 10,
      settleMs: 30,
    });
    await delay(20);
    watcher.close();
    await delay(150);
    expect(told).toEqual([]);
  });

  it("applies a change within a second by its own defaults", async () => {
    const path = join(await directory(), "keys.yaml");
    await writeFile(path, text("alice"));
    const told: number[] = [];
    const watcher = watchStore(path, {
      policy: () => policy,
      since: await fileSignature(path),
      onChange: () => told.push(performance.now()),
    });
    onTestFinished(() => {
      watcher.close();
    });
    await delay(260);
    const written = performance.now();
    await writeFile(path, text("bobby"));
    await eventually(() => told.length).toBe(1);
    expect((told[0] ?? Infinity) - written).toBeLessThan(1000);
  });
});
