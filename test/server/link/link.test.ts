// The link against a whole server: snapshot, deltas, resuming, slow readers, bans, publication.
import type { TLSSocket } from "node:tls";
import t from "tap";
import type { IdentityError } from "../../../pki/errors.ts";
import type { Init } from "../../../proto/codec.ts";
import { detailOf } from "../../../proto/rpc/status.ts";
import {
  AgentService,
  EntryService,
  LinkService,
  LocalAuthorityService,
  type spire,
} from "../../../proto/schema.gen.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { TestServer } from "../../support/running-server.ts";
import { TestLink } from "../../support/test-link.ts";

const server = await TestServer.start();
t.teardown(() => server.stop());
const entries = server.admin.client(EntryService);
const agents = server.admin.client(AgentService);

type Entry = Init<spire.api.types.Entry>;

const wireId = (id: string): { trustDomain: string; path: string } => ({
  trustDomain: "north.test",
  path: id.replace("spiffe://north.test", ""),
});

function entry(path: string, parent: string, selector = path): Entry {
  return {
    spiffeId: wireId(path),
    parentId: wireId(parent),
    selectors: [{ type: "unix", value: selector }],
  };
}

async function create(...wanted: Entry[]): Promise<string[]> {
  const { results } = await entries.batchCreateEntry({ entries: wanted });
  for (const { status } of results) if (status?.code !== 0) throw new Error(status?.message);
  return results.map((result) => result.entry?.id ?? "");
}

/** Resolves when the other side has closed. */
function closing(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.resume().once("close", () => resolve()));
}

t.test("gives everything first, then each change as it happens", async (t) => {
  const agent = await server.attest();
  const [first] = await create(entry("/first", agent.id));
  const link = await (await TestLink.open(server, agent)).synced();
  t.equal(link.resumed, false);
  t.same([...link.held.keys()], [first]);
  t.ok((link.bundles.get("north.test")?.x509Authorities.length ?? 0) > 0);

  const [second] = await create(entry("/second", agent.id));
  await link.until(() => link.held.size === 2);
  t.match(link.held.get(second ?? ""), { spiffeId: wireId("/second"), revisionNumber: 0 });
  await entries.batchUpdateEntry({
    entries: [{ id: second ?? "", hint: "changed" }],
    inputMask: { hint: true },
  });
  await link.until(() => link.held.get(second ?? "")?.hint === "changed");
  await entries.batchDeleteEntry({ ids: [first ?? ""] });
  await link.until(() => !link.held.has(first ?? ""));
  t.equal(link.snapshots, 1, "all of it as deltas");
  t.equal((await agents.getAgent({ id: wireId(agent.id) })).agentVersion, "test");
  link.close();
});

t.test(
  "answers an agent that wants a sign of life with a delta, however quiet it is",
  async (t) => {
    const link = await (await TestLink.open(server, await server.attest())).synced();
    for (let i = 0; i < 3; i++) {
      await link.ping();
      const { delta } = await link.next();
      t.strictSame([delta?.entries, delta?.tasks], [[], []]);
      t.ok(delta?.cursor, "with where it stands");
    }
    link.close();
  },
);

t.test("tells an agent of its own entries only", async (t) => {
  const [one, other] = [await server.attest(), await server.attest()];
  const link = await (await TestLink.open(server, one)).synced();
  await create(entry("/of-other", other.id));
  const [own] = await create(entry("/of-one", one.id));
  await link.next();
  t.same([...link.held.keys()], [own]);
  await entries.batchUpdateEntry({
    entries: [{ id: own ?? "", parentId: wireId(other.id) }],
    inputMask: { parentId: true },
  });
  await link.until(() => link.held.size === 0);
  t.pass("an entry that moved to another agent is taken away");
  link.close();
});

t.test("follows aliases and parents of parents", async (t) => {
  const agent = await server.attest();
  const link = await (await TestLink.open(server, agent)).synced();
  const [child] = await create(entry("/cluster-app", "/cluster"));
  const alias: Entry = {
    spiffeId: wireId("/cluster"),
    parentId: wireId("/spire/server"),
    selectors: [{ type: "spiffe_id", value: agent.id }],
  };
  const [aliasId] = await create(alias);
  await link.until(() => link.held.has(child ?? ""));
  t.ok(link.held.has(aliasId ?? ""), "an alias that comes late brings its children");
  const [grandchild] = await create(entry("/cluster-app-part", "/cluster-app"));
  await link.until(() => link.held.has(grandchild ?? ""));
  await entries.batchDeleteEntry({ ids: [child ?? ""] });
  await link.until(() => link.held.size === 1);
  t.same([...link.held.keys()], [aliasId], "what hung on an entry goes with it");
  await entries.batchDeleteEntry({ ids: [aliasId ?? ""] });
  await link.until(() => link.held.size === 0);
  link.close();
});

t.test("resumes from a cursor with what was missed", async (t) => {
  const agent = await server.attest();
  const [kept, gone] = await create(entry("/kept", agent.id), entry("/gone", agent.id));
  const link = await (await TestLink.open(server, agent)).synced();
  const { cursor } = link;
  link.close();
  const [added] = await create(entry("/added", agent.id));
  await entries.batchDeleteEntry({ ids: [gone ?? ""] });

  const again = await TestLink.open(server, agent, { cursor });
  const first = await again.next();
  t.equal(first.welcome?.resumed, true);
  const { delta } = await again.next();
  t.same(
    delta?.entries.map(({ id }) => id),
    [added],
  );
  t.same(delta?.removedEntryIds, [gone]);
  t.equal(delta?.bundles.length, 1, "bundles are always given again");
  again.close();

  for (const stale of [
    { epoch: "another store", revision: cursor?.revision ?? 0 },
    { epoch: cursor?.epoch ?? "", revision: 1_000_000_000 },
  ]) {
    const fresh = await (await TestLink.open(server, agent, { cursor: stale })).synced();
    t.equal(fresh.resumed, false, "a cursor that says nothing here gets everything");
    t.same(new Set(fresh.held.keys()), new Set([kept, added]));
    fresh.close();
  }
});

t.test("gives everything again after an alias changed in between", async (t) => {
  const agent = await server.attest();
  const [app] = await create(entry("/pool-app", "/pool"));
  const link = await (await TestLink.open(server, agent)).synced();
  const { cursor } = link;
  link.close();
  await create({
    spiffeId: wireId("/pool"),
    parentId: wireId("/spire/server"),
    selectors: [{ type: "spiffe_id", value: agent.id }],
  });
  const again = await (await TestLink.open(server, agent, { cursor })).synced();
  t.equal(again.resumed, false);
  t.ok(again.held.has(app ?? ""));
  again.close();
});

t.test("cuts large snapshots into pages below gRPC's limit", async (t) => {
  const agent = await server.attest();
  const wanted = Array.from({ length: 1500 }, (_, i) =>
    entry(`/many/${i}`, agent.id, `${i}:${"x".repeat(1000)}`),
  );
  for (let i = 0; i < wanted.length; i += 300) await create(...wanted.slice(i, i + 300));
  const link = await (await TestLink.open(server, agent)).synced();
  t.equal(link.held.size, 1500);
  t.ok(link.pages > 3, `${link.pages} pages`);
  link.close();
});

t.test("does not queue for an agent that reads nothing", async (t) => {
  const agent = await server.attest();
  const link = await TestLink.open(server, agent);
  link.confirms = false;
  await link.synced();
  // Far more than the connection takes while nobody reads: most of it is told as one outcome.
  const [id] = await create(entry("/busy", agent.id, "x".repeat(4000)));
  for (let i = 0; i < 300; i++) {
    await entries.batchUpdateEntry({
      entries: [{ id: id ?? "", hint: `${i}:${"y".repeat(1000)}` }],
      inputMask: { hint: true },
    });
  }
  let messages = 0;
  await link.until(() => {
    messages++;
    return link.held.get(id ?? "")?.hint.startsWith("299:") === true;
  });
  t.ok(messages < 300, `${messages} messages for 300 changes`);
  link.close();
});

t.test("ends the oldest stream of an agent that opens many", async (t) => {
  const agent = await server.attest();
  const links: TestLink[] = [];
  for (let i = 0; i < 9; i++) links.push(await (await TestLink.open(server, agent)).synced());
  await t.rejects(async () => void (await links[0]?.next()), /ended/);
  const [id] = await create(entry(`${agent.id}/db`.replace("/spire/agent", "/of"), agent.id));
  for (const link of links.slice(1)) await link.until(({ held }) => held.has(id ?? ""));
  for (const link of links) link.close();
});

t.test("ends the link of a banned agent at once, and its connections", async (t) => {
  const agent = await server.attest();
  const socket = await server.secure(agent.svid);
  const closed = closing(socket);
  const link = await (await TestLink.open(server, agent)).synced();
  await agents.banAgent({ id: wireId(agent.id) });
  const error = await link.next().then(
    () => undefined,
    (failure: IdentityError) => failure,
  );
  t.match(error, { reason: "AGENT_BANNED", code: 7 });
  const detail = error && detailOf(error, "spire.api.types.PermissionDeniedDetails");
  t.equal(detail?.reason, 4);
  await closed;
  t.pass("an idle connection of the agent is closed too");
  await t.rejects((await TestLink.open(server, agent)).next(), { reason: "AGENT_BANNED", code: 7 });
});

t.test("tells an evicted agent to attest again", async (t) => {
  const agent = await server.attest();
  const link = await (await TestLink.open(server, agent)).synced();
  await agents.deleteAgent({ id: wireId(agent.id) });
  await t.rejects(link.next(), { reason: "AGENT_NOT_ATTESTED", code: 7 });
});

t.test("refuses other versions and other first messages", async (t) => {
  const agent = await server.attest();
  await t.rejects((await TestLink.open(server, agent, { version: 2 })).next(), {
    reason: "LINK_VERSION_UNSUPPORTED",
    code: 9,
  });
  const call = (await server.channel(agent.svid)).client(LinkService).watch();
  await call.send({ ack: { cursor: { epoch: "", revision: 1 } } });
  await t.rejects(call.responses.next(), { reason: "LINK_REQUEST_INVALID", code: 3 });
  const anonymous = (await server.channel()).client(LinkService).watch();
  await anonymous.send({ hello: { version: 1 } });
  await t.rejects(anonymous.responses.next(), { reason: "CALLER_NOT_AUTHORIZED", code: 7 });
});

t.test("activates an authority by force once every connected agent has confirmed it", async (t) => {
  const agent = await server.attest();
  const link = await (await TestLink.open(server, agent)).synced();
  link.confirms = false;
  const authorities = server.admin.client(LocalAuthorityService);
  const { preparedAuthority } = await authorities.prepareX509Authority({});
  const before = link.bundles.get("north.test")?.x509Authorities.length ?? 0;
  await link.until(() => (link.bundles.get("north.test")?.x509Authorities.length ?? 0) > before);
  let activated = false;
  const activation = authorities
    .activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? "" })
    .then(() => {
      activated = true;
    });
  await systemClock.sleep(200);
  t.notOk(activated, "it waits for the agent");
  if (link.cursor !== undefined) await link.ack(link.cursor);
  await activation;
  t.pass("and goes on when the agent has it");

  const { old } = await authorities.getX509AuthorityState({});
  await authorities.taintX509Authority({ authorityId: old?.authorityId ?? "" });
  const isTainted = (): boolean =>
    link.bundles.get("north.test")?.x509Authorities.some(({ tainted }) => tainted) === true;
  await link.until(isTainted);
  t.pass("a taint reaches the agent");

  const stale = await server.secure(agent.svid);
  const closed = closing(stale);
  await authorities.revokeX509Authority({ authorityId: old?.authorityId ?? "" });
  await closed;
  t.pass("revoking the authority closes the connections of what it signed");
  const refused = await TestLink.open(server, agent)
    .then(
      (reopened) => reopened.next(),
      (error: unknown) => Promise.reject(error),
    )
    .then(
      () => "served",
      () => "refused",
    );
  t.equal(refused, "refused");
  link.close();
});
