import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import path from "node:path";
import { expect, onTestFinished } from "vitest";
import { runs, type Requirement } from "./requires.js";

const isRoot = process.getuid?.() === 0;

/** What lets root pass where others don't, and give files away. */
const RIGHTS = ["dac_override", "dac_read_search", "fowner", "chown", "fsetid"];
const giveUp = ["setpriv", `--bounding-set=${RIGHTS.map((right) => `-${right}`).join(",")}`];

/** In front of a command: it has no rights to files but those of owner and mode. */
export const asOrdinaryUser: readonly string[] = isRoot ? giveUp : [];

/** {@link asOrdinaryUser} works here. */
export const ordinaryUser: Requirement = {
  needs: "util-linux",
  why: "root's rights to files are given up with setpriv",
  available: () => !isRoot || runs("setpriv", ...giveUp.slice(1), "true")(),
};

/** Files can be given to other users. */
export const rootRights: Requirement = {
  needs: "root",
  why: "files are given to another user",
  available: () => isRoot && ordinaryUser.available(),
};

/** Small file systems can be mounted. */
export const mountRights: Requirement = {
  needs: "a right to mount",
  why: "a small file system is filled",
  available: runs("unshare", "--mount", "true"),
};

/** The devices of Linux that swallow or refuse everything. */
export const fullDevice: Requirement = {
  needs: "/dev/full",
  why: "it refuses every octet",
  available: () => fs.existsSync("/dev/full"),
};

/** Mounts, until the test is over. */
export function mount(target: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", [...args, target], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  onTestFinished(() => {
    expect(spawnSync("umount", [target]).status).toBe(0);
  });
}

/** Mounts a tmpfs of so many pages of 4 KiB, and `options`. */
export function mountSmall(directory: string, pages: number, options = "mode=755"): void {
  mount(directory, "-t", "tmpfs", "-o", `size=${String(pages * 4)}k,${options}`, "none");
}

/** Fills a small file system up to `freePages` pages. */
export function fill(directory: string, freePages: number): void {
  const filler = path.join(directory, "filler");
  const page = Buffer.alloc(4096, "x");
  const file = fs.openSync(filler, "w");
  try {
    for (;;) fs.writeSync(file, page);
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  } finally {
    fs.closeSync(file);
  }
  fs.truncateSync(filler, fs.statSync(filler).size - freePages * page.length);
}

/** In front of a command: a shell that redirects it, such as `>&-`, and becomes it. */
export function redirected(redirection: string): readonly string[] {
  return ["sh", "-c", `exec "$@" ${redirection}`, "sh"];
}
