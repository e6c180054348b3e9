// What the server demands of a registration entry, as a table of what it refuses and accepts.

import t from "tap";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import type { RegistrationEntry } from "../../../proto/types/entry.ts";
import { validateEntry } from "../../../server/entries/validate.ts";
import { draft } from "../../support/test-store.ts";

const rules = {
  trustDomain: TrustDomain.parse("north.test"),
  isFederated: (name: string) => name === "south.test",
};
const uid = { type: "unix", value: "uid:1" };

interface Row {
  readonly name: string;
  readonly entry: Partial<RegistrationEntry>;
}

const REFUSED: (Row & { readonly message: RegExp })[] = [
  { name: "no SPIFFE ID", entry: { spiffeId: "" }, message: /the SPIFFE ID is no SPIFFE ID/ },
  {
    name: "another scheme",
    entry: { spiffeId: "https://north.test/a" },
    message: /the SPIFFE ID is no SPIFFE ID/,
  },
  {
    name: "another trust domain",
    entry: { spiffeId: "spiffe://south.test/a" },
    message: /not in the trust domain "north.test"/,
  },
  {
    name: "a trust domain that begins alike",
    entry: { spiffeId: "spiffe://north.test.evil/a" },
    message: /not in the trust domain/,
  },
  { name: "no path", entry: { spiffeId: "spiffe://north.test" }, message: /has no path/ },
  {
    name: "the reserved path",
    entry: { spiffeId: "spiffe://north.test/spire" },
    message: /reserved/,
  },
  {
    name: "below the reserved path",
    entry: { spiffeId: "spiffe://north.test/spire/server" },
    message: /reserved/,
  },
  {
    name: "an agent's ID",
    entry: { spiffeId: "spiffe://north.test/spire/agent/join_token/x" },
    message: /reserved/,
  },
  {
    name: "an ID over 2048 bytes",
    entry: { spiffeId: `spiffe://north.test/${"a".repeat(2029)}` },
    message: /longer than 2048/,
  },
  {
    name: "a parent of another trust domain",
    entry: { parentId: "spiffe://south.test/a" },
    message: /parent ID .* not in the trust domain/,
  },
  {
    name: "a parent without a path",
    entry: { parentId: "spiffe://north.test" },
    message: /parent ID .* has no path/,
  },
  { name: "no parent", entry: { parentId: "" }, message: /parent ID is no SPIFFE ID/ },
  { name: "no selectors", entry: { selectors: [] }, message: /selector list is empty/ },
  {
    name: "a selector twice",
    entry: { selectors: [uid, { type: "unix", value: "gid:1" }, uid] },
    message: /given twice/,
  },
  {
    name: "a selector with a newline",
    entry: { selectors: [{ type: "unix", value: "a\nb" }] },
    message: /cannot be shown/,
  },
  {
    name: "a selector with half a surrogate pair",
    entry: { selectors: [{ type: "unix", value: "a\ud800" }] },
    message: /cannot be shown/,
  },
  {
    name: "a stored SVID and selectors of two types",
    entry: { storeSvid: true, selectors: [uid, { type: "k8s", value: "ns:a" }] },
    message: /several types/,
  },
  { name: "an entry ID with a slash", entry: { id: "a/b" }, message: /entry ID/ },
  { name: "an entry ID with a space", entry: { id: "a b" }, message: /entry ID/ },
  { name: "an entry ID of 256 characters", entry: { id: "a".repeat(256) }, message: /entry ID/ },
  {
    name: "a negative TTL",
    entry: { x509SvidTtlSeconds: -1 },
    message: /X509-SVID TTL -1 is out of range/,
  },
  { name: "a TTL of 2^31", entry: { jwtSvidTtlSeconds: 2 ** 31 }, message: /JWT-SVID TTL/ },
  {
    name: "an expiry after the year 9999",
    entry: { expiresAtUnixSeconds: 253_402_300_800 },
    message: /expiry/,
  },
  {
    name: "a hint of 1025 bytes",
    entry: { hint: `${"a".repeat(1023)}ä` },
    message: /hint is longer/,
  },
  {
    name: "federating with itself",
    entry: { federatesWith: ["north.test"] },
    message: /own trust domain/,
  },
  {
    name: "federating without a bundle",
    entry: { federatesWith: ["west.test"] },
    message: /unable to find federated bundle "west.test"/,
  },
  {
    name: "federating twice",
    entry: { federatesWith: ["south.test", "south.test"] },
    message: /given twice/,
  },
  ...[
    "",
    ".",
    "a.",
    ".a",
    "a..b",
    "-a",
    "a-",
    "a_b",
    "a b",
    "ä.test",
    "*",
    "a.*",
    "*a.test",
    "*.",
    "a/b",
    `${"a".repeat(64)}.test`,
    `${"a.".repeat(126)}aa`,
  ].map((name) => ({
    name: `the DNS name ${JSON.stringify(name.slice(0, 20))}`,
    entry: { dnsNames: [name] },
    message: /is no DNS name/,
  })),
  {
    name: "a DNS name twice, written differently",
    entry: { dnsNames: ["db.test", "DB.test"] },
    message: /given twice/,
  },
];

const ACCEPTED: Row[] = [
  { name: "a plain entry", entry: {} },
  { name: "an ID of 2048 bytes", entry: { spiffeId: `spiffe://north.test/${"a".repeat(2028)}` } },
  { name: "a path that only looks reserved", entry: { spiffeId: "spiffe://north.test/spireling" } },
  { name: "the reserved word further down", entry: { spiffeId: "spiffe://north.test/a/spire/b" } },
  { name: "the server as parent", entry: { parentId: "spiffe://north.test/spire/server" } },
  {
    name: "an agent as parent",
    entry: { parentId: "spiffe://north.test/spire/agent/join_token/x" },
  },
  { name: "an ID as its own parent", entry: { parentId: "spiffe://north.test/workload" } },
  { name: "an entry ID of 255 characters", entry: { id: `aZ0._-${"a".repeat(249)}` } },
  { name: "a hint of 1024 bytes", entry: { hint: "ä".repeat(512) } },
  { name: "an expiry in the past", entry: { expiresAtUnixSeconds: 1 } },
  { name: "a federated trust domain", entry: { federatesWith: ["south.test"] } },
  {
    name: "DNS names",
    entry: {
      dnsNames: ["localhost", "DB-1.north.test", "*.north.test", "10.test", "a".repeat(63)],
    },
  },
  {
    name: "a stored SVID and selectors of one type",
    entry: { storeSvid: true, selectors: [uid, { type: "unix", value: "gid:1" }] },
  },
  {
    name: "selectors with any printable text",
    entry: { selectors: [{ type: "k8s", value: 'pod-label:a="ä:€ 😀"' }] },
  },
];

for (const { name, entry, message } of REFUSED) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => validateEntry(draft(entry), rules), {
      name: "IdentityError",
      reason: "ENTRY_INVALID",
      code: 3,
      message,
    });
  });
}

for (const { name, entry } of ACCEPTED) {
  t.test(`accepts ${name}`, async (t) => {
    const candidate = draft(entry);
    t.equal(validateEntry(candidate, rules), candidate);
  });
}
