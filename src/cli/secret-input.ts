import { isTokenText } from "../core/token.js";
import { KeysError } from "../errors.js";
import type { Context } from "./context.js";
import { askSecret, canPrompt } from "./prompt.js";

/** Longest token, in octets; as the server's. */
const TOKEN_OCTETS = 4096;
/** A CRLF may follow. */
const LINE_END_OCTETS = 2;

/** Longest input that can be a token and its line end, in octets. */
export const MAX_TOKEN_INPUT: number = TOKEN_OCTETS + LINE_END_OCTETS;

/**
 * A token from stdin, or from a prompt without echo where stdin is a terminal. Exactly one trailing
 * LF or CRLF is stripped. No error tells anything of what was read.
 *
 * @param what - what the prompt asks for.
 * @throws KeysError `token-malformed`, `usage`, `interrupted`
 */
export async function readToken(context: Context, what = "Token"): Promise<string> {
  const { stdin } = context.io;
  if (context.globals.tokenFile !== undefined) {
    await context.talk.note(
      "--token-file is for a new token; the one that is read comes from stdin",
    );
  }
  if (!stdin.isTTY) {
    const bytes = await stdin.read(MAX_TOKEN_INPUT, context.interrupt);
    return checkToken(
      Buffer.from(bytes)
        .toString("latin1")
        .replace(/\r?\n$/, ""),
    );
  }
  if (canPrompt(context)) return checkToken(await askSecret(context, what));
  throw new KeysError("usage", "no token on stdin: it is a terminal, and prompts are off", {
    hint: "give the token on stdin from a file or a password manager",
  });
}

/** The text itself, where it can be a token. @throws KeysError `token-malformed` */
export function checkToken(token: string): string {
  if (token === "") throw malformed("the token is empty");
  if (token.length > TOKEN_OCTETS) throw malformed("the token is longer than 4,096 characters");
  if (!isTokenText(token)) {
    throw malformed(
      "the token holds white space, a control character or a character outside ASCII",
    );
  }
  return token;
}

function malformed(message: string): KeysError {
  return new KeysError("token-malformed", message, {
    hint: "give exactly the token on stdin; one line end after it is taken off",
  });
}
