import { describe, expect, it } from "vitest";
import { digestOf, fingerprintOf } from "../../src/core/digest.js";
import { createLineages } from "../../src/core/lineage.js";
import { entryOf, keystoreOf } from "../server/requests.js";

const name = (token: string): string => fingerprintOf(digestOf(token));
const key = (token: string, from?: string) =>
  entryOf(token, { id: "alice", ...(from === undefined ? {} : { rotated_from: from }) });
const retired = (token: string, from: string) =>
  entryOf(token, { id: "alice", state: "rotated", rotated_from: from }, "retired");

describe("the lineage of a key", () => {
  it("is its own fingerprint where it came from none", () => {
    const a = key("a");
    expect(createLineages(keystoreOf(a))(a)).toBe(a.fingerprint);
  });

  it("is the oldest key's across rotations, through retired keys", () => {
    const [a, b, c] = [key("a"), retired("b", name("a")), key("c", name("b"))];
    const lineageOf = createLineages(keystoreOf(a, b, c));
    expect([a, b, c].map(lineageOf)).toEqual([name("a"), name("a"), name("a")]);
  });

  it("stays when the oldest key is dropped from the file", () => {
    const b = key("b", name("a"));
    expect(createLineages(keystoreOf(b))(b)).toBe(name("a"));
  });

  it("is one and the same for all keys of a circle, and for those that hang on it", () => {
    const keys = [key("a", name("c")), key("b", name("a")), key("c", name("b"))];
    const hanging = key("d", name("b"));
    const lineageOf = createLineages(keystoreOf(...keys, hanging));
    const least = keys.map(({ fingerprint }) => fingerprint).sort()[0];
    expect([...keys, hanging].map(lineageOf)).toEqual([least, least, least, least]);
  });

  it("is its own where it names itself, or nothing that is a key", () => {
    const self = key("a", name("a"));
    expect(createLineages(keystoreOf(self))(self)).toBe(name("a"));
    const odd = key("b", "somebody");
    expect(createLineages(keystoreOf(odd))(odd)).toBe(name("b"));
  });

  it("reads a digest, in any case, as the fingerprint it begins with", () => {
    const b = key("b", digestOf("a").toUpperCase());
    expect(createLineages(keystoreOf(b))(b)).toBe(name("a"));
  });
});
