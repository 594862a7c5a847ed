import { readFileSync } from "node:fs";
import { answer, input } from "./modules.mjs";

// The same keys by JSON.parse, from their file to ready to look up; nothing is validated.
const { file, digest } = input();
const start = performance.now();
const { api_keys } = JSON.parse(readFileSync(file, "utf8"));
if (api_keys[digest] === undefined) throw new Error("no key");
const ms = performance.now() - start;
answer({ ms, memory: process.resourceUsage().maxRSS });
