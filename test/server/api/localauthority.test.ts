// The LocalAuthority service over the wire: the life of an authority in the words of SPIRE's API.
import t, { type Test } from "tap";
import { pairInProcess } from "../../../proto/rpc/in-process.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import { LocalAuthorityService, OAuthAuthorityService } from "../../../proto/schema.gen.ts";
import {
  localAuthorityHandlers,
  oauthAuthorityHandlers,
} from "../../../server/api/localauthority.ts";
import { startTestCa } from "../../support/test-ca.ts";

async function serve(t: Test, options: { wit: boolean } = { wit: true }) {
  const ca = await startTestCa(t, options.wit ? { ca: { witKeyType: "ec-p256" } } : {});
  const server = createRpcServer({ onInternalError: (error) => t.fail(String(error)) });
  server.add(LocalAuthorityService, localAuthorityHandlers(ca.authorities));
  const pair = await pairInProcess(server);
  t.teardown(() => pair.close());
  return { ca, client: (await pair.connect("local")).client(LocalAuthorityService) };
}

const expiresAt = Date.parse("2030-01-02T00:00:00Z") / 1000;

for (const kind of ["X509", "JWT", "WIT"] as const) {
  t.test(`${kind}: shows, prepares, activates, taints and revokes`, async (t) => {
    const { client, ca } = await serve(t);
    const show = () => client[`get${kind}AuthorityState`]({});
    const first = (await show()).active?.authorityId ?? "";
    t.match(await show(), { active: { expiresAt }, prepared: undefined, old: undefined });

    const prepared = (await client[`prepare${kind}Authority`]({})).preparedAuthority;
    t.equal((await show()).prepared?.authorityId, prepared?.authorityId);
    const authorityId = prepared?.authorityId ?? "";
    const activated = (await client[`activate${kind}Authority`]({ authorityId }))
      .activatedAuthority;
    t.equal(activated?.authorityId, authorityId);
    t.match(await show(), {
      active: { authorityId },
      prepared: undefined,
      old: { authorityId: first, upstreamAuthoritySubjectKeyId: "" },
    });

    const expected = { reason: "AUTHORITY_STATE_WRONG", code: 9 };
    await t.rejects(client[`taint${kind}Authority`]({ authorityId }), expected, "in use");
    await t.rejects(
      client[`revoke${kind}Authority`]({ authorityId: first }),
      expected,
      "untainted",
    );
    const tainted = (await client[`taint${kind}Authority`]({ authorityId: first }))
      .taintedAuthority;
    t.equal(tainted?.authorityId, first);
    const revoked = (await client[`revoke${kind}Authority`]({ authorityId: first }))
      .revokedAuthority;
    t.equal(revoked?.authorityId, first);
    t.equal((await show()).old, undefined);
    const { x509Authorities, jwtAuthorities, witAuthorities } = ca.authorities.bundle();
    const published = { X509: x509Authorities, JWT: jwtAuthorities, WIT: witAuthorities };
    t.equal(published[kind].length, 1);
  });

  t.test(`${kind}: asks for an authority it knows`, async (t) => {
    const { client } = await serve(t);
    const expected = { reason: "AUTHORITY_ID_UNKNOWN", code: 3 };
    for (const authorityId of ["", "unknown"]) {
      await t.rejects(client[`activate${kind}Authority`]({ authorityId }), expected);
      await t.rejects(client[`taint${kind}Authority`]({ authorityId }), expected);
      await t.rejects(client[`revoke${kind}Authority`]({ authorityId }), expected);
    }
  });
}

t.test("names X.509 authorities by their subject key ID in hex", async (t) => {
  const { client, ca } = await serve(t);
  const { active } = await client.getX509AuthorityState({});
  const { subjectKeyId = new Uint8Array() } = ca.authorities.x509().certificate;
  t.equal(active?.authorityId, Buffer.from(subjectKeyId).toString("hex"));
});

t.test("says what it does not have", async (t) => {
  const { client } = await serve(t);
  const noUpstream = { reason: "AUTHORITY_STATE_WRONG", code: 9, message: /no upstream authority/ };
  await t.rejects(client.taintX509UpstreamAuthority({ subjectKeyId: "aa" }), noUpstream);
  await t.rejects(client.revokeX509UpstreamAuthority({ subjectKeyId: "aa" }), noUpstream);
});

t.test("has no WIT authorities while WIT-SVIDs are off", async (t) => {
  const { client } = await serve(t, { wit: false });
  const noWit = { reason: "NOT_SUPPORTED", code: 12 };
  await t.rejects(client.getWITAuthorityState({}), noWit);
  await t.rejects(client.prepareWITAuthority({}), noWit);
  await t.rejects(client.activateWITAuthority({ authorityId: "a" }), noWit);
  await t.rejects(client.taintWITAuthority({ authorityId: "a" }), noWit);
  await t.rejects(client.revokeWITAuthority({ authorityId: "a" }), noWit);
});

t.test(
  "OAuth: the same steps for the keys of the token issuer, none of them in a bundle",
  async (t) => {
    const ca = await startTestCa(t, { ca: { oauthKeyType: "ec-p256" } });
    const bundle = ca.authorities.bundle();
    const server = createRpcServer({ onInternalError: (error) => t.fail(String(error)) });
    server.add(OAuthAuthorityService, oauthAuthorityHandlers(ca.authorities));
    const pair = await pairInProcess(server);
    t.teardown(() => pair.close());
    const client = (await pair.connect("local")).client(OAuthAuthorityService);
    const show = () => client.getOAuthAuthorityState({});
    const first = (await show()).active?.authorityId ?? "";
    const { preparedAuthority } = await client.prepareOAuthAuthority({});
    const authorityId = preparedAuthority?.authorityId ?? "";
    await client.activateOAuthAuthority({ authorityId });
    t.match(await show(), { active: { authorityId }, old: { authorityId: first } });
    await client.taintOAuthAuthority({ authorityId: first });
    await client.revokeOAuthAuthority({ authorityId: first });
    t.match(await show(), { active: { authorityId }, old: undefined });
    t.same(
      ca.authorities.records("oauth").map((one) => one.authorityId),
      [authorityId],
    );
    t.equal(ca.authorities.bundle(), bundle);
  },
);

t.test("OAuth: says that there is no token issuer", async (t) => {
  const ca = await startTestCa(t);
  const handlers = oauthAuthorityHandlers(ca.authorities);
  await t.rejects(async () => handlers.prepareOAuthAuthority?.({} as never, {} as never), {
    reason: "OAUTH_NOT_CONFIGURED",
    code: 9,
  });
});
