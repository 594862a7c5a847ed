import { KeysError } from "../errors.js";
import type { Verifier } from "./verifier.js";

/** What to do where the server can't be reached: no answer in time, no connection. */
export type UnavailablePolicy =
  | {
      /** `deny` (default): the verdict is `undecided`, and nobody gets in. */
      readonly onUnavailable?: "deny";
    }
  | {
      /** `stale`: a remembered verdict is used past its freshness, up to a bound; else as `deny`. */
      readonly onUnavailable: "stale";
      /** For how long past its freshness, in milliseconds; 1 to 86,400,000 (a day). */
      readonly maxStaleMs: number;
    }
  | {
      /** `local`: a verifier over a keystore at hand decides. */
      readonly onUnavailable: "local";
      readonly verifier: Verifier;
    };

/** How a verify server is asked. All times are in milliseconds. */
export type ClientOptions = UnavailablePolicy & {
  /**
   * Where the server is: `https://…`, or `http://…` where nobody can listen in between (the token
   * goes over it). A path is a prefix. Without user, password, query and fragment.
   */
  readonly url: string;
  /** The path of a unix socket to connect to instead of the URL's host. */
  readonly socketPath?: string;
  /** Certificates to trust instead of the usual ones, PEM. */
  readonly ca?: string | Buffer;
  /** For how long an answer is waited for, the whole of it. Default 5,000; 1 to 60,000. */
  readonly timeoutMs?: number;
  /** For how long a yes is remembered, never past the key's end. Default 300,000; 0 to an hour. */
  readonly positiveMs?: number;
  /** For how long a no is remembered. Default 10,000; 0 to an hour. */
  readonly negativeMs?: number;
  /** Most verdicts remembered. Default 10,000; 1 to 1,000,000. */
  readonly maxEntries?: number;
  /**
   * While remembered verdicts are used, the server is asked for its generation this often, in the
   * background; where it moved, all are forgotten. Default 5,000; 0 for never.
   */
  readonly generationCheckMs?: number;
  /** After how many failures in a row the server is not asked for a while. Default 5. */
  readonly breakAfter?: number;
  /** For how long then; after it one request tries. Default 10,000. */
  readonly halfOpenAfterMs?: number;
  /** Milliseconds since 1970; default the machine's clock. */
  readonly clock?: () => number;
};

/** The options that are numbers: default, least, most. */
const NUMBERS = {
  timeoutMs: [5000, 1, 60_000],
  positiveMs: [300_000, 0, 3_600_000],
  negativeMs: [10_000, 0, 3_600_000],
  maxEntries: [10_000, 1, 1_000_000],
  generationCheckMs: [5000, 0, 3_600_000],
  breakAfter: [5, 1, 1000],
  halfOpenAfterMs: [10_000, 1, 3_600_000],
} as const;

const OTHERS = [
  "ca",
  "clock",
  "maxStaleMs",
  "onUnavailable",
  "socketPath",
  "url",
  "verifier",
] as const;

const LONGEST_STALE_MS = 86_400_000;

/** Every number that a client goes by. */
export type ClientNumbers = Readonly<Record<keyof typeof NUMBERS | "maxStaleMs", number>>;

/**
 * The numbers of options, with defaults in place.
 *
 * @throws KeysError `value-invalid` where an option is unknown, or a number out of its range.
 */
export function clientNumbers(options: ClientOptions): ClientNumbers {
  const known = new Set<string>([...Object.keys(NUMBERS), ...OTHERS]);
  const unknown = Object.keys(options).find((name) => !known.has(name));
  if (unknown !== undefined) throw new KeysError("value-invalid", `no such option: ${unknown}`);
  if (!["deny", "stale", "local"].includes(options.onUnavailable ?? "deny")) {
    throw new KeysError("value-invalid", "onUnavailable is none of deny, stale and local");
  }
  const numberOf = (name: keyof typeof NUMBERS): number => {
    const [usual, least, most] = NUMBERS[name];
    return inRange(name, options[name] ?? usual, least, most);
  };
  const stale = options.onUnavailable === "stale";
  return {
    timeoutMs: numberOf("timeoutMs"),
    positiveMs: numberOf("positiveMs"),
    negativeMs: numberOf("negativeMs"),
    maxEntries: numberOf("maxEntries"),
    generationCheckMs: numberOf("generationCheckMs"),
    breakAfter: numberOf("breakAfter"),
    halfOpenAfterMs: numberOf("halfOpenAfterMs"),
    maxStaleMs: stale ? inRange("maxStaleMs", options.maxStaleMs, 1, LONGEST_STALE_MS) : 0,
  };
}

/**
 * The server's URL.
 *
 * @throws KeysError `value-invalid` where it is none that a server can be asked at.
 */
export function serverUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const web = url?.protocol === "https:" || url?.protocol === "http:";
  // The text may hold a password: it is not repeated.
  if (url === undefined || !web) {
    throw new KeysError("value-invalid", "the server's URL is not an http or https URL");
  }
  if (`${url.username}${url.password}${url.search}${url.hash}` !== "") {
    throw new KeysError("value-invalid", "the server's URL has a user, a query or a fragment", {
      hint: "give scheme, host, port and a path at most",
    });
  }
  return url;
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new KeysError("value-invalid", `${name} is not a whole number from ${least} to ${most}`);
}
