import t from "tap";
import { exportPkcs8 } from "../../../pki/keys.ts";
import { KeyUsage } from "../../../pki/x509/certificate.ts";
import { PurposeOid } from "../../../pki/x509/oid.ts";
import { formatPem } from "../../../pki/x509/pem.ts";
import {
  type AnchorsOf,
  parseX509Svid,
  parseX509SvidPem,
  validateX509Svid,
} from "../../../pki/x509/svid.ts";
import { LaxAuthority, type LaxLeafOptions } from "../../support/lax-authority.ts";
import { testKeyPair } from "../../support/test-certificate.ts";

const now = new Date("2026-06-01T12:00:00Z");
const north = LaxAuthority.create();
const south = LaxAuthority.create({ trustDomain: "south.test" });
const bundles: Readonly<Record<string, LaxAuthority>> = {
  "north.test": north,
  "south.test": south,
};
const anchorsOf: AnchorsOf = ({ name }) => {
  const authority = bundles[name];
  return authority && [authority.certificate];
};
const DS = KeyUsage.digitalSignature;

/** What is wrong with a leaf's shape: refused both from a peer and as one's own. */
const shapes: [string, LaxLeafOptions, string][] = [
  ["cA", { isCa: true }, "SVID_LEAF_IS_CA"],
  ["keyCertSign", { keyUsage: DS | KeyUsage.keyCertSign }, "SVID_KEY_USAGE"],
  ["cRLSign", { keyUsage: DS | KeyUsage.cRLSign }, "SVID_KEY_USAGE"],
  ["no names", { uris: [] }, "SVID_URI_SAN_COUNT"],
  ["DNS names only", { uris: [], dnsNames: ["db.north.test"] }, "SVID_URI_SAN_COUNT"],
  ["two IDs", { uris: ["spiffe://north.test/a", "spiffe://north.test/b"] }, "SVID_URI_SAN_COUNT"],
  [
    "an ID twice",
    { uris: ["spiffe://north.test/a", "spiffe://north.test/a"] },
    "SVID_URI_SAN_COUNT",
  ],
  ["an ID and a URL", { uris: ["spiffe://north.test/a", "https://a.test"] }, "SVID_URI_SAN_COUNT"],
  ["a URL", { uris: ["https://north.test/db"] }, "SVID_SPIFFE_ID_INVALID"],
  ["uppercase", { uris: ["spiffe://North.test/db"] }, "SVID_SPIFFE_ID_INVALID"],
  ["a NUL", { uris: ["spiffe://north.test/db\0.evil"] }, "SVID_SPIFFE_ID_INVALID"],
  ["no path", { uris: ["spiffe://north.test"] }, "SVID_PATH_MISSING"],
];

t.test("accepts SVIDs of its own and of a federated trust domain", async (t) => {
  for (const authority of [north, south]) {
    const { chain, leaf } = authority.intermediate().issue("/db");
    const found = validateX509Svid(chain, anchorsOf, now);
    t.equal(found.id.toString(), `spiffe://${authority.trustDomain}/db`);
    t.equal(found.leaf.serialHex, leaf.serialHex);
  }
});

t.test("refuses a peer's leaf of the wrong shape", async (t) => {
  for (const [name, options, reason] of shapes) {
    const { chain } = north.issue("/db", options);
    t.throws(() => validateX509Svid(chain, anchorsOf, now), { reason, code: 3 }, name);
  }
});

t.test("asks the bundle of the leaf's own trust domain and no other", async (t) => {
  const impostor = south.issue("/db", { uris: ["spiffe://north.test/db"] });
  const untrusted = { reason: "SVID_UNTRUSTED", code: 3 };
  t.throws(() => validateX509Svid(impostor.chain, anchorsOf, now), untrusted);
  t.throws(() => validateX509Svid(north.issue("/db").chain, () => [], now), untrusted);
  const west = north.issue("/db", { uris: ["spiffe://west.test/db"] });
  t.throws(() => validateX509Svid(west.chain, anchorsOf, now), {
    reason: "SVID_TRUST_DOMAIN_UNKNOWN",
    code: 3,
  });
});

t.test("refuses an authority's certificate shown as an identity", async (t) => {
  const chain = [north.certificate.der];
  t.throws(() => validateX509Svid(chain, anchorsOf, now), { reason: "SVID_LEAF_IS_CA", code: 3 });
});

t.test("refuses no chain, a long chain, and one that cannot be read", async (t) => {
  const { chain } = north.issue("/db");
  const [leaf = new Uint8Array()] = chain;
  const changed = Uint8Array.from(leaf);
  changed[0] = 0x31;
  const rows: [readonly Uint8Array[], string][] = [
    [[], "SVID_CHAIN_EMPTY"],
    [Array(17).fill(leaf), "SVID_CHAIN_TOO_LONG"],
    [[changed], "CERTIFICATE_INVALID"],
    [[leaf, changed], "CERTIFICATE_INVALID"],
  ];
  for (const [found, reason] of rows) {
    t.throws(() => validateX509Svid(found, anchorsOf, now), { reason, code: 3 }, reason);
  }
});

t.test("holds a leaf to the purposes that it lists", async (t) => {
  const { serverAuth, clientAuth, any } = PurposeOid;
  const validate = (extKeyUsage: string[] | null, role?: "server" | "client") =>
    validateX509Svid(north.issue("/db", { extKeyUsage }).chain, anchorsOf, now, role);
  for (const role of ["server", "client", undefined] as const) {
    t.doesNotThrow(() => validate(null, role));
    t.doesNotThrow(() => validate([any], role));
    t.doesNotThrow(() => validate([serverAuth, clientAuth], role));
    const refused = { reason: "SVID_EXTENDED_KEY_USAGE", code: 3 };
    t.throws(() => validate(["1.3.6.1.5.5.7.3.3"], role), refused, "code signing");
  }
  t.doesNotThrow(() => validate([serverAuth], "server"));
  t.doesNotThrow(() => validate([clientAuth]));
  t.throws(() => validate([serverAuth], "client"), { message: /TLS client$/ });
  t.throws(() => validate([clientAuth], "server"), { message: /TLS server$/ });
});

t.test("loads one's own SVID with every kind of key", async (t) => {
  for (const keyKind of ["ec-p256", "ec-p384", "ec-p521", "rsa-2048", "ed25519"] as const) {
    const { chain, privateKey, keyPair } = north.intermediate().issue("/db", { keyKind });
    const svid = parseX509Svid(chain, privateKey);
    t.equal(svid.id.toString(), "spiffe://north.test/db");
    t.same(svid.chain, chain);
    t.ok(svid.privateKey.equals(keyPair.privateKey));
  }
});

t.test("refuses to load what is no SVID", async (t) => {
  for (const [name, options, reason] of shapes) {
    const { chain, privateKey } = north.issue("/db", options);
    t.throws(() => parseX509Svid(chain, privateKey), { reason, code: 3 }, name);
  }
  const silent = north.issue("/db", { keyUsage: null });
  const noUsage = { reason: "SVID_KEY_USAGE", code: 3 };
  t.throws(() => parseX509Svid(silent.chain, silent.privateKey), noUsage, "no key usage");
  for (const options of [{ isCa: false }, { keyUsage: KeyUsage.cRLSign }]) {
    const { chain, privateKey } = north.intermediate(options).issue("/db");
    const notCa = { reason: "SVID_INTERMEDIATE_NOT_CA", code: 3 };
    t.throws(() => parseX509Svid(chain, privateKey), notCa);
  }
});

t.test("refuses a key that is not the leaf's", async (t) => {
  const { chain } = north.issue("/db");
  for (const kind of ["ec-p256", "rsa-2048"] as const) {
    const other = exportPkcs8(testKeyPair(kind).privateKey);
    t.throws(() => parseX509Svid(chain, other), { reason: "SVID_KEY_MISMATCH", code: 3 }, kind);
  }
  t.throws(() => parseX509Svid(chain, Uint8Array.of(1)), { reason: "KEY_INVALID", code: 3 });
});

t.test("loads an SVID from PEM, key first or last", async (t) => {
  const { chain, privateKey } = north.intermediate().issue("/db");
  const certificates = chain.map((der) => formatPem("CERTIFICATE", der)).join("");
  const key = formatPem("PRIVATE KEY", privateKey);
  for (const pem of [certificates + key, key + certificates]) {
    t.equal(parseX509SvidPem(pem).id.toString(), "spiffe://north.test/db");
  }
  const rows: [string, string, string][] = [
    ["no key", certificates, "PEM_INVALID"],
    ["two keys", certificates + key + key, "PEM_INVALID"],
    ["no certificate", key, "SVID_CHAIN_EMPTY"],
    ["no PEM", "hello", "PEM_INVALID"],
    [
      "junk in the certificate",
      `${formatPem("CERTIFICATE", Uint8Array.of(9))}${key}`,
      "CERTIFICATE_INVALID",
    ],
    ["junk in the key", certificates + formatPem("PRIVATE KEY", Uint8Array.of(9)), "KEY_INVALID"],
  ];
  for (const [name, pem, reason] of rows) {
    t.throws(() => parseX509SvidPem(pem), { reason, code: 3 }, name);
  }
});
