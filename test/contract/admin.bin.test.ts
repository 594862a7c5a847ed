import { describe, expect, it } from "vitest";
import { runKeys } from "../helpers/bin.js";
import { mintToken, temporaryDirectory } from "../helpers/keystores.js";
import { key, keystore, retiredAs, serve, sha256, type Got, type Sent } from "./served.js";

const ADMIN = mintToken();
const LEGACY = mintToken();
const HEAD = `# mine\nadmin_api_key_sha256: "${sha256(ADMIN)}"\napi_key: "${LEGACY}"\n`;
const alice = key("alice", { scopes: "a", label: "laptop" });
const bob = key("bob");
const gone = key("eve", retiredAs("revoked"));
const served = serve(keystore([alice, bob], [gone], HEAD));

const fresh = (): string => sha256(mintToken());
const admin = (target: string, sent: Sent = {}): Promise<Got> => served.as(ADMIN, target, sent);
const put = (digest: string, body: unknown): Promise<Got> =>
  admin(`/admin/keys/${digest}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const remove = (digest: string): Promise<Got> =>
  admin(`/admin/keys/${digest}`, { method: "DELETE" });

describe("/admin/keys", () => {
  it("asks for the admin key in the contract's order", async () => {
    for (const [method, target] of [
      ["GET", "/admin/keys"],
      ["PUT", `/admin/keys/${fresh()}`],
      ["DELETE", `/admin/keys/${fresh()}`],
    ] as const) {
      const status = async (sent: Sent): Promise<number> =>
        (await served.ask(target, { method, ...sent })).status;
      expect(await status({})).toBe(401);
      expect(await status({ headers: { authorization: "Bearer unknown" } })).toBe(401);
      expect(await status({ headers: { authorization: `Bearer ${gone.token}` } })).toBe(401);
      expect(await status({ headers: { authorization: `Bearer ${alice.token}` } })).toBe(403);
      expect(await status({ headers: { authorization: `Bearer ${LEGACY}` } })).toBe(403);
    }
  });

  it("lists the live keys", async () => {
    const { status, json } = await admin("/admin/keys");
    expect(status).toBe(200);
    const keys = json["keys"] as { hash: string; id: string }[];
    expect(keys).toEqual(
      expect.arrayContaining([
        { hash: alice.digest, id: "alice" },
        { hash: bob.digest, id: "bob" },
      ]),
    );
    expect(keys.map(({ hash }) => hash)).not.toContain(gone.digest);
    expect(keys.map(({ hash }) => hash)).not.toContain(sha256(ADMIN));
  });

  it("PUT makes a key live at once: in the file, and for the next request", async () => {
    const token = mintToken();
    const got = await put(sha256(token), { id: "dave" });
    expect([got.status, got.json]).toEqual([200, { hash: sha256(token), id: "dave" }]);
    expect(served.read()).toContain(sha256(token));
    expect(served.read().startsWith("# mine\n")).toBe(true);
    expect((await served.as(token, "/verify")).headers["x-auth-id"]).toBe("dave");
  });

  it("PUT over a live key changes the id alone", async () => {
    expect((await put(alice.digest, { id: "alicia" })).status).toBe(200);
    const got = await served.as(alice.token, "/verify?scope=a");
    expect([got.status, got.headers["x-auth-id"]]).toEqual([200, "alicia"]);
    expect(served.read()).toContain("laptop");
  });

  it("DELETE retires, and then there is nothing to delete", async () => {
    const token = mintToken();
    const digest = sha256(token);
    expect((await put(digest, { id: "temp" })).status).toBe(200);
    const got = await remove(digest);
    expect([got.status, got.json]).toEqual([200, { hash: digest, deleted: true }]);
    expect((await served.as(token, "/verify")).status).toBe(401);
    expect((await remove(digest)).status).toBe(404);
    expect((await remove(gone.digest)).status).toBe(404);
    expect((await remove(fresh())).status).toBe(404);
    // What was retired does not come back by the same way.
    expect((await put(digest, { id: "temp" })).status).toBe(409);
  });

  it("409: the admin key's own digest, a retired one, the legacy key's", async () => {
    for (const digest of [sha256(ADMIN), sha256(LEGACY)]) {
      expect((await put(digest, { id: "x" })).status).toBe(409);
      expect((await remove(digest)).status).toBe(409);
    }
    expect((await put(gone.digest, { id: "x" })).status).toBe(409);
    expect((await served.as(LEGACY, "/verify")).status).toBe(200);
  });

  it("422: a path that is no digest, a known-weak one, an id that is none", async () => {
    const before = served.read();
    for (const path of [
      "abc",
      fresh().toUpperCase(),
      `${fresh()}0`,
      "%61".repeat(64),
      sha256("password"),
    ]) {
      expect([path, (await put(path, { id: "x" })).status]).toEqual([path, 422]);
    }
    expect((await remove("abc")).status).toBe(422);
    for (const id of [
      undefined,
      null,
      1,
      "",
      "  ",
      "x".repeat(257),
      "a\u0000b",
      "a\u009fb",
      "system",
      "anonymous",
    ]) {
      expect([id, (await put(fresh(), { id })).status]).toEqual([id, 422]);
    }
    expect((await put(fresh(), { id: "\u{1f511}".repeat(256) })).status).toBe(200);
    expect(served.read().length).toBeGreaterThan(before.length);
  });

  it("400: broken JSON", async () => {
    expect((await put(fresh(), "{")).status).toBe(400);
    expect((await put(fresh(), "")).status).toBe(400);
  });

  it("writes no token anywhere", () => {
    for (const token of [ADMIN, LEGACY, alice.token]) expect(served.said()).not.toContain(token);
  });

  describe("without an admin key", () => {
    const bare = serve(keystore([alice]));
    it("401 for an unknown token, 503 for a contributor's", async () => {
      expect((await bare.ask("/admin/keys")).status).toBe(401);
      expect((await bare.as("unknown", "/admin/keys")).status).toBe(401);
      expect((await bare.as(alice.token, "/admin/keys")).status).toBe(503);
    });
  });

  describe("keys push", () => {
    const target = serve(keystore([alice, bob], [], `admin_api_key_sha256: "${sha256(ADMIN)}"\n`));
    it("brings the real server to what a file says", async () => {
      const cwd = temporaryDirectory();
      const { stdout } = await runKeys(["create", "--id", "carol"], { cwd });
      const token = stdout.trim();
      const args = ["push", target.url(), "--yes", "--prune", "--json"];
      const pushed = await runKeys(args, { cwd, input: `${ADMIN}\n` });
      expect(pushed.exitCode, pushed.stderr).toBe(0);
      expect(JSON.parse(pushed.stdout)).toMatchObject({
        added: [{ id: "carol" }],
        removed: [{ id: "alice" }, { id: "bob" }],
        failed: [],
      });
      expect((await target.as(token, "/verify")).headers["x-auth-id"]).toBe("carol");
      expect((await target.as(bob.token, "/verify")).status).toBe(401);
      const again = await runKeys(args, { cwd, input: ADMIN });
      expect(JSON.parse(again.stdout)).toMatchObject({ added: [], removed: [], unchanged: 1 });
      // A contributor's own token is not the admin's.
      const wrong = await runKeys(args, { cwd, input: token });
      expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { code: "peer-refused" } });
    });
  });
});
