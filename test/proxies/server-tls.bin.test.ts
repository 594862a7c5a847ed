import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { describeWith, runs } from "../helpers/requires.js";
import { bearer, send, type Answered } from "./client.js";
import { makeKeys, type Keys } from "./keys.js";
import { CADDY, NGINX, openStage, type Program, type Stage } from "./proxy.js";
import { startUpstream, type Upstream } from "./upstream.js";

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

function openssl(cwd: string, ...args: readonly string[]): void {
  execFileSync("openssl", args, { cwd, stdio: "ignore" });
}

/** A CA of one's own, `NAME.pem`. */
function makeCa(cwd: string, name: string): void {
  const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
  openssl(cwd, "req", "-x509", ...EC, "-subj", `/CN=${name}`, ...files);
}

/** A certificate for `localhost`, signed by that CA: `server.pem` and `server.key`. */
function makeCertificate(cwd: string, ca: string): void {
  fs.writeFileSync(path.join(cwd, "san.txt"), "subjectAltName=DNS:localhost\n");
  openssl(cwd, "req", ...EC, "-subj", "/CN=a", "-keyout", "server.key", "-out", "server.csr");
  openssl(
    ...[cwd, "x509", "-req", "-in", "server.csr", "-CA", `${ca}.pem`, "-CAkey", `${ca}.key`],
    ...["-CAcreateserial", "-days", "2", "-extfile", "san.txt", "-out", "server.pem"],
  );
}

function overTls(program: Program): void {
  const { requirement } = program;
  const available = (): boolean => requirement.available() && runs("openssl", "version")();
  describeWith({ ...requirement, available }, `${program.name} and a server over TLS`, () => {
    let keys: Keys;
    let stage: Stage;
    let upstream: Upstream;
    let server = "";

    beforeAll(async () => {
      keys = makeKeys();
      stage = openStage(keys.text);
      upstream = await startUpstream();
      makeCa(stage.directory, "good");
      makeCa(stage.directory, "other");
      makeCertificate(stage.directory, "good");
      const files = ["--tls-cert", "server.pem", "--tls-key", "server.key"];
      const { url } = await stage.serve(...files);
      server = `https://localhost:${new URL(url).port}`;
    });
    afterAll(async () => {
      await stage.close();
      await upstream.close();
    });

    const ask = async (...options: readonly string[]): Promise<Answered> => {
      const asked = ["--server", server, "--upstream", upstream.url, ...options];
      const proxy = await stage.proxy(program, ...asked);
      const answer = await send(proxy.port, { lines: [bearer(keys.good)] });
      await proxy.stop();
      return answer;
    };

    it("takes a certificate of the CA that is named", async () => {
      const { status, seen } = await ask("--server-ca", "good.pem");
      expect(status).toBe(200);
      expect(seen.headers).toContainEqual(["x-auth-id", "good"]);
    });

    it.each([
      ["another CA", ["--server-ca", "other.pem"]],
      ["the system's roots", []],
    ])("lets nobody in by %s", async (_, options) => {
      const before = upstream.seen.length;
      const { status, headers, body } = await ask(...options);
      expect([status, headers["retry-after"]]).toEqual([503, "5"]);
      expect(JSON.parse(body)).toMatchObject({ error: "unavailable" });
      expect(upstream.seen.length).toBe(before);
    });

    it("lets nobody in by a certificate of another name", async () => {
      const given = server;
      server = server.replace("localhost", "127.0.0.1");
      expect((await ask("--server-ca", "good.pem")).status).toBe(503);
      server = given;
    });
  });
}

describe("a verify server over TLS", () => {
  overTls(NGINX);
  overTls(CADDY);
});

describe("--server-ca", () => {
  it.each([
    ["nginx", ["--server", "http://127.0.0.1:1", "--server-ca", "ca.pem"]],
    ["caddy", ["--server-ca", "ca.pem"]],
    ["envoy", ["--server", "unix:/a", "--server-ca", "ca.pem"]],
    ["haproxy", ["--server", "https://a", "--server-ca", "ca.pem"]],
    ["nginx", ["--server", "https://a", "--server-ca", "ca;pem"]],
    ["traefik", ["--server", "https://a", "--server-ca", ""]],
  ])("is exit 2 for %s with %s", async (proxy, options) => {
    expect((await runKeys(["config", proxy, ...options], { cwd: tmpdir() })).exitCode).toBe(2);
  });

  it.each(["nginx", "caddy", "traefik", "envoy"])("stands in %s's configuration", async (proxy) => {
    const options = ["--server", "https://a", "--server-ca", "/etc/keys/ca.pem"];
    const { exitCode, stdout } = await runKeys(["config", proxy, ...options], { cwd: tmpdir() });
    expect([exitCode, stdout.split("/etc/keys/ca.pem").length]).toEqual([0, 2]);
  });
});
