import fastify from "fastify";
import { createCheck } from "./check.mjs";
import { input } from "./modules.mjs";

const { root, file, port, headers } = input();
const check = await createCheck(root, file);
const named = Object.fromEntries(pairs(headers));
const app = fastify();
app.get("/verify", (request, reply) => {
  if (!check(request.raw.rawHeaders)) return reply.code(401).send();
  return reply.code(200).headers(named).send();
});
await app.listen({ port, host: "127.0.0.1" });

/** @param {string[]} flat */
function pairs(flat) {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at], flat[2 * at + 1]]);
}
