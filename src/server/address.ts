import type { AddressInfo, Server } from "node:net";
import { KeysError, systemCode } from "../errors.js";

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/**
 * Starts listening.
 *
 * @returns the address and port it got.
 * @throws KeysError `listen-failed`, naming the port. Never another port instead.
 */
export function listen(server: Server, address: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    function fail(error: Error): void {
      reject(listenError(error, address));
    }
    server.once("error", fail);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off("error", fail);
      const bound = server.address() as AddressInfo;
      resolve({ host: bound.address, port: bound.port });
    });
  });
}

/** The URL of an address. */
export function formatUrl({ host, port }: ListenAddress): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether an IP address is reachable from this machine alone. */
export function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\./i.test(address) || address === "::1";
}

function listenError(error: Error, { host, port }: ListenAddress): KeysError {
  const where = `port ${port} of ${host}`;
  switch (systemCode(error)) {
    case "EADDRINUSE":
      return new KeysError("listen-failed", `${where} is in use`, {
        hint: "stop what listens there, or choose another with --port",
        cause: error,
      });
    case "EACCES":
      return new KeysError("listen-failed", `${where} may not be used by this user`, {
        hint: "choose a port from 1024 on with --port",
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
      return new KeysError("listen-failed", `can't listen on ${where}`, { cause: error });
  }
}
