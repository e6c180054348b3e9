// What a task shows at the handshake beside its SVID is of its own choosing. A guard hands on what vouches for the
// SVID, and nothing else: padded by its task it would be too large for the node agent, which listens to a guard that
// shows what is no credential a few times, and then to none of its tasks.

import t from "tap";
import { IdentityError, Status } from "../../pki/errors.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { FakeGuardNode, MANDATE } from "../support/fake-guard-node.ts";
import { startGuardedMcp } from "../support/guarded-mcp.ts";
import { LaxAuthority } from "../support/lax-authority.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { TestTlsSource } from "../support/tls-source.ts";

const CALL = { name: "read_ticket", arguments: {} };

t.test("certificates that a task pads its chain with are not shown for it", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open();
  const svid = await node.authority.issueId(SpiffeId.parse(task.spiffeId));
  const padding = LaxAuthority.create({
    subjectDer: node.authority.root.subjectDer,
    withoutKeyIds: true,
    extra: [{ oid: "1.3.6.1.4.1.99999.1", critical: false, value: new Uint8Array(40_000) }],
  });
  const padded = { ...svid, chain: [...svid.chain, padding.certificate.der] };
  const source = new TestTlsSource(padded, TestAuthority.anchorsOf(node.authority));
  const { client } = await mcp.connect(source);
  await client.callTool(CALL);
  for (const shown of node.shown) t.same(shown, Buffer.from(svid.leaf.der));
  t.ok(node.shown.length > 0);
});

t.test("a chain with an authority between is shown with it", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open();
  const below = await node.authority.createBelow();
  const svid = await below.issueId(SpiffeId.parse(task.spiffeId));
  const source = new TestTlsSource(svid, TestAuthority.anchorsOf(node.authority));
  const { client } = await mcp.connect(source);
  await client.callTool(CALL);
  t.same(node.shown.at(0), Buffer.concat(svid.chain));
});

t.test("a node agent that refuses to tell of a task is not one that is away", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open({ mandate: { actions: ["tools/read/*"] } });
  // From before the task was narrowed.
  const token = await node.accessToken(task, {
    mandate: MANDATE,
    more: { "https://id.north.test/task": { fail_mode: "ttl" } },
  });
  const bearer = () => ({ authorization: `Bearer ${token}` });
  const { client } = await mcp.connect(undefined, bearer);
  const wide = () => client.callTool({ name: "delete_ticket", arguments: {} });
  await t.rejects(wide(), /GUARD_ACTION_REFUSED/);
  for (const [reason, status, told] of [
    ["GUARD_REQUESTS_TOO_MANY", Status.resourceExhausted, /GUARD_REQUESTS_TOO_MANY/],
    ["GUARD_TASK_UNSHOWN", Status.permissionDenied, /GUARD_TASK_UNSHOWN/],
    ["SERVER_OVERLOADED", Status.resourceExhausted, /SERVER_OVERLOADED/],
  ] as const) {
    node.failures.set("DescribeTask", new IdentityError(reason, status, "no"));
    await t.rejects(wide(), told, reason);
  }
  t.same(mcp.ran, [], "nothing was run");
  node.failures.set("DescribeTask", new IdentityError("DOWN", Status.unavailable, "away"));
  await wide();
  t.same(mcp.ran, ["delete_ticket"], "with nobody to ask, the token's word counts");
});
