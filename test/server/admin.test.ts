import { chmod, readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { formatToken } from "../../src/core/token.js";
import { KeysError } from "../../src/errors.js";
import { loadForStart } from "../../src/file/load.js";
import { keystoreFile } from "./files.js";
import {
  appOf,
  bodyRequest,
  errorOf,
  headerOf,
  NOW,
  requestOf,
  type App,
  type AppOptions,
} from "./requests.js";

const ADMIN = "the-admin-token";
const NEW = digestOf("token-new");
const [ALICE, GONE, OWNER] = [
  digestOf("token-a"),
  digestOf("token-gone"),
  digestOf("legacy-owner-key"),
];

const TEXT = `# kept
admin_api_key_sha256: "${digestOf(ADMIN)}"
api_key: "legacy-owner-key"
api_keys:
  "${ALICE}":
    id: alice
    scopes: "apps:read"
retired_api_keys:
  "${GONE}":
    id: bob
    state: revoked
    retired_at: "2026-01-01T00:00:00Z"
`;

async function serve(text = TEXT, options: AppOptions = {}): Promise<{ app: App; path: string }> {
  const path = await keystoreFile(text);
  const { keystore } = await loadForStart(path, { policy: { nowMs: NOW } });
  if (keystore === undefined) throw new Error("the test's keystore is not valid");
  return { app: appOf(keystore, { path, ...options }), path };
}

async function call(
  app: App,
  method: string,
  digest?: string,
  body = "",
  token: string | null = ADMIN,
) {
  const target = digest === undefined ? "/admin/keys" : `/admin/keys/${digest}`;
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  return (await app.wait(bodyRequest(method, target, body, headers))).reply.answer;
}

const idOf = (id: unknown): string => JSON.stringify({ id });

describe("who may administer", () => {
  it.each(["GET", "PUT", "DELETE"])("%s: the admin key alone, told in order", async (method) => {
    const { app } = await serve();
    const digest = method === "GET" ? undefined : NEW;
    const as = (token: string | null) => call(app, method, digest, idOf("x"), token);
    expect(errorOf(await as(null))).toBe("unauthenticated");
    expect(errorOf(await as("nobody"))).toBe("invalid_token");
    expect(errorOf(await as("token-gone"))).toBe("invalid_token");
    const contributor = await as("token-a");
    expect([contributor.status, errorOf(contributor)]).toEqual([403, "admin_required"]);
    expect((await as(`${ADMIN}x`)).status).toBe(401);
  });

  it("is a 401 before it is a 503 where no admin key is configured", async () => {
    const { app } = await serve(TEXT.replace(/^admin.*\n/m, ""));
    expect((await call(app, "GET", undefined, "", null)).status).toBe(401);
    expect((await call(app, "GET", undefined, "", ADMIN)).status).toBe(401);
    const contributor = await call(app, "GET", undefined, "", "token-a");
    expect([contributor.status, errorOf(contributor)]).toEqual([503, "admin_disabled"]);
  });

  it("is nobody by X-API-Key, and the admin key opens nothing else", async () => {
    const { app } = await serve();
    const request = requestOf("/admin/keys", { "X-API-Key": ADMIN });
    expect((await app.wait(request)).reply.answer.status).toBe(401);
    expect(app.get("/verify", ADMIN).status).toBe(401);
  });

  it("counts failed calls as failed look-ups", async () => {
    const { app } = await serve();
    for (let n = 0; n < 100; n += 1) {
      expect((await call(app, "GET", undefined, "", `guess-${n}`)).status).toBe(401);
    }
    expect(errorOf(await call(app, "GET", undefined, "", "guess"))).toBe("too_many_failures");
    expect((await call(app, "GET")).status).toBe(200);
  });
});

describe("GET /admin/keys", () => {
  it("lists the live keys that can be administered", async () => {
    const { app } = await serve();
    expect(JSON.parse((await call(app, "GET")).body)).toEqual({
      keys: [{ hash: ALICE, id: "alice" }],
    });
  });
});

describe("PUT /admin/keys/{digest}", () => {
  it("makes a key live, in the file first and in memory after", async () => {
    const { app, path } = await serve();
    expect(app.get("/verify", "token-new").status).toBe(401);
    const answer = await call(app, "PUT", NEW, idOf("carol"));
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { hash: NEW, id: "carol" }]);
    expect(headerOf(app.get("/verify", "token-new"), "X-Auth-Id")).toBe("carol");
    const text = await readFile(path, "utf8");
    expect(text).toContain("# kept");
    expect(text).toContain(NEW);
    expect(text).toContain('created_at: "2026-11-22T12:00:00Z"');
  });

  it("changes only the id of a live key, audited from old to new", async () => {
    const { app, path } = await serve();
    expect((await call(app, "PUT", ALICE, idOf("alicia"))).status).toBe(200);
    expect(await readFile(path, "utf8")).toBe(TEXT.replace("id: alice", "id: alicia"));
    expect(headerOf(app.get("/verify?scope=apps:read", "token-a"), "X-Auth-Id")).toBe("alicia");
    const audit = await readFile(`${path}.audit.jsonl`, "utf8");
    expect(audit).toContain('"actor":"admin"');
    expect(audit).toContain('"action":"admin-put"');
    expect(audit).toMatch(/"alice".*"alicia"/);
  });

  it("writes nothing where nothing changes", async () => {
    const { app, path } = await serve();
    expect((await call(app, "PUT", ALICE, idOf("alice"))).status).toBe(200);
    expect(await readFile(path, "utf8")).toBe(TEXT);
  });

  it.each([
    ["the admin key's own digest", digestOf(ADMIN)],
    ["a retired digest", GONE],
    ["the legacy key's", OWNER],
  ])("is a 409 for %s", async (_, digest) => {
    const { app, path } = await serve();
    const answer = await call(app, "PUT", digest, idOf("x"));
    expect([answer.status, errorOf(answer)]).toEqual([409, "digest_conflict"]);
    expect(await readFile(path, "utf8")).toBe(TEXT);
  });

  it.each([
    "abc",
    NEW.toUpperCase(),
    `${NEW}0`,
    `${NEW}/x`,
    "",
    digestOf("changeme"),
    "a".repeat(64),
  ])("is a 422 for the path %j", async (digest) => {
    const { app } = await serve();
    const answer = await call(app, "PUT", digest, "{");
    expect([answer.status, errorOf(answer)]).toEqual([422, "digest_invalid"]);
  });

  it.each([
    "{}",
    "[]",
    "null",
    idOf(1),
    idOf(null),
    idOf(""),
    idOf("  "),
    idOf("x".repeat(257)),
    idOf("a\nb"),
    idOf("system"),
    idOf("anonymous"),
    '{"id":"\\ud800"}',
  ])("is a 422 for the body %j", async (body) => {
    const { app, path } = await serve();
    const answer = await call(app, "PUT", NEW, body);
    expect([answer.status, errorOf(answer)]).toEqual([422, "id_invalid"]);
    expect(await readFile(path, "utf8")).toBe(TEXT);
  });

  it.each([
    ["the token of the digest itself", "token-new"],
    ["another key's token", "token-a"],
    ["the admin token", ADMIN],
    ["a minted token that nobody knows", `it is ${formatToken("key", Buffer.alloc(32, 7))}`],
  ])("is a 422 for an id that is %s, and writes it nowhere", async (_, id) => {
    const { app, path } = await serve();
    const answer = await call(app, "PUT", NEW, idOf(id));
    expect([answer.status, errorOf(answer)]).toEqual([422, "id_invalid"]);
    expect(await readFile(path, "utf8")).toBe(TEXT);
  });

  it.each(["", "{", "id=alice"])("is a 400 for the body %j, which is no JSON", async (body) => {
    const { app } = await serve();
    expect((await call(app, "PUT", NEW, body)).status).toBe(400);
  });

  it("takes an id that the command line would not, as KEYSTORE.md has it", async () => {
    const { app } = await serve();
    expect((await call(app, "PUT", NEW, idOf("Ünal: yes"))).status).toBe(200);
    expect(headerOf(app.get("/verify", "token-new"), "X-Auth-Id")).toBe("%C3%9Cnal:%20yes");
  });
});

describe("DELETE /admin/keys/{digest}", () => {
  it("retires a key, in the file first and in memory after", async () => {
    const { app, path } = await serve();
    const answer = await call(app, "DELETE", ALICE);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { hash: ALICE, deleted: true }]);
    expect(app.get("/verify", "token-a").status).toBe(401);
    const text = await readFile(path, "utf8");
    expect(text.indexOf(ALICE)).toBeGreaterThan(text.indexOf("retired_api_keys"));
    expect(text).toContain("state: revoked");
  });

  it.each([
    ["an unknown digest", NEW, 404, "not_found"],
    ["a retired one", GONE, 404, "not_found"],
    ["the admin key's own", digestOf(ADMIN), 409, "digest_conflict"],
    ["the legacy key's", OWNER, 409, "digest_conflict"],
    ["what is no digest", "abc", 422, "digest_invalid"],
  ])("of %s is refused", async (_, digest, status, error) => {
    const { app, path } = await serve();
    const answer = await call(app, "DELETE", digest);
    expect([answer.status, errorOf(answer)]).toEqual([status, error]);
    expect(await readFile(path, "utf8")).toBe(TEXT);
  });

  it("takes away the last key, and then nobody gets in", async () => {
    const { app } = await serve(TEXT.replace(/^api_key:.*\n/m, ""));
    expect((await call(app, "DELETE", ALICE)).status).toBe(200);
    expect(app.state.degraded()).toEqual(["empty-keystore"]);
    expect((await call(app, "GET")).body).toBe('{"keys":[]}');
  });
});

describe("a change that can't be recorded", () => {
  const auditFile = "/nowhere/audit.jsonl";

  it("is made where it takes access away, and told in the log", async () => {
    const { app } = await serve(TEXT, { auditFile });
    expect((await call(app, "DELETE", ALICE)).status).toBe(200);
    expect(app.get("/verify", "token-a").status).toBe(401);
    expect(app.events).toMatchObject([
      { level: "error", event: "change-unrecorded", details: { action: "admin-delete" } },
    ]);
  });

  it("is not made where it gives access", async () => {
    const { app, path } = await serve(TEXT, { auditFile });
    const answer = await call(app, "PUT", NEW, idOf("carol"));
    expect([answer.status, errorOf(answer)]).toEqual([500, "write_failed"]);
    expect(await readFile(path, "utf8")).toBe(TEXT);
    expect(app.get("/verify", "token-new").status).toBe(401);
  });
});

describe("a write that fails", () => {
  it("is a 500 and changes nothing in memory", async () => {
    const { app } = await serve(TEXT, {
      services: { edit: () => Promise.reject(new KeysError("file-unwritable", "full")) },
    });
    const { reply } = await app.wait(
      bodyRequest("DELETE", `/admin/keys/${ALICE}`, "", { Authorization: `Bearer ${ADMIN}` }),
    );
    expect(reply.answer.status).toBe(500);
    expect(errorOf(reply.answer)).toBe("write_failed");
    expect(reply.reason).toBe("file-unwritable");
    expect(app.get("/verify", "token-a").status).toBe(200);
  });

  it("is not begun with where the file could not be taken into force", async () => {
    const { app, path } = await serve();
    const broken = `${TEXT}  bad\n`;
    await writeFile(path, broken);
    expect((await call(app, "PUT", NEW, idOf("x"))).status).toBe(500);
    expect(await readFile(path, "utf8")).toBe(broken);
    expect(app.get("/verify", "token-a").status).toBe(200);
  });

  it("of a file that is gone is a 500", async () => {
    const { app, path } = await serve(TEXT, { path: "/nowhere/keys.yaml" });
    await chmod(path, 0o600);
    expect((await call(app, "DELETE", ALICE)).status).toBe(500);
  });
});
