import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runKeys } from "../helpers/bin.js";
import {
  namesIn,
  readKeys,
  serviceConfiguration,
  temporaryDirectory,
} from "../helpers/keystores.js";
import { fill, fullDevice, mountRights, mountSmall, redirected } from "../helpers/machine.js";
import { describeWith } from "../helpers/requires.js";
import {
  directoryFor,
  expectError,
  expectTakenBack,
  expectUntouched,
  FILE,
  TOKEN_COMMANDS,
} from "./support/token-commands.js";

/** What to do about a stdout that takes no token. */
const HINT = /^hint: .*--token-file/m;

describe("a stdout that is closed or swallows everything", () => {
  it.each(TOKEN_COMMANDS)("%s >&-", async (_, command) => {
    const cwd = directoryFor(command);
    const result = await runKeys(command.args, { cwd, through: redirected(">&-") });
    expectUntouched(cwd, command, result);
    expect(result.stderr).toMatch(HINT);
  });

  it.each(TOKEN_COMMANDS)("%s >/dev/null", async (_, command) => {
    const cwd = directoryFor(command);
    const result = await runKeys(command.args, { cwd, through: redirected(">/dev/null") });
    expectUntouched(cwd, command, result);
    expect(result.stderr).toMatch(HINT);
  });

  it("does not matter where the token goes to a file", async () => {
    for (const redirection of [">&-", ">/dev/null"]) {
      const cwd = temporaryDirectory();
      const args = ["create", "--id", "new", "--token-file", "token"];
      const { exitCode } = await runKeys(args, { cwd, through: redirected(redirection) });
      expect(exitCode).toBe(0);
      expect(namesIn(cwd)).toEqual([FILE, "token"]);
      expect(readKeys(join(cwd, FILE)).live.size).toBe(1);
    }
  });

  it("is noticed with all three streams closed", async () => {
    const cwd = temporaryDirectory();
    const through = redirected("<&- >&- 2>&-");
    const { exitCode } = await runKeys(["create", "--id", "new"], { cwd, through });
    expect(exitCode).toBe(1);
    expect(fs.readdirSync(cwd)).toEqual([]);
  });
});

describe("a pipe whose reader is gone", () => {
  /** Its reader is the shell, which goes when it becomes the bin. */
  function brokenPipe(): readonly string[] {
    const pipe = join(temporaryDirectory(), "pipe");
    expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
    return redirected(`3<>'${pipe}' >'${pipe}' 3<&-`);
  }

  it.each(TOKEN_COMMANDS)("%s | :", async (_, command) => {
    const cwd = directoryFor(command);
    const result = await runKeys(command.args, { cwd, through: brokenPipe() });
    expectError(result);
    expect(result.stderr).toMatch(HINT);
    expectTakenBack(cwd, command);
  });

  it("does not fail a command that only prints", async () => {
    const cwd = directoryFor({ name: "list", args: [], before: serviceConfiguration(3) });
    for (const args of [["list"], ["list", "--json"], ["validate"]]) {
      const { exitCode, stderr } = await runKeys(args, { cwd, through: brokenPipe() });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    }
  });
});

describeWith(fullDevice, "a device that is full", () => {
  it.each(TOKEN_COMMANDS)("%s >/dev/full", async (_, command) => {
    const cwd = directoryFor(command);
    const result = await runKeys(command.args, { cwd, through: redirected(">/dev/full") });
    expectError(result);
    expect(result.stderr).toMatch(HINT);
    expectTakenBack(cwd, command);
  });

  it("fails a command that only prints, too", async () => {
    const cwd = directoryFor({ name: "list", args: [], before: serviceConfiguration(3) });
    const { exitCode, stderr } = await runKeys(["list"], {
      cwd,
      through: redirected(">/dev/full"),
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("no space is left");
  });
});

describeWith(mountRights, "a file on a full disk", () => {
  it.each(TOKEN_COMMANDS)("%s >full/token", async (_, command) => {
    const cwd = directoryFor(command);
    const disk = temporaryDirectory();
    mountSmall(disk, 4);
    fill(disk, 0);
    const result = await runKeys(command.args, {
      cwd,
      through: redirected(`>'${join(disk, "token")}'`),
    });
    expectError(result);
    expect(result.stderr).toMatch(HINT);
    expectTakenBack(cwd, command);
  });

  it.each(TOKEN_COMMANDS)("%s >full/log, which takes half the token", async (_, command) => {
    const cwd = directoryFor(command);
    const disk = temporaryDirectory();
    mountSmall(disk, 4);
    const log = join(disk, "log");
    // The last page but for 20 octets is used.
    fs.writeFileSync(log, "x".repeat(4 * 4096 - 4096 - 20));
    fill(disk, 0);
    const result = await runKeys(command.args, { cwd, through: redirected(`>>'${log}'`) });
    expectError(result);
    expect(result.stderr).toMatch(HINT);
    expectTakenBack(cwd, command);
    expect(fs.statSync(log).size % 4096).toBe(0);
  });
});
