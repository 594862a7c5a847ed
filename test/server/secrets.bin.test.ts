import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { eventually } from "./eventually.js";
import { keystoreFile, keystoreText } from "./files.js";
import { startServe } from "./served.js";
import { ask, exchange } from "./sockets.js";

const PLANTED = {
  live: "planted-live-token-1-9f2c7a",
  retired: "planted-retired-token-2-9f2c7a",
  unknown: "planted-unknown-token-3-9f2c7a",
  system: "planted-system-token-4-9f2c7a",
  admin: "planted-admin-token-5-9f2c7a",
  inUrl: "planted-query-token-6-9f2c7a",
  malformed: "planted malformed token 7-9f2c7a",
  misplaced: "planted-misplaced-token-8-9f2c7a",
};

describe.each([
  ["json", 1],
  ["text", 1],
  ["json", 2],
  ["text", 2],
] as const)("what a server writes, --log %s, %i worker(s)", (log, workers) => {
  it("holds no token that was shown to it", async () => {
    const path = await keystoreFile(
      `${keystoreText({ [PLANTED.live]: "alice" }, ['rate_limit: "3/1m"'])}retired_api_keys:
  "${digestOf(PLANTED.retired)}":
    id: bob
    state: revoked
    retired_at: "2026-01-01T00:00:00Z"
admin_api_key_sha256: "${digestOf(PLANTED.admin)}"\n`,
    );
    const directory = dirname(path);
    const system = join(directory, "system-token");
    await writeFile(system, `${PLANTED.system}\n`, { mode: 0o600 });
    const args = ["--log", log, "--workers", String(workers), "--system-token-file", system];
    const served = await startServe(path, [...args, "--allow-impersonation"]);
    const { url } = served;
    const pages: string[] = [];
    for (const token of Object.values(PLANTED)) {
      const bearer = { authorization: `Bearer ${token}` };
      const form = { "content-type": "application/x-www-form-urlencoded", ...bearer };
      const json = { "content-type": "application/json", ...bearer };
      const target = `/verify/${encodeURIComponent(token)}?access_token=${encodeURIComponent(token)}`;
      // Whom the trusted caller acts for is a name, and logged as one.
      const tenant = token === PLANTED.system ? "tenant-7" : token;
      const asked = [
        await ask(`${url}/verify`, { headers: bearer }),
        await ask(`${url}${target}`, { headers: { "x-api-key": token } }),
        await ask(`${url}/verify?scope=${encodeURIComponent(token)}`, { headers: bearer }),
        await ask(`${url}/verify`, { headers: { ...bearer, "x-impersonate": tenant } }),
        await ask(`${url}/verify`, { headers: { ...bearer, "x-request-id": token } }),
        await ask(`${url}/introspect`, { method: "POST", headers: form, body: `token=${token}` }),
        await ask(`${url}/api/v1/api-keys/validate`, {
          method: "POST",
          headers: json,
          body: JSON.stringify({ apiKey: token, scope: "stt" }),
        }),
        await ask(`${url}/admin/keys/${encodeURIComponent(token)}`, {
          method: "PUT",
          headers: json,
          body: JSON.stringify({ id: "carol" }),
        }),
        await ask(`${url}/admin/keys/${digestOf(token)}`, { method: "DELETE", headers: bearer }),
      ];
      // Scopes that were asked for stand in the challenge: what the proxy configured, not a credential.
      pages.push(...asked.filter((_, n) => n !== 2).map(({ body }) => body));
      pages.push(await exchange(Number(new URL(url).port), `GET /verify\0${token}\r\n\r\n`, 500));
    }
    for (const page of ["/metrics", "/status", "/readyz", "/nothing"]) {
      pages.push((await ask(`${url}${page}`)).body);
    }
    const proc: string[] = [];
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        if (!argv.includes(path) && !argv.includes("serve-worker")) continue;
        const title = readFileSync(`/proc/${pid}/comm`, "utf8");
        proc.push(argv, title, readFileSync(`/proc/${pid}/environ`, "utf8"));
      } catch {
        // It has ended.
      }
    }
    expect(proc.length).toBeGreaterThanOrEqual(workers === 1 ? 3 : 9);
    // A token put where a digest belongs makes the reload fail, loudly.
    const text = readFileSync(path, "utf8");
    await writeFile(path, text.replace("api_keys:\n", `api_keys:\n  "${PLANTED.misplaced}": x\n`));
    await eventually(served.said).toContain("keystore-refused");
    await writeFile(path, text);
    served.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await served.ended;
    expect(exitCode).toBe(0);
    const names = readdirSync(directory).filter(
      (name) => !["keys.yaml", "system-token"].includes(name),
    );
    expect(names).toEqual(
      expect.arrayContaining(["keys.yaml.audit.jsonl", "keys.yaml.usage.json"]),
    );
    const files = names.map((name) => readFileSync(join(directory, name), "utf8"));
    const everything = [stdout, stderr, ...pages, ...proc, ...files].join("\n");
    expect(everything).toContain("rate_limited");
    for (const [what, token] of Object.entries(PLANTED)) {
      const at = everything.indexOf(token);
      expect(at === -1 ? "" : everything.slice(Math.max(0, at - 80), at), what).toBe("");
      expect(everything.includes(encodeURIComponent(token)), what).toBe(false);
    }
  });
});
