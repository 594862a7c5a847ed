import { describe, expect, it } from "vitest";
import { keystoreFile, keystoreText } from "./files.js";
import { startServe } from "./served.js";
import { ask } from "./sockets.js";

const GOOD = keystoreText({ a: "alice" });
const METADATA = "/.well-known/oauth-authorization-server";

async function metadata(url: string): Promise<[number | undefined, unknown]> {
  const { status, body } = await ask(`${url}${METADATA}`, {
    headers: { host: "evil.example.com" },
  });
  return [status, (JSON.parse(body) as { issuer?: unknown }).issuer];
}

describe.each([1, 2])("discovery, %i worker(s)", (workers) => {
  const args = ["--workers", String(workers)];

  it("names the issuer that it was given, else the address it listens on", async () => {
    const path = await keystoreFile(GOOD);
    const named = await startServe(path, [...args, "--issuer", "https://keys.example.com/a"]);
    expect(await metadata(named.url)).toEqual([200, "https://keys.example.com/a"]);
    const plain = await startServe(path, args);
    expect(await metadata(plain.url)).toEqual([200, plain.url]);
    expect(plain.said()).not.toContain("in the clear");
  });

  it("names none on a wildcard host, where the start warns of a network without TLS", async () => {
    const path = await keystoreFile(GOOD);
    const served = await startServe(path, [...args, "--host", "0.0.0.0"]);
    const { port } = new URL(served.url);
    expect(await metadata(`http://127.0.0.1:${port}`)).toEqual([404, undefined]);
    expect(served.said()).toContain("in the clear");
    const issuer = ["--issuer", "https://keys.example.com"];
    const named = await startServe(path, [...args, "--host", "0.0.0.0", ...issuer]);
    const at = new URL(named.url).port;
    expect(await metadata(`http://127.0.0.1:${at}`)).toEqual([200, "https://keys.example.com"]);
  });
});
