import path from "node:path";
import { pathToFileURL } from "node:url";

// What a measured process uses of keyhold is what is built; its types are the source's.

/** @param {string} root @param {string} name @returns {Promise<any>} */
function built(root, name) {
  return import(pathToFileURL(path.join(root, "dist", name)).href);
}

/** @param {string} root @returns {Promise<typeof import("../../../src/file/load.js")>} */
export const load = (root) => built(root, "file/load.js");

/** @param {string} root @returns {Promise<typeof import("../../../src/file/update-store.js")>} */
export const store = (root) => built(root, "file/update-store.js");

/** @param {string} root @returns {Promise<typeof import("../../../src/file/service-read.js")>} */
export const slices = (root) => built(root, "file/service-read.js");

/** @param {string} root @returns {Promise<typeof import("../../../src/file/document.js")>} */
export const document = (root) => built(root, "file/document.js");

/** @param {string} root @returns {Promise<typeof import("../../../src/core/verify.js")>} */
export const verify = (root) => built(root, "core/verify.js");

/** @param {string} root @returns {Promise<typeof import("../../../src/core/credential.js")>} */
export const credential = (root) => built(root, "core/credential.js");

/** @param {string} root @returns {Promise<typeof import("../../../src/core/rate-limiter.js")>} */
export const rateLimiter = (root) => built(root, "core/rate-limiter.js");

/** What the process was asked: the JSON of its argument. @returns {any} */
export function input() {
  return JSON.parse(process.argv[2] ?? "{}");
}

/** @param {unknown} result */
export function answer(result) {
  process.stdout.write(JSON.stringify(result));
}
