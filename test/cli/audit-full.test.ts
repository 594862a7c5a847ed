import * as fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { runKeys, type RunResult } from "../helpers/bin.js";
import { readKeys, temporaryDirectory } from "../helpers/keystores.js";
import { fill, mountSmall, mountRights } from "../helpers/machine.js";
import { describeWith } from "../helpers/requires.js";

describeWith(mountRights, "a full disk under the audit log", () => {
  // With one page free there is room for a lock, and a line is torn where the log's page ends.
  it.each([0, 1])("with %i pages free takes access away, and gives none", async (freePages) => {
    const cwd = temporaryDirectory();
    const disk = path.join(cwd, "disk");
    fs.mkdirSync(disk);
    mountSmall(disk, 16);
    const log = path.join(disk, "audit.jsonl");
    const env = { KEYS_AUDIT_FILE: log };
    const keys = (...args: readonly string[]): Promise<RunResult> =>
      runKeys([...args], { cwd, env });
    const live = (): number => readKeys(path.join(cwd, "keys.yaml")).live.size;
    const create = (n: number): Promise<RunResult> =>
      keys("create", "--id", `peer-${n}`, "--label", "x".repeat(200), "--json");

    expect((await create(0)).exitCode).toBe(0);
    fill(disk, freePages);
    // What is left of the log's own page still takes a line or two.
    let made = 1;
    let refused = await create(made);
    for (; refused.exitCode === 0 && made < 20; made += 1) refused = await create(made + 1);
    expect(refused.exitCode).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "audit-unwritable" } });
    expect(live()).toBe(made);
    expect(fs.readFileSync(log, "utf8").endsWith("\n")).toBe(freePages === 0);

    const revoked = await keys("revoke", "--id", "peer-0", "--yes");
    expect([revoked.exitCode, live()]).toEqual([0, made - 1]);
    expect(revoked.stderr).toContain("NOT RECORDED");
    expect((await keys("audit", "verify")).exitCode).toBe(0);
    const told = JSON.parse((await keys("audit", "--json")).stdout) as { events: unknown[] };
    expect(told.events.length).toBeGreaterThanOrEqual(made);

    fs.rmSync(path.join(disk, "filler"));
    expect((await create(100)).exitCode).toBe(0);
    expect((await keys("audit", "verify")).exitCode).toBe(0);
    // The revocation was never recorded: that the keys were changed is.
    const after = (await keys("audit", "--json")).stdout;
    expect(JSON.parse(after)).toMatchObject({
      events: expect.arrayContaining([expect.objectContaining({ kind: "outside" })]) as unknown,
    });
  });
});
