import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { DocumentMemory } from "../../src/file/document-memory.js";
import { composeKeystore, parseKeystore } from "../../src/file/document.js";
import { keptOctets } from "../../src/file/scan/kept-octets.js";
import { scan } from "../../src/file/scan/scan.js";
import { isSame, readSnapshot } from "../../src/file/snapshot.js";
import { readStore } from "../../src/file/store.js";
import { updateStore } from "../../src/file/update-store.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");
const policy = { nowMs };
const later = { nowMs: nowMs + 60_000 };
const row = (id: string): string => `  "${digestOf(id)}":\n    id: ${id}\n`;
const text = (...ids: readonly string[]): string => `api_keys:\n${ids.map(row).join("")}`;

let directory = "";

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(tmpdir(), "keyhold-memory-"));
});

afterEach(() => {
  fs.rmSync(directory, { recursive: true });
});

function fileOf(content: string): string {
  const file = path.join(directory, "keys.yaml");
  fs.writeFileSync(file, content, { mode: 0o600 });
  return file;
}

describe("what is remembered of a file", () => {
  it("is the keystore in force itself, while the octets stay", async () => {
    const file = fileOf(text("a", "b"));
    const first = await readStore(file, policy);
    const memory = new DocumentMemory(first.document);
    const again = await readStore(file, later, memory.last);
    expect(again.document.keystore).toBe(first.document.keystore);
    expect(again.document.bytes).toBe(first.document.bytes);
    fs.writeFileSync(file, text("a", "c"));
    const changed = await readStore(file, later, memory.last);
    expect([...(changed.document.keystore?.live() ?? [])].map(({ id }) => id)).toEqual(["a", "c"]);
  });

  it("is nothing of a file that only the reader of all YAML understands", () => {
    const memory = new DocumentMemory(composeKeystore(Buffer.from(text("a")), policy));
    expect(memory.last).toBeUndefined();
  });

  it("has the same said of an entry when its time has come", async () => {
    const expiring = `${text("a")}    expires_at: "2027-01-01T00:00:00Z"\n${row("b")}`;
    const file = fileOf(expiring);
    const first = await readStore(file, policy);
    expect(first.diagnostics).toEqual([]);
    const then = { nowMs: Date.parse("2026-12-31T12:00:00Z") };
    const now = await readStore(file, then, first.document);
    expect(now.diagnostics.map(({ code }) => code)).toEqual(["expires-soon"]);
  });

  it("does not stand in the way of an edit of what another has written since", async () => {
    const file = fileOf(text("a", "b", "c"));
    const known = (await readStore(file, policy)).document;
    fs.writeFileSync(file, text("a", "x", "c"));
    const { after } = await updateStore(file, () => [{ kind: "purge", digest: digestOf("c") }], {
      policy: later,
      known,
    });
    expect(fs.readFileSync(file, "utf8")).toBe(text("a", "x"));
    expect(after.document.keystore).toEqual(
      parseKeystore(Buffer.from(text("a", "x")), later).keystore,
    );
  });
});

describe("what two texts have in common", () => {
  const ids = Array.from({ length: 60 }, (_, index) => `n${String(index)}`);
  const before = scan(Buffer.from(`port: 1\n${text(...ids)}`), policy);
  const gone = 'retired_api_keys:\n  "x"\n';

  it.each<[string, string, number]>([
    ["nothing has changed", `port: 1\n${text(...ids)}`, 0],
    ["a row has gone and a block has come", `port: 1\n${text(...ids.toSpliced(7, 1))}${gone}`, 1],
    [
      "rows have gone, come and changed",
      text(...ids.toSpliced(30, 1, "x", "y").toSpliced(3, 2)),
      4,
    ],
    ["many rows in a row have gone", `port: 2\n${text(...ids.toSpliced(5, 40))}`, 41],
  ])("is all but the rows at which they differ, where %s", (_, now, rows) => {
    if (before === undefined) throw new Error("the scanner declines");
    const after = Buffer.from(now);
    const kept = keptOctets(before, after);
    const size = kept.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(before.bytes.length - size).toBeLessThanOrEqual((rows + 1) * row("n10").length);
    for (const { start, end, now: at } of kept) {
      expect(after.subarray(at, at + end - start).equals(before.bytes.subarray(start, end))).toBe(
        true,
      );
    }
  });
});

describe("a file that is as expected", () => {
  const large = Buffer.alloc(3 * (1 << 20) + 17, "x");

  it("gives the octets that are known", async () => {
    const file = fileOf(large.toString());
    expect((await readSnapshot(file, large))?.bytes).toBe(large);
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ["another first octet", (bytes) => Buffer.concat([Buffer.from("y"), bytes.subarray(1)])],
    ["another last octet", (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from("y")])],
    [
      "another octet in the middle",
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, 1 << 20),
          Buffer.from("y"),
          bytes.subarray((1 << 20) + 1),
        ]),
    ],
    ["an octet less", (bytes) => bytes.subarray(1)],
    ["an octet more", (bytes) => Buffer.concat([bytes, Buffer.from("x")])],
    ["nothing", () => Buffer.alloc(0)],
  ])("is told from one with %s", async (_, change) => {
    const changed = change(large);
    const file = fileOf(changed.toString());
    const snapshot = await readSnapshot(file, large);
    expect(snapshot?.bytes?.equals(changed)).toBe(true);
    if (snapshot?.bytes === undefined) throw new Error("nothing was read");
    expect(await isSame(file, { ...snapshot, tooLarge: false, bytes: large })).toBe(false);
    expect(await isSame(file, snapshot)).toBe(true);
  });
});
