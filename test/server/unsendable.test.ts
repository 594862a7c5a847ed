import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createListener } from "../../src/server/listener.js";
import { jsonAnswer, type Reply } from "../../src/server/message.js";
import { ask } from "./sockets.js";

const BROKEN: Reply = { answer: { status: 200, headers: ["X-Auth-Id", "a\nb"], body: "" } };
const SOUND: Reply = { answer: jsonAnswer(200, {}) };

describe("an answer that can't be sent", () => {
  it.each(["/at-once", "/late"])("ends its own connection alone: %s", async (path) => {
    const faults: unknown[] = [];
    const server = createListener({
      router: {
        readsBody: () => false,
        clientOf: (remote) => remote,
        answer: (request) => {
          const reply = request.path === path ? BROKEN : SOUND;
          const routed = { route: "verify", reply };
          return path === "/late" ? Promise.resolve(routed) : routed;
        },
      },
      now: () => 0,
      stopping: () => false,
      log: undefined,
      onFault: (error) => faults.push(error),
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    await expect(ask(url + path)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(faults).toMatchObject([{ code: "ERR_INVALID_CHAR" }]);
    expect((await ask(`${url}/other`)).status).toBe(200);
  });
});
