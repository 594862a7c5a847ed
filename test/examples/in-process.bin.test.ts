import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { nodePath, runKeys } from "../helpers/bin.js";

const root = join(import.meta.dirname, "../..");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "keyhold-example-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it("the in-process example greets who has a key and refuses all others", async () => {
  const file = join(folder, "keys.yaml");
  const { stdout } = await runKeys(["create", "--id", "alice", "--file", file], { cwd: folder });
  const token = stdout.trim();
  const example = spawn(nodePath, ["examples/in-process.js", file, "0"], { cwd: root });
  try {
    const [line] = (await once(createInterface(example.stdout), "line")) as [string];
    const url = `http://127.0.0.1:${line.split(" ").at(-1) ?? ""}/`;
    const welcome = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(await welcome.text()).toBe("hello alice\n");
    for (const headers of [{}, { authorization: "Bearer nobodys" }]) {
      const refused = await fetch(url, { headers });
      expect(refused.status).toBe(401);
      expect(refused.headers.get("www-authenticate")).toBe('Bearer realm="example"');
    }
  } finally {
    example.kill();
    await once(example, "exit");
  }
});
