import type { FieldModel, Model, RowModel } from "./model.js";
import type { BlockPlan, Plan } from "./plan.js";

/** What the text must say once a plan is carried out: its model before, changed as planned. */
export function expectedModel(before: Model, plan: Plan): Model {
  const admin = plan.adminDigest;
  let settings = before.settings.filter(
    ([name]) => !(plan.drop.has("api_key") && name === "api_key"),
  );
  if (plan.drop.has("admin_api_key")) {
    if (admin !== undefined) {
      settings = settings.filter(([name]) => name !== "admin_api_key_sha256");
      settings = settings.map((setting) =>
        setting[0] === "admin_api_key" ? ["admin_api_key_sha256", `text ${admin}`] : setting,
      );
    } else {
      settings = settings.filter(([name]) => name !== "admin_api_key");
    }
  }
  return {
    settings,
    live: nested(
      block(before.live, plan.live, before.retired, plan.drop.has("api_key")),
      plan.nest,
    ),
    retired: block(before.retired, plan.retired, before.live, false),
  };
}

function block(
  rows: Model["live"],
  plan: BlockPlan,
  others: Model["live"],
  ensured: boolean,
): Model["live"] {
  const touched = plan.remove.size > 0 || plan.append.length > 0 || plan.set.size > 0;
  // Nothing left alive: `{}` stands, never null and never nothing.
  if (!touched) return ensured && (rows === null || rows === undefined) ? [] : rows;
  const kept = (rows ?? [])
    .filter(({ name }) => !plan.remove.has(name))
    .map((row) => withFields(row, plan.set.get(row.name)));
  const moved = new Set(plan.append.filter(({ from }) => from !== undefined).map(digestOfRow));
  const sources = new Map(
    (others ?? []).filter(({ name }) => moved.has(name)).map((row) => [row.name, row]),
  );
  const added = plan.append.map(({ digest, from, fields }) => {
    const source = from === undefined ? undefined : sources.get(digest);
    return withFields(source ?? { name: digest, fields: [] }, fields);
  });
  return [...kept, ...added];
}

function digestOfRow({ digest }: { readonly digest: string }): string {
  return digest;
}

function withFields(
  row: RowModel,
  fields: ReadonlyMap<string, string | null> | undefined,
): RowModel {
  if (fields === undefined || typeof row.fields === "string") return row;
  const result: FieldModel[] = [];
  const given = new Map(fields);
  for (const field of row.fields) {
    const value = given.get(field[0]);
    given.delete(field[0]);
    if (value === undefined) result.push(field);
    else if (value !== null) result.push([field[0], `text ${value}`]);
  }
  for (const [name, value] of given) if (value !== null) result.push([name, `text ${value}`]);
  return { name: row.name, fields: result };
}

function nested(rows: Model["live"], nest: ReadonlyMap<string, string>): Model["live"] {
  if (nest.size === 0) return rows;
  return rows?.map((row) => {
    const id = nest.get(row.name);
    return id === undefined ? row : { name: row.name, fields: [["id", `text ${id}`]] };
  });
}
