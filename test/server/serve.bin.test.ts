import { describe, expect, it, onTestFinished } from "vitest";
import { binPath, runKeys, startKeys, type RunningKeys } from "../helpers/bin.js";
import { eventually } from "./eventually.js";
import { keystoreFile, keystoreText, temporaryDirectory } from "./files.js";
import { ask } from "./sockets.js";

const SECRET = "key_a_token_that_nobody_may_see_in_a_log";

async function started(path: string, ...more: string[]): Promise<RunningKeys & { url: string }> {
  const keys = startKeys(["serve", "--file", path, "--port", "0", ...more], {
    cwd: await temporaryDirectory(),
  });
  onTestFinished(() => {
    keys.kill("SIGKILL");
  });
  let talk = "";
  keys.stderr?.on("data", (chunk: Buffer) => {
    talk += chunk.toString();
  });
  await eventually(() => /at (http:\S+)/.exec(talk)?.[1]).toBeDefined();
  return { ...keys, url: /at (http:\S+)/.exec(talk)?.[1] ?? "" };
}

describe(`serve of ${binPath}`, () => {
  it.each(["SIGTERM", "SIGINT"] as const)("serves until %s, and ends with 0", async (signal) => {
    const path = await keystoreFile(keystoreText({ [SECRET]: "alice" }));
    const keys = await started(path);
    const headers = { authorization: `Bearer ${SECRET}` };
    const yes = await ask(`${keys.url}/verify`, { headers });
    expect([yes.status, yes.headers["x-auth-id"]]).toEqual([200, "alice"]);
    const no = await ask(`${keys.url}/verify`, { headers: { "x-api-key": `${SECRET}x` } });
    expect(no.status).toBe(401);
    keys.kill(signal);
    const { exitCode, stdout, stderr } = await keys.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toBe("");
    const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
    expect(lines.map((line) => (JSON.parse(line) as { verdict: unknown }).verdict)).toEqual([
      "ok",
      "invalid_token",
    ]);
    expect(stderr).not.toContain(SECRET);
  });

  it("reads its file again at SIGHUP and goes on", async () => {
    const keys = await started(await keystoreFile(keystoreText({ [SECRET]: "alice" })));
    let talk = "";
    keys.stderr?.on("data", (chunk: Buffer) => {
      talk += chunk.toString();
    });
    keys.kill("SIGHUP");
    await eventually(() => talk).toContain("keystore-loaded");
    expect((await ask(`${keys.url}/healthz`)).status).toBe(200);
  });

  it("refuses to start by the keystore's rules", async () => {
    const cwd = await temporaryDirectory();
    const exit = async (path: string, ...more: string[]): Promise<number | undefined> =>
      (await runKeys(["serve", "--file", path, "--port", "0", ...more], { cwd })).exitCode;
    expect(await exit(`${cwd}/none.yaml`)).toBe(4);
    expect(await exit(cwd)).toBe(3);
    expect(await exit(await keystoreFile("api_keys: {}\n"))).toBe(3);
    expect(await exit(await keystoreFile("api_keys: {}\n"), "--allow-empty", "--check")).toBe(0);
    expect(await exit(await keystoreFile(keystoreText({ a: "b" })), "--port", "x")).toBe(2);
  });

  it("names the port that is in use, and exits with 1", async () => {
    const path = await keystoreFile(keystoreText({ [SECRET]: "alice" }));
    const { url } = await started(path);
    const { port } = new URL(url);
    const cwd = await temporaryDirectory();
    const second = await runKeys(["serve", "--file", path, "--port", port], { cwd });
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(port);
  });

  it("lets a key in after `create` and no more after `revoke`, the only one too", async () => {
    const path = await keystoreFile("api_keys: {}\n");
    const cwd = await temporaryDirectory();
    const keys = await started(path, "--allow-empty");
    const created = await runKeys(["create", "--id", "alice", "--file", path], { cwd });
    const token = created.stdout.trim();
    expect(token).not.toBe("");
    const status = async (): Promise<number | undefined> =>
      (await ask(`${keys.url}/verify`, { headers: { "x-api-key": token } })).status;
    await eventually(status).toBe(200);
    const revoked = await runKeys(["revoke", "--id", "alice", "--yes", "--file", path], { cwd });
    expect(revoked.exitCode).toBe(0);
    await eventually(status).toBe(401);
    keys.kill("SIGTERM");
    const { stderr } = await keys.ended;
    expect(stderr).not.toContain(token);
  });
});
