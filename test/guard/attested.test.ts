// A guard that takes no tasks of AI agents on hosts: by what the server says of the task, and by what its
// credential says; while the server cannot be asked, by the credential alone.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { createGuard, guardHttp, type IdentityError } from "../../guard/index.ts";
import { IdentityError as Failure, Status } from "../../pki/errors.ts";
import { FakeGuardNode, ISSUER } from "../support/fake-guard-node.ts";

const RESOURCE = "https://localhost/mcp";
const CLAIM = `${ISSUER}/task`;

type Ask = (token: string) => Promise<{ readonly status: number; readonly body: string }>;

async function setUp(
  t: Test,
  requireAttested: boolean,
): Promise<{ node: FakeGuardNode; ask: Ask }> {
  const node = await FakeGuardNode.start(t);
  const errors: IdentityError[] = [];
  const guard = await createGuard({
    resource: RESOURCE,
    endpoint: node.endpoint,
    issuer: ISSUER,
    jwks: node.jwks,
    requireTls: false,
    onError: (error) => errors.push(error),
    ...(requireAttested && { requireAttested }),
  });
  const handle = guardHttp(guard);
  const server = createServer((request, response) =>
    handle(request, response, () => response.end("done")),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    guard.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask: Ask = async (token) => {
    const answer = await fetch(`http://127.0.0.1:${port}/mcp/things`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: answer.status, body: await answer.text() };
  };
  return { node, ask };
}

t.test("refuses a task of which only a host says whose it is", async (t) => {
  const { node, ask } = await setUp(t, true);
  const hosted = node.open({ assurance: "host-asserted", host: "spiffe://north.test/agent/host" });
  const refused = await ask(await node.accessToken(hosted));
  t.equal(refused.status, 403);
  t.match(refused.body, /GUARD_ATTESTATION_MISSING/);
  t.match(node.eventsOf("decision.made").at(-1), {
    outcome: "denied",
    reason: "GUARD_ATTESTATION_MISSING",
  });
  const attested = node.open({ assurance: "process-attested" });
  t.equal((await ask(await node.accessToken(attested))).status, 200);
  const says = (assurance: string) => ({ more: { [CLAIM]: { assurance } } });
  const lying = await ask(await node.accessToken(attested, says("host-asserted")));
  t.equal(lying.status, 403, "of two words the stricter counts");
  const claimed = await ask(await node.accessToken(hosted, says("process-attested")));
  t.equal(claimed.status, 403);
});

t.test(
  "while nobody can be asked, what the issuer has signed counts, and silence not",
  async (t) => {
    const { node, ask } = await setUp(t, true);
    node.failures.set("DescribeTask", new Failure("DOWN", Status.deadlineExceeded, "no answer"));
    const task = node.open();
    for (const [assurance, status] of [
      ["process-attested", 200],
      ["host-asserted", 403],
      ["", 403],
      [undefined, 403],
    ] as const) {
      const claim = { fail_mode: "ttl", ...(assurance !== undefined && { assurance }) };
      const token = await node.accessToken(task, { more: { [CLAIM]: claim } });
      t.equal((await ask(token)).status, status, `assurance ${assurance}`);
    }
  },
);

t.test("unless it is told so, a guard takes both", async (t) => {
  const { node, ask } = await setUp(t, false);
  const hosted = node.open({ assurance: "host-asserted" });
  t.equal((await ask(await node.accessToken(hosted))).status, 200);
});
