import { hash } from "node:crypto";
import { SignJWT, jwtVerify } from "jose";
import { tokenOf } from "../keystores.mjs";
import { answer, input, load, verify } from "./modules.mjs";

// Verdicts in one process: each variant a batch in turn, so that all are equally warm.
const { root, file, otherFile, count, otherCount, rounds } = input();
const { loadForStart } = await load(root);
const { verify: judge, NO_REQUIREMENT } = await verify(root);
const nowMs = Date.now();
const BATCH = 20_000;
const JWT_BATCH = 200;

/** @param {string} path */
async function keystoreOf(path) {
  const { keystore } = await loadForStart(path, { policy: { nowMs } });
  if (keystore === undefined) throw new Error("the keystore is not valid");
  return keystore;
}

/** Tokens from all over a keystore, in no order. @param {number} of */
function tokens(of) {
  return Array.from({ length: 4096 }, (_, at) => tokenOf((at * 7919) % of));
}

const small = await keystoreOf(file);
const large = otherFile === undefined ? undefined : await keystoreOf(otherFile);
const hits = tokens(count);
const largeHits = tokens(otherCount ?? count);
const strangers = hits.map((token) => `${token.slice(0, -1)}!`);
const secret = new TextEncoder().encode("a secret of thirty-two octets...");
const jwt = await new SignJWT({ sub: "alice" })
  .setProtectedHeader({ alg: "HS256" })
  .setExpirationTime("1h")
  .sign(secret);

let sum = 0;
/** @type {Record<string, () => number | Promise<number>>} */
const variants = {
  hash: () => batch(hits, (token) => hash("sha256", token).length),
  hit: () => batch(hits, (token) => Number(judge(small, token, NO_REQUIREMENT, nowMs).ok)),
  miss: () => batch(strangers, (token) => Number(!judge(small, token, NO_REQUIREMENT, nowMs).ok)),
  async jose() {
    const start = performance.now();
    for (let at = 0; at < JWT_BATCH; at += 1) {
      const { payload } = await jwtVerify(jwt, secret);
      sum += payload.sub === "alice" ? 1 : Number.NaN;
    }
    return ((performance.now() - start) * 1e6) / JWT_BATCH;
  },
};
if (large !== undefined) {
  variants["large"] = () =>
    batch(largeHits, (token) => Number(judge(large, token, NO_REQUIREMENT, nowMs).ok));
}

/** Nanoseconds of one. @param {string[]} list @param {(token: string) => number} act */
function batch(list, act) {
  const start = performance.now();
  for (let at = 0; at < BATCH; at += 1) {
    const result = act(list[at & 4095] ?? "");
    if (result === 0) throw new Error("a verdict is wrong");
    sum += result;
  }
  return ((performance.now() - start) * 1e6) / BATCH;
}

/** @type {Record<string, number[]>} */
const found = {};
for (let round = -5; round < rounds; round += 1) {
  for (const [name, run] of Object.entries(variants)) {
    const ns = await run();
    if (round >= 0) (found[name] ??= []).push(ns);
  }
}
if (Number.isNaN(sum)) throw new Error("a token was not valid");
answer(found);
