import { appendFile, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { eventually } from "./eventually.js";
import { keystoreFile, keystoreText } from "./files.js";
import { startServe } from "./served.js";
import { ask } from "./sockets.js";

const TOKEN = "a-token-that-only-the-test-of-stragglers-uses";

describe.each([1, 2])("a server that will not load the file, %i worker(s)", (workers) => {
  it("is named by revoke --wait, and a second try finds it current", async () => {
    const text = keystoreText({ [TOKEN]: "alice", other: "bob" });
    const path = await keystoreFile(text);
    const served = await startServe(path, ["--workers", String(workers)]);
    const { url } = served;
    const status = async (): Promise<number | undefined> =>
      (await ask(`${url}/verify`, { headers: { "x-api-key": TOKEN } })).status;
    await appendFile(path, `  not-a-digest:\n    id: carol\n`);
    await eventually(served.said).toContain("keystore-refused");
    const revoke = ["revoke", "--id", "alice", "--yes", "--file", path, "--json"];
    const cwd = dirname(path);
    const first = await runKeys([...revoke, "--wait", url, "--timeout", "2s"], { cwd });
    expect([1, 3]).toContain(first.exitCode);
    const { waited } = JSON.parse(first.stdout) as { waited: { url: string; state: string }[] };
    expect(waited).toHaveLength(1);
    expect(waited[0]?.url).toContain(url);
    expect(waited[0]?.state).not.toBe("current");
    // The last good keystore is in force, and that is what was said.
    expect(await status()).toBe(200);
    const mended = (await readFile(path, "utf8")).replace(/ {2}not-a-digest:\n.*\n/, "");
    await writeFile(path, mended);
    const second = await runKeys([...revoke, "--wait", url, "--timeout", "30s"], { cwd });
    expect(second.exitCode).toBe(0);
    expect(await status()).toBe(401);
  });
});
