import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { temporaryDirectory } from "../helpers/keystores.js";
import { describeWith, runs } from "../helpers/requires.js";

const openssl = {
  needs: "openssl",
  why: "makes a certificate that nobody trusts",
  available: runs("openssl", "version"),
};

describeWith(openssl, "keys push over TLS", () => {
  it("sends the admin token to nobody whose certificate is not trusted", async () => {
    const cwd = temporaryDirectory();
    const [cert, key] = [path.join(cwd, "cert.pem"), path.join(cwd, "key.pem")];
    const subject = ["-subj", "/CN=keys", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const files = ["-keyout", key, "-out", cert];
    execFileSync("openssl", [...made, ...subject, ...files], { stdio: "ignore" });
    const seen: (string | undefined)[] = [];
    const options = { cert: readFileSync(cert), key: readFileSync(key) };
    const server = createServer(options, (request, response) => {
      seen.push(request.headers.authorization);
      response.end('{"keys":[]}');
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    writeFileSync(path.join(cwd, "keys.yaml"), "api_keys: {}\n", { mode: 0o600 });
    const url = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const push = (env: Readonly<Record<string, string>>): ReturnType<typeof runKeys> =>
      runKeys(["push", url, "--json", "--dry-run"], { cwd, env, input: "an-admin-token" });

    const refused = await push({});
    expect(refused.exitCode).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "peer-unreachable" } });
    expect(refused.stdout).toContain("NODE_EXTRA_CA_CERTS");
    expect(seen).toEqual([]);

    const trusted = await push({ NODE_EXTRA_CA_CERTS: cert });
    expect(trusted.exitCode, trusted.stderr).toBe(0);
    expect(seen).toEqual(["Bearer an-admin-token"]);
  });
});
