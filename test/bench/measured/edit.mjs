import { hash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import path from "node:path";
import { answer, input, store } from "./modules.mjs";
import { tokenOf } from "../keystores.mjs";

// A change to a large file: read, judged, spliced, checked, written atomically; against the writing
// alone of the same octets.
const { root, file, count, rounds } = input();
const { updateStore } = await store(root);

/** @param {import("../../../src/file/change.js").Change} change */
async function edit(change) {
  const start = performance.now();
  const { written } = await updateStore(file, () => [change], { policy: { nowMs: Date.now() } });
  if (!written) throw new Error("nothing was written");
  return performance.now() - start;
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

/** @type {Record<"create" | "revoke" | "write", number[]>} */
const found = { create: [], revoke: [], write: [] };
for (let round = -1; round < rounds; round += 1) {
  const id = `newcomer-${round}`;
  const createdAt = new Date().toISOString().replace(/\.\d+/, "");
  const created = await edit({
    kind: "add",
    digest: hash("sha256", `${id} of the bench`),
    fields: new Map([
      ["id", id],
      ["created_at", createdAt],
    ]),
  });
  const revoked = await edit({
    kind: "retire",
    digest: hash("sha256", tokenOf(Math.floor(count / 2) + round)),
    state: "revoked",
    retiredAt: Date.now(),
  });
  const written = write(readFileSync(file));
  if (round < 0) continue;
  found.create.push(created);
  found.revoke.push(revoked);
  found.write.push(written);
}
answer(found);
