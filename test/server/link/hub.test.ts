// The hub tells of every change, also of one that is heard of in the very moment in which it has told all the
// others. What it says over a stream: link.test.ts.
import t from "tap";
import { silentLogger } from "../../../runtime/log.ts";
import { LinkHub, type LinkHubOptions } from "../../../server/link/hub.ts";
import { NORTH } from "../../support/test-agent.ts";

type OnBundles = (changes: readonly { readonly id: string }[], revision: number) => void;

/** A hub over stores that have nothing and are never behind, and a way to change a bundle. */
function startHub(): { hub: LinkHub; change: OnBundles } {
  let change: OnBundles = () => undefined;
  const store = {
    revision: 0,
    reached: () => Promise.resolve(),
    onChange: () => () => undefined,
    values: () => [],
    get: () => ({ banned: false }),
    changedAfter: () => [],
  };
  const bundles = {
    ...store,
    get: () => undefined,
    list: () => [],
    onChange: (handler: OnBundles) => {
      change = handler;
      return () => undefined;
    },
  };
  const options = {
    trustDomain: NORTH,
    log: silentLogger,
    ...{ entries: store, index: store, crls: store, revocations: store, nodes: store },
    ...{ tasks: store, taskClasses: store, bundles },
    reach: { rootsOf: () => new Set<string>(), effectsOf: () => [] },
  };
  const hub = new LinkHub(options as unknown as LinkHubOptions);
  return { hub, change: (changes, revision) => change(changes, revision) };
}

const soon = (): Promise<undefined> =>
  new Promise((resolve) => setTimeout(() => resolve(undefined), 50));

t.test("a change that is heard of while the hub settles is told", async (t) => {
  // The hub is through with the first change some microtasks after the session has it.
  for (let microtasks = 0; microtasks < 12; microtasks++) {
    const { hub, change } = startHub();
    const { session } = hub.open({ id: "spiffe://north.test/spire/agent/a" } as never, undefined);
    t.match(await session.next(), { kind: "snapshot" });
    const first = session.next();
    change([{ id: "south.test" }], 1);
    t.same(
      [...((await first) as unknown as { trustDomains: ReadonlySet<string> }).trustDomains],
      ["south.test"],
    );
    for (let i = 0; i < microtasks; i++) await Promise.resolve();
    change([{ id: "west.test" }], 2);
    const second = (await Promise.race([session.next(), soon()])) as unknown as
      | { trustDomains: ReadonlySet<string> }
      | undefined;
    t.same([...(second?.trustDomains ?? [])], ["west.test"], `${microtasks} microtasks later`);
    hub.stop();
  }
});

t.test("what is heard of a revision that was settled before is told too", async (t) => {
  const { hub, change } = startHub();
  const { session } = hub.open({ id: "spiffe://north.test/spire/agent/a" } as never, undefined);
  await session.next();
  change([{ id: "south.test" }], 5);
  await session.next();
  await soon();
  hub.reask(4);
  t.match(await Promise.race([session.next(), soon()]), { kind: "delta", reask: true });
  hub.stop();
});
