import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import type { Context } from "../../src/cli/context.js";
import { attributeOf, longOf } from "../../src/cli/option.js";
import { readServeSettings, type ServeSettings } from "../../src/cli/serve-settings.js";
import { formatToken } from "../../src/core/token.js";
import { isKeysError } from "../../src/errors.js";

type Given = Readonly<Record<string, string | readonly string[] | boolean>>;

function read(options: Given, env: Readonly<Record<string, string>> = {}): ServeSettings {
  const context = { io: { env, cwd: "/work" } } as unknown as Context;
  return readServeSettings(context, options);
}

function codeOf(options: Given, env: Readonly<Record<string, string>> = {}): [unknown, string] {
  try {
    read(options, env);
  } catch (error) {
    return isKeysError(error) ? [error.code, error.message] : [error, ""];
  }
  return [undefined, ""];
}

const TLS = { "tls-cert": "c", "tls-key": "k" };

/** Each setting: texts that are good, what they come to, and texts that are not. */
const SETTINGS: readonly {
  name: string;
  good: readonly [string, Partial<ServeSettings>][];
  bad: readonly string[];
  /** What has to be given besides. */
  with?: Readonly<Record<string, string>>;
}[] = [
  {
    name: "host",
    good: [["::1", { address: { host: "::1", port: 8787 } }]],
    bad: ["a b", "http://x", "a\u00e9"],
  },
  {
    name: "port",
    good: [["0", { address: { host: "127.0.0.1", port: 0 } }]],
    bad: ["x", "65536", "-1", "1e3"],
  },
  {
    name: "socket",
    good: [["s.sock", { address: { socket: "/work/s.sock" } }]],
    bad: ["a".repeat(120)],
  },
  {
    name: "tls-cert",
    good: [["c", { tls: { certPath: "/work/c", keyPath: "/work/k" } }]],
    bad: [],
    with: TLS,
  },
  {
    name: "tls-key",
    good: [["k", { tls: { certPath: "/work/c", keyPath: "/work/k" } }]],
    bad: [],
    with: TLS,
  },
  { name: "workers", good: [["4", { workers: 4 }]], bad: ["0", "257", "many", "1.5", "-2"] },
  {
    name: "rate-limit",
    good: [
      ["60/1m", { rateLimit: { requests: 60, windowMs: 60_000 } }],
      ["none", { rateLimit: "none" }],
    ],
    bad: ["60", "0/1m", "60/31d"],
  },
  {
    name: "realm",
    good: [["my keys", { realm: "my keys" }]],
    bad: ['a"b', "a\\b", "a\u0007", "caf\u00e9"],
  },
  {
    name: "issuer",
    good: [["https://keys.example.com/a", { issuer: "https://keys.example.com/a" }]],
    bad: ["keys", "https://x?y=1", "https://x#y", "ftp://x", "https://a@b"],
  },
  {
    name: "user-header",
    good: [["Remote-User", { userHeaders: ["Remote-User"] }]],
    bad: [
      "X-Auth-Id",
      "X-Keys-Expires",
      "x_auth_id",
      "Set-Cookie",
      "Connection",
      "Content-Length",
      "a(b",
      "X-A:",
      "Proxy-X",
    ],
  },
  { name: "sweep", good: [["yes", { sweep: true }]], bad: ["maybe"] },
  { name: "peers", good: [["id-only", { idOnlyPeers: true }]], bad: ["all"] },
  { name: "audit-file", good: [["a", { auditFile: "/work/a" }]], bad: [] },
  { name: "usage-file", good: [["/u", { usageFile: "/u" }]], bad: [] },
  { name: "allow-empty", good: [["1", { allowEmpty: true }]], bad: ["2"] },
  { name: "allow-unauthenticated", good: [["true", { allowUnauthenticated: true }]], bad: ["on"] },
  { name: "system-token-file", good: [["t", { systemTokenFile: "/work/t" }]], bad: [] },
  {
    name: "allow-impersonation",
    good: [["yes", { allowImpersonation: true }]],
    bad: ["always"],
    with: { "system-token-file": "t" },
  },
  {
    name: "log",
    good: [
      ["text", { log: "text" }],
      ["off", { log: "off" }],
    ],
    bad: ["xml"],
  },
  {
    name: "trusted-proxy",
    good: [["10.0.0.0/8", { trustedProxies: ["10.0.0.0/8"] }]],
    bad: ["10.0.0.0/40", "nowhere"],
  },
];

const LISTS = ["user-header", "trusted-proxy"];
const variable = (name: string): string => `KEYS_${name.replaceAll("-", "_").toUpperCase()}`;
const optionsOf = (given: Readonly<Record<string, string>>): Given =>
  Object.fromEntries(
    Object.entries(given).map(([name, text]) => [
      attributeOf({ flags: `--${name} <x>`, description: "", kind: "value" }),
      LISTS.includes(name) ? [text] : ["yes", "true", "1"].includes(text) ? true : text,
    ]),
  );
const variablesOf = (given: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(given).map(([name, text]) => [variable(name), text]));

describe("the settings of keys serve", () => {
  it("are those of the command line, each with a test here", () => {
    const options = COMMANDS.find(({ name }) => name === "serve")?.options ?? [];
    const names = options.map(({ flags }) => longOf(flags).slice(2));
    expect(names.filter((name) => name !== "check")).toEqual(SETTINGS.map(({ name }) => name));
  });

  describe.each(SETTINGS)("$name", ({ name, good, bad, with: besides = {} }) => {
    it.each(good)("takes %j as an option and as a variable", (text, meant) => {
      const given = { ...besides, [name]: text };
      expect(read(optionsOf(given))).toMatchObject(meant);
      expect(read({}, variablesOf(given))).toMatchObject(meant);
      // An option goes before a variable, and an empty variable is none.
      const empty = { [variable(name)]: "" };
      expect(read(optionsOf(given), empty)).toMatchObject(meant);
      expect(codeOf({}, empty)).toEqual([undefined, ""]);
    });

    if (bad.length > 0) {
      it.each(bad)("refuses %j, and names where it came from", (text) => {
        const [code, message] = codeOf({}, variablesOf({ ...besides, [name]: text }));
        expect(code).toBe("value-invalid");
        expect(message).toContain(variable(name));
        if (["sweep"].includes(name) || name.startsWith("allow-")) return;
        const [byOption, named] = codeOf(optionsOf({ ...besides, [name]: text }));
        expect(byOption).toBe("value-invalid");
        expect(named).toContain(`--${name}`);
        expect(named).not.toContain(text);
      });
    }
  });

  it("go by the option where both are given", () => {
    expect(read({ port: "1" }, { KEYS_PORT: "2" }).address).toMatchObject({ port: 1 });
    expect(read({ port: "1" }, { KEYS_SOCKET: "s" }).address).toMatchObject({ port: 1 });
    expect(read({ socket: "s" }, { KEYS_HOST: "::" }).address).toEqual({ socket: "/work/s" });
  });

  it("have lists in variables, apart by spaces or commas", () => {
    const env = {
      KEYS_USER_HEADER: "Remote-User, X-WEBAUTH-USER",
      KEYS_TRUSTED_PROXY: "::1 10.1.2.3",
    };
    expect(read({}, env)).toMatchObject({
      userHeaders: ["Remote-User", "X-WEBAUTH-USER"],
      trustedProxies: ["::1", "10.1.2.3"],
    });
    expect(codeOf({ userHeader: ["A", "a"] })[0]).toBe("value-invalid");
  });

  it("count a worker a processor with auto", () => {
    expect(read({ workers: "auto" }).workers).toBeGreaterThanOrEqual(1);
  });

  it.each<[Given, Readonly<Record<string, string>>]>([
    [{ tlsCert: "c" }, {}],
    [{ tlsKey: "k" }, {}],
    [{}, { KEYS_TLS_KEY: "k" }],
    [{ socket: "s", port: "1" }, {}],
    [{ socket: "s", host: "::" }, {}],
    [{}, { KEYS_SOCKET: "s", KEYS_HOST: "::" }],
    [{ allowImpersonation: true }, {}],
  ])("that don't go together are a usage error: %j %j", (options, env) => {
    expect(codeOf(options, env)[0]).toBe("usage");
  });

  it("take no token for a value", () => {
    const token = formatToken("key", randomBytes(32));
    const [code, message] = codeOf({}, { KEYS_REALM: token });
    expect(code).toBe("value-invalid");
    expect(message).not.toContain(token);
  });
});
