import { isAskable } from "../core/scope.js";
import { NO_REQUIREMENT, type Requirement } from "../core/verify.js";

/** What is asked of a key, all of which must hold. */
export interface Asked {
  /** Scopes, each one scope-token without a `*` (RFC 6749 §3.3). */
  readonly scopes?: readonly string[];
  /** Workspaces that the request touches. */
  readonly workspaces?: readonly string[];
  /** One workspace: as an element of `workspaces`. */
  readonly workspace?: string;
}

/** The members of {@link Asked}. */
const ASKED_MEMBERS: ReadonlySet<string> = new Set(["scopes", "workspaces", "workspace"]);

/**
 * What is asked, as a requirement; undefined where it is ill-formed: an unknown member, a list that
 * is none, a word that can't be asked for. A typo must not open a door, in JavaScript either.
 */
export function requirementOf(asked: Asked | undefined): Requirement | undefined {
  if (asked === undefined) return NO_REQUIREMENT;
  if (!Object.keys(asked).every((name) => ASKED_MEMBERS.has(name))) return undefined;
  // Present but undefined is a mistake of the caller's: `workspace: request.params.workspcae`.
  const one: readonly unknown[] = "workspace" in asked ? [asked.workspace] : [];
  const scopes = words("scopes" in asked ? asked.scopes : []);
  const workspaces = words("workspaces" in asked ? asked.workspaces : []);
  if (scopes === undefined || workspaces === undefined || !one.every(isWord)) return undefined;
  return { scopes, workspaces: [...workspaces, ...one] };
}

/** A copy: what is asked stays the same while it is on its way, whatever the caller does. */
function words(list: unknown): readonly string[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const copy: readonly unknown[] = [...(list as unknown[])];
  return copy.every(isWord) ? copy : undefined;
}

function isWord(word: unknown): word is string {
  return typeof word === "string" && isAskable(word);
}
