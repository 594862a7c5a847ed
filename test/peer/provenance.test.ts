import { describe, expect, expectTypeOf, it } from "vitest";
import {
  SessionOwners,
  stamp,
  writeOnce,
  type SessionConflict,
} from "../../src/peer/provenance.js";

const alice = { id: "alice" };
const bob = { id: "bob" };
const refusal = expect.objectContaining({ code: "value-invalid" }) as Error;

describe("stamp", () => {
  it("overwrites whatever an event says of its maker, in a copy", () => {
    const event = { type: "note", created_by: "mallory" };
    const stamped = stamp(event, alice);
    expect(stamped).toEqual({ type: "note", created_by: "alice" });
    expect(event.created_by).toBe("mallory");
    expectTypeOf(stamped.created_by).toEqualTypeOf<string>();
    expectTypeOf(stamped.type).toEqualTypeOf<string>();
  });

  it("leaves no claim further inside", () => {
    const inside = { a: [{ created_by: "mallory", b: { created_by: { id: "x" } } }], n: 1 };
    expect(stamp(inside, alice)).toEqual({
      a: [{ created_by: "alice", b: { created_by: "alice" } }],
      n: 1,
      created_by: "alice",
    });
    expect(inside.a[0]?.created_by).toBe("mallory");
    expect(stamp(inside, alice, { deep: false }).a[0]?.created_by).toBe("mallory");
  });

  it.each([
    '{"__proto__":{"created_by":"mallory","isAdmin":true}}',
    '{"a":{"__proto__":{"created_by":"mallory","isAdmin":true}}}',
    '{"constructor":{"prototype":{"isAdmin":true}},"created_by":null}',
  ])("is not tricked by %s", (text) => {
    const stamped = stamp(JSON.parse(text) as { a?: object }, alice);
    expect(Object.hasOwn(stamped, "created_by")).toBe(true);
    expect(stamped.created_by).toBe("alice");
    for (const value of [stamped, stamped.a ?? {}, {}]) {
      expect(Object.hasOwn(value, "__proto__")).toBe(false);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect("isAdmin" in value).toBe(false);
    }
    expect(JSON.stringify(stamped)).not.toContain("mallory");
  });

  it("sets its own field over an inherited one, an accessor, a frozen event", () => {
    const inherited = Object.create({ created_by: "mallory", x: 1 }) as object;
    expect(Object.entries(stamp(inherited, alice))).toEqual([["created_by", "alice"]]);
    const accessor = {
      get created_by() {
        return "mallory";
      },
      set created_by(_) {
        /* kept */
      },
    };
    expect(stamp(accessor, alice).created_by).toBe("alice");
    expect(stamp(Object.freeze({ created_by: "m" }), alice).created_by).toBe("alice");
  });

  it("takes an event however deep, circles and other values", () => {
    let deep: object = {};
    for (let n = 0; n < 100_000; n += 1) deep = { deep };
    expect(stamp(deep, alice).created_by).toBe("alice");
    const circle: { self?: object } = {};
    circle.self = circle;
    const stamped = stamp(circle, alice);
    expect(stamped.self).toBe(stamped);
    const at = new Date(0);
    expect(stamp({ at }, alice)).toEqual({ at, created_by: "alice" });
  });

  it("refuses what can't be stamped", () => {
    for (const event of [[], null, "text"]) {
      expect(() => stamp(event as object, alice)).toThrow(refusal);
    }
    for (const id of ["", undefined]) {
      expect(() => stamp({}, { id } as { id: string })).toThrow(refusal);
    }
  });
});

it("a field that is written once keeps its first writer", () => {
  expect(writeOnce(null, "alice")).toEqual({ value: "alice", written: true, conflict: false });
  expect(writeOnce(undefined, "alice").written).toBe(true);
  expect(writeOnce("alice", "bob")).toEqual({ value: "alice", written: false, conflict: true });
  expect(writeOnce("alice", "alice")).toEqual({ value: "alice", written: false, conflict: false });
  expect(writeOnce("", "bob")).toEqual({ value: "", written: false, conflict: true });
});

describe("SessionOwners", () => {
  it("gives a session to the first who claims it, and tells of the next", () => {
    const conflicts: SessionConflict[] = [];
    const owners = new SessionOwners({ onConflict: (conflict) => conflicts.push(conflict) });
    expect(owners.claim("s", alice)).toEqual({ ok: true, owner: "alice", first: true });
    expect(owners.claim("s", alice)).toEqual({ ok: true, owner: "alice", first: false });
    const error = { code: "session-conflict", session: "s", owner: "alice", claimant: "bob" };
    expect(owners.claim("s", bob)).toEqual({ ok: false, error });
    expect(conflicts).toEqual([error]);
    expect(owners.ownerOf("s")).toBe("alice");
    expect(owners.claim("__proto__", bob)).toMatchObject({ ok: true, first: true });
  });

  it("never throws into an ingest", () => {
    const owners = new SessionOwners({
      onConflict: () => {
        throw new Error("a defect");
      },
    });
    owners.claim("s", alice);
    expect(owners.claim("s", bob).ok).toBe(false);
    const blind = new SessionOwners({
      stored: () => {
        throw new Error("the database is locked");
      },
    });
    const error = { code: "owner-unknown", session: "s", owner: undefined, claimant: "bob" };
    expect(blind.claim("s", bob)).toEqual({ ok: false, error });
    expect(blind.size).toBe(0);
  });

  it("is bounded, and forgets nobody's session to somebody else", () => {
    const owners = new SessionOwners({ maxSessions: 2 });
    for (const session of ["a", "b"]) owners.claim(session, alice);
    expect(owners.claim("c", bob)).toMatchObject({ ok: false, error: { code: "sessions-full" } });
    expect(owners.claim("a", bob)).toMatchObject({ error: { owner: "alice" } });
    expect(owners.claim("a", alice).ok).toBe(true);
    expect(owners.size).toBe(2);
  });

  it("is a bounded cache of what is stored", () => {
    const stored = new Map([["old", "alice"]]);
    const owners = new SessionOwners({ maxSessions: 1, stored: (session) => stored.get(session) });
    expect(owners.claim("old", bob)).toMatchObject({ error: { owner: "alice" } });
    expect(owners.claim("new", bob)).toMatchObject({ ok: true, first: true });
    stored.set("new", "bob");
    expect(owners.claim("old", alice)).toMatchObject({ ok: true, first: false });
    expect(owners.size).toBe(1);
    expect(owners.claim("new", alice)).toMatchObject({ ok: false, error: { owner: "bob" } });
  });

  it("refuses a bound that is none", () => {
    expect(() => new SessionOwners({ maxSessions: 0 })).toThrow(refusal);
  });
});
