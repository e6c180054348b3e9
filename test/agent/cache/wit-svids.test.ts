// WIT-SVIDs of the agent: one for each entry, with a key of its own, and what makes it give one up.
import t from "tap";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { parseWitSvidInsecurely } from "../../../pki/wit/svid.ts";
import type { workload } from "../../../proto/schema.gen.ts";
import {
  entryOf,
  first,
  NORTH,
  StreamReader,
  TestAgent,
  TestPeer,
} from "../../support/test-agent.ts";
import { bundleOf, createSigner } from "../../support/test-signing.ts";

const START = new Date("2030-01-01T00:00:00Z");
const HOUR = 3_600_000;
const WIT = { wit: true } as const;

const tokensOf = ({ svids }: workload.WITSVIDResponse) => svids.map(({ witSvid }) => witSvid);
const read = (message: workload.WITSVIDResponse) =>
  message.svids.map(({ witSvid }) => parseWitSvidInsecurely(witSvid));

t.test("callers of one entry share its WIT-SVID, and every entry has another key", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b", { hint: "h" })], WIT);
  const one = await first((await agent.connect()).fetchWITSVID({}));
  const two = await first((await agent.connect(new TestPeer())).fetchWITSVID({}));
  t.strictSame(tokensOf(one), tokensOf(two));
  t.strictSame(agent.signing.witBatches, [["a", "b"]], "asked for once");
  t.strictSame(agent.signing.batches.flat().sort(), ["a", "b"], "X509-SVIDs are another matter");
  const keys = read(one).map(({ confirmation }) => Buffer.from(confirmation.spki).toString("hex"));
  t.equal(new Set(keys).size, 2);
  t.not(one.svids[0]?.witSvidKey, one.svids[1]?.witSvidKey);
});

t.test("none is made for callers of other profiles", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a")], WIT);
  await first((await agent.connect()).fetchX509SVID({}));
  await first((await agent.connect()).fetchWITBundles({}));
  t.strictSame(agent.signing.witBatches, []);
});

t.test("renewed at half its life with a new key, and served until then", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a")], WIT);
  const stream = new StreamReader((await agent.connect()).fetchWITSVID({}));
  const [before] = read(await stream.next());
  await agent.clock.advance(0.4 * HOUR);
  t.ok(await stream.isQuiet());
  await agent.clock.advance(0.15 * HOUR);
  const [after] = read(await stream.next());
  t.notSame(after?.confirmation.spki, before?.confirmation.spki);
  t.ok((after?.expiresAt ?? 0) > (before?.expiresAt ?? 0));
  await stream.close();
});

t.test("given up at once when its authority is tainted or gone, and replaced", async (t) => {
  for (const how of ["tainted", "revoked"] as const) {
    const agent = await TestAgent.create(t, [entryOf("a")], WIT);
    const stream = new StreamReader((await agent.connect()).fetchWITSVID({}));
    const [before] = read(await stream.next());
    const { signer } = agent;
    const next = await createSigner(NORTH, START);
    agent.delta({ bundles: [bundleOf(NORTH, [signer, next])] });
    t.ok(await stream.isQuiet(), "a new authority changes nothing");
    agent.signing.signer = next;
    const gate = Promise.withResolvers<void>();
    agent.signing.gate = gate.promise;
    const left = how === "tainted" ? [signer, next] : [next];
    agent.delta({ bundles: [bundleOf(NORTH, left, how === "tainted" ? [signer] : [])] });
    t.equal(agent.witSvids.get("a"), undefined, "held no longer");
    gate.resolve();
    const [after] = read(await stream.next());
    t.not(after?.keyId, before?.keyId, how);
    t.equal(after?.keyId, next.wit.authority.keyId);
    await stream.close();
  }
});

t.test("given up when it is revoked: by its jti, or all of a SPIFFE ID", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b")], WIT);
  const client = await agent.connect();
  const [a, b] = read(await first(client.fetchWITSVID({})));
  const expiresAt = new Date(START.getTime() + HOUR);
  const target = { kind: "jti", jti: String(a?.claims["jti"]) } as const;
  agent.delta({ revocations: { crls: [], removedCrls: [], tokens: [{ target, expiresAt }] } });
  const [other, same] = read(await first(client.fetchWITSVID({})));
  t.not(other?.claims["jti"], a?.claims["jti"]);
  t.equal(same?.claims["jti"], b?.claims["jti"]);
  agent.signing.refused.add("b");
  const ofB = {
    kind: "spiffe-id",
    spiffeId: "spiffe://north.test/b",
    issuedUntilUnixSeconds: START.getTime() / 1000,
  } as const;
  agent.delta({ revocations: { crls: [], removedCrls: [], tokens: [{ target: ofB, expiresAt }] } });
  t.strictSame(
    read(await first(client.fetchWITSVID({}))).map(({ id }) => id.toString()),
    ["spiffe://north.test/a"],
    "the server issues no other",
  );
});

t.test("follows its entry: another ID is another token, none is denied", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b")], WIT);
  const stream = new StreamReader((await agent.connect()).fetchWITSVID({}));
  const ids = async () => read(await stream.next()).map(({ id }) => id.path);
  t.strictSame(await ids(), ["/a", "/b"]);
  const renamed = entryOf("b", { spiffeId: "spiffe://north.test/z", revisionNumber: 1 });
  agent.delta({ entries: [renamed] });
  t.strictSame(await ids(), ["/a"], "the former identity is nobody's");
  t.strictSame(await ids(), ["/a", "/z"]);
  agent.delta({ removedEntryIds: ["a", "b"] });
  await t.rejects(stream.next(), { code: 7, reason: "NO_IDENTITY_ISSUED" });
  t.equal(agent.witSvids.size, 0);
});

t.test("a stream of one identity makes it nobody's default", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b")], WIT);
  const issue = agent.signing.issueWit.bind(agent.signing);
  const busy = new IdentityError("ISSUER_OVERLOADED", Status.resourceExhausted, "busy");
  agent.signing.issueWit = async (requests) => {
    const answers = await issue(requests);
    return answers.map((answer, i) => (requests[i]?.entryId === "a" ? busy : answer));
  };
  const client = await agent.connect();
  const one = new StreamReader(client.fetchWITSVID({ spiffeId: "spiffe://north.test/b" }));
  t.equal(read(await one.next())[0]?.id.path, "/b");
  await t.rejects(first(client.fetchWITSVID({})), { code: 14, reason: "SERVER_UNREACHABLE" });
  t.ok(await one.isQuiet());
  await one.close();
});

t.test("a server that mixes up its answers, or issues none, harms nobody", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b")], WIT);
  const issue = agent.signing.issueWit.bind(agent.signing);
  agent.signing.issueWit = async (requests) => (await issue(requests)).toReversed();
  const client = await agent.connect();
  await t.rejects(first(client.fetchWITSVID({})), { code: 14 });
  t.equal(agent.witSvids.size, 0);
  const without = await TestAgent.create(t, [entryOf("a")], WIT);
  without.signing.hasNoWit = true;
  const denied = { code: 7, reason: "NO_IDENTITY_ISSUED" };
  await t.rejects(first((await without.connect()).fetchWITSVID({})), denied);
  agent.signing.issueWit = issue;
  agent.signing.isAway = true;
  await t.rejects(first(client.fetchWITSVID({})), { code: 14, reason: "SERVER_UNREACHABLE" });
});
