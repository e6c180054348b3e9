// Greets whoever of its trust domain calls over mutual TLS, by SPIFFE ID.
import { createServer } from "node:https";
import {
  authorizeMemberOf,
  peerOf,
  protectServer,
  serverTlsOptions,
  X509Source,
} from "../../client/index.ts";

const source = await X509Source.start();
const { id } = source.svid();
const server = createServer(serverTlsOptions(), (request, response) => {
  response.end(`hello ${peerOf(request.socket)?.id}\n`);
});
protectServer(server, {
  source,
  authorize: authorizeMemberOf(id.trustDomain),
  onRefused: (error) => process.stdout.write(`refused: ${error.message}\n`),
});
server.listen(Number(process.env["PORT"] ?? 8443), "127.0.0.1", () => {
  process.stdout.write(`${id} is listening\n`);
});
