// SPIFFE Workload API, the rows of its JWT profile (s6) that bind the agent.

import t from "tap";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import { Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { parseJwtSvidInsecurely } from "../../pki/jwt/svid.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { structToJson } from "../../proto/types/struct.ts";
import { entryOf, first, StreamReader, TestAgent, TestPeer } from "../support/test-agent.ts";
import { bundleOf, createSigner, type TestSigner } from "../support/test-signing.ts";

const SOUTH = TrustDomain.parse("south.test");
const START = new Date("2030-01-01T00:00:00Z");

async function south(): Promise<{ signer: TestSigner; bundle: Bundle }> {
  const signer = await createSigner(SOUTH, START);
  return { signer, bundle: bundleOf(SOUTH, [signer]) };
}

function tokenOf(
  signer: TestSigner,
  id: string,
  more: { audience?: string[]; expiresAt?: Date; keyId?: string; issuer?: string } = {},
): string | Promise<string> {
  return issueJwtSvid({
    signer: signer.jwt.signer,
    keyId: more.keyId ?? signer.jwt.authority.keyId,
    spiffeId: SpiffeId.parse(id),
    audience: more.audience ?? ["x"],
    issuedAt: new Date(START.getTime() - 600_000),
    expiresAt: more.expiresAt ?? new Date(START.getTime() + 60_000),
    ...(more.issuer !== undefined && { issuer: more.issuer }),
  });
}

const keysOf = (jwks: Uint8Array | undefined): Record<string, unknown>[] =>
  (JSON.parse(Buffer.from(jwks ?? []).toString("utf8")) as { keys: Record<string, unknown>[] })
    .keys;

t.test("WL-32 an empty audience, or one that is empty, is InvalidArgument", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  for (const audience of [[], [""], ["x", ""], Array.from({ length: 33 }, (_, i) => `a${i}`)]) {
    await t.rejects(client.fetchJWTSVID({ audience }), { code: Status.invalidArgument });
  }
  t.equal((await client.fetchJWTSVID({ audience: ["x", "y"] })).svids.length, 1);
});

t.test(
  "WL-33 the token is for the audiences asked for, in their order, and no other",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db")]);
    const client = await agent.connect();
    for (const audience of [["x"], ["b", "a"], ["a", "b"], ["a\nb"], ["a,b"], ['["a"]']]) {
      const { svids } = await client.fetchJWTSVID({ audience });
      t.strictSame(parseJwtSvidInsecurely(svids[0]?.svid ?? "").audience, audience);
    }
  },
);

t.test("WL-34 without a SPIFFE ID there is one token for each identity", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b"), entryOf("c")]);
  const client = await agent.connect();
  const { svids } = await client.fetchJWTSVID({ audience: ["x"] });
  t.strictSame(
    svids.map(({ spiffeId }) => spiffeId),
    ["a", "b", "c"].map((id) => `spiffe://north.test/${id}`),
  );
  t.strictSame(
    svids.map(({ svid }) => parseJwtSvidInsecurely(svid).id.toString()),
    svids.map(({ spiffeId }) => spiffeId),
  );
});

t.test(
  "WL-35 with a SPIFFE ID only that one, and PermissionDenied for somebody else's",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b")]);
    const client = await agent.connect();
    const audience = ["x"];
    const one = await client.fetchJWTSVID({ audience, spiffeId: "spiffe://north.test/b" });
    t.strictSame(
      one.svids.map(({ spiffeId }) => spiffeId),
      ["spiffe://north.test/b"],
    );
    const code = Status.permissionDenied;
    for (const spiffeId of [
      "spiffe://north.test/else",
      "spiffe://south.test/a",
      "spiffe://north.test",
    ]) {
      await t.rejects(client.fetchJWTSVID({ audience, spiffeId }), { code }, spiffeId);
    }
    const nobody = await agent.connect(new TestPeer(["test:other"]));
    await t.rejects(nobody.fetchJWTSVID({ audience, spiffeId: "spiffe://north.test/a" }), { code });
  },
);

t.test("WL-36 a malformed SPIFFE ID is InvalidArgument", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  for (const spiffeId of [
    "db",
    "spiffe://North.test/db",
    "spiffe://north.test/db/",
    "https://a/b",
  ]) {
    await t.rejects(client.fetchJWTSVID({ audience: ["x"], spiffeId }), {
      code: Status.invalidArgument,
    });
  }
  await t.resolves(client.fetchJWTSVID({ audience: ["x"], spiffeId: "spiffe://north.test/db" }));
});

t.test("WL-37 at least one token with every field filled, or an error", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a", { hint: "h" }), entryOf("b")]);
  const client = await agent.connect();
  const { svids } = await client.fetchJWTSVID({ audience: ["x"] });
  for (const { spiffeId, svid } of svids) t.ok(spiffeId !== "" && svid.split(".").length === 3);
  t.strictSame(
    svids.map(({ hint }) => hint),
    ["h", ""],
  );
  agent.signing.refused.add("a");
  agent.signing.refused.add("b");
  await t.rejects(client.fetchJWTSVID({ audience: ["y"] }), { code: Status.permissionDenied });
  agent.delta({ removedEntryIds: ["a", "b"] });
  await t.rejects(client.fetchJWTSVID({ audience: ["x"] }), { code: Status.permissionDenied });
});

t.test(
  "WL-38 JWT bundles: the own trust domain among them, keyed by SPIFFE ID, JWK Sets",
  async (t) => {
    const agent = await TestAgent.create(t);
    agent.snapshot([entryOf("db", { federatesWith: ["south.test"] })], [(await south()).bundle]);
    const client = await agent.connect();
    const { bundles } = await first(client.fetchJWTBundles({}));
    t.strictSame(Object.keys(bundles).sort(), ["spiffe://north.test", "spiffe://south.test"]);
    for (const jwks of Object.values(bundles)) {
      const [key] = keysOf(jwks);
      t.equal(key?.["kty"], "EC");
      t.type(key?.["kid"], "string");
    }
  },
);

t.test("WL-39 a JWT bundle holds JWT keys only", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const { bundles } = await first(client.fetchJWTBundles({}));
  const keys = keysOf(bundles["spiffe://north.test"]);
  t.strictSame(
    keys.map((key) => key["kid"]),
    [agent.signer.jwt.authority.keyId],
    "as many as there are JWT authorities",
  );
  for (const key of keys) for (const name of ["x5c", "use", "d"]) t.notOk(name in key, name);
});

t.test("WL-40 a caller that is not entitled to JWT bundles gets PermissionDenied", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const nobody = await agent.connect(new TestPeer(["test:other"]));
  await t.rejects(first(nobody.fetchJWTBundles({})), { code: Status.permissionDenied });
  const entitled = await agent.connect();
  const stream = new StreamReader(entitled.fetchJWTBundles({}));
  t.equal(Object.keys((await stream.next()).bundles).length, 1);
  await stream.close();
});

t.test("WL-41 ValidateJWTSVID applies the rules of JWT-SVIDs, own and federated", async (t) => {
  const foreign = await south();
  const stranger = await createSigner(TrustDomain.parse("west.test"), START);
  const agent = await TestAgent.create(t);
  agent.snapshot([entryOf("db", { federatesWith: ["south.test"] })], [foreign.bundle]);
  const client = await agent.connect();
  const own = await tokenOf(agent.signer, "spiffe://north.test/a");
  t.equal(
    (await client.validateJWTSVID({ audience: "x", svid: own })).spiffeId,
    "spiffe://north.test/a",
  );
  const other = await tokenOf(foreign.signer, "spiffe://south.test/a");
  t.equal(
    (await client.validateJWTSVID({ audience: "x", svid: other })).spiffeId,
    "spiffe://south.test/a",
  );
  const [header = "", payload = "", signature = ""] = own.split(".");
  const wit = Buffer.from(JSON.stringify({ alg: "ES256", kid: "k", typ: "wit+jwt" }));
  const none = Buffer.from(JSON.stringify({ alg: "none", kid: "k" }));
  const bad: Record<string, string> = {
    "another audience": await tokenOf(agent.signer, "spiffe://north.test/a", { audience: ["y"] }),
    expired: await tokenOf(agent.signer, "spiffe://north.test/a", {
      expiresAt: new Date(START.getTime() - 61_000),
    }),
    "an unknown trust domain": await tokenOf(stranger, "spiffe://west.test/a"),
    "a foreign key for an own ID": await tokenOf(
      { ...foreign.signer, x509: agent.signer.x509 },
      "spiffe://north.test/a",
    ),
    "an unknown key": await tokenOf(agent.signer, "spiffe://north.test/a", { keyId: "nope" }),
    "a WIT": `${wit.toString("base64url")}.${payload}.${signature}`,
    "no algorithm": `${none.toString("base64url")}.${payload}.`,
    "two parts": `${header}.${payload}`,
    "four parts": `${own}.x`,
    "a changed payload": `${header}.${Buffer.from('{"sub":"spiffe://north.test/root","aud":["x"],"exp":9999999999}').toString("base64url")}.${signature}`,
    JSON: JSON.stringify({ protected: header, payload, signature }),
  };
  for (const [what, svid] of Object.entries(bad)) {
    await t.rejects(
      client.validateJWTSVID({ audience: "x", svid }),
      { code: Status.invalidArgument },
      what,
    );
  }
  agent.delta({ removedBundles: ["south.test"] });
  await t.rejects(client.validateJWTSVID({ audience: "x", svid: other }), {
    code: Status.invalidArgument,
  });
});

t.test(
  "WL-42, ID-32 the claims are returned: sub, aud and exp always, of foreign tokens little more",
  async (t) => {
    const foreign = await south();
    const agent = await TestAgent.create(t);
    agent.snapshot([entryOf("db", { federatesWith: ["south.test"] })], [foreign.bundle]);
    const client = await agent.connect();
    const ask = async (svid: string): Promise<Record<string, unknown>> =>
      structToJson((await client.validateJWTSVID({ audience: "x", svid })).claims);
    const own = await ask(await tokenOf(agent.signer, "spiffe://north.test/a", { issuer: "me" }));
    t.match(own, { sub: "spiffe://north.test/a", aud: ["x"], exp: Number, iss: "me" });
    t.equal(own["exp"], START.getTime() / 1000 + 60, "a number, to the second");
    const other = await ask(
      await tokenOf(foreign.signer, "spiffe://south.test/a", { issuer: "me" }),
    );
    t.match(other, { sub: "spiffe://south.test/a", aud: ["x"], exp: Number });
    t.notOk("iss" in other, "a foreign trust domain makes no assertion here");
  },
);

t.test("WL-43 ValidateJWTSVID wants both fields and fills both", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const svid = await tokenOf(agent.signer, "spiffe://north.test/a");
  const code = Status.invalidArgument;
  await t.rejects(client.validateJWTSVID({ audience: "", svid }), { code });
  await t.rejects(client.validateJWTSVID({ audience: "x", svid: "" }), { code });
  const answer = await client.validateJWTSVID({ audience: "x", svid });
  t.equal(answer.spiffeId, "spiffe://north.test/a");
  t.ok(Object.keys(answer.claims.fields).length >= 3);
});
