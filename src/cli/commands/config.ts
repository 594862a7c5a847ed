import { resolve } from "node:path";
import { KeysError } from "../../errors.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { keystoreFile } from "../keystore-file.js";
import { nearWord } from "../near-word.js";
import { parsePlainPath } from "../proxies/endpoint.js";
import { parseSetup, type SetupOptions } from "../proxies/setup-options.js";
import type { ProxySetup } from "../proxies/setup.js";

/** The options of `keys config`. */
export interface ConfigOptions extends SetupOptions {
  /** HAProxy's map: written, where it is given. */
  readonly map?: string;
  /** Stay, and bring each change to the map and to a running HAProxy. */
  readonly keep?: boolean;
  /** Default `haproxy.sock`. */
  readonly haproxySocket?: string;
}

const PROXIES = ["nginx", "caddy", "traefik", "envoy", "haproxy"] as const;
type Proxy = (typeof PROXIES)[number];

const DEFAULT_MAP = "keys.map";
const DEFAULT_SOCKET = "haproxy.sock";

/** `keys config`: a configuration for a reverse proxy; for HAProxy also the map that it looks up. */
export async function config(
  context: Context,
  options: ConfigOptions,
  [operand]: readonly string[],
): Promise<ExitStatus> {
  const proxy = proxyOf(operand);
  refuseMapOptions(proxy, options);
  if (proxy === "haproxy" && options.serverCa !== undefined) {
    throw new KeysError("usage", "haproxy asks no server: --server-ca is for the others", {
      hint: "leave --server-ca out",
    });
  }
  const setup = parseSetup(options);
  const text = await configText(proxy, setup, options);
  if (proxy !== "haproxy") {
    await show(context, proxy, text);
    return 0;
  }
  if (options.server !== undefined) {
    await context.talk.warn(
      "haproxy asks no server, it looks keys up in its map: --server is ignored",
    );
  }
  if (options.map === undefined) {
    await show(context, proxy, text);
    await context.talk.note(
      `the map is not written: \`keys config haproxy --map ${DEFAULT_MAP}\` writes it`,
    );
    return 0;
  }
  return await mapped(context, options, options.map, text);
}

/** Writes the map, then shows the configuration or, where the map is to be kept, stays. */
async function mapped(
  context: Context,
  options: ConfigOptions,
  map: string,
  text: string,
): Promise<ExitStatus> {
  const { io, globals, talk } = context;
  const { loadKeysForMap } = await import("../proxies/haproxy-keys.js");
  const { openMapFile } = await import("../proxies/haproxy-map-file.js");
  const { createHaproxyMap } = await import("../proxies/haproxy-map.js");
  const keeps = options.keep === true;
  const keys = await loadKeysForMap(context);
  const file = await openMapFile(map, io.cwd, keystoreFile(context).path);
  // Before anything is written: the map may be another's to keep.
  const lock = keeps && !globals.dryRun ? await file.own(context.interrupt) : undefined;
  try {
    const written = createHaproxyMap(keys.keystore, io.now());
    if (!globals.dryRun) await file.write(written);
    await talk.note(
      `${globals.dryRun ? "would write" : "wrote"} ${map}: ${written.size === 2 ? "1 key" : `${written.size - 1} keys`}`,
    );
    // HAProxy has a configuration already where its map is kept.
    if (!keeps || globals.json) await show(context, "haproxy", text);
    if (lock === undefined) return 0;
    const { keepMap } = await import("../proxies/haproxy-keep.js");
    const { createHaproxyRuntime } = await import("../proxies/haproxy-runtime.js");
    const socket = resolve(io.cwd, options.haproxySocket ?? DEFAULT_SOCKET);
    await talk.note(`keeping ${map} and the HAProxy at ${socket}`);
    const runtime = createHaproxyRuntime(socket, map);
    await keepMap(context, { keys, file, lock, name: map, written, runtime });
    await talk.note("stopping");
    return 0;
  } finally {
    await lock?.release();
  }
}

async function configText(
  proxy: Proxy,
  setup: ProxySetup,
  options: ConfigOptions,
): Promise<string> {
  switch (proxy) {
    case "nginx":
      return (await import("../proxies/nginx.js")).nginxConfig(setup);
    case "caddy":
      return (await import("../proxies/caddy.js")).caddyConfig(setup);
    case "traefik":
      return (await import("../proxies/traefik.js")).traefikConfig(setup);
    case "envoy":
      return (await import("../proxies/envoy.js")).envoyConfig(setup);
    case "haproxy":
      return (await import("../proxies/haproxy.js")).haproxyConfig({
        ...setup,
        map: parsePlainPath("--map", options.map ?? DEFAULT_MAP),
        socket: parsePlainPath("--haproxy-socket", options.haproxySocket ?? DEFAULT_SOCKET),
      });
  }
}

async function show(context: Context, proxy: Proxy, text: string): Promise<void> {
  if (context.globals.json) await context.printJson({ proxy, config: text });
  else await context.print(text);
}

function proxyOf(operand: string | undefined): Proxy {
  const known = PROXIES.find((name) => name === operand);
  if (known !== undefined) return known;
  const list = PROXIES.join(", ");
  if (operand === undefined) {
    throw new KeysError("usage", "no proxy is named", { hint: `one of ${list}` });
  }
  const near = nearWord(operand, PROXIES);
  throw new KeysError("usage", "there is no configuration for that proxy", {
    hint: near === undefined ? `one of ${list}` : `did you mean ${near}?`,
  });
}

function refuseMapOptions(proxy: Proxy, options: ConfigOptions): void {
  if (proxy !== "haproxy") {
    for (const [name, value] of [
      ["--map", options.map],
      ["--keep", options.keep],
      ["--haproxy-socket", options.haproxySocket],
    ] as const) {
      if (value === undefined) continue;
      throw new KeysError("usage", `${name} is for haproxy alone`, { hint: `leave ${name} out` });
    }
  }
  if (options.keep === true && options.map === undefined) {
    throw new KeysError("usage", "--keep has no map to keep", { hint: "name it with --map FILE" });
  }
}
