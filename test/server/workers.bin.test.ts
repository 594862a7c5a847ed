import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { eventually } from "./eventually.js";
import { keystoreFile, keystoreText, temporaryDirectory } from "./files.js";
import { childrenOf } from "./processes.js";
import { startServe } from "./served.js";
import { ask } from "./sockets.js";

const TOKEN = "a-token-that-only-the-tests-of-workers-use";
const GOOD = keystoreText({ [TOKEN]: "alice" });
const WORKERS = 3;
const bearer = { authorization: `Bearer ${TOKEN}` };

async function statusOf(url: string, path = "/verify"): Promise<number | undefined> {
  return (await ask(`${url}${path}`, { headers: bearer })).status;
}

/** Each request has a connection of its own, so that a row of them meets every worker. */
async function statusesOf(url: string, count: number): Promise<Set<number | undefined>> {
  const statuses = await Promise.all(Array.from({ length: count }, () => statusOf(url)));
  return new Set(statuses);
}

describe("keys serve --workers", () => {
  it("admits a limit's number of requests, and not one more, whichever workers are asked", async () => {
    const path = await keystoreFile(keystoreText({ [TOKEN]: "alice" }, ['rate_limit: "50/10m"']));
    const { url } = await startServe(path, ["--workers", String(WORKERS)]);
    const statuses = await Promise.all(Array.from({ length: 150 }, () => statusOf(url)));
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 429)).toHaveLength(100);
  });

  it("never admits more than a big limit, which is leased", async () => {
    const path = await keystoreFile(keystoreText({ [TOKEN]: "alice" }, ['rate_limit: "1000/10m"']));
    const { url } = await startServe(path, ["--workers", String(WORKERS)]);
    let granted = 0;
    const client = async (): Promise<void> => {
      for (let n = 0; n < 70; n += 1) if ((await statusOf(url)) === 200) granted += 1;
    };
    await Promise.all(Array.from({ length: 20 }, client));
    expect(granted).toBeLessThanOrEqual(1000);
    // What workers held and did not use has come back by now.
    await delay(500);
    await Promise.all(Array.from({ length: 4 }, client));
    expect(granted).toBe(1000);
  });

  it("adds up the counters of all, and keeps those of one that died, with its limits", async () => {
    const path = await keystoreFile(keystoreText({ [TOKEN]: "alice" }, ['rate_limit: "40/10m"']));
    const served = await startServe(path, ["--workers", String(WORKERS)]);
    const { url } = served;
    await statusesOf(url, 30);
    const count = async (verdict: string): Promise<number> => {
      const { body } = await ask(`${url}/metrics`);
      const line = new RegExp(`^keys_verify_total\\{verdict="${verdict}"\\} (\\d+)`, "m").exec(
        body,
      );
      return Number(line?.[1]);
    };
    expect(await count("ok")).toBe(30);
    // Counters are told each second; then nothing of a dying worker is lost.
    await delay(1500);
    const [victim] = childrenOf(served.pid);
    expect(victim).toBeDefined();
    process.kill(victim ?? 0, "SIGKILL");
    await eventually(served.said).toContain("worker-died");
    await eventually(() => childrenOf(served.pid).length).toBe(WORKERS);
    await eventually(() => childrenOf(served.pid).includes(victim ?? 0)).toBe(false);
    await eventually(() => count("ok")).toBe(30);
    const statuses = [];
    for (let n = 0; n < 20; n += 1) statuses.push(await statusOf(url));
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(await count("rate_limited")).toBe(10);
    expect((await ask(`${url}/metrics`)).body).toMatch(
      /^keys_keystore_loads_total\{result="applied"\} 1$/m,
    );
  });

  it("replaces workers that die young ever later, and recovers", async () => {
    const served = await startServe(await keystoreFile(GOOD), ["--workers", "2"]);
    const deaths = (): { pause_ms: number }[] =>
      served
        .said()
        .split("\n")
        .filter((line) => line.includes('"worker-died"'))
        .map((line) => JSON.parse(line) as { pause_ms: number });
    let known = childrenOf(served.pid);
    let [victim = 0] = known;
    const kills = 5;
    for (let kill = 1; kill <= kills; kill += 1) {
      process.kill(victim, "SIGKILL");
      await eventually(() => deaths().length).toBe(kill);
      // While one is missing the other answers.
      expect(await statusOf(served.url)).toBe(200);
      await eventually(() => childrenOf(served.pid).filter((pid) => pid !== victim)).toHaveLength(
        2,
      );
      const now = childrenOf(served.pid);
      victim = now.find((pid) => !known.includes(pid)) ?? 0;
      known = now;
    }
    expect(deaths().map((death) => death.pause_ms)).toEqual([100, 200, 400, 800, 1600]);
    await eventually(async () => (await ask(`${served.url}/readyz`)).body).toContain("true");
    expect(await statusesOf(served.url, 20)).toEqual(new Set([200]));
    expect(deaths()).toHaveLength(kills);
  });

  it("ends with its primary, however that ends, and drains at SIGTERM", async () => {
    const path = await keystoreFile(GOOD);
    const killed = await startServe(path, ["--workers", String(WORKERS)]);
    const orphans = childrenOf(killed.pid);
    expect(orphans).toHaveLength(WORKERS);
    killed.kill("SIGKILL");
    const alive = (pids: readonly number[]): number[] =>
      pids.filter((pid) => {
        try {
          return !readFileSync(`/proc/${String(pid)}/stat`, "utf8").includes(") Z ");
        } catch {
          return false;
        }
      });
    await eventually(() => alive(orphans)).toEqual([]);
    const stopped = await startServe(path, ["--workers", String(WORKERS)]);
    const workers = childrenOf(stopped.pid);
    expect(await statusOf(stopped.url)).toBe(200);
    stopped.kill("SIGTERM");
    expect((await stopped.ended).exitCode).toBe(0);
    expect(alive(workers)).toEqual([]);
    expect(readFileSync(`${path}.usage.json`, "utf8")).toContain("last_used");
  });

  it("denies with 503 while the primary is silent, and goes on when it speaks again", async () => {
    const path = await keystoreFile(keystoreText({ [TOKEN]: "alice" }, ['rate_limit: "50/10m"']));
    const { url, kill } = await startServe(path, ["--workers", "2"]);
    // The primary hands connections over: only one that is open already is still answered.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => {
      agent.destroy();
    });
    const status = async (token: string): Promise<number | undefined> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await ask(`${url}/verify`, { headers, agent })).status;
    };
    expect(await status(TOKEN)).toBe(200);
    kill("SIGSTOP");
    expect(await status(TOKEN)).toBe(503);
    expect(await status("nobody's")).toBe(503);
    kill("SIGCONT");
    await eventually(() => status(TOKEN)).toBe(200);
    expect(await status("nobody's")).toBe(401);
  });

  it("names a port that is in use, and exits with 1", async () => {
    const path = await keystoreFile(GOOD);
    const { url } = await startServe(path);
    const { port } = new URL(url);
    const cwd = await temporaryDirectory();
    const args = ["serve", "--file", path, "--port", port, "--workers", "2"];
    const second = await runKeys(args, { cwd });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(port);
  });

  it("reads the file again once at SIGHUP, in every worker", async () => {
    const path = await keystoreFile(GOOD);
    const served = await startServe(path, ["--workers", String(WORKERS)]);
    served.kill("SIGHUP");
    await eventually(served.said).toContain("keystore-loaded");
    expect(served.said().match(/keystore-loaded/g)).toHaveLength(1);
    expect(await statusesOf(served.url, 12)).toEqual(new Set([200]));
  });
});

/** However new content comes: what replaces the file's content. */
const ARRIVALS: Readonly<Record<string, (directory: string, text: string) => Promise<void>>> = {
  "written in place": (directory, text) => writeFile(join(directory, "keys.yaml"), text),
  "by rename": async (directory, text) => {
    await writeFile(join(directory, "new"), text);
    await rename(join(directory, "new"), join(directory, "keys.yaml"));
  },
  "by the swapped link of a Kubernetes volume": async (directory, text) => {
    // kubelet: a new directory, a new link to it, renamed over `..data`.
    const fresh = join(directory, "..2026_11_25_b");
    await mkdir(fresh);
    await writeFile(join(fresh, "keys.yaml"), text);
    await symlink("..2026_11_25_b", join(directory, "..data_tmp"));
    await rename(join(directory, "..data_tmp"), join(directory, "..data"));
    await rm(join(directory, "..2026_11_25_a"), { recursive: true });
  },
};

describe("a key revoked while workers serve", () => {
  it.each(Object.entries(ARRIVALS))("is refused by every one, %s", async (how, replace) => {
    const directory = await temporaryDirectory();
    if (how.includes("Kubernetes")) {
      await mkdir(join(directory, "..2026_11_25_a"));
      await writeFile(join(directory, "..2026_11_25_a", "keys.yaml"), GOOD);
      await symlink("..2026_11_25_a", join(directory, "..data"));
      await symlink(join("..data", "keys.yaml"), join(directory, "keys.yaml"));
    } else {
      await writeFile(join(directory, "keys.yaml"), GOOD);
    }
    const served = await startServe(join(directory, "keys.yaml"), ["--workers", String(WORKERS)]);
    expect(await statusesOf(served.url, 12)).toEqual(new Set([200]));
    // The last key: nobody is left.
    const begun = performance.now();
    await replace(directory, "api_keys: {}\n");
    await eventually(() => statusesOf(served.url, 12)).toEqual(new Set([401]));
    console.log(
      `refused by every worker ${how} within ${(performance.now() - begun).toFixed(0)} ms`,
    );
    expect(served.said().match(/keystore-emptied/g)).toHaveLength(1);
    await replaceAgain(directory);
    await eventually(() => statusesOf(served.url, 12)).toEqual(new Set([200]));
  });

  async function replaceAgain(directory: string): Promise<void> {
    await writeFile(join(directory, "keys.yaml"), GOOD);
  }
});
