// A program that tests launch for a task: it knows nothing of tasks, and uses SPIFFE_ENDPOINT_SOCKET as any
// workload does. Prints one line of JSON for each message of its X.509 stream, and for each command: "x509"
// (a new stream), "jwt AUDIENCE", "wit", "exit CODE".

import { createInterface } from "node:readline";
import { IdentityError } from "../../pki/errors.ts";
import { parsePrivateJwk } from "../../pki/wit/private-jwk.ts";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import { SpiffeWorkloadApi } from "../../proto/schema.gen.ts";

const socket = process.env["SPIFFE_ENDPOINT_SOCKET"]?.slice("unix://".length) ?? "";
const channel = createChannel({
  address: { unix: socket },
  metadata: { "workload.spiffe.io": "true" },
  backoff: { initialMs: 20, maxMs: 20 },
});
const client = channel.client(SpiffeWorkloadApi);
setTimeout(() => process.exit(3), 30_000); // whatever becomes of the test

/** What it prints. */
export interface WorkloadLine {
  /** SPIFFE IDs of a message. */
  readonly x509?: readonly string[];
  readonly bundles?: number;
  readonly jwt?: string;
  /** Each with its SPIFFE ID, and what its token says. */
  readonly wit?: readonly {
    readonly id: string;
    readonly sub: string;
    readonly isForKey: boolean;
  }[];
  /** The gRPC status of what failed. */
  readonly refused?: number;
}

const say = (line: WorkloadLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const refused = (error: unknown): void =>
  say({ refused: error instanceof IdentityError ? error.code : -1 });

async function watch(): Promise<void> {
  for await (const { svids } of client.fetchX509SVID({})) {
    const bundles = svids.filter(({ bundle }) => bundle.length > 0).length;
    say({ x509: svids.map(({ spiffeId }) => spiffeId), bundles });
  }
}

async function wit(): Promise<void> {
  for await (const { svids } of client.fetchWITSVID({})) {
    const read = svids.map(({ spiffeId, witSvid, witSvidKey }) => {
      const { id, confirmation } = parseWitSvidInsecurely(witSvid);
      const { spki } = parsePrivateJwk(witSvidKey);
      const isForKey = Buffer.compare(spki, confirmation.spki) === 0;
      return { id: spiffeId, sub: id.toString(), isForKey };
    });
    say({ wit: read });
  }
}

watch().catch(refused);
for await (const line of createInterface(process.stdin)) {
  const [verb, word = ""] = line.split(" ");
  if (verb === "x509") watch().catch(refused);
  if (verb === "wit") wit().catch(refused);
  if (verb === "exit") process.exit(Number(word));
  if (verb === "jwt") {
    client
      .fetchJWTSVID({ audience: [word] })
      .then(({ svids }) => say({ jwt: svids[0]?.spiffeId ?? "" }), refused);
  }
}
