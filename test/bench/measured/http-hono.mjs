import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { createCheck } from "./check.mjs";
import { input } from "./modules.mjs";

const { root, file, port, headers } = input();
const check = await createCheck(root, file);
const named = Object.fromEntries(pairs(headers));
const app = new Hono();
app.get("/verify", (context) => {
  const authorization = context.req.header("authorization");
  const raw = authorization === undefined ? [] : ["authorization", authorization];
  return check(raw) ? context.body(null, 200, named) : context.body(null, 401);
});
serve({ fetch: app.fetch, port, hostname: "127.0.0.1" });

/** @param {string[]} flat */
function pairs(flat) {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at], flat[2 * at + 1]]);
}
