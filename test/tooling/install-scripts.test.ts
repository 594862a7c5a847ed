import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

/** What npm 11 warns of in an installed package, whether it would run it or not. */
const WARNED_OF = ["preinstall", "install", "postinstall", "prepare"];

it("the package has no script that npm asks its user to allow", () => {
  const text = readFileSync(path.join(import.meta.dirname, "../../package.json"), "utf8");
  const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };
  expect(WARNED_OF.filter((name) => name in scripts)).toEqual([]);
  expect(scripts).toMatchObject({ dependencies: "npm run build", prepack: "npm run build" });
});
