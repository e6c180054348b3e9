// Status lists: the vectors of draft-ietf-oauth-status-list (appendix C), what is refused, and signed ones.
import { deflateRawSync, deflateSync } from "node:zlib";
import t from "tap";
import { generateP256KeyPair, signerOf } from "../../../pki/keys.ts";
import {
  decodeStatusList,
  encodeStatusList,
  MAX_STATUS_LIST_BYTES,
  StatusList,
  TokenStatus,
} from "../../../pki/token/status-list.ts";
import {
  issueStatusListToken,
  readStatusReference,
  type StatusListExpectation,
  type StatusListTokenRequest,
  validateStatusListToken,
} from "../../../pki/token/status-list-token.ts";

/** The draft's examples: a million statuses, those at these places not 0. */
const PLACES = [0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345];
const VECTORS = [
  {
    bits: 1,
    lst: "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb",
    statuses: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  },
  {
    bits: 2,
    lst: "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEB5WwIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAID0ugQAAAAAAAAAAAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAAAAAAAAAAAAAAAAAAAAD8ExIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwJEuAQAAAAAAAAAAAAAAAAAAAAAAAMB9SwIAAAAAAAAAAAAAAAAAAACoYUoAAAAAAAAAAAAAAEBqH81gAQw",
    statuses: [1, 2, 1, 3, 1, 1, 2, 1, 1, 2, 3],
  },
] as const;

t.test("reads the examples of the draft", async (t) => {
  const one = decodeStatusList({ bits: 1, lst: "eNrbuRgAAhcBXQ" });
  t.same([...one.bytes], [0xb9, 0xa3]);
  t.same(
    Array.from({ length: one.size }, (_, i) => one.get(i)),
    [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1],
  );
  const two = decodeStatusList({ bits: 2, lst: "eNo76fITAAPfAgc" });
  t.same([...two.bytes], [0xc9, 0x44, 0xf9]);
  t.same(
    Array.from({ length: two.size }, (_, i) => two.get(i)),
    [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3],
  );
});

for (const { bits, lst, statuses } of VECTORS) {
  t.test(`reads the draft's list of a million statuses of ${bits} bits`, async (t) => {
    const found = new Map<number, number>();
    const list = decodeStatusList({ bits, lst });
    t.equal(list.size, 2 ** 20);
    for (let i = 0; i < list.size; i++) if (list.get(i) !== 0) found.set(i, list.get(i));
    t.same(
      [...found],
      PLACES.map((place, i) => [place, statuses[i]]),
    );
    const own = StatusList.ofSize(bits, 2 ** 20);
    for (const [i, place] of PLACES.entries()) own.set(place, statuses[i] ?? 0);
    t.same(decodeStatusList(encodeStatusList(own)).bytes, list.bytes, "as we write it");
  });
}

t.test("reads what it wrote, of every number of bits", async (t) => {
  for (const bits of [1, 2, 4, 8] as const) {
    const list = StatusList.ofSize(bits, 1000);
    const expected = Array.from({ length: 1000 }, (_, i) => (i * 37) % 2 ** bits);
    for (const [i, status] of expected.entries()) list.set(i, status);
    const read = decodeStatusList(encodeStatusList(list));
    t.same(
      Array.from({ length: 1000 }, (_, i) => read.get(i)),
      expected,
      String(bits),
    );
    t.throws(() => list.set(0, 2 ** bits), TypeError);
  }
});

t.test("knows nothing of an index beyond its end", async (t) => {
  const list = StatusList.ofSize(2, 8);
  list.set(7, TokenStatus.suspended);
  t.equal(list.get(7), TokenStatus.suspended);
  for (const index of [8, -1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER, 2 ** 53]) {
    t.throws(() => list.get(index), { reason: "STATUS_LIST_INDEX", code: 16 }, String(index));
  }
});

t.test("refuses lists that make no sense, and those that would fill memory", async (t) => {
  const lst = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const sound = deflateSync(Buffer.from([1, 2, 3]));
  const bomb = deflateSync(Buffer.alloc(MAX_STATUS_LIST_BYTES + 1));
  const rows: [string, { bits: unknown; lst: unknown }][] = [
    ["three bits", { bits: 3, lst: lst(sound) }],
    ["bits as text", { bits: "1", lst: lst(sound) }],
    ["no list", { bits: 1, lst: undefined }],
    ["an empty text", { bits: 1, lst: "" }],
    ["padding", { bits: 1, lst: `${lst(sound)}==` }],
    ["other base64", { bits: 1, lst: Buffer.from([0x78, 0xfb, 0xff]).toString("base64") }],
    ["no zlib header", { bits: 1, lst: lst(deflateRawSync(Buffer.from([1, 2, 3]))) }],
    ["half of it", { bits: 1, lst: lst(sound.subarray(0, -3)) }],
    ["something after it", { bits: 1, lst: lst(Buffer.concat([sound, Buffer.from([0])])) }],
    ["nothing in it", { bits: 1, lst: lst(deflateSync(Buffer.alloc(0))) }],
    ["a bomb", { bits: 1, lst: lst(bomb) }],
    ["too much to look at", { bits: 1, lst: "A".repeat(1_400_000) }],
  ];
  for (const [name, list] of rows) {
    t.throws(() => decodeStatusList(list), { reason: "STATUS_LIST_MALFORMED", code: 16 }, name);
  }
  const exact = deflateSync(Buffer.alloc(MAX_STATUS_LIST_BYTES));
  t.equal(decodeStatusList({ bits: 8, lst: lst(exact) }).size, MAX_STATUS_LIST_BYTES);
});

const now = new Date("2026-06-01T12:00:00Z");
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const uri = "https://id.north.test/status/2026-06-01T12";
const pair = generateP256KeyPair();
const signer = signerOf("k1", pair);
const keys = [{ keyId: "k1", spki: pair.spki }];
const list = encodeStatusList(StatusList.ofSize(2, 64));
const sign = (changes: Partial<StatusListTokenRequest> = {}) =>
  issueStatusListToken({
    signer,
    keyId: "k1",
    uri,
    list,
    issuedAt: now,
    expiresAt: later(120),
    ttlSeconds: 15,
    ...changes,
  });
const validate = async (
  token: string | Promise<string>,
  changes: Partial<StatusListExpectation> = {},
) => validateStatusListToken(await token, { uri, keys, now, leewaySeconds: 0, ...changes });

t.test("signs a list, and takes it for the address it is of alone", async (t) => {
  const read = await validate(sign());
  t.equal(read.list.size, 64);
  t.equal(read.ttlSeconds, 15);
  t.same(read.expiresAt, later(120));
  const other = generateP256KeyPair();
  const rows: [string, () => Promise<unknown>, string][] = [
    ["another address", () => validate(sign(), { uri: `${uri}-2` }), "STATUS_LIST_CLAIMS"],
    ["expired", () => validate(sign(), { now: later(121) }), "STATUS_LIST_EXPIRED"],
    ["from the future", () => validate(sign(), { now: later(-5) }), "STATUS_LIST_NOT_YET_VALID"],
    ["no key", () => validate(sign(), { keys: [] }), "STATUS_LIST_UNTRUSTED"],
    [
      "another key of that name",
      () => validate(sign(), { keys: [{ keyId: "k1", spki: other.spki }] }),
      "STATUS_LIST_UNTRUSTED",
    ],
    ["a ttl of nothing", () => validate(sign({ ttlSeconds: 0 })), "STATUS_LIST_CLAIMS"],
    [
      "a list that cannot be read",
      () => validate(sign({ list: { bits: 2, lst: "AAAA" } })),
      "STATUS_LIST_MALFORMED",
    ],
  ];
  for (const [name, validated, reason] of rows)
    await t.rejects(validated(), { reason, code: 16 }, name);
});

t.test("reads references, and none that cannot be looked up", async (t) => {
  t.same(readStatusReference({ status_list: { idx: 3, uri } }), { idx: 3, uri });
  for (const status of [
    undefined,
    {},
    { status_list: {} },
    { status_list: { idx: -1, uri } },
    { status_list: { idx: 1.5, uri } },
    { status_list: { idx: "1", uri } },
    { status_list: { idx: 1, uri: "" } },
    { status_list: { idx: 1, uri: `https://${"x".repeat(2048)}` } },
  ]) {
    t.equal(readStatusReference(status), undefined, JSON.stringify(status));
  }
});
