import { createServer } from "node:http";
import { input } from "./modules.mjs";

// The least that a server of Node can do: a fixed 200 with the same headers.
const { port, headers } = input();
createServer((_, response) => {
  response.writeHead(200, headers);
  response.end();
}).listen(port, "127.0.0.1");
