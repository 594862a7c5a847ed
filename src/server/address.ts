import { lookup } from "node:dns/promises";
import { existsSync } from "node:fs";
import { lstat, unlink } from "node:fs/promises";
import { connect, isIP, type AddressInfo, type Server } from "node:net";
import { dirname } from "node:path";
import { KeysError, systemCode } from "../errors.js";

/** Where a server listens: at an address and a port, or on a unix socket. */
export type ListenAddress = NetworkAddress | SocketAddress;

/** An address of this machine, and a port. */
export interface NetworkAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** A unix socket, by its absolute path. */
export interface SocketAddress {
  readonly socket: string;
}

/** The mask for those who may not talk to a unix socket: all but its owner and its group. */
export const SOCKET_MASK = 0o117;

/** How long a server behind a socket is given to answer, in milliseconds. */
const PROBE_MS = 1000;

/**
 * Starts listening. A unix socket is made with mode 0660; to be called after
 * {@link removeStaleSocket}.
 *
 * @returns the address and port it got.
 * @throws KeysError `listen-failed`, naming the port or the socket. Never another port instead.
 */
export function listen(server: Server, address: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    function fail(error: Error): void {
      reject(listenError(error, address));
    }
    server.once("error", fail);
    const done = (): void => {
      server.off("error", fail);
      if ("socket" in address) {
        resolve(address);
        return;
      }
      const bound = server.address() as AddressInfo;
      resolve({ host: bound.address, port: bound.port });
    };
    if ("socket" in address) withSocketMask(() => server.listen({ path: address.socket }, done));
    else server.listen({ host: address.host, port: address.port }, done);
  });
}

/**
 * An address whose host is an IP address: of a name what it stands for now, so that what is judged
 * is what is bound. A name that stands for nothing stays; to listen there fails.
 */
export async function resolveAddress(address: ListenAddress): Promise<ListenAddress> {
  if ("socket" in address || isIP(address.host) !== 0) return address;
  const found = await lookup(address.host).catch(() => undefined);
  return found === undefined ? address : { ...address, host: found.address };
}

/** Whether an IP address stands for every address of this machine. */
export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** Does something with the mask that gives a unix socket its mode. Binding is done at once. */
function withSocketMask(bind: () => void): void {
  const mask = process.umask(SOCKET_MASK);
  try {
    bind();
  } finally {
    process.umask(mask);
  }
}

/**
 * Removes what a server that died left at the path of its socket: nothing else than a socket, and
 * none that anybody listens on.
 *
 * @throws KeysError `listen-failed`
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new KeysError("listen-failed", `${path} stands there already and is no socket`, {
      hint: "name another path with --socket",
    });
  }
  if (await isLive(path)) {
    throw new KeysError("listen-failed", `another server listens on ${path}`, {
      hint: "stop it, or name another path with --socket",
    });
  }
  await unlink(path).catch(() => undefined);
}

/** Whether anybody answers on a unix socket; in doubt, yes. */
function isLive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.setTimeout(PROBE_MS);
    const end = (live: boolean): void => {
      socket.destroy();
      resolve(live);
    };
    socket.once("connect", () => {
      end(true);
    });
    socket.once("timeout", () => {
      end(true);
    });
    socket.once("error", (error) => {
      end(systemCode(error) !== "ECONNREFUSED");
    });
  });
}

/** The URL of an address; of a unix socket as `unix:<path>`. */
export function formatUrl(address: ListenAddress, scheme: "http" | "https" = "http"): string {
  if ("socket" in address) return `unix:${address.socket}`;
  const { host, port } = address;
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether an address can be reached from this machine alone. */
export function isLocal(address: ListenAddress): boolean {
  return "socket" in address || isLoopback(address.host);
}

/** Whether an IP address is reachable from this machine alone; of a name nothing is known. */
export function isLoopback(address: string): boolean {
  if (isIP(address) === 0) return false;
  return /^(?:::ffff:)?127\./i.test(address) || address === "::1";
}

/** The error of a `listen` that failed with a system error. */
function listenError(error: Error, address: ListenAddress): KeysError {
  const isSocket = "socket" in address;
  const where = isSocket ? address.socket : `port ${address.port} of ${address.host}`;
  switch (systemCode(error)) {
    case "EADDRINUSE":
      return new KeysError("listen-failed", `${where} is in use`, {
        hint: `stop what listens there, or choose another with ${isSocket ? "--socket" : "--port"}`,
        cause: error,
      });
    case "ENOENT":
    case "EACCES":
    case "EPERM":
      // What libuv says of a socket's missing directory is EACCES.
      if (isSocket && !existsSync(dirname(address.socket))) {
        return new KeysError("listen-failed", `there is no directory ${dirname(address.socket)}`, {
          hint: "make it, or choose another place with --socket",
          cause: error,
        });
      }
      return new KeysError("listen-failed", `${where} may not be used by this user`, {
        hint: isSocket
          ? "choose a directory that this user may write, with --socket"
          : "choose a port from 1024 on with --port",
        cause: error,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new KeysError("listen-failed", `can't listen on ${where}: no such address here`, {
        hint: "choose an address of this machine with --host",
        cause: error,
      });
    default:
      return new KeysError("listen-failed", `can't listen on ${where}`, {
        ...(isSocket ? { hint: "its directory must be there and writable" } : {}),
        cause: error,
      });
  }
}
