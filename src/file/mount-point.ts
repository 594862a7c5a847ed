import { dirname } from "node:path";
import { readFile, realpath, stat } from "./disk.js";

const MOUNTS = "/proc/self/mountinfo";
/** Where the mount point stands in a line (proc(5)): the fifth field. */
const MOUNT_POINT_FIELD = 4;

/**
 * Whether the file that a path leads to is itself a mount point, as a single file that is mounted
 * into a container is. Whatever replaces such a file outside is never seen inside. Links are
 * followed first. Never throws; false in doubt.
 */
export async function isMountPoint(path: string): Promise<boolean> {
  try {
    const real = await realpath(path);
    const mounts = await readFile(MOUNTS, "utf8").catch(() => undefined);
    if (mounts !== undefined) return mountPointsIn(mounts).includes(real);
    const [file, directory] = await Promise.all([stat(real), stat(dirname(real))]);
    return file.dev !== directory.dev;
  } catch {
    return false;
  }
}

function mountPointsIn(mounts: string): readonly string[] {
  return mounts.split("\n").map((line) =>
    (line.split(" ")[MOUNT_POINT_FIELD] ?? "").replace(/\\([0-7]{3})/g, (_, octal: string) =>
      // White space and backslashes stand there as octal numbers.
      String.fromCharCode(Number.parseInt(octal, 8)),
    ),
  );
}
