import { parseDuration } from "../../core/duration.js";
import { KeysError } from "../../errors.js";
import { isInService, namedOrChosen, namingOf } from "../choose-key.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import type { GenerationWait } from "../generation-wait.js";
import { refuseReason, retireKeys } from "../retire-keys.js";
import { parseServerUrl } from "../server-url.js";
import { invalid, parseFreeText } from "../values.js";

/** The options of `keys revoke`. */
export interface RevokeOptions {
  readonly id?: string;
  readonly all?: boolean;
  readonly reason?: string;
  readonly purge?: boolean;
  /** Servers to wait for; a key that was named behind the last of them is among them. */
  readonly wait?: readonly string[];
  readonly timeout?: string;
}

const DEFAULT_TIMEOUT = "30s";

/** `keys revoke`: out of service for good. */
export async function revoke(
  context: Context,
  options: RevokeOptions,
  operands: readonly string[],
): Promise<ExitStatus> {
  const purge = options.purge ?? false;
  refuseReason(options.reason, purge);
  const reason =
    options.reason === undefined ? undefined : parseFreeText("--reason", options.reason);
  const verb = purge ? "purge" : "revoke";
  const { wait, keys } = parseWait(options, operands);
  const naming = await namedOrChosen(
    context,
    await namingOf(context, keys, options),
    verb,
    isInService,
  );
  return retireKeys(context, { naming, state: "revoked", reason, purge, verb, wait });
}

/**
 * The servers to wait for, apart from a key that stands behind them on the command line, where
 * `--wait URL…` takes it for one more.
 *
 * @throws KeysError `usage`, `value-invalid`
 */
function parseWait(
  { wait, timeout }: RevokeOptions,
  operands: readonly string[],
): { readonly wait: GenerationWait | undefined; readonly keys: readonly string[] } {
  if (wait === undefined) {
    if (timeout === undefined) return { wait: undefined, keys: operands };
    throw new KeysError("usage", "--timeout has no place without --wait", {
      hint: "name the servers to wait for with --wait URL",
    });
  }
  const urls = wait.filter((text) => text.includes(":")).map((t) => parseServerUrl("--wait", t));
  const keys = [...operands, ...wait.filter((text) => !text.includes(":"))];
  if (keys.length > 1 || urls.length === 0) {
    throw new KeysError("usage", "--wait takes URLs of servers", {
      hint: "keys revoke KEY --wait http://127.0.0.1:8787 http://127.0.0.1:8788",
    });
  }
  const timeoutMs = parseDuration(timeout ?? DEFAULT_TIMEOUT);
  if (timeoutMs === undefined) {
    throw invalid("--timeout", "is no duration", "such as 30s or 5m");
  }
  return { wait: { urls: [...new Set(urls)], timeoutMs }, keys };
}
