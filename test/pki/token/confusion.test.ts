// The table of confusions, at the readers: each kind of signed token, all of them made with one key under one
// key ID, so that nothing but its kind speaks against it, given to the reader of each other kind.
import t from "tap";
import { issueJwtSvid } from "../../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../../pki/jwt/svid.ts";
import { generateP256KeyPair, signerOf } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { issueTaskProof, validateTaskProof } from "../../../pki/task-proof.ts";
import { validateAccessToken } from "../../../pki/token/access-token.ts";
import { issueDpopProof, verifyDpopProof } from "../../../pki/token/dpop.ts";
import { issueAccessToken } from "../../../pki/token/issue-access-token.ts";
import { typeOf } from "../../../pki/token/kinds.ts";
import { encodeStatusList, StatusList } from "../../../pki/token/status-list.ts";
import {
  issueStatusListToken,
  validateStatusListToken,
} from "../../../pki/token/status-list-token.ts";
import { issueWitSvid } from "../../../pki/wit/issue.ts";
import { makeProofToken, verifyProofToken } from "../../../pki/wit/proof-token.ts";
import { validateWitSvid } from "../../../pki/wit/svid.ts";

const now = new Date("2026-06-01T12:00:00Z");
const expiresAt = new Date(now.getTime() + 60_000);
const pair = generateP256KeyPair();
const signer = signerOf("k1", pair);
const own = { keyId: "k1", spki: pair.spki, expiresAt: undefined, tainted: false };
const key = { privateKey: pair.privateKey, alg: "ES256", spki: pair.spki };
const issuer = "https://id.north.test";
const audience = "https://mcp.north.test/tickets";
const agent = SpiffeId.parse("spiffe://north.test/agent/a");
const ulid = "01JD0000000000000000000001";
const task = SpiffeId.parse(`${agent}/task/${ulid}`);
const uri = `${issuer}/status/2026-06-01T12`;
const common = { signer, keyId: "k1", issuedAt: now, expiresAt };
const tokens = { access: undefined, proof: undefined, transaction: undefined, others: new Map() };
const request = { method: "POST", target: "/tickets", fields: [] };

const wit = await issueWitSvid({ ...common, spiffeId: agent, spki: pair.spki });
const KINDS: Record<string, string> = {
  "JWT-SVID": await issueJwtSvid({ ...common, spiffeId: agent, audience: [audience] }),
  "JWT-SVID of a task": await issueJwtSvid({
    ...common,
    spiffeId: task,
    audience: [audience],
    claims: { status: { status_list: { idx: 1, uri } }, client_id: agent.toString() },
  }),
  "WIT-SVID": wit,
  "WIT-SVID of a task": await issueWitSvid({
    ...common,
    spiffeId: task,
    spki: pair.spki,
    claims: { status: { status_list: { idx: 1, uri } }, client_id: agent.toString() },
  }),
  "proof token": makeProofToken({ wit, key, audience, tokens, now }),
  "access token": await issueAccessToken({
    ...common,
    issuer,
    subject: agent.toString(),
    clientId: agent.toString(),
    audience,
    jti: "1",
    details: [{ type: "agent_task", task: task.toString() }],
  }),
  "status list": await issueStatusListToken({
    ...common,
    uri,
    list: encodeStatusList(StatusList.ofSize(2, 8)),
    ttlSeconds: 15,
  }),
  "DPoP proof": issueDpopProof({ key, method: "POST", url: audience, now }),
  "task proof": issueTaskProof(pair.privateKey, { method: "WatchTask", taskId: ulid, now }),
};

/** What each reader takes, and how it refuses all else. */
const READERS: Record<
  string,
  { takes: string[]; reason: string; read: (token: string) => unknown }
> = {
  "JWT-SVIDs": {
    takes: ["JWT-SVID", "JWT-SVID of a task"],
    reason: "JWT_SVID_MALFORMED",
    read: (token) =>
      validateJwtSvid(token, { audience: [audience], authoritiesOf: () => [own], now }),
  },
  "WIT-SVIDs": {
    takes: ["WIT-SVID", "WIT-SVID of a task"],
    reason: "WIT_SVID_MALFORMED",
    read: (token) => validateWitSvid(token, { authoritiesOf: () => [own], now }),
  },
  "proof tokens": {
    takes: ["proof token"],
    reason: "WIT_PROOF_MALFORMED",
    read: (token) => {
      const confirmation = { key: pair.publicKey, alg: "ES256", spki: pair.spki };
      return verifyProofToken(token, {
        wit,
        confirmation,
        isAudience: () => true,
        request,
        tokens,
        now,
      });
    },
  },
  "access tokens": {
    takes: ["access token"],
    reason: "TOKEN_KIND_WRONG",
    read: (token) => validateAccessToken(token, { issuer, audience, keys: [own], now }),
  },
  "status lists": {
    takes: ["status list"],
    reason: "TOKEN_KIND_WRONG",
    read: (token) => validateStatusListToken(token, { uri, keys: [own], now }),
  },
  "DPoP proofs": {
    takes: ["DPoP proof"],
    reason: "TOKEN_KIND_WRONG",
    read: (token) => verifyDpopProof(token, { method: "POST", url: audience, now }),
  },
  "task proofs": {
    takes: ["task proof"],
    reason: "TASK_PROOF_MALFORMED",
    read: async (token) =>
      validateTaskProof(token, {
        method: "WatchTask",
        taskId: ulid,
        publicKey: pair.publicKey,
        now,
      }),
  },
};

for (const [reader, { takes, reason, read }] of Object.entries(READERS)) {
  t.test(`the reader of ${reader} takes no token of another kind`, async (t) => {
    for (const [kind, token] of Object.entries(KINDS)) {
      if (takes.includes(kind)) t.ok(await read(token), kind);
      else await t.rejects(async () => read(token), { name: "IdentityError", reason }, kind);
    }
  });
}

t.test("says of a token what it says of itself", async (t) => {
  t.same(Object.values(KINDS).map(typeOf), [
    "jwt",
    "jwt",
    "wit+jwt",
    "wit+jwt",
    "wpt+jwt",
    "at+jwt",
    "statuslist+jwt",
    "dpop+jwt",
    "task-proof+jwt",
  ]);
  const header = (value: unknown) =>
    `${Buffer.from(JSON.stringify(value)).toString("base64url")}.e30.AA`;
  t.equal(typeOf(header({ typ: "application/AT+JWT" })), "at+jwt");
  t.equal(typeOf(header({})), "");
  for (const text of [
    "",
    "a.b",
    header({ typ: 1 }),
    header(null),
    header([]),
    `${"A".repeat(9000)}.e30.AA`,
    "....",
    '{"typ":"JWT"}',
  ]) {
    t.notOk(typeOf(text), text.slice(0, 40));
  }
});
