import { describe, expect, it, onTestFinished } from "vitest";
import type { FromWorker } from "../../src/server/ipc.js";
import { createPrimaryLine, type PrimaryLine } from "../../src/server/primary-line.js";
import { eventually } from "./eventually.js";

function lineOf(send: (message: FromWorker) => void, nowMs: () => number): PrimaryLine {
  const line = createPrimaryLine(send, nowMs);
  onTestFinished(() => {
    line.close();
  });
  return line;
}

const unreachable = { name: "PrimaryUnreachable" };

describe("a worker's line to its primary", () => {
  it("gives up a question that nobody answers for 2 s, and no sooner", async () => {
    let nowMs = 0;
    let settled = false;
    const line = lineOf(
      () => undefined,
      () => nowMs,
    );
    const asked = line.ask("counters", null);
    asked.catch(() => undefined).finally(() => (settled = true));
    nowMs = 1999;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(settled).toBe(false);
    nowMs = 2000;
    await eventually(() => settled).toBe(true);
    await expect(asked).rejects.toMatchObject(unreachable);
  });

  it("is no yes where the primary can't answer, is gone, or the line is closed", async () => {
    const sent: FromWorker[] = [];
    const line = lineOf(
      (message) => sent.push(message),
      () => 0,
    );
    const refused = line.ask("failed", { address: "192.0.2.1" });
    const open = line.ask("failed", { address: "192.0.2.1" });
    await eventually(() => sent.length).toBe(1);
    line.answered([{ id: 1, ok: false, value: undefined }]);
    await expect(refused).rejects.toMatchObject(unreachable);
    line.close();
    await expect(open).rejects.toMatchObject(unreachable);
    const gone = lineOf(
      () => {
        throw new Error("the channel is closed");
      },
      () => 0,
    );
    await expect(gone.ask("counters", null)).rejects.toMatchObject(unreachable);
  });
});
