// What an agent does when its server says that something is revoked: seen over the Workload API.
import { createHash } from "node:crypto";
import t from "tap";
import { tokenDigest } from "../../agent/cache/revocations.ts";
import { Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificates } from "../../pki/x509/certificate.ts";
import type { X509Issuer } from "../../pki/x509/issue.ts";
import type { workload } from "../../proto/schema.gen.ts";
import { entryOf, first, idsOf, NORTH, StreamReader, TestAgent } from "../support/test-agent.ts";
import { authorityIdOf, crlOf, receivedCrl, tokenRevocation } from "../support/test-revocation.ts";
import { bundleOf, createSigner, type TestSigner } from "../support/test-signing.ts";

const START = new Date("2030-01-01T00:00:00Z");
const HOUR_MS = 3_600_000;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const denied = { code: Status.permissionDenied, reason: "NO_IDENTITY_ISSUED" };
const revoked = { code: Status.invalidArgument, reason: "JWT_SVID_REVOKED" };

function serialsOf(message: workload.X509SVIDResponse): string[] {
  return message.svids.map(({ x509Svid }) => parseCertificates(x509Svid)[0]?.serialHex ?? "");
}

/** An agent with entries, a reader of its stream that has its first message, and that message. */
async function served(test: { teardown(fn: () => unknown): void }, ...ids: string[]) {
  const agent = await TestAgent.create(
    test,
    ids.map((id) => entryOf(id)),
  );
  const client = await agent.connect();
  const stream = new StreamReader(client.fetchX509SVID({}));
  const message = await stream.next();
  test.teardown(() => stream.close());
  return { agent, client, stream, message, issuer: agent.signer.x509 };
}

const listed = (issuer: X509Issuer, serials: readonly string[], number?: bigint) =>
  receivedCrl(issuer, serials, number).then((crl) => ({ crls: [crl] }));

t.test("a revoked SVID is replaced in one message, and not served in between", async (t) => {
  const { agent, client, stream, message, issuer } = await served(t, "db");
  const [old = ""] = serialsOf(message);
  const bundles = new StreamReader(client.fetchX509Bundles({}));
  t.strictSame((await bundles.next()).crl, []);
  const gate = Promise.withResolvers<void>();
  agent.signing.gate = gate.promise;
  agent.revoke(await listed(issuer, [old]));
  t.equal((await bundles.next()).crl.length, 1, "verifiers hear of it at once");
  t.ok(await stream.isQuiet(), "there is nothing to serve");
  gate.resolve();
  const next = await stream.next();
  t.equal(next.crl.length, 1);
  t.not(serialsOf(next)[0], old);
  t.ok(await stream.isQuiet(), "one message, not two");
  await bundles.close();
});

t.test("one that the server holds back ends the stream, until the hold is released", async (t) => {
  const { agent, client, stream, message, issuer } = await served(t, "db");
  agent.signing.refused.add("db");
  agent.revoke(await listed(issuer, serialsOf(message)));
  await t.rejects(stream.next(), denied);
  const told = { ...denied, hint: /svid revocations --held/ };
  await t.rejects(first(client.fetchX509SVID({})), told, "told from who has no entry");
  const asked = agent.signing.batches.length;
  agent.signing.refused.clear();
  await t.rejects(
    first(client.fetchX509SVID({})),
    denied,
    "what was refused is not asked for again",
  );
  t.equal(agent.signing.batches.length, asked);
  agent.delta({ reask: true });
  t.equal((await first(client.fetchX509SVID({}))).svids.length, 1);
});

t.test(
  "another identity never becomes the default while the default one is replaced",
  async (t) => {
    const { agent, client, stream, message, issuer } = await served(t, "a", "b");
    const [a = ""] = serialsOf(message);
    const gate = Promise.withResolvers<void>();
    agent.signing.gate = gate.promise;
    agent.revoke(await listed(issuer, [a]));
    t.ok(await stream.isQuiet());
    gate.resolve();
    t.strictSame(idsOf(await stream.next()), idsOf(message));

    t.comment(
      "the server cannot be asked: nothing is served, rather than the other as the default",
    );
    agent.signing.isAway = true;
    const [again = ""] = serialsOf(await first(client.fetchX509SVID({})));
    agent.revoke(await listed(issuer, [a, again], 2n));
    await t.rejects(stream.next(), { code: Status.unavailable, reason: "SERVER_UNREACHABLE" });
    await t.rejects(first(client.fetchX509SVID({})), { code: Status.unavailable });
    agent.signing.isAway = false;
    agent.svids.resume();
    t.strictSame(idsOf(await first(client.fetchX509SVID({}))), idsOf(message));
  },
);

t.test("the default identity goes on while another one is replaced, or held back", async (t) => {
  const { agent, stream, message, issuer } = await served(t, "a", "b");
  const [, b = ""] = serialsOf(message);
  const gate = Promise.withResolvers<void>();
  agent.signing.gate = gate.promise;
  agent.revoke(await listed(issuer, [b]));
  const without = await stream.next();
  t.strictSame(idsOf(without), ["spiffe://north.test/a"], "at once");
  gate.resolve();
  const both = await stream.next();
  t.equal(both.svids.length, 2);
  agent.signing.refused.add("b");
  agent.revoke(await listed(issuer, [b, serialsOf(both)[1] ?? ""], 2n));
  t.strictSame(idsOf(await stream.next()), ["spiffe://north.test/a"]);
  t.ok(await stream.isQuiet());
});

t.test("a revocation that overtakes the SVID it is meant for counts all the same", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const held = await first(client.fetchX509SVID({}));
  const gate = Promise.withResolvers<void>();
  // It arrives while the answer with the SVID is on its way.
  const sign = agent.signing.signX509.bind(agent.signing);
  let overtaken = "";
  agent.signing.signX509 = async (requests) => {
    const answers = await sign(requests);
    const [chain] = answers;
    if (overtaken === "" && Array.isArray(chain)) {
      overtaken = parseCertificates(Buffer.concat(chain))[0]?.serialHex ?? "";
      agent.revoke(await listed(agent.signer.x509, [overtaken, ...serialsOf(held)]));
      await gate.promise;
    }
    return answers;
  };
  agent.svids.renew(["db"]);
  const stream = new StreamReader(client.fetchX509SVID({}));
  t.teardown(() => stream.close());
  await new Promise((resolve) => setTimeout(resolve, 20));
  gate.resolve();
  let message = await stream.next();
  if (serialsOf(message)[0] === serialsOf(held)[0]) message = await stream.next();
  t.not(serialsOf(message)[0], overtaken);
  t.not(serialsOf(message)[0], serialsOf(held)[0]);
});

t.test("a list counts only when an authority of the own bundle signed it", async (t) => {
  const { agent, client, stream, message, issuer } = await served(t, "db");
  const serials = serialsOf(message);
  const stranger = await createSigner(NORTH, START);
  const good = await receivedCrl(issuer, serials);
  const forged = await receivedCrl(stranger.x509, serials);
  for (const [why, crl] of [
    ["a stranger's under the name of ours", { ...forged, authorityId: good.authorityId }],
    ["ours under the name of a stranger", { ...good, authorityId: forged.authorityId }],
    ["one that cannot be read", { authorityId: good.authorityId, crl: undefined }],
    ["a stranger's", forged],
  ] as const) {
    agent.revoke({ crls: [crl] });
    t.strictSame((await first(client.fetchX509Bundles({}))).crl, [], why);
  }
  t.ok(await stream.isQuiet(), "and nothing that is held goes");

  t.comment("once the authority is there its list counts, and it goes with the authority");
  const both = bundleOf(NORTH, [agent.signer, stranger]);
  agent.delta({ bundles: [both] });
  t.equal((await stream.next()).crl.length, 1);
  agent.delta({ bundles: [{ ...agent.ownBundle, sequence: 3n }] });
  t.strictSame((await stream.next()).crl, []);
});

t.test("an older list does not take the place of a newer one", async (t) => {
  const { agent, client, stream, message, issuer } = await served(t, "db");
  const [serial = ""] = serialsOf(message);
  const before = await listed(issuer, ["0a"], 6n);
  agent.revoke(await listed(issuer, ["0a", serial], 7n));
  const { crl } = await stream.next();
  agent.revoke(before);
  t.same((await first(client.fetchX509Bundles({}))).crl, crl, "in a change");
  agent.snapshot([entryOf("db")], [], before);
  t.same((await first(client.fetchX509Bundles({}))).crl, crl, "in a snapshot");
  agent.snapshot([entryOf("db")], [], {
    crls: [{ authorityId: authorityIdOf(issuer.certificate), crl: undefined }],
  });
  t.same(
    (await first(client.fetchX509Bundles({}))).crl,
    crl,
    "one that cannot be read removes none",
  );
});

t.test(
  "a server that was put back from a backup, or whose clock was, is still believed",
  async (t) => {
    const { agent, stream, issuer } = await served(t, "db");
    const authorityId = authorityIdOf(issuer.certificate);
    const at = (seconds: number) => new Date(START.getTime() + seconds * 1000);
    for (const [serial, number, seconds] of [
      ["0a", 9n, 100],
      ["0b", 4n, 200],
      ["0c", 5n, 150],
    ] as const) {
      const crl = await crlOf(issuer, [serial], number, at(seconds));
      agent.revoke({ crls: [{ authorityId, crl }] });
      t.same((await stream.next()).crl.map(hex), [hex(crl.der)], `number ${number} at ${seconds}`);
    }
  },
);

t.test("an empty list is not handed out, nor one that the server took back", async (t) => {
  const { agent, stream, issuer } = await served(t, "db");
  agent.revoke(await listed(issuer, []));
  t.ok(await stream.isQuiet());
  agent.revoke(await listed(issuer, ["0b"], 2n));
  t.equal((await stream.next()).crl.length, 1);
  agent.revoke({ removedCrls: [authorityIdOf(issuer.certificate)] });
  t.strictSame((await stream.next()).crl, []);
  agent.revoke(await listed(issuer, ["0b"], 3n));
  await stream.next();
  agent.snapshot([entryOf("db")]);
  t.strictSame((await stream.next()).crl, [], "a snapshot is everything there is");
});

async function tokenOf(
  signer: TestSigner,
  id: string,
  more: { issuedAt?: Date; jti?: string } = {},
): Promise<string> {
  const { issuedAt = START, jti } = more;
  return issueJwtSvid({
    signer: signer.jwt.signer,
    keyId: signer.jwt.authority.keyId,
    spiffeId: SpiffeId.parse(id),
    audience: ["ledger"],
    issuedAt,
    expiresAt: new Date(issuedAt.getTime() + 300_000),
    ...(jti !== undefined && { jti }),
  });
}

t.test("ValidateJWTSVID refuses tokens revoked by digest, by jti and by SPIFFE ID", async (t) => {
  const { agent, client } = await served(t, "db");
  const db = "spiffe://north.test/db";
  const end = new Date(START.getTime() + HOUR_MS);
  const validate = (svid: string) => client.validateJWTSVID({ audience: "ledger", svid });
  const [one, two, web] = [
    await tokenOf(agent.signer, db),
    await tokenOf(agent.signer, db, { jti: "j-1" }),
    await tokenOf(agent.signer, "spiffe://north.test/web"),
  ];
  for (const token of [one, two, web]) await t.resolves(validate(token));

  const digest = createHash("sha256")
    .update(one.slice(0, one.lastIndexOf(".")))
    .digest("hex");
  t.equal(tokenDigest(one), digest.slice(0, 32));
  agent.revoke({ tokens: [tokenRevocation({ kind: "digest", digest: tokenDigest(one) }, end)] });
  await t.rejects(validate(one), revoked);
  await t.resolves(validate(two));
  agent.revoke({ tokens: [tokenRevocation({ kind: "jti", jti: "j-1" }, end)] });
  await t.rejects(validate(two), revoked);
  agent.revoke({
    tokens: [
      tokenRevocation(
        { kind: "spiffe-id", spiffeId: db, issuedUntilUnixSeconds: START.getTime() / 1000 },
        end,
      ),
    ],
  });
  await t.rejects(validate(await tokenOf(agent.signer, db, { jti: "j-2" })), revoked);
  await t.resolves(validate(web), "others are untouched");
  await agent.clock.advance(1000);
  const later = await tokenOf(agent.signer, db, { issuedAt: agent.clock.now() });
  await t.resolves(validate(later), "one that was issued after that");

  t.comment("a snapshot that names none of them takes none back");
  agent.snapshot([entryOf("db")]);
  await t.rejects(validate(one), revoked);
});

t.test("a revoked token is refused for as long as clocks are given leeway", async (t) => {
  const { agent, client } = await served(t, "db");
  const svid = await tokenOf(agent.signer, "spiffe://north.test/db", { jti: "j" });
  const expiresAt = new Date(START.getTime() + 300_000);
  agent.revoke({ tokens: [tokenRevocation({ kind: "jti", jti: "j" }, expiresAt)] });
  await agent.clock.advance(340_000);
  // Another one arrives, which is when the expired ones go.
  agent.revoke({ tokens: [tokenRevocation({ kind: "jti", jti: "k" }, expiresAt)] });
  await t.rejects(client.validateJWTSVID({ audience: "ledger", svid }), revoked);
  agent.clock.step(25 * HOUR_MS);
  const end = new Date(START.getTime() + 26 * HOUR_MS);
  agent.revoke({ tokens: [tokenRevocation({ kind: "jti", jti: "l" }, end)] });
  t.equal(agent.revocations.tokens, 1, "what nobody can present any more is forgotten");
});

t.test("a token ID revoked here says nothing of another trust domain's tokens", async (t) => {
  const southern = TrustDomain.parse("south.test");
  const south = await createSigner(southern, START);
  const agent = await TestAgent.create(t);
  agent.snapshot([entryOf("db", { federatesWith: ["south.test"] })], [bundleOf(southern, [south])]);
  const client = await agent.connect();
  const svid = await tokenOf(south, "spiffe://south.test/x", { jti: "same" });
  const end = new Date(START.getTime() + HOUR_MS);
  agent.revoke({ tokens: [tokenRevocation({ kind: "jti", jti: "same" }, end)] });
  t.equal(
    (await client.validateJWTSVID({ audience: "ledger", svid })).spiffeId,
    "spiffe://south.test/x",
  );
});

t.test("a token that is held and revoked is not handed out again", async (t) => {
  const { agent, client } = await served(t, "db");
  const fetch = async () => (await client.fetchJWTSVID({ audience: ["ledger"] })).svids[0]?.svid;
  const token = (await fetch()) ?? "";
  t.equal(await fetch(), token, "held");
  const end = new Date(START.getTime() + HOUR_MS);
  await agent.clock.advance(1000);
  agent.revoke({ tokens: [tokenRevocation({ kind: "digest", digest: tokenDigest(token) }, end)] });
  const next = (await fetch()) ?? "";
  t.not(next, token);
  t.comment("when all that the server makes is revoked, none is handed out");
  agent.revoke({
    tokens: [
      tokenRevocation(
        {
          kind: "spiffe-id",
          spiffeId: "spiffe://north.test/db",
          issuedUntilUnixSeconds: START.getTime() / 1000 + 1,
        },
        end,
      ),
    ],
  });
  await t.rejects(fetch(), { code: Status.unavailable });
  await agent.clock.advance(1000);
  t.ok(await fetch());
  agent.signing.refused.add("db");
  agent.revoke({
    tokens: [
      tokenRevocation(
        {
          kind: "spiffe-id",
          spiffeId: "spiffe://north.test/db",
          issuedUntilUnixSeconds: START.getTime() / 1000 + 2,
        },
        end,
      ),
    ],
  });
  const told = { ...denied, hint: /svid revocations --held/ };
  await t.rejects(fetch(), told, "held back");
});

t.test("lists that no client could receive are left out, identities are not", async (t) => {
  const { agent, client, stream, message, issuer } = await served(t, "db");
  const many = (count: number): string[] =>
    Array.from({ length: count }, (_, i) =>
      (0x7f000000000000000000000000000000n + BigInt(i)).toString(16),
    );
  agent.revoke(await listed(issuer, many(60_000)));
  const large = await stream.next();
  t.equal(large.crl.length, 1, "60,000 serial numbers fit");
  const second = await createSigner(NORTH, START);
  agent.delta({ bundles: [bundleOf(NORTH, [agent.signer, second])] });
  await stream.next();
  agent.revoke({
    crls: [
      await receivedCrl(issuer, [...many(70_000), ...serialsOf(message)], 2n),
      await receivedCrl(second.x509, many(20_000)),
    ],
  });
  const next = await stream.next();
  t.equal(next.svids.length, 1);
  t.not(serialsOf(next)[0], serialsOf(message)[0], "the agent itself goes by all of them");
  t.equal(next.crl.length, 1, "the small one is there");
  t.equal((await first(client.fetchX509Bundles({}))).crl.length, 1);
});

t.test("before the server has said what is revoked, nothing is served or validated", async (t) => {
  const agent = await TestAgent.create(t, [], { unsynced: true });
  agent.bundles.apply([agent.ownBundle], []); // as after a restart: it is on the disk
  const client = await agent.connect();
  const svid = await tokenOf(agent.signer, "spiffe://north.test/db");
  const reason = { code: Status.unavailable, reason: "AGENT_NOT_SYNCED" };
  await t.rejects(client.validateJWTSVID({ audience: "ledger", svid }), reason);
  await t.rejects(first(client.fetchX509Bundles({})), reason);
  agent.snapshot([entryOf("db")], [], {
    tokens: [
      tokenRevocation(
        { kind: "digest", digest: tokenDigest(svid) },
        new Date(START.getTime() + HOUR_MS),
      ),
    ],
  });
  await t.rejects(client.validateJWTSVID({ audience: "ledger", svid }), revoked);
});
