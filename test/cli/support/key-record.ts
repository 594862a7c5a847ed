import type { World } from "./memory-io.js";

/** A key as `list --json` gives it. */
export interface ListedKey {
  readonly digest: string;
  readonly fingerprint: string;
  readonly id: string | null;
  readonly label: string | null;
  readonly scopes: readonly string[];
  readonly workspaces: readonly string[] | null;
  readonly rate_limit: string | null;
  readonly created_at: string | null;
  readonly expires_at: string | null;
  readonly not_before: string | null;
  readonly last_used_at: string | null;
  readonly state: string;
  readonly retired_at: string | null;
  readonly reason: string | null;
}

/** A key as `create --json` gives it. */
export interface IssuedKey {
  readonly token: string | null;
  readonly digest: string;
  readonly fingerprint: string;
  readonly id: string;
  readonly expires_at: string | null;
  readonly file: string;
}

/** Every key of the world's keystore. */
export async function listAll(world: World, nowMs?: number): Promise<readonly ListedKey[]> {
  const listed = await world.json(["list", "--state", "all"], nowMs === undefined ? {} : { nowMs });
  return (listed as { keys: readonly ListedKey[] }).keys;
}

/** A new key. */
export async function create(world: World, ...args: readonly string[]): Promise<IssuedKey> {
  return (await world.json(["create", ...args])) as IssuedKey;
}
