import { KeysError } from "../errors.js";
import type { Identity } from "./verdict.js";

/** An event with its maker's id. */
export type Stamped<T extends object> = Omit<T, "created_by"> & { readonly created_by: string };

/** How an event is stamped. */
export interface StampOptions {
  /**
   * Whether `created_by` is overwritten where it stands further inside, too, so that no claim is
   * left for a reader who looks there. Default true.
   */
  readonly deep?: boolean;
}

const FIELD = "created_by";

/**
 * A copy of an event whose `created_by` is the identity's id, whatever it said. Plain objects and
 * arrays are copied, however deep; other values, such as a `Date`, stay as they are. The copy has
 * own properties and no inherited ones, and an own `__proto__`, which JSON can hold, is dropped.
 *
 * @throws KeysError `value-invalid` where the event is no object (an array is none), or the identity
 *   has no id.
 */
export function stamp<T extends object>(
  event: T,
  identity: Pick<Identity, "id">,
  options: StampOptions = {},
): Stamped<T> {
  const { id } = identity;
  if (typeof id !== "string" || id === "") {
    throw new KeysError("value-invalid", "there is no identity to stamp with");
  }
  const given: unknown = event;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new KeysError("value-invalid", "only an object can be stamped");
  }
  const { deep = true } = options;
  const copies = new Map<object, object>();
  // A list and not a recursion: how deep an event goes is up to who sends it.
  const open: [from: object, to: object][] = [];

  function copyOf(value: unknown): unknown {
    if (!isContainer(value)) return value;
    let copy = copies.get(value);
    if (copy === undefined) {
      copy = Array.isArray(value) ? [] : {};
      copies.set(value, copy);
      open.push([value, copy]);
    }
    return copy;
  }

  const stamped = {};
  copies.set(event, stamped);
  open.push([event, stamped]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [from, to] = next;
    for (const [name, value] of Object.entries(from) as [string, unknown][]) {
      if (name === "__proto__") continue;
      const claims = name === FIELD && deep && !Array.isArray(from);
      Object.assign(to, { [name]: claims ? id : deep ? copyOf(value) : value });
    }
  }
  return Object.assign(stamped, { [FIELD]: id }) as Stamped<T>;
}

/** What JSON makes: an array, or an object without a class. */
function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
