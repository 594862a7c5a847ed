import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { serve, type ServeOptions } from "../../src/cli/commands/serve.js";
import { openContext, type GlobalOptions } from "../../src/cli/context.js";
import type { Io, Output, SignalName } from "../../src/cli/io.js";
import { generationOf } from "../../src/core/generation.js";
import { isKeysError } from "../../src/errors.js";
import type { Diagnostic } from "../../src/file/diagnostic.js";
import { KeystoreInvalidError } from "../../src/file/keystore-invalid.js";
import { keystoreFile, keystoreText, temporaryDirectory } from "./files.js";
import { entryOf, keystoreOf, NOW } from "./requests.js";
import { ask } from "./sockets.js";
import { eventually } from "./eventually.js";

const SECRET = "a-token-that-must-not-be-seen";
const good = keystoreText({ "token-a": "alice" });

interface Ran {
  /** Its exit status, or the code it threw. */
  readonly ended: Promise<number | string>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** What was found wrong with the file, where it was refused for that. */
  readonly problems: () => string[];
  readonly signal: (name: SignalName) => void;
  /** The URL it serves at, once it does. */
  readonly url: () => Promise<string>;
}

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly globals?: Partial<GlobalOptions>;
}

/** Runs the command in this process, with streams, signals and environment of the test's own. */
function run(path: string, options: ServeOptions, given: Given = {}): Ran {
  const listeners = new Set<(name: SignalName) => void>();
  const streams = { stdout: "", stderr: "" };
  const output = (name: keyof typeof streams): Output => ({
    isTTY: false,
    columns: () => undefined,
    write: (text) => {
      streams[name] += text;
      return Promise.resolve();
    },
    flush: () => Promise.resolve(),
    isNullDevice: () => Promise.resolve(false),
  });
  const unused = (): never => {
    throw new Error("not for this command");
  };
  const io: Io = {
    stdin: { isTTY: false, read: unused },
    stdout: output("stdout"),
    stderr: output("stderr"),
    env: given.env ?? {},
    cwd: dirname(path),
    now: () => NOW,
    userName: unused,
    randomBytes: unused,
    onSignal: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    terminal: unused,
  };
  const globals: GlobalOptions = {
    file: path,
    json: false,
    input: false,
    yes: false,
    dryRun: false,
    quiet: false,
    color: false,
    tokenStdin: false,
    tokenFile: undefined,
    ...given.globals,
  };
  const { context, close } = openContext(io, globals);
  let problems: readonly Diagnostic[] = [];
  const ended = serve(context, { port: "0", ...options })
    .catch((error: unknown) => {
      if (error instanceof KeystoreInvalidError) problems = error.diagnostics;
      if (isKeysError(error)) return error.code;
      throw error;
    })
    .finally(close);
  const signal = (name: SignalName): void => {
    for (const listener of listeners) listener(name);
  };
  onTestFinished(async () => {
    signal("SIGTERM");
    await ended;
  });
  return {
    ended,
    stdout: () => streams.stdout,
    stderr: () => streams.stderr,
    problems: () => problems.map(({ code }) => code),
    signal,
    url: async () => {
      const find = (): string | undefined => /http:\S+/.exec(streams.stderr)?.[0];
      await eventually(find).toBeDefined();
      return find() ?? "";
    },
  };
}

async function statusOf(url: string, token: string): Promise<number | undefined> {
  return (await ask(`${url}/verify`, { headers: { authorization: `Bearer ${token}` } })).status;
}

describe("keys serve", () => {
  it("says where it serves, lets the right ones in, and ends with 0 at SIGTERM", async () => {
    const ran = run(await keystoreFile(good), {});
    const url = await ran.url();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(await statusOf(url, "token-a")).toBe(200);
    expect(await statusOf(url, SECRET)).toBe(401);
    ran.signal("SIGTERM");
    expect(await ran.ended).toBe(0);
    expect(ran.stdout()).toBe("");
    expect(ran.stderr()).not.toContain(SECRET);
    await expect(ask(`${url}/healthz`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("refuses a file that is not wholly valid, with every problem", async () => {
    const ran = run(await keystoreFile(`${good}  "short":\n    idd: x\n`), {});
    expect(await ran.ended).toBe("keystore-invalid");
    expect(ran.problems()).toEqual(["digest-not-hex", "id-missing", "unknown-field"]);
  });

  it("refuses an empty one, but for --allow-empty or KEYS_ALLOW_EMPTY", async () => {
    const path = await keystoreFile("api_keys: {}\n");
    expect(await run(path, {}).ended).toBe("keystore-invalid");
    const off = run(path, {}, { env: { KEYS_ALLOW_EMPTY: "0" } });
    expect(await off.ended).toBe("keystore-invalid");
    for (const allowed of [
      run(path, { allowEmpty: true }),
      run(path, {}, { env: { KEYS_ALLOW_EMPTY: "1" } }),
    ]) {
      const url = await allowed.url();
      expect(allowed.stderr()).toContain("empty");
      expect(await statusOf(url, "token-a")).toBe(401);
      expect(JSON.parse((await ask(`${url}/readyz`)).body)).toMatchObject({
        degraded: ["empty-keystore"],
      });
    }
  });

  it("tells a missing file from one that can't be read", async () => {
    const directory = await temporaryDirectory();
    expect(await run(join(directory, "none.yaml"), {}).ended).toBe("file-not-found");
    await mkdir(join(directory, "keys.yaml"));
    expect(await run(join(directory, "keys.yaml"), {}).ended).toBe("keystore-invalid");
  });

  it("never takes another port than the one named", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void busy.close());
    await eventually(() => busy.address()).not.toBeNull();
    const { port } = busy.address() as { port: number };
    const path = await keystoreFile(good);
    expect(await run(path, { port: String(port) }).ended).toBe("listen-failed");
    const env = { KEYS_PORT: String(port) };
    expect(await run(path, { port: "0" }, { env }).url()).not.toContain(`:${port}`);
  });

  it.each(["-1", "65536", "80a", "", "1e3", " 80"])("takes %j for no port", async (port) => {
    expect(await run(await keystoreFile(good), { port }).ended).toBe("value-invalid");
  });

  it("warns where other machines can reach it", async () => {
    const path = await keystoreFile(good);
    const wide = run(path, {}, { env: { KEYS_HOST: "0.0.0.0" } });
    await wide.url();
    expect(wide.stderr()).toMatch(/warning:.*without TLS/);
    const narrow = run(path, { host: "127.0.0.2" });
    await narrow.url();
    expect(narrow.stderr()).not.toContain("warning");
  });

  it("--check starts nothing and ends as the start would", async () => {
    const path = await keystoreFile(good);
    const ran = run(path, { check: true }, { globals: { json: true } });
    expect(await ran.ended).toBe(0);
    expect(ran.stderr()).not.toContain("http:");
    const generation = generationOf(keystoreOf(entryOf("token-a", { id: "alice" })));
    expect(JSON.parse(ran.stdout())).toEqual({ file: path, url: null, generation, keys: 1 });
    const empty = await keystoreFile("api_keys: {}\n");
    expect(await run(empty, { check: true }).ended).toBe("keystore-invalid");
  });

  it("--json says where it serves, for scripts", async () => {
    const ran = run(await keystoreFile(good), {}, { globals: { json: true } });
    const url = await ran.url();
    await eventually(ran.stdout).not.toBe("");
    expect(JSON.parse(ran.stdout())).toMatchObject({ url, keys: 1 });
  });

  it("--quiet logs no request, but a refused keystore", async () => {
    const path = await keystoreFile(good);
    const ran = run(path, {}, { globals: { json: true, quiet: true } });
    await eventually(ran.stdout).not.toBe("");
    const { url } = JSON.parse(ran.stdout()) as { url: string };
    expect(await statusOf(url, "token-a")).toBe(200);
    await writeFile(path, "api_keys: [\n");
    await eventually(ran.stderr).toContain("keystore-refused");
    expect(ran.stderr().trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("a trusted proxy", () => {
  it.each(["10.0.0.0/33", "proxy.example", "1"])("is not %s", async (text) => {
    const path = await keystoreFile(keystoreText({ "token-a": "alice" }));
    expect(await run(path, { trustedProxy: [text] }).ended).toBe("value-invalid");
  });
});

describe("a keystore that changes while it is served", () => {
  it("takes the only key away within a second, and gives it back", async () => {
    const path = await keystoreFile(good);
    const ran = run(path, {});
    const url = await ran.url();
    expect(await statusOf(url, "token-a")).toBe(200);
    const begun = performance.now();
    await writeFile(`${path}.new`, "api_keys: {}\n");
    await rename(`${path}.new`, path);
    await eventually(() => statusOf(url, "token-a")).toBe(401);
    expect(performance.now() - begun).toBeLessThan(1000);
    const ready = await ask(`${url}/readyz`);
    expect(JSON.parse(ready.body)).toMatchObject({ ready: true, degraded: ["empty-keystore"] });
    expect(ran.stderr()).toContain("keystore-emptied");
    await writeFile(path, good);
    await eventually(() => statusOf(url, "token-a")).toBe(200);
  });

  it("stays as it was, loudly and once, where the file turns bad or goes", async () => {
    const path = await keystoreFile(good);
    const ran = run(path, {});
    const url = await ran.url();
    await writeFile(path, `${good}  "${SECRET}":\n    id: bob\n`);
    await eventually(ran.stderr).toContain("keystore-refused");
    expect(ran.stderr()).toContain("digest-looks-like-token");
    expect(await statusOf(url, "token-a")).toBe(200);
    expect((await ask(`${url}/readyz`)).body).toContain("keystore-invalid");
    await rm(path);
    await eventually(async () => (await ask(`${url}/readyz`)).body).toContain("keystore-missing");
    expect(await statusOf(url, "token-a")).toBe(200);
    await writeFile(path, good);
    await eventually(async () => (await ask(`${url}/readyz`)).body).toContain('"degraded":[]');
    expect(ran.stderr().match(/keystore-refused/g)).toHaveLength(2);
    expect(ran.stderr()).not.toContain(SECRET);
  });

  it("is not read again, once served, while it stays as it is", async () => {
    const ran = run(await keystoreFile(good), {});
    await ran.url();
    await delay(600);
    expect(ran.stderr()).not.toContain('"event"');
  });

  it("has a new generation in every success", async () => {
    const path = await keystoreFile(good);
    const url = await run(path, {}).url();
    const generation = async (): Promise<unknown> =>
      (await ask(`${url}/verify`, { headers: { "x-api-key": "token-a" } })).headers[
        "x-keys-generation"
      ];
    const first = await generation();
    await writeFile(path, keystoreText({ "token-a": "alice", "token-b": "bob" }));
    await eventually(generation).not.toBe(first);
    expect(await statusOf(url, "token-b")).toBe(200);
  });

  it("is read again at SIGHUP, which ends nothing", async () => {
    const path = await keystoreFile(good);
    const ran = run(path, {});
    const url = await ran.url();
    ran.signal("SIGHUP");
    await eventually(ran.stderr).toContain("keystore-loaded");
    expect(await statusOf(url, "token-a")).toBe(200);
  });

  it("has its rate limits enforced", async () => {
    const path = await keystoreFile(keystoreText({ "token-a": "alice" }, ['rate_limit: "2/1h"']));
    const ran = run(path, {});
    const url = `${await ran.url()}/verify`;
    const headers = { "x-api-key": "token-a" };
    const answers = [];
    for (let n = 0; n < 3; n += 1) answers.push(await fetch(url, { headers }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[0]?.headers.get("ratelimit-policy")).toBe('"key";q=2;w=3600');
    expect(Number(answers[2]?.headers.get("retry-after"))).toBeGreaterThan(3500);
  });
});
