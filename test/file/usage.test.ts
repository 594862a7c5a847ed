import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { readUsage, recordUsage, usagePath } from "../../src/file/usage.js";
import { temporaryDirectory } from "../helpers/keystores.js";

const [a, b, c] = ["a", "b", "c"].map(digestOf) as [string, string, string];
const NOW = Date.UTC(2026, 10, 25, 12);

function usageFile(): string {
  return join(temporaryDirectory(), "keys.yaml.usage.json");
}

describe("a usage file", () => {
  it("is told to be missing where it or its directory is", async () => {
    const file = usageFile();
    expect(await readUsage(file)).toEqual({ lastUsed: new Map(), status: "missing" });
    expect((await readUsage(join(file, "..", "no", "x"))).status).toBe("missing");
  });

  it("keeps the later of two uses, 0600", async () => {
    const file = usageFile();
    await recordUsage(file, new Map([[a, NOW], [b, NOW]])); // prettier-ignore
    await recordUsage(file, new Map([[a, NOW - 5000], [b, NOW + 5000], [c, NOW]])); // prettier-ignore
    const { lastUsed, status } = await readUsage(file);
    expect(status).toBe("read");
    expect(lastUsed).toEqual(new Map([[a, NOW], [b, NOW + 5000], [c, NOW]])); // prettier-ignore
    expect(fs.statSync(file).mode & 0o7777).toBe(0o600);
    expect(JSON.parse(fs.readFileSync(file, "utf8"))).toMatchObject({
      version: 1,
      last_used: { [a]: "2026-11-25T12:00:00Z" },
    });
  });

  it("loses none of many that are written at once", async () => {
    const file = usageFile();
    const digests = Array.from({ length: 20 }, (_, n) => digestOf(String(n)));
    await Promise.all(digests.map((digest) => recordUsage(file, new Map([[digest, NOW]]))));
    expect(new Set((await readUsage(file)).lastUsed.keys())).toEqual(new Set(digests));
    expect(fs.readdirSync(join(file, ".."))).toEqual(["keys.yaml.usage.json"]);
  });

  it("drops what is in no keystore, where it is told which are", async () => {
    const file = usageFile();
    await recordUsage(file, new Map([[a, NOW], [b, NOW]])); // prettier-ignore
    await recordUsage(file, new Map(), { isKnown: (digest) => digest === b });
    expect((await readUsage(file)).lastUsed).toEqual(new Map([[b, NOW]]));
  });

  it.each(["", "{", "[]", "null", '{"version":2,"last_used":{}}', '{"version":1,"last_used":[]}'])(
    "that holds %j is broken, and replaced by the next use",
    async (text) => {
      const file = usageFile();
      fs.writeFileSync(file, text);
      expect(await readUsage(file)).toEqual({ lastUsed: new Map(), status: "broken" });
      await recordUsage(file, new Map([[a, NOW]]));
      expect(await readUsage(file)).toEqual({ lastUsed: new Map([[a, NOW]]), status: "read" });
    },
  );

  it("that is a directory is broken", async () => {
    const file = usageFile();
    fs.mkdirSync(file);
    expect((await readUsage(file)).status).toBe("broken");
  });

  it("is read without the entries that are none", async () => {
    const file = usageFile();
    const last_used = {
      [a]: "2026-11-25T12:00:00Z",
      [b]: 7,
      [c]: "soon",
      token: "2026-11-25T12:00:00Z",
    };
    fs.writeFileSync(file, JSON.stringify({ version: 1, last_used }));
    expect((await readUsage(file)).lastUsed).toEqual(new Map([[a, NOW]]));
  });

  it("stands beside the real keystore, unless another is named", async () => {
    const directory = temporaryDirectory();
    fs.writeFileSync(join(directory, "real.yaml"), "");
    fs.symlinkSync("real.yaml", join(directory, "link.yaml"));
    const link = join(directory, "link.yaml");
    expect(await usagePath(link)).toBe(join(directory, "real.yaml.usage.json"));
    expect(await usagePath(link, "/x/usage.json")).toBe("/x/usage.json");
  });
});
