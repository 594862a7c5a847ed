import { isAskable } from "./scope.js";
import type { Requirement } from "./verify.js";

const PARAMETERS = { scope: "scopes", workspace: "workspaces" } as const;

const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;

/**
 * What a query asks: `scope=apps:read+events:write&workspace=blue` (HTTP.md, 'For reverse
 * proxies'). Each parameter may repeat and may hold several words, with `+` or `%20` between; `%2B`
 * is a `+` within a word. All of them must hold.
 *
 * @param query - what follows the `?`, still encoded.
 * @returns undefined where a parameter is unknown, empty or ill-formed (an escape that is none, a
 *   word that is no scope-token or holds a `*`): a typo must not open a door.
 */
export function parseRequirement(query: string): Requirement | undefined {
  return parseParameters(query.split("&"));
}

/**
 * What a path segment asks: `scope=apps:read;workspace=blue`, in the grammar of
 * {@link parseRequirement} with `;` between parameters, for proxies that append the client's path
 * and query.
 */
export function parseRequirementSegment(segment: string): Requirement | undefined {
  return parseParameters(segment.split(";"));
}

function parseParameters(parameters: readonly string[]): Requirement | undefined {
  const requirement = { scopes: [] as string[], workspaces: [] as string[] };
  for (const parameter of parameters) {
    const equals = parameter.indexOf("=");
    const list = listOf(parameter.slice(0, Math.max(equals, 0)));
    const words = list === undefined ? undefined : parseWords(parameter.slice(equals + 1));
    if (list === undefined || words === undefined) return undefined;
    requirement[list].push(...words);
  }
  return requirement;
}

function listOf(name: string): keyof Requirement | undefined {
  return name === "scope" || name === "workspace" ? PARAMETERS[name] : undefined;
}

function parseWords(value: string): readonly string[] | undefined {
  if (BAD_ESCAPE.test(value)) return undefined;
  // One octet a character is enough: a word holds visible ASCII alone.
  const words = value
    .replaceAll("+", " ")
    .replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .split(" ");
  return words.every(isAskable) ? words : undefined;
}
