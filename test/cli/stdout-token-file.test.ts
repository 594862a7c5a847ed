import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { temporaryDirectory } from "../helpers/keystores.js";
import { fill, mountRights, mountSmall } from "../helpers/machine.js";
import { describeWith } from "../helpers/requires.js";
import {
  directoryFor,
  expectError,
  expectTakenBack,
  expectUntouched,
  TOKEN_COMMANDS,
} from "./support/token-commands.js";

describe("--token-file that can't be made", () => {
  const tokenFile = (path: string): readonly string[] => ["--token-file", path];

  it.each(TOKEN_COMMANDS)("%s gives an existing file no token", async (_, command) => {
    const cwd = directoryFor(command);
    const directory = temporaryDirectory();
    const mine = join(directory, "mine");
    fs.writeFileSync(mine, "mine\n");
    fs.symlinkSync("mine", join(directory, "link"));
    fs.symlinkSync("nowhere", join(directory, "dangling"));
    for (const target of [mine, join(directory, "link"), join(directory, "dangling"), directory]) {
      const result = await runKeys([...command.args, ...tokenFile(target)], { cwd });
      expectUntouched(cwd, command, result);
    }
    expect(fs.readFileSync(mine, "utf8")).toBe("mine\n");
    expect(fs.readdirSync(directory).sort()).toEqual(["dangling", "link", "mine"]);
  });

  it.each(TOKEN_COMMANDS)("%s makes no directory for it", async (_, command) => {
    const cwd = directoryFor(command);
    const result = await runKeys([...command.args, ...tokenFile("missing/token")], { cwd });
    expectUntouched(cwd, command, result);
  });

  describeWith(mountRights, "on a full disk", () => {
    it.each(TOKEN_COMMANDS)("%s leaves no live key and no file", async (_, command) => {
      const cwd = directoryFor(command);
      const disk = temporaryDirectory();
      mountSmall(disk, 4);
      fill(disk, 0);
      const args = [...command.args, ...tokenFile(join(disk, "token"))];
      const result = await runKeys(args, { cwd });
      expectError(result);
      expect(result.stderr).not.toContain("--token-file");
      expectTakenBack(cwd, command);
      expect(fs.readdirSync(disk)).toEqual(["filler"]);
    });
  });
});
