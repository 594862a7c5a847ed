import { request } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { temporaryDirectory } from "../helpers/keystores.js";
import { eventually } from "../server/eventually.js";
import { openRaw, statusesOf } from "../server/sockets.js";
import { key, keystore, serve } from "./served.js";

const alice = key("alice", { scopes: "a" });
const bob = key("bob");
const served = serve(keystore([alice, bob]));

describe("operations", () => {
  it("GET and HEAD of /healthz, /readyz, /version, /status, /metrics; nothing else", async () => {
    for (const target of ["/healthz", "/readyz", "/version", "/status", "/metrics"]) {
      const got = await served.ask(target);
      expect([target, got.status]).toEqual([target, 200]);
      const head = await served.ask(target, { method: "HEAD" });
      expect([target, head.status, head.body]).toEqual([target, 200, ""]);
      const post = await served.ask(target, { method: "POST" });
      expect([target, post.status]).toEqual([target, 405]);
      expect(post.headers.allow).toContain("GET");
    }
    expect((await served.ask("/nothing")).status).toBe(404);
    expect((await served.ask("/verifyx")).status).toBe(404);
  });

  it("one generation everywhere", async () => {
    const { generation } = (await served.ask("/readyz")).json;
    expect((await served.ask("/status")).json["generation"]).toBe(generation);
    const verdict = await served.as(alice.token, "/verify");
    expect(verdict.headers["x-keys-generation"]).toBe(generation);
    expect((await served.ask("/metrics")).body).toContain(`generation="${String(generation)}"`);
  });

  it("/metrics counts verdicts, keys and loads, without a token, digest or path", async () => {
    await served.as(alice.token, "/verify/a-path-of-a-client");
    await served.as("a-token-that-nobody-has", "/verify");
    const { body, headers } = await served.ask("/metrics");
    expect(headers["content-type"]).toMatch(/^application\/openmetrics-text/);
    expect(body.endsWith("# EOF\n")).toBe(true);
    for (const line of [
      /^keys_verify_total\{verdict="ok"\} [1-9]/m,
      /^keys_verify_total\{verdict="invalid_token"\} [1-9]/m,
      /^keys_verify_duration_seconds_bucket\{le="\+Inf"\} [1-9]/m,
      /^keys_verify_duration_seconds_count [1-9]/m,
      /^keys_keystore_keys\{state="live"\} 2/m,
      /^keys_keystore_loads_total\{result="[a-z]+"\} /m,
      /^keys_keystore_info\{generation="[0-9a-f]{16}"\} 1/m,
      /^keys_last_used_dropped_total 0/m,
    ]) {
      expect(body).toMatch(line);
    }
    expect(body).not.toMatch(/[0-9a-f]{64}|a-path-of-a-client|a-token-that/);
    expect(body).not.toContain(alice.fingerprint);
  });

  it("a bad file keeps the last good one, and /readyz says degraded, with 200", async () => {
    const before = served.read();
    const { generation } = (await served.ask("/readyz")).json;
    served.write("api_keys:\n  x: y\n");
    await expect
      .poll(async () => (await served.ask("/readyz")).json["degraded"], { timeout: 10_000 })
      .not.toEqual([]);
    expect((await served.ask("/readyz")).json).toMatchObject({ ready: true, generation });
    expect((await served.as(alice.token, "/verify")).status).toBe(200);
    served.write(before);
    await expect
      .poll(async () => (await served.ask("/readyz")).json["degraded"], { timeout: 10_000 })
      .toEqual([]);
  });

  it("the log: a JSON line a request, of an unknown token the start of its digest alone", async () => {
    await served.as("another-token-that-nobody-has", "/verify");
    const line = (): Record<string, unknown> | undefined =>
      served
        .said()
        .split("\n")
        .filter((text) => text.startsWith("{") && text.includes("invalid_token"))
        .map((text) => JSON.parse(text) as Record<string, unknown>)
        .at(-1);
    await eventually(line).toBeDefined();
    expect(Object.keys(line() ?? {})).toEqual(
      expect.arrayContaining([
        ...["ts", "verdict", "reason", "id", "fingerprint", "remote", "ms", "request_id"],
      ]),
    );
    expect(line()?.["fingerprint"]).toMatch(/^[0-9a-f]{12}$/);
    expect(served.said()).not.toContain("another-token-that-nobody-has");
  });
});

describe("limits", () => {
  it("413: a body over 64 KiB, announced or grown", async () => {
    const headers = { "content-type": "application/json" };
    const target = "/api/v1/api-keys/validate";
    const body = JSON.stringify({ apiKey: "x".repeat(66_000) });
    expect((await served.ask(target, { method: "POST", headers, body })).status).toBe(413);
    const growing = request(new URL(target, served.url()), { method: "POST", headers });
    growing.on("error", () => undefined);
    const answered = once(growing, "response") as Promise<[IncomingMessage]>;
    for (let count = 0; count < 9; count += 1) growing.write("x".repeat(8192));
    const [answer] = await answered;
    expect(answer.statusCode).toBe(413);
    answer.resume();
    growing.destroy();
  });

  it("414: a target over 8 KiB", async () => {
    expect((await served.ask(`/verify/${"x".repeat(8100)}`)).status).toBe(401);
    expect((await served.ask(`/verify/${"x".repeat(8300)}`)).status).toBe(414);
  });

  it("431: header lines over 16 KiB", async () => {
    const cookie = (size: number): { headers: Record<string, string> } => ({
      headers: { cookie: "x".repeat(size), "x-api-key": alice.token },
    });
    expect((await served.ask("/verify", cookie(15_000))).status).toBe(200);
    expect((await served.ask("/verify", cookie(17_000))).status).toBe(431);
  });

  it("408: header lines that take longer than 5 seconds", async () => {
    const raw = await openRaw(served.port());
    raw.socket.write("GET /verify HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    await eventually(raw.closed).toBe(true);
    expect(statusesOf(raw.text())).toEqual([408]);
  });

  it("400 without a challenge: what the parser refuses", async () => {
    for (const octets of [
      "GET /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "GET /verify HTTP/1.1\r\nHost: x\r\nX-API-Key: a\r\n b\r\n\r\n",
      "GET /verify HTTP/1.1\r\nHost: x\rX-API-Key: a\r\n\r\n",
      "nonsense\r\n\r\n",
    ]) {
      const raw = await openRaw(served.port());
      raw.socket.write(octets);
      await eventually(raw.closed).toBe(true);
      expect([octets, ...statusesOf(raw.text())]).toEqual([octets, 400]);
      expect(raw.text().toLowerCase()).not.toContain("www-authenticate");
    }
  });
});

describe("keys revoke --wait, with real servers", () => {
  const workers = serve(keystore([alice, bob]), {}, "--workers", "2");

  it("knows when every worker refuses the key", async () => {
    const cwd = temporaryDirectory();
    const args = ["revoke", alice.fingerprint, "--yes", "--json", "--file", workers.file()];
    const { exitCode, stdout, stderr } = await runKeys([...args, "--wait", workers.url()], { cwd });
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      changed: [{ id: "alice", state: "revoked" }],
      waited: [{ url: workers.url(), state: "current", workers: 2, workers_current: 2 }],
    });
    for (let count = 0; count < 20; count += 1) {
      expect((await workers.as(alice.token, "/verify")).status).toBe(401);
    }
  });

  it("names a server that has another file", async () => {
    const args = ["revoke", bob.fingerprint, "--yes", "--json", "--file", workers.file()];
    const wait = ["--wait", workers.url(), served.url(), "--timeout", "6s"];
    const { exitCode, stdout, stderr } = await runKeys([...args, ...wait], {
      cwd: temporaryDirectory(),
    });
    expect(exitCode).toBe(1);
    const { waited } = JSON.parse(stdout) as { waited: { state: string }[] };
    expect(waited.map(({ state }) => state)).toEqual(["current", "behind"]);
    expect(stderr).toContain(`${served.url()} (`);
  });
});
