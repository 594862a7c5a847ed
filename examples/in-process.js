// A service that knows its callers by their keys, with no server besides it:
//
//   keys create --id alice --file keys.yaml
//   node examples/in-process.js keys.yaml
//   curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/
//
// The keystore is read once, at the start; a file that is not wholly valid starts nothing.
import { createServer } from "node:http";
import { hasErrors, NO_REQUIREMENT, parseCredential, readStore, verify } from "keyhold";

const [file = "keys.yaml", port = "8080"] = process.argv.slice(2);

const { diagnostics, document } = await readStore(file, { nowMs: Date.now() });
const { keystore } = document;
if (keystore === undefined || hasErrors(diagnostics)) {
  throw new Error(`${file} is not valid: \`keys validate --file ${file}\` says why`);
}

/** The caller's id, or undefined. @param {import("node:http").IncomingMessage} request */
function callerOf({ rawHeaders }) {
  const read = parseCredential(rawHeaders);
  if (read.kind !== "credential") return undefined;
  // A header's characters are octets: the token is hashed as those.
  const token = Buffer.from(read.credential.token, "latin1");
  const verdict = verify(keystore, token, NO_REQUIREMENT, Date.now());
  return verdict.ok ? verdict.entry.id : undefined;
}

const server = createServer((request, response) => {
  const caller = callerOf(request);
  if (caller === undefined) {
    response.writeHead(401, { "WWW-Authenticate": 'Bearer realm="example"' }).end();
  } else {
    response.end(`hello ${caller}\n`);
  }
});
server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on ${server.address().port}`);
});
