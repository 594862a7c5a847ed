import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

/** Something of the machine that a test can't do without. */
export interface Requirement {
  /** What is needed, as a Debian package or a privilege: `python3-yaml`, `root`. */
  needs: string;
  /** What the tests do with it. */
  why: string;
  /** Whether it is there. */
  available: () => boolean;
}

const inCi = !["", "0", "false", undefined].includes(process.env["CI"]);

/**
 * `describe` for tests that need a program of the machine.
 * Where it is missing they are skipped, with the reason in their name; with `CI` set they fail.
 */
export function describeWith(requirement: Requirement, name: string, body: () => void): void {
  if (requirement.available()) {
    describe(name, body);
    return;
  }
  const reason = `needs ${requirement.needs}: ${requirement.why}`;
  if (inCi) {
    describe(name, () => {
      it(reason, () => {
        expect.fail(`${requirement.needs} is not available, and CI requires it`);
      });
    });
    return;
  }
  describe.skip(`${name} (${reason})`, body);
}

/** A probe: the command runs and exits 0. */
export function runs(command: string, ...args: readonly string[]): () => boolean {
  return () => spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
