import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, onTestFinished } from "vitest";
import { watchTls } from "../../src/server/tls.js";
import { eventually } from "./eventually.js";
import { temporaryDirectory } from "./files.js";

describe("watchTls", () => {
  it("goes on after a listener that threw", async () => {
    const directory = await temporaryDirectory();
    const [certPath, keyPath] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    await writeFile(certPath, "no certificate");
    await writeFile(keyPath, "no key");
    const heard: string[] = [];
    const stop = watchTls({ certPath, keyPath }, "before", (change) => {
      heard.push("error" in change ? change.error.code : "a pair");
      if (heard.length === 1) throw new Error("a listener's own");
    });
    onTestFinished(stop);
    await eventually(() => heard).toEqual(["tls-invalid"]);
    await writeFile(keyPath, "no key either");
    await eventually(() => heard).toEqual(["tls-invalid", "tls-invalid"]);
  });
});
