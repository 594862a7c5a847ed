import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { KeysError } from "../../src/errors.js";
import { verifyAudit } from "../../src/file/audit-read.js";
import type { AuditNote } from "../../src/file/audit.js";
import { createAuditNotes } from "../../src/server/audit-notes.js";
import { keystoreFile, keystoreText } from "./files.js";

const note = (id: string): AuditNote => ({ actor: "system", action: "impersonate", id });
const now = (): number => Date.now();

describe("notes in the audit log", () => {
  it("that come together go out by few writes, every one in the chain", async () => {
    const path = await keystoreFile(keystoreText({ a: "alice" }));
    const write = createAuditNotes({ path, auditFile: undefined, now });
    const ids = Array.from({ length: 300 }, (_, n) => `tenant-${String(n)}`);
    await Promise.all(ids.map((id) => write(note(id))));
    const text = await readFile(`${path}.audit.jsonl`, "utf8");
    expect([...text.matchAll(/"id":"(tenant-\d+)"/g)].map(([, id]) => id)).toEqual(ids);
    expect(await verifyAudit(`${path}.audit.jsonl`)).toMatchObject({ broken: undefined });
  });

  it("are durable or refused, each by its own write", async () => {
    const calls: number[] = [];
    const write = createAuditNotes({
      path: "",
      auditFile: undefined,
      now,
      append: (_, notes) => {
        calls.push([notes].flat().length);
        return calls.length === 1
          ? Promise.reject(new KeysError("audit-unwritable", "full"))
          : Promise.resolve();
      },
    });
    const first = write(note("a"));
    await expect(first).rejects.toMatchObject({ code: "audit-unwritable" });
    await Promise.all([write(note("b")), write(note("c"))]);
    expect(calls).toEqual([1, 2]);
  });

  it("are refused, and not gathered without end, where the log stands still", async () => {
    const write = createAuditNotes({
      path: "",
      auditFile: undefined,
      now,
      append: () => new Promise<void>(() => undefined),
    });
    void write(note("under way"));
    await Promise.resolve();
    await Promise.resolve();
    for (let n = 0; n < 1000; n += 1) void write(note("waits"));
    await expect(write(note("too many"))).rejects.toMatchObject({ code: "audit-unwritable" });
  });
});
