import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import type { Change } from "../../src/file/change.js";
import { isAsMeant } from "../../src/file/as-meant.js";
import { composeKeystore } from "../../src/file/document.js";
import { editComposed } from "../../src/file/composed-edit.js";
import { scan, type Scan } from "../../src/file/scan/scan.js";
import { Skeleton } from "../../src/file/scan/skeleton.js";

const nowMs = Date.parse("2026-11-22T12:00:00Z");
const policy = { nowMs };
const names = ["a", "b", "c", "d", "e", "f", "g"];
const row = (name: string): string =>
  `  "${digestOf(name)}":\n    id: ${name}\n    label: "of ${name}"\n`;
const text = `port: 1\napi_keys:\n${names.map(row).join("")}other: 2\n`;
const changes: readonly Change[] = [
  { kind: "retire", digest: digestOf("c"), state: "revoked", retiredAt: nowMs },
  { kind: "add", digest: digestOf("new"), fields: new Map([["id", "new"]]) },
];
const touched = new Set([digestOf("c"), digestOf("new")]);

function scanned(source: string): Scan {
  const found = scan(Buffer.from(source), policy);
  if (found === undefined) throw new Error("the scanner declines");
  return found;
}

/** Whether a result is taken for what the changes meant. */
function isTaken(result: (right: string) => string): boolean {
  const before = scanned(text);
  const skeleton = new Skeleton(before, touched);
  const read = (now: string): ReturnType<typeof composeKeystore> =>
    composeKeystore(Buffer.from(now), policy);
  const edited = editComposed(composeKeystore(skeleton.bytes, policy), changes, policy, read);
  const right = edited === undefined ? undefined : skeleton.apply(edited.edit.splices)?.bytes;
  if (edited === undefined || right === undefined) throw new Error("nothing was edited");
  return isAsMeant(before, scanned(result(right.toString())), touched, edited.document);
}

describe("the check of an edited text", () => {
  it("takes what was meant", () => {
    expect(isTaken((right) => right)).toBe(true);
  });

  it.each<[string, (right: string) => string]>([
    [
      "another id of a row that was left out of the skeleton",
      (right) => right.replace("id: e", "id: x"),
    ],
    ["another id of the row before the end", (right) => right.replace("id: f", "id: x")],
    ["a field more", (right) => right.replace("id: e\n", 'id: e\n    scopes: "*"\n')],
    ["a field less", (right) => right.replace('    label: "of e"\n', "")],
    ["a row less", (right) => right.replace(row("e"), "")],
    ["a row more", (right) => right.replace(row("e"), row("e") + row("x"))],
    [
      "two rows that changed places",
      (right) => right.replace(row("d") + row("e"), row("e") + row("d")),
    ],
    ["another digest", (right) => right.replace(digestOf("e"), digestOf("x"))],
    ["another id of the new row", (right) => right.replace("id: new", "id: now")],
    ["a retired row with another state", (right) => right.replace("revoked", "disabled")],
    ["the retired row in both blocks", (right) => right.replace(row("d"), row("c") + row("d"))],
    [
      "the new row in another place",
      (right) => {
        const added = `  "${digestOf("new")}":\n    id: new\n`;
        return right.replace(added, "").replace(row("d"), added + row("d"));
      },
    ],
    ["a setting less", (right) => right.replace("other: 2\n", "")],
    ["a raw key more", (right) => right.replace("other: 2", 'api_key: "x y z"')],
  ])("does not take %s", (_, result) => {
    expect(isTaken(result)).toBe(false);
  });
});
