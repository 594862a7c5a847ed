import { hash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import path from "node:path";
import { answer, input, store } from "./modules.mjs";
import { tokenOf } from "../keystores.mjs";

// A change to a large file: read, judged, spliced, checked, written atomically; against the writing
// alone of the same octets. Once as a server makes it, which has read the file before and sees by its
// octets that it is the same; once as a command does, which has not.
const { root, file, count, rounds } = input();
const { updateStore } = await store(root);

/** @type {import("../../../src/file/document.js").KeystoreDocument | undefined} */
let held;

/** @param {import("../../../src/file/change.js").Change} change @param {boolean} isHeld */
async function edit(change, isHeld) {
  const start = performance.now();
  const { written, after } = await updateStore(file, () => [change], {
    policy: { nowMs: Date.now() },
    known: isHeld ? held : undefined,
  });
  const ms = performance.now() - start;
  if (!written) throw new Error("nothing was written");
  held = after.document;
  return ms;
}

let made = 0;

/** @param {boolean} isHeld */
function create(isHeld) {
  made += 1;
  const id = `newcomer-${made}`;
  const createdAt = new Date().toISOString().replace(/\.\d+/, "");
  const digest = hash("sha256", `${id} of the bench`);
  const fields = new Map([
    ["id", id],
    ["created_at", createdAt],
  ]);
  return edit({ kind: "add", digest, fields }, isHeld);
}

let gone = 0;

/** @param {boolean} isHeld */
function revoke(isHeld) {
  gone += 1;
  const digest = hash("sha256", tokenOf(Math.floor(count / 2) + gone));
  return edit({ kind: "retire", digest, state: "revoked", retiredAt: Date.now() }, isHeld);
}

/** @param {Buffer} bytes */
function write(bytes) {
  const start = performance.now();
  const temp = `${file}.bench`;
  const fd = openSync(temp, "wx", 0o600);
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temp, file);
  const directory = openSync(path.dirname(file), "r");
  fsyncSync(directory);
  closeSync(directory);
  return performance.now() - start;
}

/** @type {Record<"create" | "revoke" | "createFresh" | "revokeFresh" | "write", number[]>} */
const found = { create: [], revoke: [], createFresh: [], revokeFresh: [], write: [] };
for (let round = -1; round < rounds; round += 1) {
  const ms = {
    createFresh: await create(false),
    revokeFresh: await revoke(false),
    create: await create(true),
    revoke: await revoke(true),
    write: write(readFileSync(file)),
  };
  if (round < 0) continue;
  for (const [name, each] of Object.entries(ms)) {
    found[/** @type {keyof typeof found} */ (name)].push(each);
  }
}
answer(found);
