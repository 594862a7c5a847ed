import type { Requirement } from "../../core/verify.js";
import type { Endpoint, ListenEndpoint } from "./endpoint.js";

/** Where Debian keeps the roots of its system, for a proxy that has to be told. */
export const SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt";

/** What a proxy's configuration is made from. Every text in it is checked for what it may hold. */
export interface ProxySetup {
  /** The verify server. */
  readonly server: Endpoint;
  /** The file of the CAs that sign its certificate; undefined for the system's roots. */
  readonly serverCa: string | undefined;
  /** What the proxy protects. */
  readonly upstream: Endpoint;
  readonly listen: ListenEndpoint;
  readonly requirement: Requirement;
  /** Further headers that carry the id. */
  readonly userHeaders: readonly string[];
  /** Whether the upstream gets the credential. */
  readonly passCredential: boolean;
  /** Only the part to include, not a whole file. */
  readonly snippet: boolean;
}
