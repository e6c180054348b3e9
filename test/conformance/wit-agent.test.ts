// WIT-SVID.md, the rows that bind the node agent: which key goes to whom, and for how long.
import t from "tap";
import { parsePrivateJwk } from "../../pki/wit/private-jwk.ts";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import type { workload } from "../../proto/schema.gen.ts";
import { entryOf, first, StreamReader, TestAgent, TestPeer } from "../support/test-agent.ts";

const thumbprint = (svid: workload.WITSVID | undefined): string => {
  const { confirmation } = parseWitSvidInsecurely(svid?.witSvid ?? "");
  const key = parsePrivateJwk(svid?.witSvidKey ?? "");
  if (Buffer.compare(key.spki, confirmation.spki) !== 0) throw new Error("two keys");
  return Buffer.from(confirmation.spki).toString("base64");
};

const fetch = async (agent: TestAgent, peer = new TestPeer()) =>
  (await first((await agent.connect(peer)).fetchWITSVID({}))).svids;

t.test(
  "WIT-26 instances of one workload on one host may share a WIT-SVID, others never do",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db"), entryOf("web")], { wit: true });
    const [db, web] = await fetch(agent);
    const again = await fetch(agent);
    t.strictSame(
      again.map(({ witSvid }) => witSvid),
      [db?.witSvid, web?.witSvid],
      "another process of the same workload",
    );
    t.not(thumbprint(db), thumbprint(web), "two identities of one process");
    const other = await TestAgent.create(t, [entryOf("db")], { wit: true });
    const [elsewhere] = await fetch(other);
    t.equal(elsewhere?.spiffeId, db?.spiffeId);
    t.not(thumbprint(elsewhere), thumbprint(db), "the same identity on another host");
  },
);

t.test("WIT-34 each WIT-SVID has a new key", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")], { wit: true });
  const reader = new StreamReader((await agent.connect()).fetchWITSVID({}));
  const [before] = (await reader.next()).svids;
  const { expiresAt } = parseWitSvidInsecurely(before?.witSvid ?? "");
  await agent.clock.advance(expiresAt.getTime() - agent.clock.now().getTime() - 1000);
  const [after] = (await reader.next()).svids;
  t.equal(after?.spiffeId, before?.spiffeId);
  t.not(thumbprint(after), thumbprint(before));
  t.ok(parseWitSvidInsecurely(after?.witSvid ?? "").expiresAt > expiresAt);
});
