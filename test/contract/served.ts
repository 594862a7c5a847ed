import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { startKeys, type RunningKeys } from "../helpers/bin.js";
import { mintToken } from "../helpers/keystores.js";
import { disagreements } from "./openapi.js";

/** An answer over a real socket. */
export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** The body, where it is JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** What to send; header lines as a list of names and values may repeat a name. */
export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>> | readonly string[];
  readonly body?: string;
}

/** `keys serve` as it is shipped, over a keystore of its own. */
export interface Served {
  readonly url: () => string;
  readonly port: () => number;
  /** The keystore's path. */
  readonly file: () => string;
  readonly read: () => string;
  readonly write: (text: string) => void;
  readonly keys: () => RunningKeys;
  /** Everything the server has said. */
  readonly said: () => string;
  /** Asks, and holds the answer against docs/openapi.yaml. */
  readonly ask: (target: string, sent?: Sent) => Promise<Got>;
  /** {@link ask} with a Bearer token. */
  readonly as: (token: string, target: string, sent?: Sent) => Promise<Got>;
}

export const sha256 = (text: string | Uint8Array): string =>
  createHash("sha256").update(text).digest("hex");

/** A keystore's entry. */
export interface Key {
  readonly token: string;
  readonly digest: string;
  readonly fingerprint: string;
  readonly yaml: string;
}

/** A key of a contributor; more fields as they stand in YAML. */
export function key(id: string, fields: Readonly<Record<string, string>> = {}): Key {
  const token = mintToken();
  const digest = sha256(token);
  const lines = Object.entries({ id, ...fields }).map(
    ([name, value]) => `    ${name}: ${JSON.stringify(value)}`,
  );
  return {
    token,
    digest,
    fingerprint: digest.slice(0, 12),
    yaml: [`  "${digest}":`, ...lines, ""].join("\n"),
  };
}

/** A keystore of live and retired keys, with lines of its own in front. */
export function keystore(live: readonly Key[], retired: readonly Key[] = [], head = ""): string {
  const block = (name: string, keys: readonly Key[]): string =>
    keys.length === 0 ? `${name}: {}\n` : `${name}:\n${keys.map(({ yaml }) => yaml).join("")}`;
  return `${head}${block("api_keys", live)}${block("retired_api_keys", retired)}`;
}

/** The fields of a retired key. */
export function retiredAs(state: string): Readonly<Record<string, string>> {
  return { state, retired_at: "2026-01-01T00:00:00Z" };
}

/**
 * Serves a keystore for the tests of a file or a `describe`: with more options, and with files
 * beside the keystore, which `DIR/name` names among the options.
 */
export function serve(
  text: string,
  { files = {} }: { readonly files?: Readonly<Record<string, string>> } = {},
  ...args: readonly string[]
): Served {
  let directory = "";
  let keys: RunningKeys | undefined;
  let said = "";
  let url = "";
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "keyhold-contract-"));
    writeFileSync(join(directory, "keys.yaml"), text, { mode: 0o600 });
    for (const [name, body] of Object.entries(files)) {
      writeFileSync(join(directory, name), body, { mode: 0o600 });
    }
    keys = startKeys(
      ["serve", "--port", "0", ...args.map((arg) => arg.replace("DIR", directory))],
      {
        cwd: directory,
        timeoutMs: 300_000,
      },
    );
    // Its end is waited for in afterAll; until then nothing may be thrown.
    keys.ended.catch(() => undefined);
    await new Promise<void>((resolve, reject) => {
      keys?.stderr?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        url ||= / at (http:\S+)/.exec(said)?.[1] ?? "";
        if (url !== "") resolve();
      });
      keys?.stderr?.on("end", () => {
        reject(new Error(`the server did not start: ${said}`));
      });
    });
  });
  afterAll(async () => {
    keys?.kill("SIGKILL");
    await keys?.ended.catch(() => undefined);
    rmSync(directory, { recursive: true, force: true });
  });
  const file = (): string => join(directory, "keys.yaml");

  async function ask(target: string, sent: Sent = {}): Promise<Got> {
    const { method = "GET", headers = {}, body } = sent;
    // Lines given as a list are sent as they are; Node adds none to them.
    const lines = Array.isArray(headers)
      ? ["Host", "127.0.0.1", ...(headers as readonly string[])]
      : headers;
    const outgoing = request(new URL(url), {
      method,
      path: target,
      headers: lines,
      agent: false,
    });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    let received = "";
    for await (const chunk of incoming as AsyncIterable<Buffer>) received += chunk.toString();
    const { statusCode: status = 0, headers: answered, rawHeaders } = incoming;
    const exchange = { method, target, status, headers: answered, body: received };
    expect(disagreements(exchange)).toEqual([]);
    const isJson = /json/.test(answered["content-type"] ?? "") && received !== "";
    const json = (isJson ? JSON.parse(received) : {}) as Got["json"];
    return { status, headers: answered, rawHeaders, body: received, json };
  }

  return {
    url: () => url,
    port: () => Number(new URL(url).port),
    file,
    read: () => readFileSync(file(), "utf8"),
    write: (more) => {
      writeFileSync(file(), more);
    },
    keys: () => {
      if (keys === undefined) throw new Error("not started");
      return keys;
    },
    said: () => said,
    ask,
    as: (token, target, sent = {}) =>
      ask(target, {
        ...sent,
        headers: { authorization: `Bearer ${token}`, ...(sent.headers as Record<string, string>) },
      }),
  };
}
