import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { describeWith } from "../helpers/requires.js";
import { bearer, hello, send, type Lines } from "./client.js";
import { makeKeys, ODD_ID, type Keys } from "./keys.js";
import { CADDY, HAPROXY, NGINX, openStage, type Program, type Stage } from "./proxy.js";
import { startUpstream, valuesOf, type Seen, type Upstream } from "./upstream.js";

const IDENTITY = [
  "X-Auth-Id",
  "X-Auth-Fingerprint",
  "X-Auth-Scopes",
  "X-Auth-Workspaces",
  "X-Auth-Mode",
  "X-Auth-Tenant",
  "X-Keys-Generation",
  "Remote-User",
];

/** What no upstream gets, whoever sends it. */
const DROPPED = ["X-Keys-Expires", "X-Impersonate"];

/** A client's lines for every identity header in every spelling that might pass for it. */
function spoofed(): Lines {
  return [...IDENTITY, ...DROPPED].flatMap((name) =>
    [
      name,
      name.toLowerCase(),
      name.toUpperCase(),
      name.replaceAll("-", "_"),
      name.replaceAll("-", "_").toUpperCase(),
      name.replace("-", "_"),
      name.replace(/-(?=[^-]*$)/, "_"),
    ].map((spelling) => [spelling, "evil"] as const),
  );
}

/** The names that an upstream could take for an identity header, as CGI and WSGI would. */
function identityIn(seen: Seen): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [name, value] of seen.headers) {
    const cgi = name.replaceAll(/[^a-z0-9]/g, "-");
    const proper = [...IDENTITY, ...DROPPED].find((known) => known.toLowerCase() === cgi);
    if (proper !== undefined) (found[proper] ??= []).push(value);
  }
  return found;
}

/** The same for each proxy; `asks` says whether there is a verify server behind it. */
function table(program: Program, asks: boolean): void {
  describeWith(program.requirement, `${program.name}, configured by keys`, () => {
    let keys: Keys;
    let stage: Stage;
    let upstream: Upstream;
    let port = 0;
    const common = ["--scope", "apps:read", "--workspace", "blue", "--user-header", "Remote-User"];

    beforeAll(async () => {
      keys = makeKeys();
      stage = openStage(keys.text);
      upstream = await startUpstream();
      const server = asks ? ["--server", (await stage.serve()).url] : ["--map", "keys.map"];
      ({ port } = await stage.proxy(program, "--upstream", upstream.url, ...server, ...common));
    });
    afterAll(async () => {
      await stage.close();
      await upstream.close();
    });

    const status = async (...lines: Lines): Promise<number | undefined> =>
      (await send(port, { lines })).status;

    it("lets a good key in, and tells the upstream whose it is", async () => {
      const { status: given, seen } = await send(port, { lines: [bearer(keys.good)] });
      expect(given).toBe(200);
      expect(identityIn(seen)).toEqual({
        "X-Auth-Id": ["good"],
        "X-Auth-Fingerprint": [digestOf(keys.good).slice(0, 12)],
        "X-Auth-Scopes": ["apps:read other"],
        "X-Auth-Workspaces": ["*"],
        "X-Auth-Mode": ["apikey"],
        "X-Auth-Tenant": ["-"],
        "X-Keys-Generation": [expect.stringMatching(/^[0-9a-f]{16}$/)],
        "Remote-User": ["good"],
      });
    });

    it("takes the token in each form", async () => {
      expect(await status(["X-API-Key", keys.good])).toBe(200);
      expect(await status(["x-api-key", `  ${keys.good} `])).toBe(200);
      expect(await status(["Authorization", `ApiKey ${keys.good}`])).toBe(200);
      expect(await status(["Authorization", `bEARER  ${keys.good}`])).toBe(200);
      expect(await status(["authorization", `APIKEY\t${keys.good}`])).toBe(200);
      expect(await status(["authorization", `Bearer\t ${keys.good}`])).toBe(200);
    });

    it.each(["wild", "odd", "bound"] as const)("lets the key %s in", async (name) => {
      const { status: given, seen } = await send(port, { lines: [bearer(keys[name])] });
      expect(given).toBe(200);
      const [id] = valuesOf(seen, "X-Auth-Id");
      expect(decodeURIComponent(id ?? "")).toBe(name === "odd" ? ODD_ID : name);
      expect(valuesOf(seen, "X-Auth-Scopes")).toEqual([
        { wild: "apps:*", odd: "*", bound: "apps:read" }[name],
      ]);
      expect(valuesOf(seen, "X-Auth-Workspaces")).toEqual([name === "bound" ? "blue green" : "*"]);
    });

    it.each(["unknown", "revoked", "expired", "early"] as const)(
      "answers 401 with a challenge to a key that is %s",
      async (name) => {
        const answer = await send(port, { lines: [bearer(keys[name])] });
        expect(answer.status).toBe(401);
        expect(answer.headers["www-authenticate"]).toBe(
          'Bearer realm="keys", error="invalid_token"',
        );
      },
    );

    it.each([
      ["bare", 'Bearer realm="keys", error="insufficient_scope", scope="apps:read"'],
      ["near", 'Bearer realm="keys", error="insufficient_scope", scope="apps:read"'],
      ["elsewhere", 'Bearer realm="keys", error="insufficient_scope"'],
    ] as const)("answers 403 with a challenge to the key %s", async (name, challenge) => {
      const answer = await send(port, { lines: [bearer(keys[name])] });
      expect(answer.status).toBe(403);
      expect(answer.headers["www-authenticate"]).toBe(challenge);
    });

    it("answers 401 with a challenge where there is no credential", async () => {
      for (const lines of [[], [["Authorization", `Basic ${keys.good}`]]] as Lines[]) {
        const answer = await send(port, { lines });
        expect(answer.status).toBe(401);
        expect(answer.headers["www-authenticate"]).toBe('Bearer realm="keys"');
      }
      expect((await send(port, { path: `/?access_token=${keys.good}` })).status).toBe(401);
    });

    it("lets nothing malformed in", async () => {
      const good = keys.good;
      const malformed: Lines[] = [
        [["Authorization", "Bearer"]],
        [["Authorization", `Bearer ${good} ${good}`]],
        [["Authorization", `Bearer ${good},${good}`]],
        [["Authorization", good]],
        [["Authorization", `Bearer${good}`]],
        [["X-API-Key", `Bearer ${good}`]],
        [bearer(good), ["X-API-Key", good]],
      ];
      for (const lines of malformed) {
        const given = await status(...lines);
        expect([400, 401], JSON.stringify(lines)).toContain(given);
      }
      expect(upstream.seen.every((seen) => valuesOf(seen, "X-Auth-Id").length === 1)).toBe(true);
    });

    it("takes no second token behind a first", async () => {
      const twice = await status(bearer(keys.good), bearer(keys.unknown));
      const other = await status(bearer(keys.unknown), bearer(keys.good));
      const headers = await status(["X-API-Key", keys.unknown], ["X-API-Key", keys.good]);
      expect([400, 401]).toContain(other);
      expect([400, 401]).toContain(headers);
      // nginx 1.22 sees the first line alone, and passes nothing else on.
      expect(program === NGINX ? [200, 400, 401] : [400, 401]).toContain(twice);
    });

    it("drops whatever a client sends for an identity", async () => {
      const { status: given, seen } = await send(port, {
        lines: [...spoofed(), bearer(keys.good)],
      });
      expect(given).toBe(200);
      expect(JSON.stringify(seen)).not.toContain("evil");
      expect(Object.keys(identityIn(seen)).sort()).toEqual([...IDENTITY].sort());
      expect(Object.values(identityIn(seen)).every((values) => values.length === 1)).toBe(true);
    });

    it("lets no client have an identity header dropped by naming it in Connection", async () => {
      const { seen } = await send(port, {
        lines: [bearer(keys.good), ["Connection", "close, X-Auth-Id, x-auth-scopes, Remote-User"]],
      });
      expect(Object.keys(identityIn(seen)).sort()).toEqual([...IDENTITY].sort());
      expect(valuesOf(seen, "connection").join().toLowerCase()).not.toContain("x-auth");
    });

    it("keeps the credential to itself", async () => {
      for (const line of [bearer(keys.good), ["X-API-Key", keys.good] as const]) {
        const { seen } = await send(port, { lines: [line] });
        expect(JSON.stringify(seen)).not.toContain(keys.good);
      }
    });

    it("answers HEAD as GET, without a body", async () => {
      const yes = await send(port, { method: "HEAD", lines: [bearer(keys.good)] });
      expect([yes.status, yes.body]).toEqual([200, ""]);
      expect(upstream.seen.at(-1)?.method).toBe("HEAD");
      const no = await send(port, { method: "HEAD", lines: [bearer(keys.revoked)] });
      expect([no.status, no.body]).toEqual([401, ""]);
    });

    it("passes a body on whole, and none that is denied", async () => {
      const body = Buffer.alloc(3_000_000, "b");
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        const { status: given, seen } = await send(port, {
          method,
          path: "/a/b?scope=evil&c=d",
          lines: [bearer(keys.good)],
          body,
        });
        expect([given, seen.method, seen.url, seen.octets]).toEqual([
          200,
          method,
          "/a/b?scope=evil&c=d",
          body.length,
        ]);
      }
      const before = upstream.seen.length;
      const small = Buffer.from("a=b");
      expect(
        (await send(port, { method: "POST", lines: [bearer(keys.unknown)], body: small })).status,
      ).toBe(401);
      expect(upstream.seen.length).toBe(before);
    });

    it("lets a WebSocket through with a good key alone", async () => {
      const answer = await hello(port, keys.good);
      expect(answer).toMatch(/^hello /);
      expect(answer).toContain('["x-auth-id","good"]');
      expect(answer).not.toContain("evil");
      expect(await hello(port, keys.revoked)).toBe(401);
      expect(await hello(port, keys.near)).toBe(403);
    });

    it("passes no other upgrade on", async () => {
      for (const upgrade of ["h2c", "websocket, h2c", "foo"]) {
        const lines: Lines = [
          bearer(keys.good),
          ["Connection", "Upgrade, HTTP2-Settings"],
          ["HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA"],
          ["Upgrade", upgrade],
        ];
        await send(port, { lines }).catch(() => undefined);
      }
      expect(JSON.stringify(upstream.seen)).not.toContain("h2c");
      expect(JSON.stringify(upstream.seen)).not.toContain('"foo"');
    });

    it("answers big cookies with a verdict or a 4xx", async () => {
      for (const size of [6000, 15_000, 20_000, 60_000]) {
        const cookie = ["Cookie", `a=${"c".repeat(size)}`] as const;
        const yes = await status(bearer(keys.good), cookie);
        expect([200, 400, 431], String(size)).toContain(yes);
        const no = await status(bearer(keys.revoked), cookie);
        expect([400, 401, 431], String(size)).toContain(no);
        if (size === 6000) expect([yes, no]).toEqual([200, 401]);
      }
    });

    if (asks) {
      it("counts a rate limit, and tells the client when to come again", async () => {
        expect(await status(bearer(keys.limited))).toBe(200);
        const answer = await send(port, { lines: [bearer(keys.limited)] });
        expect(answer.status).toBe(429);
        expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
      });
    }
  });
}

describe("the table", () => {
  table(NGINX, true);
  table(CADDY, true);
  table(HAPROXY, false);
});
