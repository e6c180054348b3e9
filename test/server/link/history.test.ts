// Random histories: whatever is done to entries, and however often an agent loses its link, it ends up
// with exactly the entries it may serve. What it may serve is asked over another call.
import t from "tap";
import { EntryService } from "../../../proto/schema.gen.ts";
import { type TestAgent, TestServer } from "../../support/running-server.ts";
import { TestLink } from "../../support/test-link.ts";

const server = await TestServer.start();
t.teardown(() => server.stop());
const entries = server.admin.client(EntryService);

/** A repeatable source of choices (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const wire = (path: string): { trustDomain: string; path: string } => ({
  trustDomain: "north.test",
  path,
});

/** One random change to the entries below and around the agents: few IDs, so that they meet. */
async function change(random: (below: number) => number, agents: readonly TestAgent[]) {
  const parents = [
    "/spire/server",
    ...agents.map(({ svid }) => svid.id.path),
    ...["/a", "/b", "/c", "/d"],
  ];
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  const { entries: all } = await entries.listEntries({ outputMask: {} });
  const draw = () => {
    const parent = pick(parents);
    const agent = pick(agents);
    return {
      spiffeId: wire(pick(["/a", "/b", "/c", "/d", "/e"])),
      parentId: wire(parent),
      selectors: [
        parent === "/spire/server"
          ? { type: "spiffe_id", value: agent.id }
          : { type: "unix", value: `uid:${random(3)}` },
      ],
      hint: `h${random(100)}`,
    };
  };
  const ids = all.map(({ id }) => id);
  const kind = random(10);
  if (kind < 5 || ids.length === 0) {
    await entries.batchCreateEntry({ entries: Array.from({ length: 1 + random(3) }, draw) });
  } else if (kind < 7) {
    await entries.batchUpdateEntry({
      entries: [{ ...draw(), id: pick(ids) }],
      inputMask: pick([
        { hint: true },
        { parentId: true, selectors: true },
        { spiffeId: true },
        { spiffeId: true, parentId: true, selectors: true },
      ]),
    });
  } else {
    const doomed = Array.from({ length: 1 + random(4) }, () => pick(ids));
    await entries.batchDeleteEntry({ ids: [...new Set(doomed)] });
  }
}

async function authorized(agent: TestAgent): Promise<Map<string, number>> {
  const channel = await server.channel(agent.svid);
  const answer = await channel.client(EntryService).getAuthorizedEntries({});
  channel.close();
  return new Map(answer.entries.map((entry) => [entry.id, entry.revisionNumber]));
}

const state = (link: TestLink): Map<string, number> =>
  new Map([...link.held].map(([id, entry]) => [id, entry.revisionNumber]));

for (const seed of [1, 2, 3, 4]) {
  t.test(`an agent holds what it may serve after history ${seed}`, async (t) => {
    const random = randomOf(seed);
    const agents = [await server.attest(), await server.attest()];
    const links = await Promise.all(
      agents.map(async (agent) => (await TestLink.open(server, agent)).synced()),
    );
    let resumed = 0;
    for (let round = 0; round < 12; round++) {
      const losing = random(3) === 0 ? random(2) : -1;
      if (losing >= 0) links[losing]?.close();
      const count = 1 + random(4);
      for (let i = 0; i < count; i++) await change(random, agents);
      if (losing >= 0) {
        const [agent, former] = [agents[losing], links[losing]];
        if (agent === undefined || former === undefined) throw new Error("no such agent");
        const link = await TestLink.reopen(server, agent, former);
        await link.synced();
        if (link.resumed === true) resumed++;
        links[losing] = link;
      }
      for (const [i, link] of links.entries()) {
        const expected = await authorized(agents[i] as TestAgent);
        const isEqual = (): boolean =>
          expected.size === link.held.size &&
          [...expected].every(([id, revision]) => link.held.get(id)?.revisionNumber === revision);
        await Promise.race([
          link.until(isEqual),
          new Promise<void>((resolve) => setTimeout(resolve, 2000)),
        ]);
        t.same(state(link), expected, `round ${round}, agent ${i}`);
        if (!isEqual()) return;
      }
    }
    t.comment(`resumed ${resumed} times`);
    for (const link of links) link.close();
    const { entries: all } = await entries.listEntries({ outputMask: {} });
    await entries.batchDeleteEntry({ ids: all.map(({ id }) => id) });
  });
}
