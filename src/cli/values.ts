import { isDigest } from "../core/fingerprint.js";
import { parseDuration } from "../core/duration.js";
import { isFreeText, isPortableId, isReservedId } from "../core/id.js";
import { formatInstant, isInstant, parseInstant } from "../core/instant.js";
import { parseRateLimit } from "../core/rate-limit.js";
import { parseScopes, parseWorkspaces } from "../core/scope.js";
import { isPrefix } from "../core/token.js";
import { KeysError } from "../errors.js";
import { invalid, refuseToken } from "./refuse-token.js";

export { invalid, refuseToken } from "./refuse-token.js";

// No message here repeats the value: somebody may have put a token in the wrong place.

const SECOND_MS = 1000;

/** What may be given where a time is asked, as hints say it. */
const TIME_FORMS =
  "a duration (30s 12h 90d 2w 1y), an instant such as 2027-02-20T10:00:00Z, or never";

/** A duration, or a year before 1970 or after 9999: what is no instant for its size alone. */
const OUT_OF_RANGE = /^(?:[1-9]\d*[smhdwy]$|(?:0\d|1[0-8]|19[0-6])\d+-|\d{5,}-)/;

/** An id for a new key. @throws KeysError `id-invalid`, `id-reserved`, `value-invalid` */
export function parseNewId(text: string): string {
  refuseToken("--id", text);
  if (!isPortableId(text)) {
    throw new KeysError("id-invalid", "the id is not one that `keys` gives to a key", {
      hint: "start with a letter or digit; then letters, digits and . _ @ + : - (256 at most)",
    });
  }
  if (isReservedId(text)) {
    throw new KeysError("id-reserved", `the id ${text} is reserved`, {
      hint: "`system` and `anonymous` are what servers call others than contributors",
    });
  }
  return text;
}

/** A label or reason; undefined where it is empty. */
export function parseFreeText(option: string, text: string): string | undefined {
  if (!isFreeText(text)) {
    throw invalid(option, "is too long or holds a control character", "256 characters at most");
  }
  return text.trim() === "" ? undefined : text;
}

/** Scopes, each value holding one or several, as they are written: once each, one space between. */
export function parseScopesOption(values: readonly string[]): string {
  const scopes = parseScopes(joined(values));
  if (scopes !== undefined) return scopes.join(" ");
  throw invalid(
    "--scopes",
    "is no list of scopes",
    "names with spaces between, such as `events:write apps:*`; 1,024 octets at most",
  );
}

/** Workspaces, as {@link parseScopesOption}. */
export function parseWorkspacesOption(values: readonly string[]): string {
  const workspaces = parseWorkspaces(joined(values));
  if (workspaces !== undefined) return workspaces.join(" ");
  throw invalid(
    "--workspaces",
    "is no list of workspaces",
    "names with spaces between, without `*`; 1,024 octets at most",
  );
}

/** A rate limit, as it is written. */
export function parseRateLimitOption(text: string): string {
  if (parseRateLimit(text) !== undefined) return text;
  throw invalid(
    "--rate-limit",
    "is no rate limit",
    "a count and a window of 1s to 30d, such as 60/1m, or none",
  );
}

/** A token's prefix. */
export function parsePrefixOption(text: string): string {
  if (isPrefix(text)) return text;
  throw invalid(
    "--prefix",
    "is no prefix for a token",
    "lower-case letters and digits, parts joined by _, starting with a letter; 20 characters at most",
  );
}

/** A digest, in lower case. */
export function parseDigestOption(text: string): string {
  const digest = text.toLowerCase();
  if (isDigest(digest)) return digest;
  throw invalid(
    "--digest",
    "is no digest",
    "64 hex digits, as `keys hash` prints them; a token goes to stdin with --token-stdin",
  );
}

/**
 * An instant from a duration counted from now, an RFC 3339 instant, or `never` (undefined).
 *
 * @param direction - 1 for a time to come, -1 for one past: an age.
 */
export function parseTime(
  option: string,
  text: string,
  nowMs: number,
  direction: 1 | -1 = 1,
): number | undefined {
  if (text === "never") return undefined;
  const duration = parseDuration(text);
  const ms = duration === undefined ? parseInstant(text) : nowMs + direction * duration;
  if (ms !== undefined && isInstant(ms)) return ms;
  const problem = OUT_OF_RANGE.test(text) ? "is outside the years 1970 to 9999" : "is no time";
  throw invalid(option, problem, TIME_FORMS);
}

/** {@link parseTime} of an end: `never` is after any other. */
export function parseEnd(option: string, text: string, nowMs: number): number {
  return parseTime(option, text, nowMs) ?? Number.POSITIVE_INFINITY;
}

/** An instant as it is written into a keystore, or undefined. */
export function writtenInstant(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatInstant(ms);
}

/** The instant cut to the second, as the times of new entries are written. */
export function wholeSecond(ms: number): number {
  return Math.floor(ms / SECOND_MS) * SECOND_MS;
}

function joined(values: readonly string[]): string {
  const words = values.flatMap((value) => value.split(" "));
  return words.filter((word) => word !== "").join(" ");
}
