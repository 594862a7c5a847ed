import { credential, load, rateLimiter, verify } from "./modules.mjs";

/**
 * What `/verify` decides, as an app would that has it in its own process: the credential, the
 * verdict, the limit.
 *
 * @param {string} root
 * @param {string} file
 */
export async function createCheck(root, file) {
  const { loadForStart } = await load(root);
  const { parseCredential } = await credential(root);
  const { verify: judge, NO_REQUIREMENT } = await verify(root);
  const { createRateLimiter } = await rateLimiter(root);
  const { keystore } = await loadForStart(file, { policy: { nowMs: Date.now() } });
  if (keystore === undefined) throw new Error("the keystore is not valid");
  const limiter = createRateLimiter();
  return (/** @type {string[]} */ rawHeaders) => {
    const read = parseCredential(rawHeaders);
    if (read.kind !== "credential") return false;
    const verdict = judge(keystore, read.credential.token, NO_REQUIREMENT, Date.now());
    if (!verdict.ok) return false;
    const { digest, rateLimit } = verdict.entry;
    if (rateLimit === undefined || rateLimit === "none") return true;
    return limiter.take(digest, rateLimit, performance.now()).allowed;
  };
}
