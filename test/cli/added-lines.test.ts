import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { serviceConfiguration } from "../helpers/keystores.js";

it("adds lines to a service's configuration of 200 keys, and changes none", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "keyhold-added-"));
  try {
    const git = (...args: string[]): ReturnType<typeof execa> => execa("git", args, { cwd });
    writeFileSync(join(cwd, "server.yaml"), serviceConfiguration(200), { mode: 0o600 });
    await git("init", "--quiet");
    await git("add", "server.yaml");
    const { exitCode } = await runKeys(
      ["create", "--id", "zoe", "--label", "a # b", "--file", "server.yaml"],
      { cwd },
    );
    expect(exitCode).toBe(0);
    expect((await git("diff", "--numstat")).stdout).toBe("4\t0\tserver.yaml");
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
});
