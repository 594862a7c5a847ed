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

/** An HTTPS server with a certificate that nobody trusts. */
async function untrustedServer(
  cwd: string,
  answer: (authorization: string | undefined) => string,
): Promise<{ readonly url: string; readonly cert: string }> {
  const [cert, key] = [path.join(cwd, "cert.pem"), path.join(cwd, "key.pem")];
  const subject = ["-subj", "/CN=keys", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const files = ["-keyout", key, "-out", cert];
  execFileSync("openssl", [...made, ...subject, ...files], { stdio: "ignore" });
  const options = { cert: readFileSync(cert), key: readFileSync(key) };
  const server = createServer(options, (request, response) => {
    response.end(answer(request.headers.authorization));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`, cert };
}

describeWith(openssl, "a server whose certificate is not trusted", () => {
  it("gets no admin token from keys push", async () => {
    const cwd = temporaryDirectory();
    const seen: (string | undefined)[] = [];
    const { url, cert } = await untrustedServer(cwd, (authorization) => {
      seen.push(authorization);
      return '{"keys":[]}';
    });
    writeFileSync(path.join(cwd, "keys.yaml"), "api_keys: {}\n", { mode: 0o600 });
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

  it("is not waited for by keys revoke --wait: it never will be", async () => {
    const cwd = temporaryDirectory();
    const { url } = await untrustedServer(cwd, () => "{}");
    await runKeys(["create", "--id", "alice"], { cwd });
    // Longer than this test may take.
    const args = ["revoke", "--id", "alice", "--yes", "--wait", url, "--timeout", "1h"];
    const { exitCode, stdout, stderr } = await runKeys([...args, "--json"], { cwd });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      changed: [{ state: "revoked" }],
      waited: [{ url, state: "unreachable" }],
    });
    expect(stderr).toContain("its certificate is not trusted here");
    expect(stderr).toContain("NODE_EXTRA_CA_CERTS");
  });
});
