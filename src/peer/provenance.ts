/**
 * Helpers that make attribution spoof-proof: who made something is what a verdict says, never what
 * the thing itself says.
 */
export { SessionOwners } from "./session-owners.js";
export type { SessionClaim, SessionConflict, SessionOwnersOptions } from "./session-owners.js";
export { stamp } from "./stamp.js";
export type { Stamped, StampOptions } from "./stamp.js";
export { writeOnce } from "./write-once.js";
export type { WriteOnceResult } from "./write-once.js";
