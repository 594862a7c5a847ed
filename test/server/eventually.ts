import { expect } from "vitest";

/** `expect.poll` with the patience that a busy machine needs. */
export function eventually<T>(get: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(get, { timeout: 10_000, interval: 20 });
}
