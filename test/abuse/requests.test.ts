// Calls whose content is hostile, over well-behaved connections, at every door: each gets a status with
// a reason, and nobody else notices.
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import t from "tap";
import { generateP256KeyPair, type KeyPair } from "../../pki/keys.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { contextTag } from "../../pki/x509/der.ts";
import {
  derBitString,
  derElement,
  derSequence,
  derUnsignedInteger,
} from "../../pki/x509/der-writer.ts";
import { derName, SVID_SUBJECT } from "../../pki/x509/name.ts";
import { SIGNING_SCHEMES, type SigningScheme } from "../../pki/x509/signature.ts";
import {
  AgentService,
  EntryService,
  SpiffeWorkloadApi,
  SvidService,
  type spire,
} from "../../proto/schema.gen.ts";
import { Abused } from "../support/abused.ts";
import { attestOver } from "../support/running-server.ts";

const abused = await Abused.start(t);
type Refusal = { readonly code: number; readonly reason?: string };

const MIB = 1024 * 1024;
const long = (length: number): string => "x".repeat(length);
const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

const wireId = (path: string, trustDomain = "north.test") => ({ trustDomain, path });
type Entry = Partial<spire.api.types.Entry>;
const good = (more: Entry = {}): Entry => ({
  spiffeId: wireId("/good"),
  parentId: wireId(abused.node),
  selectors: [{ type: "unix", value: "uid:424242" }],
  ...more,
});

const ENTRIES: readonly { name: string; entry: Entry; message: RegExp }[] = [
  {
    name: "10,000 selectors",
    entry: good({ selectors: times(10_000, (i) => ({ type: "unix", value: `uid:${i}` })) }),
    message: /10000 selectors/,
  },
  { name: "no selectors", entry: good({ selectors: [] }), message: /selector list is empty/ },
  {
    name: "a selector of a megabyte",
    entry: good({ selectors: [{ type: "unix", value: long(MIB) }] }),
    message: /^.{0,500}$/s,
  },
  {
    name: "another trust domain",
    entry: good({ spiffeId: wireId("/a", "south.test") }),
    message: /not in the trust domain "north.test"/,
  },
  {
    name: "a parent in another trust domain",
    entry: good({ parentId: wireId("/a", "south.test") }),
    message: /not in the trust domain "north.test"/,
  },
  {
    name: "the ID of the server",
    entry: good({ spiffeId: wireId("/spire/server") }),
    message: /reserved/,
  },
  {
    name: "the ID of an agent",
    entry: good({ spiffeId: wireId("/spire/agent/join_token/x") }),
    message: /reserved/,
  },
  {
    name: "a path that climbs",
    entry: good({ spiffeId: wireId("/a/../b") }),
    message: /SPIFFE ID/,
  },
  {
    name: "a path of a megabyte",
    entry: good({ spiffeId: wireId(`/${long(MIB)}`) }),
    message: /^.{0,500}$/s,
  },
  {
    name: "a trust domain of a megabyte",
    entry: good({ spiffeId: wireId("/a", long(MIB)) }),
    message: /^.{0,500}$/s,
  },
  { name: "an ID with slashes", entry: good({ id: "../../keys" }), message: /entry ID|ID/ },
  { name: "an ID of a megabyte", entry: good({ id: long(MIB) }), message: /^.{0,500}$/s },
  { name: "a hint of a megabyte", entry: good({ hint: long(MIB) }), message: /hint/ },
  {
    name: "10,000 DNS names",
    entry: good({ dnsNames: times(10_000, (i) => `h${i}.test`) }),
    message: /DNS names/,
  },
  {
    name: "10,000 federations",
    entry: good({ federatesWith: times(10_000, (i) => `t${i}.test`) }),
    message: /trust domain/,
  },
  { name: "a negative TTL", entry: good({ x509SvidTtl: -1 }), message: /TTL/ },
  { name: "an expiry before 1970", entry: good({ expiresAt: -1 }), message: /expiry/ },
];

t.test("entries that may not be are refused one by one, and change nothing", async (t) => {
  const entries = abused.admin.client(EntryService);
  const { count } = await entries.countEntries({});
  await abused.whileServing(async () => {
    for (const { name, entry, message } of ENTRIES) {
      const { results } = await entries.batchCreateEntry({ entries: [entry] });
      t.match(results[0]?.status, { code: 3, message }, name);
    }
    const many = times(5001, () => good());
    await t.rejects(entries.batchCreateEntry({ entries: many }), {
      reason: "BATCH_TOO_LARGE",
      code: 3,
    });
    const huge = good({ hint: long(5 * MIB) });
    await t.rejects(entries.batchCreateEntry({ entries: [huge] }), {
      reason: "MESSAGE_TOO_LARGE",
      code: 8,
    });
  });
  t.equal((await entries.countEntries({})).count, count);
});

t.test("lists and lookups with forged tokens, filters and IDs", async (t) => {
  const entries = abused.admin.client(EntryService);
  const agents = abused.admin.client(AgentService);
  const forged = Buffer.from("../../etc").toString("base64url");
  const selectors = times(10_000, (i) => ({ type: "unix", value: `uid:${i}` }));
  const cases: readonly [string, () => Promise<unknown>, Refusal][] = [
    [
      "a page token",
      () => entries.listEntries({ pageToken: "%%%" }),
      { reason: "PAGE_TOKEN_INVALID", code: 3 },
    ],
    [
      "a long one",
      () => entries.listEntries({ pageToken: long(MIB - 1) }),
      { reason: "PAGE_TOKEN_INVALID", code: 3 },
    ],
    [
      "one of agents",
      () => agents.listAgents({ pageToken: forged }),
      { reason: "PAGE_TOKEN_INVALID", code: 3 },
    ],
    [
      "a filter of 10,000 selectors",
      () => entries.listEntries({ filter: { bySelectors: { selectors, match: 0 } } }),
      { reason: "SELECTOR_INVALID", code: 3 },
    ],
    [
      "a filter that compares as nothing does",
      () => entries.countEntries({ filter: { bySelectors: { selectors: [], match: 99 } } }),
      { code: 3 },
    ],
    [
      "an ID with a path",
      () => entries.getEntry({ id: "../x" }),
      { reason: "ENTRY_NOT_FOUND", code: 5 },
    ],
    [
      "an ID of a megabyte",
      () => entries.getEntry({ id: long(MIB) }),
      { reason: "ENTRY_NOT_FOUND", code: 5 },
    ],
    [
      "an agent elsewhere",
      () => agents.getAgent({ id: wireId("/a", "south.test") }),
      { reason: "AGENT_ID_INVALID", code: 3 },
    ],
    [
      "a token with a path",
      () => agents.createJoinToken({ ttl: 60, token: "../x" }),
      { reason: "JOIN_TOKEN_INVALID", code: 3 },
    ],
    [
      "a token that has ended",
      () => agents.createJoinToken({ ttl: -60 }),
      { reason: "JOIN_TOKEN_INVALID", code: 3 },
    ],
  ];
  await abused.whileServing(async () => {
    for (const [name, call, error] of cases) await t.rejects(call(), error, name);
  });
  const first = await entries.listEntries({ pageToken: forged });
  t.ok(Array.isArray(first.entries), "a token of the right form is a place in the list, no more");
});

/** A request for a key of any kind, signed by it as this scheme says. */
function requestOf(
  { spki, privateKey }: { readonly spki: Uint8Array; readonly privateKey?: KeyObject },
  scheme: SigningScheme,
): Uint8Array {
  const info = derSequence(
    derUnsignedInteger(Uint8Array.of(0)),
    derName(SVID_SUBJECT),
    spki,
    derElement(contextTag(0, true)),
  );
  const signature = privateKey ? sign(scheme.hash, info, privateKey) : Buffer.alloc(256, 1);
  return derSequence(info, scheme.algorithmDer, derBitString(signature));
}

function pairOf({
  publicKey,
  privateKey,
}: {
  publicKey: KeyObject;
  privateKey: KeyObject;
}): KeyPair {
  const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  return { publicKey, privateKey, spki };
}

/** An RSA key that nobody made: only its size counts. */
function rsaSpki(bits: number, exponent: Uint8Array): Uint8Array {
  const modulus = new Uint8Array(bits / 8).fill(0xa5);
  const rsaEncryption = Buffer.from("300d06092a864886f70d0101010500", "hex");
  const key = derSequence(derUnsignedInteger(modulus), derUnsignedInteger(exponent));
  return derSequence(rsaEncryption, derBitString(key));
}

function badCsrs(): { readonly name: string; readonly csr: Uint8Array }[] {
  const csr = createCsr(generateP256KeyPair());
  const forged = Uint8Array.from(csr);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  const [rsa, ec] = [SIGNING_SCHEMES["rsa-2048"], SIGNING_SCHEMES["ec-p256"]];
  const small = pairOf(generateKeyPairSync("rsa", { modulusLength: 1024 }));
  const koblitz = pairOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }));
  const e = Uint8Array.of(1, 0, 1);
  return [
    { name: "nothing", csr: new Uint8Array() },
    { name: "junk", csr: Buffer.alloc(300, 0xa5) },
    { name: "200 kB", csr: Buffer.alloc(200_000, 0x30) },
    { name: "half of one", csr: csr.subarray(0, csr.length / 2) },
    { name: "one with more behind it", csr: Buffer.concat([csr, Buffer.alloc(1)]) },
    { name: "a signature that is not its own", csr: forged },
    { name: "nested sequences", csr: Buffer.alloc(16_000, Buffer.from("3080", "hex")) },
    { name: "RSA of 1,024 bits", csr: requestOf(small, rsa) },
    { name: "RSA of 16,384 bits", csr: requestOf({ spki: rsaSpki(16_384, e) }, rsa) },
    {
      name: "RSA with an exponent of its size",
      csr: requestOf({ spki: rsaSpki(3072, new Uint8Array(384).fill(0x5b)) }, rsa),
    },
    { name: "another curve", csr: requestOf(koblitz, ec) },
  ];
}

t.test("requests for certificates that prove nothing", async (t) => {
  const agent = await abused.attest();
  const channel = await abused.channel(agent.svid);
  const { entries } = await channel.client(EntryService).getAuthorizedEntries({});
  t.equal(entries.length, 0, "an agent without entries");
  await abused.admin.client(EntryService).batchCreateEntry({
    entries: [good({ id: "signed", parentId: wireId(agent.svid.id.path) })],
  });
  const svids = channel.client(SvidService);
  await abused.whileServing(async () => {
    for (const { name, csr } of badCsrs()) {
      const { results } = await svids.batchNewX509SVID({ params: [{ entryId: "signed", csr }] });
      t.match(results[0]?.status, { code: 3 }, `${name}: ${results[0]?.status?.message}`);
      t.notOk(results[0]?.svid, name);
      await t.rejects(abused.admin.client(SvidService).mintX509SVID({ csr }), { code: 3 }, name);
      await t.rejects(
        channel.client(AgentService).renewAgent({ params: { csr } }),
        { code: 3 },
        name,
      );
      const data = { type: "join_token", payload: Buffer.from("x") };
      await t.rejects(
        attestOver(await abused.channel(), { data, params: { csr } }),
        { code: 3 },
        name,
      );
    }
    const params = times(501, () => ({ entryId: "signed", csr: new Uint8Array() }));
    await t.rejects(svids.batchNewX509SVID({ params }), { reason: "BATCH_TOO_LARGE", code: 3 });
    const { results } = await svids.batchNewX509SVID({
      params: [
        { entryId: "../x", csr: new Uint8Array() },
        { entryId: long(MIB), csr: new Uint8Array() },
      ],
    });
    t.match(
      results.map(({ status }) => status?.code),
      [5, 5],
      "entries that are not the agent's",
    );
    const many = { entryId: "signed", audience: times(10_000, (i) => `a${i}`) };
    await t.rejects(svids.newJWTSVID(many), { code: 3 });
    await t.rejects(svids.newJWTSVID({ entryId: "signed", audience: [long(MIB)] }), { code: 3 });
  });
  t.ok(await channel.client(EntryService).getAuthorizedEntries({}), "the agent is still served");
});

t.test("tokens and audiences of any length at the Workload API", async (t) => {
  const { workload } = abused;
  const api = workload.client(SpiffeWorkloadApi);
  const part = Buffer.from('{"a":'.repeat(2000)).toString("base64url");
  const cases: readonly [string, () => Promise<unknown>, Refusal][] = [
    [
      "a token of a megabyte",
      () => api.validateJWTSVID({ audience: "a", svid: long(MIB) }),
      { reason: "MESSAGE_TOO_LARGE", code: 8 },
    ],
    [
      "one of 200 kB",
      () => api.validateJWTSVID({ audience: "a", svid: long(200_000) }),
      { reason: "JWT_SVID_MALFORMED", code: 3 },
    ],
    [
      "a thousand dots",
      () => api.validateJWTSVID({ audience: "a", svid: ".".repeat(1000) }),
      { reason: "JWT_SVID_MALFORMED", code: 3 },
    ],
    [
      "deep JSON",
      () => api.validateJWTSVID({ audience: "a", svid: `${part}.${part}.AA` }),
      { reason: "JWT_SVID_MALFORMED", code: 3 },
    ],
    ["no token", () => api.validateJWTSVID({ audience: "a", svid: "" }), { code: 3 }],
    [
      "no audience",
      () => api.fetchJWTSVID({ audience: [] }),
      { reason: "JWT_SVID_AUDIENCE", code: 3 },
    ],
    [
      "thousands of audiences",
      () => api.fetchJWTSVID({ audience: times(5000, (i) => `a${i}`) }),
      { reason: "JWT_SVID_AUDIENCE", code: 3 },
    ],
    [
      "an audience of 200 kB",
      () => api.fetchJWTSVID({ audience: [long(200_000)] }),
      { reason: "JWT_SVID_AUDIENCE", code: 3 },
    ],
    [
      "audiences of a megabyte",
      () => api.fetchJWTSVID({ audience: [long(MIB)] }),
      { reason: "MESSAGE_TOO_LARGE", code: 8 },
    ],
    [
      "no SPIFFE ID",
      () => api.fetchJWTSVID({ audience: ["a"], spiffeId: "http://x" }),
      { reason: "SPIFFE_ID_INVALID", code: 3 },
    ],
  ];
  await abused.whileServing(async () => {
    for (const [name, call, error] of cases) await t.rejects(call(), error, name);
  });
  workload.close();
});
