import { digestOf } from "../../core/digest.js";
import { fingerprintOf, isDigest } from "../../core/fingerprint.js";
import { isKnownWeak } from "../../core/weak.js";
import type { Context } from "../context.js";
import type { ExitStatus } from "../exit-codes.js";
import { readToken } from "../secret-input.js";

/** `keys hash`: the digest of a token, for an operator who must not see the token. */
export async function hash(context: Context): Promise<ExitStatus> {
  const token = await readToken(context);
  const digest = digestOf(token);
  if (context.globals.json) {
    await context.printJson({ digest, fingerprint: fingerprintOf(digest) });
  } else {
    await context.print(`${digest}\n`);
  }
  if (isKnownWeak(token)) {
    await context.talk.warn("that is a value everybody knows: no keystore takes it");
  } else if (isDigest(token.toLowerCase())) {
    await context.talk.warn("what was given is 64 hex digits: if it was a digest, use it as it is");
  }
  return 0;
}
