import type { Context } from "./context.js";

/** Lists as they are written, each where there is one. */
export interface Lists {
  readonly scopes?: string | null | undefined;
  readonly workspaces?: string | null | undefined;
}

/** Says of names with a comma what they are: somebody may have meant several. */
export async function noteCommas({ talk }: Context, lists: Lists): Promise<void> {
  for (const kind of ["scope", "workspace"] as const) {
    const names = (lists[`${kind}s`] ?? "").split(" ").filter((name) => name.includes(","));
    if (names.length === 0) continue;
    const what = names.length === 1 ? `one ${kind}` : `${names.length} ${kind}s`;
    const where = names.length === 1 ? "it" : "them";
    await talk.note(`${what} with a comma in ${where}: ${kind}s are separated by spaces`);
  }
}
