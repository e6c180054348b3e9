// Following the link's stream: snapshots in pages, deltas, where to resume, what is confirmed and when.
// The server's side is played by the test, over real gRPC.

import t from "tap";
import type { Delta, Snapshot } from "../../../agent/cache/feed.ts";
import type { Connection } from "../../../agent/link/dial.ts";
import { Follower, LINK_VERSION } from "../../../agent/link/follow.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { issueCrl } from "../../../pki/x509/crl-issue.ts";
import type { Init } from "../../../proto/codec.ts";
import { pairInProcess } from "../../../proto/rpc/in-process.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import { LinkService, type signet, type spire } from "../../../proto/schema.gen.ts";
import { bundleToWire } from "../../../proto/types/bundle.ts";
import { entryToWire } from "../../../proto/types/entry.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { entryOf, NORTH } from "../../support/test-agent.ts";
import { authorityIdOf, crlOf } from "../../support/test-revocation.ts";
import { bundleOf, createSigner } from "../../support/test-signing.ts";

type Step = Init<signet.link.v1.WatchResponse>;
type Request = signet.link.v1.WatchRequest;

const WELCOME: Step = { welcome: { version: LINK_VERSION, resumed: false, serverVersion: "9" } };
const cursor = (revision: number) => ({ epoch: "e", revision });
const wire = (id: string): Init<spire.api.types.Entry> => entryToWire(entryOf(id));

interface Frame {
  /** Plays one connection: sends the steps, then ends with the error. Answers what the agent sent. */
  play(steps: readonly Step[], end?: Error): Promise<{ requests: Request[]; error: unknown }>;
  readonly events: string[];
  readonly snapshots: Snapshot[];
  readonly deltas: Delta[];
  persist: () => Promise<void>;
}

async function frame(t: { teardown(fn: () => unknown): void }): Promise<Frame> {
  let steps: readonly Step[] = [];
  let end: Error = new IdentityError("STORE_CLOSED", Status.unavailable, "over");
  let requests: Request[] = [];
  const rpc = createRpcServer({
    onInternalError: (error) => t.teardown(() => Promise.reject(error)),
  });
  rpc.add(LinkService, {
    async *watch(incoming) {
      const reader = incoming[Symbol.asyncIterator]();
      requests.push((await reader.next()).value as Request);
      for (const step of steps) {
        yield step;
        const last = step.snapshot?.last === true || step.delta?.cursor !== undefined;
        if (!last) continue;
        const next = await reader.next();
        if (next.done !== true) requests.push(next.value);
      }
      throw end;
    },
  });
  const pair = await pairInProcess(rpc);
  t.teardown(() => pair.close());
  const channel = await pair.connect(undefined);
  const connection: Connection = {
    channel,
    serverChain: () => [],
    failure: () => undefined,
    close: () => undefined,
  };
  const made: Frame = {
    events: [],
    snapshots: [],
    deltas: [],
    persist: async () => undefined,
    async play(next, endWith = end) {
      steps = next;
      end = endWith;
      requests = [];
      const error = await follower
        .follow(connection, AbortSignal.timeout(5000))
        .catch((reason: unknown) => reason);
      return { requests, error };
    },
  };
  const follower = new Follower({
    trustDomain: "north.test",
    agentVersion: "1.2.3",
    sink: {
      snapshot: (snapshot) => {
        made.events.push("snapshot");
        made.snapshots.push(snapshot);
      },
      delta: (delta) => {
        made.events.push("delta");
        made.deltas.push(delta);
      },
    },
    onWelcome: () => made.events.push("welcome"),
    persist: async () => {
      await made.persist();
      made.events.push("persisted");
    },
    onConfirmed: () => made.events.push("confirmed"),
    onHeard: () => undefined,
    log: silentLogger,
  });
  return made;
}

t.test("a snapshot of several pages is taken over whole, then confirmed", async (t) => {
  const link = await frame(t);
  const bundle = bundleOf(NORTH, [await createSigner(NORTH, new Date())]);
  const { requests } = await link.play([
    WELCOME,
    { snapshot: { entries: [wire("a")], bundles: [bundleToWire(bundle)] } },
    { snapshot: { entries: [wire("b")], bundles: [], last: true, cursor: cursor(5) } },
  ]);
  t.strictSame(link.events, ["welcome", "snapshot", "persisted", "confirmed"]);
  t.strictSame(
    link.snapshots[0]?.entries.map(({ id }) => id),
    ["a", "b"],
  );
  t.equal(link.snapshots[0]?.bundles.length, 1);
  t.match(requests[0]?.hello, { version: LINK_VERSION, agentVersion: "1.2.3" });
  t.equal(requests[0]?.hello?.cursor, undefined, "it holds nothing yet");
  t.match(requests[1]?.ack?.cursor, cursor(5));
});

t.test(
  "takes over what is to be refused of tasks; what it does not understand counts as refused",
  async (t) => {
    const link = await frame(t);
    const ended = {
      taskId: "01A",
      spiffeId: "spiffe://north.test/a/task/01A",
      verdict: 2,
      version: 7,
    };
    const newer = {
      taskId: "01B",
      spiffeId: "spiffe://north.test/a/task/01B",
      verdict: 9,
      version: 1,
      // Seconds that no moment is.
      forgetAt: 2 ** 53 - 1,
    };
    await link.play([
      WELCOME,
      { snapshot: { tasks: [ended], taskClasses: [{ name: "x", failMode: "newer" }] } },
      {
        snapshot: {
          tasks: [{ ...ended, spiffeId: "no ID" }, newer],
          last: true,
          cursor: cursor(5),
        },
      },
      {
        delta: { tasks: [{ ...newer, verdict: 0 }], removedTaskClasses: ["x"], cursor: cursor(6) },
      },
    ]);
    t.match(link.snapshots[0]?.tasks, {
      tasks: [
        { taskId: "01A", verdict: "ended", version: 7 },
        { taskId: "01B", verdict: "refused", forgetAt: new Date(8.64e15) },
      ],
      classes: [{ name: "x", failMode: "closed", requirePop: false }],
    });
    t.match(link.deltas[0]?.tasks, {
      tasks: [{ taskId: "01B", verdict: "good" }],
      removedClasses: ["x"],
    });
  },
);

t.test("after a loss it resumes where it stopped", async (t) => {
  const link = await frame(t);
  await link.play([WELCOME, { snapshot: { last: true, cursor: cursor(5) } }]);
  const delta = { entries: [wire("a")], removedEntryIds: ["b"], cursor: cursor(6) };
  const second = await link.play([
    { welcome: { version: LINK_VERSION, resumed: true, serverVersion: "9" } },
    { delta },
  ]);
  t.match(second.requests[0]?.hello?.cursor, cursor(5));
  t.match(link.deltas[0], { removedEntryIds: ["b"] });
  const third = await link.play([WELCOME]);
  t.match(third.requests[0]?.hello?.cursor, cursor(6));
});

t.test("half a snapshot counts for nothing", async (t) => {
  const link = await frame(t);
  await link.play([WELCOME, { snapshot: { entries: [wire("a")] } }]);
  t.strictSame(link.snapshots, []);
  const again = await link.play([
    WELCOME,
    { snapshot: { entries: [wire("b")], last: true, cursor: cursor(2) } },
  ]);
  t.equal(again.requests[0]?.hello?.cursor, undefined);
  t.strictSame(
    link.snapshots[0]?.entries.map(({ id }) => id),
    ["b"],
  );
});

t.test("nothing is confirmed before it has reached the disk", async (t) => {
  const link = await frame(t);
  link.persist = () => Promise.reject(new Error("the disk is full"));
  const { requests, error } = await link.play([
    WELCOME,
    { snapshot: { last: true, cursor: cursor(1) } },
  ]);
  t.match(error, { message: "the disk is full" });
  t.equal(requests.length, 1, "only the hello");
  link.persist = async () => undefined;
  const again = await link.play([WELCOME]);
  t.equal(again.requests[0]?.hello?.cursor, undefined, "nor claimed when it comes back");
});

t.test("an entry that cannot be read is left out; the own bundle must be understood", async (t) => {
  const link = await frame(t);
  const entries = [{ ...wire("bad"), spiffeId: { trustDomain: "North", path: "/" } }, wire("good")];
  await link.play([WELCOME, { snapshot: { entries, last: true, cursor: cursor(1) } }]);
  t.strictSame(
    link.snapshots[0]?.entries.map(({ id }) => id),
    ["good"],
  );

  const asn1 = Buffer.from("junk");
  const foreign = { trustDomain: "south.test", x509Authorities: [{ asn1 }] };
  await link.play([WELCOME, { delta: { bundles: [foreign], cursor: cursor(2) } }]);
  t.strictSame(link.deltas[0]?.bundles, []);

  const own = { trustDomain: "north.test", x509Authorities: [{ asn1 }] };
  const { requests } = await link.play([WELCOME, { delta: { bundles: [own], cursor: cursor(3) } }]);
  t.equal(requests.length, 1, "not confirmed");
});

t.test("a server of another version, or one that skips its welcome, is refused", async (t) => {
  const link = await frame(t);
  const newer = { welcome: { version: 2, resumed: false, serverVersion: "10" } };
  t.match((await link.play([newer])).error, { reason: "LINK_VERSION" });
  const early = await link.play([{ snapshot: { last: false } }]);
  t.match(early.error, { reason: "SERVER_ANSWER_INVALID" });
});

t.test("what the server ends the stream with is passed on", async (t) => {
  const link = await frame(t);
  const banned = new IdentityError("AGENT_BANNED", Status.permissionDenied, "banned");
  t.match((await link.play([WELCOME], banned)).error, { reason: "AGENT_BANNED" });
});

t.test("what is revoked is read, and what of it is malformed left out", async (t) => {
  const link = await frame(t);
  const { x509 } = await createSigner(NORTH, new Date());
  const authorityId = authorityIdOf(x509.certificate);
  const { der } = await crlOf(x509, ["0a"]);
  // Of one distribution point: it would hide what the full list says.
  const part = await issueCrl({
    issuer: x509,
    number: 1n,
    thisUpdate: new Date(0),
    nextUpdate: new Date(1000),
    revoked: [],
    scope: "http://crl.north.test/tasks.crl",
  });
  const digest = Buffer.alloc(16, 7);
  const tokens = [
    { jti: "j", expiresAt: 100 },
    { digest, expiresAt: 100 },
    { spiffeId: "spiffe://north.test/db", issuedUntil: 50, expiresAt: 100 },
    { digest: Buffer.alloc(15), expiresAt: 100 },
    { spiffeId: "spiffe://North.test/db", expiresAt: 100 },
    { jti: "", expiresAt: 100 },
    { expiresAt: 100 },
  ];
  const crls = [
    { authorityId, der },
    { authorityId: "broken", der: Buffer.from("30030201", "hex") },
    { authorityId: "part", der: part },
  ];
  await link.play([
    WELCOME,
    { snapshot: { crls, tokens: tokens.slice(0, 1) } },
    { snapshot: { tokens: tokens.slice(1), last: true, cursor: cursor(5) } },
    { delta: { crls, removedCrls: ["gone"], tokens, reask: true, cursor: cursor(6) } },
  ]);
  const read = {
    crls: [
      { authorityId, crl: { size: 1 } },
      { authorityId: "broken", crl: undefined },
      { authorityId: "part", crl: undefined },
    ],
    tokens: [
      { target: { kind: "jti", jti: "j" }, expiresAt: new Date(100_000) },
      { target: { kind: "digest", digest: "07".repeat(16) } },
      {
        target: {
          kind: "spiffe-id",
          spiffeId: "spiffe://north.test/db",
          issuedUntilUnixSeconds: 50,
        },
      },
    ],
  };
  t.match(link.snapshots[0]?.revocations, read);
  t.match(link.deltas[0], { revocations: { ...read, removedCrls: ["gone"] }, reask: true });
  t.equal(link.deltas[0]?.revocations.tokens.length, 3);
  t.strictSame(
    link.events.filter((event) => event !== "persisted"),
    ["welcome", "snapshot", "confirmed", "delta", "confirmed"],
    "the link goes on",
  );
});
