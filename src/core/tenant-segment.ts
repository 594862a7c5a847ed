import { digestOf } from "./digest.js";

/** Longest segment, in characters. */
const SEGMENT_LENGTH = 64;
/** Hex digits of the tenant's digest at the end of a segment that is not the tenant itself. */
const MARK_DIGITS = 8;

const SAFE = /^[a-z0-9._-]+$/;
const MARKED = /\.[0-9a-f]{8}$/;

/**
 * A tenant as one segment of a path: `[a-z0-9._-]`, at most 64 characters, never `.` or `..`
 * (HTTP.md, 'System token and impersonation').
 *
 * A tenant that is a safe name stands for itself, and no other tenant has its segment. Any
 * other is lower-cased, each run of other characters becomes one `_`, it is cut, and `.` and 8 hex
 * digits of its SHA-256 are added, so that `Alice@Example.com` and `alice_example.com` stay apart. A
 * safe name that looks as if digits had been added gets its own added too, so that nobody can
 * take another's segment by choosing a name. Two segments with digits are told apart by 32 bits of
 * SHA-256 and what is left of the names: enough against accident, not against a search for a pair.
 */
export function tenantSegment(tenant: string): string {
  const isPlain = SAFE.test(tenant) && tenant.length <= SEGMENT_LENGTH && !isDots(tenant);
  if (isPlain && !MARKED.test(tenant)) return tenant;
  const base = tenant.toLowerCase().replace(/[^a-z0-9._-]+/g, "_");
  const mark = digestOf(tenant).slice(0, MARK_DIGITS);
  return `${base.slice(0, SEGMENT_LENGTH - MARK_DIGITS - 1)}.${mark}`;
}

function isDots(text: string): boolean {
  return text === "." || text === "..";
}
