import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { answer, document, input } from "./modules.mjs";

// A small file, over and over: what reading costs once everything is warm.
const { root, file, rounds } = input();
const { parseKeystore } = await document(root);
const bytes = readFileSync(file);
const text = bytes.toString("utf8");
const policy = { nowMs: Date.now() };

/** @param {() => unknown} act */
function timed(act) {
  const start = performance.now();
  act();
  return performance.now() - start;
}

const keyhold = [];
const yaml = [];
for (let round = -20; round < rounds; round += 1) {
  const one = timed(() => parseKeystore(bytes, policy).keystore?.live());
  const other = timed(() => parse(text));
  if (round < 0) continue;
  keyhold.push(one);
  yaml.push(other);
}
answer({ keyhold, yaml });
