import { onTestFinished } from "vitest";
import { startKeys, type RunningKeys } from "../helpers/bin.js";
import { eventually } from "./eventually.js";
import { temporaryDirectory } from "./files.js";

/** A `keys serve` of the built bin that listens. */
export interface Served extends RunningKeys {
  /** As it says itself: `http://…`, `https://…` or `unix:…`. */
  readonly url: string;
  /** Everything it wrote on stderr so far. */
  readonly said: () => string;
}

/** Starts `keys serve` on a free port of loopback, unless `args` say otherwise. */
export async function startServe(
  path: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const port = args.includes("--socket") ? [] : ["--port", "0"];
  const keys = startKeys(["serve", "--file", path, ...port, ...args], {
    cwd: await temporaryDirectory(),
    env,
    timeoutMs: 120_000,
  });
  onTestFinished(async () => {
    keys.kill("SIGKILL");
    await keys.ended.catch(() => undefined);
  });
  let text = "";
  keys.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const find = (): string | undefined => / at ((?:https?|unix):\S+)/.exec(text)?.[1];
  await eventually(find).toBeDefined();
  return { ...keys, url: find() ?? "", said: () => text };
}
