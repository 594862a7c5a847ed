import { answer, input, load, verify } from "./modules.mjs";

// A keystore from its file to ready to verify, as a server's start does it.
const { root, file, digest } = input();
const { loadForStart } = await load(root);
const { verifyDigest, NO_REQUIREMENT } = await verify(root);
const nowMs = Date.now();
const start = performance.now();
const { keystore } = await loadForStart(file, { policy: { nowMs } });
if (keystore === undefined) throw new Error("the keystore is not valid");
if (!verifyDigest(keystore, digest, NO_REQUIREMENT, nowMs).ok) throw new Error("no verdict");
const ms = performance.now() - start;
answer({ ms, memory: process.resourceUsage().maxRSS });
