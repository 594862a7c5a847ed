import { isString, type Layout } from "./layout.js";
import type { RootKey } from "./shown-name.js";

/** A root setting's text, where it is one that is not empty. */
export function rootText(pairs: Layout["pairs"] | undefined, name: RootKey): string | undefined {
  const value = pairs?.get(name)?.value;
  return value !== undefined && isString(value) && value.text !== "" ? value.text : undefined;
}

/** Whether a raw key stands among the root settings: `api_key` or `admin_api_key`. */
export function rawKeyStands(pairs: Layout["pairs"] | undefined): boolean {
  return (rootText(pairs, "api_key") ?? rootText(pairs, "admin_api_key")) !== undefined;
}
