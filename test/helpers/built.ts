import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { binPath, nodePath } from "./bin.js";

const root = path.dirname(path.dirname(binPath));

/** Vitest's global setup for the tests of the built bin: refuses to test an old build. */
export default function setup(): void {
  const sources = readdirSync(path.join(root, "src"), { encoding: "utf8", recursive: true });
  const bundle = path.join(root, "dist", "bin", "keys.cjs");
  const stale = sources.filter((source) => {
    if (!source.endsWith(".ts")) return false;
    const own = path.join(root, "dist", source.replace(/\.ts$/, ".js"));
    // The command line has no files of its own but the bundle, which is built after all others.
    return [bundle, ...(source.startsWith("cli") ? [] : [own])].some(
      (built) => !existsSync(built) || mtimeMs(built) < mtimeMs(path.join(root, "src", source)),
    );
  });
  if (stale.length > 0) {
    throw new Error(
      `dist/ is missing or older than src/ (${stale.slice(0, 3).join(", ")}): run npm run build first`,
    );
  }
  const version = execFileSync(nodePath, ["--version"], { encoding: "utf8" }).trim();
  console.log(`testing the built bin under Node ${version}`);
}

function mtimeMs(file: string): number {
  return statSync(file).mtimeMs;
}
