import { RateLimiterMemory } from "rate-limiter-flexible";
import { answer, input, rateLimiter } from "./modules.mjs";

// A thousand keys, each asked in turn, under a limit that none of them reaches.
const { root, rounds } = input();
const { createRateLimiter } = await rateLimiter(root);
const BATCH = 20_000;
const KEYS = Array.from({ length: 1000 }, (_, index) => `contributor-${index}`);
// A hundred times what a batch asks of a key, in a window that all batches fit into.
const limit = { requests: 10_000, windowMs: 600_000 };

// Both read the same clock: the peer does it by itself.
const exact = createRateLimiter();
const peer = new RateLimiterMemory({ points: limit.requests, duration: limit.windowMs / 1000 });

function keyhold() {
  const start = performance.now();
  for (let at = 0; at < BATCH; at += 1) {
    const { allowed } = exact.take(KEYS[at % 1000] ?? "", limit, Date.now());
    if (!allowed) throw new Error("the limit was reached");
  }
  return ((performance.now() - start) * 1e6) / BATCH;
}

async function flexible() {
  const start = performance.now();
  for (let at = 0; at < BATCH; at += 1) await peer.consume(KEYS[at % 1000] ?? "", 1);
  return ((performance.now() - start) * 1e6) / BATCH;
}

/** @type {{ keyhold: number[], flexible: number[] }} */
const found = { keyhold: [], flexible: [] };
for (let round = -5; round < rounds; round += 1) {
  const [one, other] = [keyhold(), await flexible()];
  if (round < 0) continue;
  found.keyhold.push(one);
  found.flexible.push(other);
}
answer(found);
// Its timers would keep the process for the window.
process.exit();
