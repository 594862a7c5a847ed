import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, statSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { describeWith, runs } from "../helpers/requires.js";
import { eventually } from "./eventually.js";
import { keystoreFile, keystoreText, temporaryDirectory } from "./files.js";
import { childrenOf } from "./processes.js";
import { startServe } from "./served.js";
import { ask } from "./sockets.js";

const TOKEN = "a-token-that-only-the-tests-of-sockets-use";
const GOOD = keystoreText({ [TOKEN]: "alice" });

function askSocket(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { socketPath: path, path: "/verify", headers: { "x-api-key": TOKEN } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

describe.each([1, 2])("a unix socket, %i worker(s)", (workers) => {
  const args = ["--workers", String(workers)];

  it("is for its owner and group, and goes with the server", async () => {
    const socket = join(await temporaryDirectory(), "verify.sock");
    const served = await startServe(await keystoreFile(GOOD), ["--socket", socket, ...args]);
    expect(served.url).toBe(`unix:${socket}`);
    expect((statSync(socket).mode & 0o777).toString(8)).toBe("660");
    expect(await askSocket(socket)).toBe(200);
    served.kill("SIGTERM");
    expect((await served.ended).exitCode).toBe(0);
    expect(existsSync(socket)).toBe(false);
  });

  it("replaces what a dead server left, and refuses to take a live one's place", async () => {
    const path = await keystoreFile(GOOD);
    const socket = join(await temporaryDirectory(), "verify.sock");
    const first = await startServe(path, ["--socket", socket, ...args]);
    first.kill("SIGKILL");
    await first.ended;
    expect(existsSync(socket)).toBe(true);
    // Workers that outlive their primary for an instant hold no socket.
    const second = await startServe(path, ["--socket", socket, ...args]);
    expect(await askSocket(socket)).toBe(200);
    const cwd = await temporaryDirectory();
    const third = await runKeys(["serve", "--file", path, "--socket", socket, ...args], { cwd });
    expect(third.exitCode).toBe(1);
    expect(third.stderr).toContain(socket);
    expect(await askSocket(socket)).toBe(200);
    await writeFile(join(cwd, "file"), "");
    const fourth = await runKeys(["serve", "--file", path, "--socket", "file"], { cwd });
    expect(fourth.exitCode).toBe(1);
    expect(existsSync(join(cwd, "file"))).toBe(true);
    second.kill("SIGTERM");
    await second.ended;
  });
});

const openssl = {
  needs: "openssl",
  why: "makes certificates",
  available: runs("openssl", "version"),
};

type Peer = Pick<TLSSocket, "getPeerCertificate">;

describeWith(openssl, "TLS", () => {
  function certificate(directory: string, name: string): { cert: string; key: string } {
    const [cert, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
    const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    const to = ["-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", `/CN=${name}`];
    execFileSync("openssl", [...args, ...to], { stdio: "ignore" });
    return { cert, key };
  }

  /** The status, and the name of the certificate that was shown. */
  async function askTls(url: string, path = "/verify"): Promise<[number, string, string]> {
    const outgoing = httpsGet(`${url}${path}`, {
      rejectUnauthorized: false,
      headers: { "x-api-key": TOKEN },
      agent: false,
    });
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    const socket: unknown = response.socket;
    const name = (socket as Peer).getPeerCertificate().subject.CN;
    let body = "";
    for await (const chunk of response as AsyncIterable<Buffer>) body += chunk.toString();
    return [response.statusCode ?? 0, String(name), body];
  }

  it.each([1, 2])("takes a new certificate without a restart, and no bad one (%i)", async (n) => {
    const directory = await temporaryDirectory();
    const [one, two] = [certificate(directory, "one"), certificate(directory, "two")];
    const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    copyFileSync(one.cert, cert);
    copyFileSync(one.key, key);
    const args = ["--tls-cert", cert, "--tls-key", key, "--workers", String(n)];
    const { url, said } = await startServe(await keystoreFile(GOOD), args);
    expect(url).toMatch(/^https:/);
    expect((await askTls(url)).slice(0, 2)).toEqual([200, "one"]);
    copyFileSync(two.key, key);
    await eventually(said).toContain("tls-refused");
    expect((await askTls(url)).slice(0, 2)).toEqual([200, "one"]);
    await eventually(async () => (await askTls(url, "/readyz"))[2]).toContain("tls-invalid");
    copyFileSync(two.cert, `${cert}.new`);
    await rename(`${cert}.new`, cert);
    await eventually(async () => (await askTls(url))[1]).toBe("two");
    await eventually(async () => (await askTls(url, "/readyz"))[2]).toContain('"degraded":[]');
    expect(said()).toContain("tls-loaded");
    // Plain HTTP gets nothing through, and harms nobody.
    const { port } = new URL(url);
    const plain = connect(Number(port), "127.0.0.1");
    plain.on("error", () => undefined);
    plain.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(plain, "close");
    expect((await askTls(url))[0]).toBe(200);
  });

  it("ends with the last of many pairs in every worker, one that died meanwhile too", async () => {
    const directory = await temporaryDirectory();
    const pairs = ["one", "two", "three"].map((name) => certificate(directory, name));
    const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    const [first] = pairs;
    copyFileSync(first?.cert ?? "", cert);
    copyFileSync(first?.key ?? "", key);
    const args = ["--tls-cert", cert, "--tls-key", key, "--workers", "2"];
    const served = await startServe(await keystoreFile(GOOD), args);
    const { url, said } = served;
    const workers = (): number[] => childrenOf(served.pid);
    const [victim = 0] = workers();
    // Some rounds stand still for long enough to be read, whole or between the two files.
    for (const [round, pause] of [0, 20, 600, 0, 150, 450, 0, 10, 300, 0, 600].entries()) {
      const next = pairs[round % pairs.length];
      copyFileSync(next?.cert ?? "", `${cert}.new`);
      await rename(`${cert}.new`, cert);
      await delay(pause);
      copyFileSync(next?.key ?? "", key);
      await delay(pause);
      if (round === 4) process.kill(victim, "SIGKILL");
    }
    copyFileSync(pairs[2]?.key ?? "", key);
    copyFileSync(pairs[2]?.cert ?? "", cert);
    await eventually(workers).toHaveLength(2);
    await eventually(async () => (await askTls(url, "/readyz"))[2]).toContain('"degraded":[]');
    await eventually(async () => (await askTls(url))[1]).toBe("three");
    for (const worker of workers()) {
      // It alone takes connections while the other stands still.
      const others = workers().filter((pid) => pid !== worker);
      for (const pid of others) process.kill(pid, "SIGSTOP");
      expect((await askTls(url, "/healthz")).slice(0, 2)).toEqual([200, "three"]);
      for (const pid of others) process.kill(pid, "SIGCONT");
    }
    expect(said().split("worker-died")).toHaveLength(2);
  });

  it("does not start where certificate and key don't belong together", async () => {
    const directory = await temporaryDirectory();
    const [one, two] = [certificate(directory, "one"), certificate(directory, "two")];
    const path = await keystoreFile(GOOD);
    for (const [cert, key] of [
      [one.cert, two.key],
      [one.key, one.key],
      [join(directory, "none"), one.key],
      [one.cert, directory],
    ] as const) {
      const args = ["serve", "--file", path, "--tls-cert", cert, "--tls-key", key, "--check"];
      const ran = await runKeys([...args, "--json"], { cwd: directory });
      expect(ran.exitCode, `${cert} ${key}`).toBe(1);
      expect(ran.stdout).toContain('"tls-invalid"');
    }
    const args = ["--tls-cert", one.cert, "--tls-key", one.key, "--check"];
    expect((await runKeys(["serve", "--file", path, ...args], { cwd: directory })).exitCode).toBe(
      0,
    );
  });
});

describe("a stop", () => {
  it("is shortened by a second signal", async () => {
    const served = await startServe(await keystoreFile(GOOD));
    const { port } = new URL(served.url);
    // A request that never ends its header lines is in flight until its time-out.
    const slow = connect(Number(port), "127.0.0.1");
    slow.on("error", () => undefined);
    slow.write("POST /introspect HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
    await ask(`${served.url}/healthz`);
    served.kill("SIGTERM");
    await eventually(served.said).toContain("stopping");
    served.kill("SIGTERM");
    expect((await served.ended).exitCode).toBe(0);
    slow.destroy();
  });
});

describe("--sweep", () => {
  it.each([1, 2])("retires a key in the file when it expires (%i worker(s))", async (workers) => {
    const soon = new Date(Date.now() + 4000).toISOString();
    const path = await keystoreFile(
      `${GOOD}${keystoreText({ other: "bob" }, [`expires_at: "${soon}"`]).replace("api_keys:\n", "")}`,
    );
    const served = await startServe(path, ["--sweep", "--workers", String(workers)]);
    const { url } = served;
    await eventually(
      async () =>
        (await runKeys(["list", "--state", "retired", "--json", "--file", path], { cwd: "/" }))
          .stdout,
    ).toContain('"expired"');
    const other = await ask(`${url}/verify`, { headers: { "x-api-key": "other" } });
    expect(other.status).toBe(401);
    expect((await ask(`${url}/verify`, { headers: { "x-api-key": TOKEN } })).status).toBe(200);
    served.kill("SIGTERM");
    await served.ended;
  });
});
