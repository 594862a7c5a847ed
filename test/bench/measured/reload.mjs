import { readFileSync, writeFileSync } from "node:fs";
import { answer, input, slices } from "./modules.mjs";

// A server's reload after one key was changed, against reading the file for the first time; both up
// to the generation, as it takes a keystore into force.
const { root, file, rounds } = input();
const { readForService } = await slices(root);
const bytes = readFileSync(file);
// One letter of an id in the middle of the file.
const place = bytes.indexOf("id: contributor", bytes.length >> 1) + "id: ".length;
/** @import { KeystoreDocument } from "../../../src/file/document.js" */
/** @type {KeystoreDocument | undefined} */
let known;

/** @param {KeystoreDocument | undefined} before */
async function timed(before) {
  const start = performance.now();
  const { document } = await readForService(file, { nowMs: Date.now() }, before);
  const ms = performance.now() - start;
  if (document.keystore?.generation === undefined) throw new Error("the keystore is not valid");
  return { ms, document };
}

/** @type {Record<"reload" | "first", number[]>} */
const found = { reload: [], first: [] };
for (let round = -1; round < rounds; round += 1) {
  bytes[place] = "abcdefghijklmnopqrstuvwxyz".charCodeAt((round + 1) % 26);
  writeFileSync(file, bytes);
  const first = await timed(undefined);
  if (known !== undefined) {
    const reload = await timed(known);
    found.reload.push(reload.ms);
    found.first.push(first.ms);
  }
  known = first.document;
}
answer(found);
