import t from "tap";
import { codecOf } from "../../proto/schema.gen.ts";

const entries = codecOf("spire.api.types.Entry");

t.test("a decoded message has every field as its own", async (t) => {
  const entry = entries.decode(new Uint8Array(0));
  t.strictSame(
    { ...entry },
    {
      id: "",
      spiffeId: undefined,
      parentId: undefined,
      selectors: [],
      x509SvidTtl: 0,
      federatesWith: [],
      admin: false,
      downstream: false,
      expiresAt: 0,
      dnsNames: [],
      revisionNumber: 0,
      storeSvid: false,
      jwtSvidTtl: 0,
      hint: "",
      createdAt: 0,
      additionalAttributes: undefined,
    },
  );
});

t.test("what is encoded comes back", async (t) => {
  const entry = {
    id: "e-1",
    spiffeId: { trustDomain: "a.test", path: "/ä/😀" },
    selectors: [
      { type: "unix", value: "uid:1" },
      { type: "x", value: "y".repeat(5000) },
    ],
    x509SvidTtl: -5,
    expiresAt: -1,
    createdAt: 2 ** 53 - 1,
    admin: true,
    additionalAttributes: { jwtSvidIncludeJti: true },
  };
  t.match(entries.decode(entries.encode(entry)), entry);
});

t.test("a uint64 is exact: a number up to 2^53, a bigint beyond", async (t) => {
  const codec = codecOf("spire.api.types.Bundle");
  const pass = (sequenceNumber: number | bigint) =>
    codec.decode(codec.encode({ sequenceNumber })).sequenceNumber;
  for (const value of [0, 1, 127, 128, 2 ** 32, 2 ** 53 - 1]) {
    t.equal(pass(value), value);
    t.equal(pass(BigInt(value)), value, "as a bigint too");
  }
  for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n + 7n, 2n ** 64n - 1n]) {
    t.equal(pass(value), value);
    t.equal(codec.toJson({ sequenceNumber: value })["sequenceNumber"], String(value));
  }
});

t.test("members of a oneof are absent, or present even when empty", async (t) => {
  const codec = codecOf("spire.api.server.agent.v1.AttestAgentRequest");
  const none = codec.decode(new Uint8Array(0));
  t.same([none.step, none.params, none.challengeResponse], [undefined, undefined, undefined]);
  const empty = codec.decode(codec.encode({ challengeResponse: new Uint8Array(0) }));
  t.equal(empty.step, "challengeResponse");
  t.equal(empty.challengeResponse?.length, 0);
});

t.test("numbers of enums that we do not know are kept", async (t) => {
  const codec = codecOf("spire.api.types.SelectorMatch");
  t.equal(codec.decode(codec.encode({ match: 77 })).match, 77);
});

t.test("unknown fields are skipped", async (t) => {
  const unknown = Buffer.from([0xa2, 0x06, 0x03, 1, 2, 3, 0x0a, 1, 0x65]);
  t.equal(entries.decode(unknown).id, "e");
});

t.test("maps take names that are special in JavaScript", async (t) => {
  const codec = codecOf("X509BundlesResponse");
  const bundles = JSON.parse('{"__proto__": 1, "constructor": 1}') as Record<string, unknown>;
  for (const name of Object.keys(bundles)) {
    Object.defineProperty(bundles, name, { value: new Uint8Array([7]), enumerable: true });
  }
  const read = codec.decode(codec.encode({ bundles: bundles as Record<string, Uint8Array> }));
  t.same(Object.keys(read.bundles).sort(), ["__proto__", "constructor"]);
  t.equal(({} as Record<string, unknown>)["0"], undefined);
});

t.test("the JSON form has every field, integers of 64 bits as strings", async (t) => {
  const json = entries.toJson({ id: "x", expiresAt: 5, spiffeId: { path: "/p" } });
  t.match(json, {
    id: "x",
    expiresAt: "5",
    spiffeId: { trustDomain: "", path: "/p" },
    selectors: [],
  });
  const key = codecOf("spire.api.types.JWTKey").toJson({ publicKey: new Uint8Array([1, 2]) });
  t.equal(key["publicKey"], "AQI=");
});

const nested = (depth: number): Buffer => {
  let bytes = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) {
    const length: number[] = [];
    for (let n = bytes.length; ; n >>>= 7) {
      length.push(n > 127 ? (n & 127) | 128 : n);
      if (n <= 127) break;
    }
    const field = i % 2 === 0 ? 0x32 : 0x0a; // Value.list_value, ListValue.values
    bytes = Buffer.concat([Buffer.from([field, ...length]), bytes]);
  }
  return bytes;
};

const JUNK = [
  { name: "a length beyond the end", bytes: Buffer.from([0x0a, 0x7f, 0x41]) },
  { name: "a length of five bytes", bytes: Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]) },
  { name: "an endless varint", bytes: Buffer.alloc(20, 0xff) },
  { name: "a string that is no UTF-8", bytes: Buffer.from([0x0a, 2, 0xc3, 0x28]) },
  { name: "an end of group", bytes: Buffer.from([0x0c]) },
  { name: "a message that ends within its field", bytes: Buffer.from([0x12, 5, 0x0a, 1]) },
];
for (const { name, bytes } of JUNK) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => entries.decode(bytes), { reason: "MESSAGE_MALFORMED", code: 3 });
  });
}

t.test("refuses a message nested deeper than the limit", async (t) => {
  const codec = codecOf("google.protobuf.Value");
  t.throws(() => codec.decode(nested(2001)), { reason: "MESSAGE_MALFORMED", code: 3 });
});

t.test("a replacement character that the sender wrote is a character", async (t) => {
  const id = `a${String.fromCharCode(0xfffd)}b`;
  t.equal(entries.decode(entries.encode({ id })).id, id);
});

t.test(
  "a message of too many parts is refused, nested ones too, and the next one is read",
  async (t) => {
    const batch = codecOf("spire.api.server.entry.v1.BatchCreateEntryRequest");
    const many = Buffer.alloc(600_002, Buffer.from([10, 0]));
    t.throws(() => batch.decode(many), { reason: "MESSAGE_TOO_LARGE", code: 8 });
    // One entry, all selectors.
    const entry = codecOf("spire.api.types.Entry");
    const nested = Buffer.alloc(600_002, Buffer.from([34, 0]));
    t.throws(() => entry.decode(nested), { reason: "MESSAGE_TOO_LARGE", code: 8 });
    const selectors = Array.from({ length: 280_000 }, () => ({ type: "unix", value: "uid:1" }));
    t.equal(entry.decode(entry.encode({ selectors })).selectors.length, 280_000);
  },
);
