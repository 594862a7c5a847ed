import * as fs from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { appendAudit } from "../../src/file/audit-note.js";
import { auditEvents, type AuditEvent } from "../../src/file/audit-event.js";
import { hashOfLine, parseAuditLine } from "../../src/file/audit-line.js";
import { verifyAudit } from "../../src/file/audit-read.js";
import type { Change } from "../../src/file/change.js";
import { updateStore, type UpdateOptions, type UpdateResult } from "../../src/file/update-store.js";
import { mintToken, temporaryDirectory } from "../helpers/keystores.js";

const policy = { nowMs: Date.UTC(2026, 10, 25) };
const audit = { actor: "os:alice", action: "test" };
const digest = digestOf("a");

interface Log {
  readonly directory: string;
  readonly keystore: string;
  readonly path: string;
}

function emptyLog(): Log {
  const directory = temporaryDirectory();
  const keystore = join(directory, "keys.yaml");
  return { directory, keystore, path: `${keystore}.audit.jsonl` };
}

function add(name: string, id = name): Change {
  return { kind: "add", digest: digestOf(name), fields: new Map([["id", id]]) };
}

function change(
  { keystore }: Log,
  changes: readonly Change[],
  more: Partial<UpdateOptions> = {},
): Promise<UpdateResult> {
  return updateStore(keystore, () => changes, { policy, create: true, audit, ...more });
}

/** A log of three changes: six lines. */
async function threeChanges(): Promise<Log> {
  const log = emptyLog();
  for (const name of ["a", "b"]) await change(log, [add(name)]);
  await change(log, [{ kind: "retire", digest, state: "revoked", retiredAt: policy.nowMs }]);
  return log;
}

function linesOf({ path }: Log): string[] {
  return fs.readFileSync(path, "utf8").split("\n").slice(0, -1);
}

function writeLines({ path }: Log, lines: readonly string[]): void {
  fs.writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
}

async function eventsOf({ path }: Log): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for await (const event of auditEvents(path)) events.push(event);
  return events;
}

async function outcomesOf(log: Log): Promise<string[]> {
  return (await eventsOf(log)).map((event) =>
    event.kind === "change" ? event.outcome : event.kind,
  );
}

describe("a change", () => {
  it("is an intent, and an outcome behind it, in a file that only its owner reads", async () => {
    const log = emptyLog();
    const { audit: result } = await change(log, [add("a", "alice")]);
    expect(result).toEqual({ path: log.path, recorded: "whole" });
    expect(fs.statSync(log.path).mode & 0o7777).toBe(0o600);
    const [intent, outcome] = linesOf(log).map((line) => parseAuditLine(Buffer.from(line)));
    const fingerprint = digest.slice(0, 12);
    expect(intent).toMatchObject({ kind: "intent", ...audit, prev: "0".repeat(64) });
    expect(intent).toMatchObject({
      before: { sha256: null, generation: null },
      after: { sha256: digestOf(fs.readFileSync(log.keystore)) },
      keys: [{ fingerprint, id: "alice", changes: { state: [null, "live"], id: [null, "alice"] } }],
    });
    expect(outcome).toMatchObject({ kind: "outcome", outcome: "done" });
    expect(outcome?.prev).toBe(hashOfLine(linesOf(log)[0] ?? ""));
    expect(fs.readFileSync(log.path, "utf8")).not.toContain(digest);
  });

  it("that changes nothing, or is a dry run, or is not asked to be recorded, writes nothing", async () => {
    const log = emptyLog();
    await updateStore(log.keystore, () => [add("a")], { policy, create: true });
    expect((await change(log, [])).audit).toBeUndefined();
    expect((await change(log, [add("b")], { dryRun: true })).audit).toBeUndefined();
    expect(fs.readdirSync(log.directory)).toEqual(["keys.yaml"]);
  });

  it("of very many keys takes several lines, each short, and is one event", async () => {
    const log = emptyLog();
    const label = "x".repeat(250);
    const changes = Array.from({ length: 3000 }, (_, n): Change => {
      const fields = new Map([["id", `user-${n}`], ["label", label]]); // prettier-ignore
      return { kind: "add", digest: digestOf(String(n)), fields };
    });
    await change(log, changes);
    const lines = linesOf(log);
    expect(lines.length).toBeGreaterThan(3);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(300_000);
    const [event, ...others] = await eventsOf(log);
    expect(others).toEqual([]);
    expect(event?.kind === "change" && event.keys.length).toBe(3000);
    expect((await verifyAudit(log.path)).broken).toBeUndefined();
    await change(log, [add("one more")]);
    expect((await verifyAudit(log.path)).broken).toBeUndefined();
  });

  it("never has a minted token or a value that is none of its field in the record", async () => {
    const log = emptyLog();
    const token = mintToken();
    const text = `api_keys:\n  "${digest}":\n    id: a\n    label: "was ${token}"\n    expires_at: "secret-1"\n    note: "secret-2"\n`;
    fs.writeFileSync(log.keystore, text, { mode: 0o600 });
    await change(log, [{ kind: "purge", digest }]);
    const record = fs.readFileSync(log.path, "utf8");
    expect(record).toContain('"label":["<token>",null]');
    expect(record).toContain('"expires_at":["<invalid>",null]');
    expect(record).not.toContain(token);
    expect(record).not.toContain("secret-");
  });

  it("of the raw keys is told by fingerprint", async () => {
    const log = emptyLog();
    const text = "api_key: raw-one-for-the-owner\nadmin_api_key: raw-two-for-the-admin\n";
    fs.writeFileSync(log.keystore, text, { mode: 0o600 });
    await change(log, [{ kind: "migrate", legacyId: "owner" }]);
    const [event] = await eventsOf(log);
    expect(event?.kind === "change" && event.keys).toMatchObject([
      {
        fingerprint: digestOf("raw-one-for-the-owner").slice(0, 12),
        changes: { state: ["legacy", "live"] },
      },
      {
        fingerprint: digestOf("raw-two-for-the-admin").slice(0, 12),
        id: null,
        changes: { admin_api_key: ["raw", "digest"] },
      },
    ]);
    expect(fs.readFileSync(log.path, "utf8")).not.toContain("raw-");
  });

  it("by other means between two is seen", async () => {
    const log = await threeChanges();
    const text = fs.readFileSync(log.keystore, "utf8");
    fs.writeFileSync(log.keystore, `# a comment is no change\n${text}`);
    await change(log, [add("c")]);
    expect(await outcomesOf(log)).toEqual(["done", "done", "done", "done"]);
    fs.writeFileSync(log.keystore, text.replace("id: b", "id: eve"));
    await change(log, [add("d")]);
    expect(await outcomesOf(log)).toEqual(["done", "done", "done", "done", "outside", "done"]);
  });

  it("of several at once leaves one chain", async () => {
    const log = emptyLog();
    await Promise.all([
      ...Array.from({ length: 16 }, (_, n) => change(log, [add(String(n))])),
      ...Array.from({ length: 4 }, () => appendAudit(log.keystore, [audit, audit])),
    ]);
    const { broken, lines } = await verifyAudit(log.path);
    expect({ broken, lines }).toEqual({ broken: undefined, lines: 40 });
    expect(fs.readdirSync(log.directory).sort()).toEqual(["keys.yaml", "keys.yaml.audit.jsonl"]);
  });
});

describe("a log", () => {
  it("stands beside the real keystore, one for each of a directory", async () => {
    const { directory } = emptyLog();
    fs.mkdirSync(join(directory, "real"));
    fs.symlinkSync("real/a.yaml", join(directory, "link"));
    const options = { policy, create: true, audit };
    await updateStore(join(directory, "link"), () => [add("a")], options);
    await updateStore(join(directory, "real", "b.yaml"), () => [add("b")], options);
    const names = ["a.yaml", "a.yaml.audit.jsonl", "b.yaml", "b.yaml.audit.jsonl"];
    expect(fs.readdirSync(join(directory, "real")).sort()).toEqual(names);
    expect(fs.readdirSync(directory).sort()).toEqual(["link", "real"]);
  });

  it("may stand elsewhere, for several keystores", async () => {
    const [one, two] = [emptyLog(), emptyLog()];
    const auditFile = join(temporaryDirectory(), "all.jsonl");
    await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        change(n % 2 === 0 ? one : two, [add(String(n))], { auditFile }),
      ),
    );
    expect(fs.readdirSync(one.directory)).toEqual(["keys.yaml"]);
    expect(await verifyAudit(auditFile)).toMatchObject({ broken: undefined, lines: 16 });
    expect(new Set(await outcomesOf({ ...one, path: auditFile }))).toEqual(new Set(["done"]));
  });

  it("takes notes of what changes no keystore", async () => {
    const log = await threeChanges();
    const note = { actor: "admin", action: "impersonate", id: "bob", details: { peer: "x" } };
    await appendAudit(log.keystore, [note, { ...note, id: "eve" }]);
    expect((await eventsOf(log)).slice(3)).toMatchObject([
      { kind: "note", note: { id: "bob", details: { peer: "x" } } },
      { kind: "note", note: { id: "eve" } },
    ]);
    expect((await verifyAudit(log.path)).broken).toBeUndefined();
  });

  it("that others could read is closed to them", async () => {
    const log = await threeChanges();
    fs.chmodSync(log.path, 0o644);
    await appendAudit(log.keystore, audit);
    expect(fs.statSync(log.path).mode & 0o7777).toBe(0o640);
  });
});

describe("a log that can't be written", () => {
  const broken: readonly (readonly [string, (log: Log) => void])[] = [
    [
      "is a directory",
      ({ path }) => {
        fs.mkdirSync(path);
      },
    ],
    [
      "is a link",
      ({ path }) => {
        fs.symlinkSync("/tmp/elsewhere.jsonl", path);
      },
    ],
    [
      "has no line at its end",
      ({ path }) => {
        fs.writeFileSync(path, "x\n".repeat(2_000_000));
      },
    ],
  ];

  it.each(broken)(
    "since it %s, keeps access from being given, and not from being taken",
    async (_, spoil) => {
      const log = emptyLog();
      await updateStore(log.keystore, () => [add("a"), add("b")], { policy, create: true });
      const text = fs.readFileSync(log.keystore, "utf8");
      spoil(log);
      await expect(change(log, [add("c")])).rejects.toMatchObject({ code: "audit-unwritable" });
      const set: Change = { kind: "set", digest, fields: new Map([["scopes", "x"]]) };
      await expect(change(log, [set])).rejects.toMatchObject({ code: "audit-unwritable" });
      await expect(appendAudit(log.keystore, audit)).rejects.toMatchObject({
        code: "audit-unwritable",
      });
      expect(fs.readFileSync(log.keystore, "utf8")).toBe(text);
      const purged = await change(log, [{ kind: "purge", digest }]);
      expect(purged.audit).toMatchObject({
        recorded: "none",
        problem: { code: "audit-unwritable" },
      });
      expect(purged.written).toBe(true);
      const restored = await change(log, [add("c")], { unrecorded: "any" });
      expect(restored).toMatchObject({ written: true, audit: { recorded: "none" } });
      expect(fs.readdirSync(log.directory).sort()).toEqual(["keys.yaml", "keys.yaml.audit.jsonl"]);
    },
  );
});

describe("what a crash leaves", () => {
  it.each([
    [
      "not-done",
      (log: Log, before: string) => {
        fs.writeFileSync(log.keystore, before);
      },
    ],
    ["done", () => undefined],
    [
      "unclear",
      (log: Log) => {
        fs.appendFileSync(log.keystore, "# by hand\n");
      },
    ],
    [
      "unclear",
      (log: Log) => {
        fs.rmSync(log.keystore);
      },
    ],
  ])("of an intent alone is settled: %s", async (outcome, alter) => {
    const log = await threeChanges();
    const before = fs.readFileSync(log.keystore, "utf8");
    await change(log, [add("c")]);
    writeLines(log, linesOf(log).slice(0, -1));
    alter(log, before);
    expect((await verifyAudit(log.path)).isOpen).toBe(true);
    expect(await outcomesOf(log)).toEqual(["done", "done", "done", "open"]);
    await appendAudit(log.keystore, audit);
    expect(await verifyAudit(log.path)).toMatchObject({ broken: undefined, isOpen: false });
    const events = await eventsOf(log);
    expect(events[3]).toMatchObject({ kind: "change", outcome, isSettled: true });
    expect(events.length).toBe(5);
  });

  it("of a line, wherever it was cut, is kept, said, and no break of the chain", async () => {
    const log = await threeChanges();
    const whole = fs.readFileSync(log.path);
    const begin = whole.lastIndexOf("\n", -2) + 1;
    for (let cut = begin; cut < whole.length; cut += 1) {
      fs.writeFileSync(log.path, whole.subarray(0, cut));
      const isTorn = cut > begin && cut < whole.length - 1;
      expect(await verifyAudit(log.path)).toMatchObject({
        broken: undefined,
        torn: Number(isTorn),
      });
      await appendAudit(log.keystore, audit);
      expect(await verifyAudit(log.path)).toMatchObject({
        broken: undefined,
        torn: Number(isTorn),
        isOpen: false,
      });
      expect(fs.readFileSync(log.path).subarray(0, cut)).toEqual(whole.subarray(0, cut));
      expect((await eventsOf(log)).filter(({ kind }) => kind === "change")).toHaveLength(3);
    }
  });

  it("of the line that was to mend another is mended as well", async () => {
    const log = await threeChanges();
    const whole = fs.readFileSync(log.path);
    fs.writeFileSync(log.path, whole.subarray(0, -5));
    await appendAudit(log.keystore, audit);
    const mended = fs.readFileSync(log.path);
    for (let cut = whole.length - 4; cut < mended.length; cut += 7) {
      fs.writeFileSync(log.path, mended.subarray(0, cut));
      await appendAudit(log.keystore, audit);
      expect((await verifyAudit(log.path)).broken, `cut at ${cut}`).toBeUndefined();
      expect(await outcomesOf(log)).toEqual(expect.arrayContaining(["done", "done", "done"]));
    }
  });
});

describe("tampering with", () => {
  const cases: readonly (readonly [string, number, (lines: string[]) => string[]])[] = [
    ["a line", 3, (lines) => lines.with(1, (lines[1] ?? "").replace("done", "not-done"))],
    ["the order of lines", 3, ([a, b, c, d, ...rest]) => [a, b, d, c, ...rest] as string[]],
    ["a line that is removed", 3, (lines) => lines.toSpliced(2, 1)],
    ["a line that is put in", 4, (lines) => lines.toSpliced(2, 0, lines[2] ?? "")],
    ["the beginning", 1, (lines) => lines.slice(2)],
    ["a line that becomes garbage", 4, (lines) => lines.with(3, "garbage")],
    ["a line that becomes empty", 4, (lines) => lines.with(3, "")],
    [
      "a line that is no line of a log",
      4,
      (lines) => lines.with(3, `{"prev":"${"0".repeat(64)}"}`),
    ],
    ["the last line", 6, (lines) => lines.with(5, "{}")],
  ];

  it.each(cases)("%s is found at line %i", async (_, line, tamper) => {
    const log = await threeChanges();
    writeLines(log, tamper(linesOf(log)));
    expect((await verifyAudit(log.path)).broken?.line).toBe(line);
  });

  it("its end is found where the head was kept", async () => {
    const log = await threeChanges();
    const { head, lines } = await verifyAudit(log.path);
    expect(lines).toBe(6);
    expect(head).toBe(hashOfLine(linesOf(log)[5] ?? ""));
    expect((await verifyAudit(log.path, head ?? "")).hasHead).toBe(true);
    await change(log, [add("later")]);
    expect((await verifyAudit(log.path, head ?? "")).hasHead).toBe(true);
    writeLines(log, linesOf(log).slice(0, 4));
    // This is what a chain can't show by itself.
    expect(await verifyAudit(log.path)).toMatchObject({ broken: undefined, hasHead: undefined });
    expect(await verifyAudit(log.path, head ?? "")).toMatchObject({
      broken: undefined,
      hasHead: false,
    });
  });

  it("any single octet is found, where the head was kept", async () => {
    const log = await threeChanges();
    const whole = fs.readFileSync(log.path);
    const { head } = await verifyAudit(log.path);
    const lastLf = whole.length - 1;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: lastLf - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, difference) => {
          const octets = Buffer.from(whole);
          octets[at] = ((octets[at] ?? 0) + difference) % 256;
          fs.writeFileSync(log.path, octets);
          const { broken, hasHead } = await verifyAudit(log.path, head ?? "");
          expect(broken !== undefined || hasHead === false).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a log that is not there", () => {
  it("is told", async () => {
    const { path } = emptyLog();
    await expect(verifyAudit(path)).rejects.toMatchObject({ code: "file-not-found" });
  });

  it("is empty before the first line", async () => {
    const { path } = emptyLog();
    fs.writeFileSync(path, "");
    expect(await verifyAudit(path)).toMatchObject({ lines: 0, head: null, broken: undefined });
  });
});
