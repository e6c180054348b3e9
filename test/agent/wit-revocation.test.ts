// Revoking a WIT-SVID, from the server to the callers of a node agent: it is given up at once, another one
// comes where that is wanted, and none where its holder is held back.
import t from "tap";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import { RevocationService, type workload } from "../../proto/schema.gen.ts";
import { first, StreamReader } from "../support/test-agent.ts";
import { eventually, TestTrustDomain } from "../support/trust-domain.ts";

const flag = { feature_flags: ["wit-svid"] };
const domain = new TestTrustDomain(t, { server: flag, agent: flag });
await domain.start();
await domain.createEntry({ path: "/db" });
const client = domain.workload();
const channel = createChannel({ address: { unix: domain.server?.adminSocket ?? "" } });
t.teardown(() => channel.close());
const revocation = channel.client(RevocationService);
const jtiOf = ({ svids }: workload.WITSVIDResponse) =>
  String(parseWitSvidInsecurely(svids[0]?.witSvid ?? "").claims["jti"]);

t.test("replaced: the stream yields another token with another key", async (t) => {
  const before = await eventually(() => first(client.fetchWITSVID({})));
  const stream = new StreamReader(client.fetchWITSVID({}));
  t.strictSame(await stream.next(), before);
  await revocation.revokeSVID({ jti: jtiOf(before), replace: true });
  const after = await stream.next();
  t.not(jtiOf(after), jtiOf(before));
  t.not(after.svids[0]?.witSvidKey, before.svids[0]?.witSvidKey);
  t.strictSame(await first(client.fetchWITSVID({})), after, "nobody gets the former one");
  await stream.close();
});

t.test("held back: callers are denied until the hold is released", async (t) => {
  const stream = new StreamReader(client.fetchWITSVID({}));
  const jti = jtiOf(await stream.next());
  const { revocation: record } = await revocation.revokeSVID({ jti, reason: 1 });
  await t.rejects(stream.next(), { code: 7 });
  await t.rejects(first(client.fetchWITSVID({})), { code: 7 });
  await revocation.releaseHold({ id: record?.id ?? "" });
  const again = await eventually(() => first(client.fetchWITSVID({})));
  t.not(jtiOf(again), jti);
});

t.test("a token ID that was never given is refused, not taken for revoked", async (t) => {
  await t.rejects(revocation.revokeSVID({ jti: "nobody" }), { code: 5, reason: "SVID_NOT_FOUND" });
  t.equal((await first(client.fetchWITSVID({}))).svids.length, 1);
});
