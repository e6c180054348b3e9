import t from "tap";
import { type Certificate, KeyUsage, parseCertificate } from "../../../pki/x509/certificate.ts";
import { Tag } from "../../../pki/x509/der.ts";
import {
  derBitString,
  derElement,
  derObjectIdentifier,
  derSequence,
  derUnsignedInteger,
} from "../../../pki/x509/der-writer.ts";
import { derCrlPoints } from "../../../pki/x509/extensions-writer.ts";
import { MAX_CHAIN_CERTIFICATES, MAX_PATH_LENGTH, validatePath } from "../../../pki/x509/path.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import { type PssOptions, testKeyPair } from "../../support/test-certificate.ts";

const now = new Date("2026-06-01T12:00:00Z");
const root = LaxAuthority.create();
const certificates = (chain: readonly Uint8Array[]) => chain.map(parseCertificate);
const validate = (
  chain: readonly Uint8Array[],
  anchors: readonly Certificate[] = [root.certificate],
  at = now,
) => validatePath(certificates(chain), anchors, at);

/** A chain of authorities below the root, the lowest returned. */
function below(depth: number, top = root): LaxAuthority {
  let authority = top;
  for (let i = 0; i < depth; i += 1) authority = authority.intermediate();
  return authority;
}

t.test("accepts chains of every length up to the limit, in any order", async (t) => {
  for (let depth = 0; depth <= MAX_PATH_LENGTH - 2; depth += 1) {
    const { chain } = below(depth).issue("/db");
    t.doesNotThrow(() => validate(chain), `${depth} intermediates`);
    const [leaf, ...rest] = chain;
    if (leaf) t.doesNotThrow(() => validate([leaf, ...rest.reverse()]));
  }
  const { chain } = below(MAX_PATH_LENGTH - 1).issue("/db");
  t.throws(() => validate(chain), { reason: "SVID_CHAIN_TOO_LONG", code: 3 });
});

t.test("accepts every kind of authority key", async (t) => {
  for (const keyKind of ["ec-p256", "ec-p384", "ec-p521", "rsa-2048", "ed25519"] as const) {
    const authority = LaxAuthority.create({ keyKind });
    const { chain } = authority.intermediate({ keyKind }).issue("/db", { keyKind });
    t.doesNotThrow(() => validate(chain, [authority.certificate]), keyKind);
  }
});

t.test("skips superfluous certificates, the root among them", async (t) => {
  const [leaf = new Uint8Array(), ...rest] = below(1).issue("/db").chain;
  const stranger = LaxAuthority.create().certificate.der;
  const path = validate([leaf, stranger, root.certificate.der, ...rest]);
  t.same(
    path.map(({ der }) => Buffer.from(der)),
    [leaf, ...rest].map((der) => Buffer.from(der)),
    "and says which ones count",
  );
});

t.test("refuses nothing at all, and too much", async (t) => {
  t.throws(() => validatePath([], [root.certificate], now), {
    reason: "SVID_CHAIN_EMPTY",
    code: 3,
  });
  const { leaf } = root.issue("/db");
  const many = Array.from({ length: MAX_CHAIN_CERTIFICATES + 1 }, () => leaf);
  t.throws(() => validatePath(many, [], now), { reason: "SVID_CHAIN_TOO_LONG", code: 3 });
});

t.test("refuses a leaf that no anchor stands behind", async (t) => {
  const untrusted = { reason: "SVID_UNTRUSTED", code: 3 };
  const middle = below(1);
  const { chain } = middle.issue("/db");
  const [leaf = new Uint8Array()] = chain;
  const forged = root.issue("/db", { signWith: LaxAuthority.create().keyPair.privateKey });
  const namesake = LaxAuthority.create({ subject: root.name, withoutKeyIds: true });
  const rows: [string, readonly Uint8Array[], readonly Certificate[]][] = [
    ["no anchors", chain, []],
    ["other anchors", chain, [LaxAuthority.create().certificate]],
    ["a missing intermediate", [leaf], [root.certificate]],
    ["a forged signature", forged.chain, [root.certificate]],
    [
      "an anchor of the same name with another key",
      root.issue("/db").chain,
      [namesake.certificate],
    ],
    ["another issuer name", root.issue("/db", { issuerName: {} }).chain, [root.certificate]],
    ["the leaf itself as anchor", [leaf], certificates([leaf])],
  ];
  for (const [name, found, anchors] of rows) {
    t.throws(() => validate(found, anchors), untrusted, name);
  }
});

t.test("finds the right one among anchors of the same name", async (t) => {
  const twins = Array.from({ length: 3 }, () =>
    LaxAuthority.create({ subject: { commonName: "twin" }, withoutKeyIds: true }),
  );
  for (const twin of twins) {
    const { chain } = twin.issue("/db", { withoutKeyIds: true });
    t.doesNotThrow(() =>
      validate(
        chain,
        twins.map((each) => each.certificate),
      ),
    );
  }
});

t.test("tells two keys of one authority's name apart, cross-signed both ways", async (t) => {
  // As when an authority changes its key: old signs new, new signs old (RFC 4210 s4.4).
  const subject = { commonName: "one name" };
  for (const withoutKeyIds of [true, false]) {
    const [older, newer] = [0, 1].map(() => LaxAuthority.create({ subject, withoutKeyIds }));
    if (older === undefined || newer === undefined) return;
    const link = (upper: LaxAuthority, lower: LaxAuthority) =>
      upper.crossSign(lower, { withoutKeyIds }).der;
    const links = [link(older, newer), link(newer, older)];
    const anchorSets = [[older], [newer], [older, newer], [newer, older]];
    for (const signer of [older, newer]) {
      const { leaf } = signer.issue("/db", { withoutKeyIds });
      for (const order of [links, links.toReversed()]) {
        for (const anchors of anchorSets) {
          const trusted = anchors.map(({ certificate }) => certificate);
          t.doesNotThrow(() => validate([leaf.der, ...order], trusted));
        }
      }
      const other = signer === older ? newer : older;
      t.throws(() => validate([leaf.der], [other.certificate]), {
        reason: "SVID_UNTRUSTED",
        code: 3,
      });
    }
    const forged = older.issue("/db", { withoutKeyIds, signWith: testKeyPair().privateKey });
    const both = [older.certificate, newer.certificate];
    t.throws(() => validate([forged.leaf.der, ...links], both), {
      reason: "SVID_UNTRUSTED",
      code: 3,
    });
  }
});

t.test("does not walk in circles of self-issued authorities", async (t) => {
  const subject = { commonName: "circle" };
  const options = { subject, withoutKeyIds: true };
  const ring = Array.from({ length: 3 }, () => LaxAuthority.create(options));
  const links = ring.map((upper, i) => {
    const lower = ring[(i + 1) % ring.length] ?? upper;
    return upper.crossSign(lower, options).der;
  });
  const { leaf } = (ring[0] ?? root).issue("/db", { withoutKeyIds: true });
  t.throws(() => validate([leaf.der, ...links]), { reason: "SVID_UNTRUSTED", code: 3 });
  const own = ring.map(({ certificate }) => certificate.der);
  t.throws(() => validate([leaf.der, ...own, ...links]), { reason: "SVID_UNTRUSTED", code: 3 });
});

t.test("finds its way through cross-signed certificates, loops included", async (t) => {
  const other = LaxAuthority.create();
  const middle = below(1);
  const [leaf = new Uint8Array()] = middle.issue("/db").chain;
  const crossed = other.crossSign(middle).der;
  t.doesNotThrow(() => validate([leaf, crossed], [other.certificate]));
  t.doesNotThrow(() => validate([leaf, ...middle.chain, crossed], [other.certificate]));
  const expired = other.crossSign(middle, { notAfter: new Date("2026-01-01T00:00:00Z") }).der;
  t.doesNotThrow(() => validate([leaf, expired, ...middle.chain]), "the valid path is taken");
  t.throws(() => validate([leaf, expired], [other.certificate]), {
    reason: "SVID_EXPIRED",
    code: 3,
  });
  const loop = [other.crossSign(root).der, root.crossSign(other).der];
  const third = LaxAuthority.create();
  t.throws(() => validate([leaf, ...middle.chain, ...loop], [third.certificate]), {
    reason: "SVID_UNTRUSTED",
    code: 3,
  });
});

t.test("stops a peer that makes it walk an exploding graph", async (t) => {
  const options = { withoutKeyIds: true, subject: { commonName: "everyone" } };
  const maze = Array.from({ length: 4 }, () => LaxAuthority.create(options));
  const crossed = maze.flatMap((upper) =>
    maze.filter((lower) => lower !== upper).map((lower) => upper.crossSign(lower, options).der),
  );
  const chain = [...(maze[0]?.issue("/db", options).chain ?? []), ...crossed];
  t.equal(chain.length, 13);
  t.throws(() => validate(chain), {
    reason: "SVID_CHAIN_TOO_LONG",
    code: 3,
    message: /too many checks/,
  });
});

t.test("holds the leaf and every authority to its time", async (t) => {
  const notBefore = new Date("2026-06-01T11:00:00Z");
  const notAfter = new Date("2026-06-01T13:00:00Z");
  const at = (time: string) => new Date(`2026-06-01T${time}Z`);
  const times = { notBefore, notAfter };
  const limitedRoot = LaxAuthority.create(times);
  const rows: [string, readonly Uint8Array[], LaxAuthority][] = [
    ["leaf", root.issue("/db", times).chain, root],
    ["intermediate", root.intermediate(times).issue("/db").chain, root],
    ["anchor", limitedRoot.issue("/db").chain, limitedRoot],
  ];
  for (const [name, chain, { certificate }] of rows) {
    const anchors = [certificate];
    t.doesNotThrow(() => validate(chain, anchors, at("11:00:00.000")), `${name}: first moment`);
    t.doesNotThrow(() => validate(chain, anchors, at("13:00:00.999")), `${name}: last moment`);
    const early = { reason: "SVID_NOT_YET_VALID", code: 3 };
    t.throws(() => validate(chain, anchors, at("10:59:59.999")), early, name);
    const late = { reason: "SVID_EXPIRED", code: 3 };
    t.throws(() => validate(chain, anchors, at("13:00:01.000")), late, name);
  }
});

t.test("lets only authorities sign", async (t) => {
  const notCa = { reason: "SVID_INTERMEDIATE_NOT_CA", code: 3 };
  const rows: [string, object][] = [
    ["cA false", { isCa: false }],
    ["no basic constraints", { isCa: null }],
    ["no keyCertSign", { keyUsage: KeyUsage.cRLSign }],
  ];
  for (const [name, options] of rows) {
    const intermediate = root.intermediate(options);
    t.throws(() => validate(intermediate.issue("/db").chain), notCa, `intermediate: ${name}`);
    const anchor = LaxAuthority.create(options);
    const { chain } = anchor.issue("/db");
    t.throws(() => validate(chain, [anchor.certificate]), notCa, `anchor: ${name}`);
  }
  const leafAsAuthority = root.intermediate({ isCa: false, keyUsage: KeyUsage.digitalSignature });
  t.throws(() => validate(leafAsAuthority.issue("/admin").chain), notCa, "a workload's own key");
});

t.test("lets an anchor without key usage sign, and no intermediate", async (t) => {
  const silent = LaxAuthority.create({ keyUsage: null });
  t.doesNotThrow(() => validate(silent.issue("/db").chain, [silent.certificate]));
  const { chain } = root.intermediate({ keyUsage: null }).issue("/db");
  t.throws(() => validate(chain), { reason: "SVID_INTERMEDIATE_NOT_CA", code: 3 });
});

t.test("counts intermediates against path length limits", async (t) => {
  const tooLong = { reason: "SVID_PATH_LENGTH", code: 3 };
  const limited = LaxAuthority.create({ pathLen: 0 });
  t.doesNotThrow(() => validate(limited.issue("/db").chain, [limited.certificate]));
  const { chain } = limited.intermediate().issue("/db");
  t.throws(() => validate(chain, [limited.certificate]), tooLong);
  const middle = root.intermediate({ pathLen: 1 });
  t.doesNotThrow(() => validate(middle.intermediate().issue("/db").chain));
  t.throws(() => validate(below(2, middle).issue("/db").chain), tooLong);
  const rollover = limited.intermediate({ subject: limited.name });
  t.doesNotThrow(() => validate(rollover.issue("/db").chain, [limited.certificate]), "self-issued");
});

t.test("refuses critical extensions that it does not process, wherever they are", async (t) => {
  const critical = { reason: "SVID_CRITICAL_EXTENSION", code: 3 };
  const unknown = { oid: "1.3.6.1.4.1.65980.1", critical: true, value: Uint8Array.of(5, 0) };
  // Where revocation lists are is for others to know: ours come another way.
  const points = {
    oid: "2.5.29.31",
    critical: true,
    value: derCrlPoints("http://north.test/1.crl"),
  };
  for (const extension of [unknown, points]) {
    const options = { extra: [extension] };
    t.throws(() => validate(root.issue("/db", options).chain), critical, "leaf");
    t.throws(() => validate(root.intermediate(options).issue("/db").chain), critical);
    const anchor = LaxAuthority.create(options);
    t.throws(() => validate(anchor.issue("/db").chain, [anchor.certificate]), critical);
    const harmless = { extra: [{ ...extension, critical: false }] };
    t.doesNotThrow(() => validate(root.intermediate(harmless).issue("/db", harmless).chain));
  }
  const anyPolicy = derSequence(derSequence(derObjectIdentifier("2.5.29.32.0")));
  const policies = { extra: [{ oid: "2.5.29.32", critical: true, value: anyPolicy }] };
  t.doesNotThrow(() => validate(root.issue("/db", policies).chain), "certificate policies");
});

/** An authority or leaf whose certificate names another key than the one that signs for it. */
const pretending = (spki: Uint8Array) => ({ keyPair: { ...testKeyPair(), spki } });

/** SubjectPublicKeyInfo of an RSA key of so many bits, which nobody can sign with. */
function rsaSpki(bits: number): Uint8Array {
  const modulus = new Uint8Array(bits / 8).fill(0xd5);
  const key = derSequence(derUnsignedInteger(modulus), derUnsignedInteger(Uint8Array.of(1, 0, 1)));
  const algorithm = derSequence(derObjectIdentifier("1.2.840.113549.1.1.1"), derElement(Tag.null));
  return derSequence(algorithm, derBitString(key));
}

/** A P-256 key whose curve is written out: its numbers could be another's (CVE-2020-0601). */
const explicitCurve = Buffer.from(
  [
    "3082014b3082010306072a8648ce3d02013081f7020101302c06072a8648ce3d0101022100ffffffff0000000100000000",
    "0000000000000000ffffffffffffffffffffffff305b0420ffffffff00000001000000000000000000000000ffffffffff",
    "fffffffffffffc04205ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b031500c49d360886",
    "e704936a6678e1139d26b7819f7e900441046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2",
    "964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5022100ffffffff00000000ffffffffff",
    "ffffffbce6faada7179e84f3b9cac2fc63255102010103420004",
  ].join(""),
  "hex",
);

t.test("refuses weak and oversized keys in authorities and leaves", async (t) => {
  const explicit = Buffer.concat([explicitCurve, testKeyPair().spki.subarray(-64)]);
  const rows: [string, Uint8Array][] = [
    ["RSA of 1024 bits", testKeyPair("rsa-1024").spki],
    ["RSA of 2040 bits", rsaSpki(2040)],
    ["RSA of 8200 bits", rsaSpki(8200)],
    ["RSA of 16384 bits", rsaSpki(16384)],
    ["P-224", testKeyPair("ec-p224").spki],
    ["P-256 with its curve written out", explicit],
  ];
  const refused = { reason: "KEY_UNSUPPORTED", code: 3 };
  for (const [name, spki] of rows) {
    t.throws(() => validate(root.issue("/db", pretending(spki)).chain), refused, `leaf: ${name}`);
    const middle = root.intermediate(pretending(spki));
    t.throws(() => validate(middle.issue("/db", { withoutKeyIds: true }).chain), refused, name);
    const anchor = LaxAuthority.create(pretending(spki));
    t.throws(() => validate(anchor.issue("/db").chain, [anchor.certificate]), refused, name);
  }
  const offCurve = testKeyPair().spki.map((byte, i) => (i === 90 ? byte ^ 1 : byte));
  const anchor = LaxAuthority.create(pretending(offCurve));
  t.throws(
    () => validate(anchor.issue("/db").chain, [anchor.certificate]),
    refused,
    "off its curve",
  );
  for (const bits of [2048, 8192]) {
    t.doesNotThrow(() => validate(root.issue("/db", pretending(rsaSpki(bits))).chain), `${bits}`);
  }
});

t.test("verifies RSA-PSS, by keys of either kind, with parameters in use", async (t) => {
  for (const keyKind of ["rsa-2048", "rsa-pss-2048"] as const) {
    const pss = {};
    const authority = LaxAuthority.create({ keyKind, pss });
    const anchors = [authority.certificate];
    for (const [hash, saltBytes] of [
      ["sha256", 32],
      ["sha384", 48],
      ["sha512", 64],
    ] as const) {
      const { chain, leaf } = authority.issue("/db", { pss: { hash, saltBytes } });
      t.doesNotThrow(() => validate(chain, anchors), `${keyKind} ${hash}`);
      const forged = Uint8Array.from(leaf.der);
      forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
      t.throws(() => validate([forged], anchors), { reason: "SVID_UNTRUSTED", code: 3 });
    }
    t.doesNotThrow(() => validate(authority.intermediate({ pss }).issue("/db").chain, anchors));
    const leaf = authority.issue("/db", { keyKind, pss });
    t.doesNotThrow(() => validate(leaf.chain, anchors), "a leaf with such a key");
  }
});

t.test("refuses signatures by algorithms that are weak or not in use", async (t) => {
  const authority = LaxAuthority.create({ keyKind: "rsa-2048" });
  const anchors = [authority.certificate];
  const algorithm = { reason: "SVID_SIGNATURE_ALGORITHM", code: 3, hint: /SHA-256/ };
  const rows: [string, PssOptions][] = [
    ["PSS on SHA-1", { hash: "sha1", saltBytes: 20 }],
    ["PSS with SHA-1 in its mask", { maskHash: "sha1" }],
    ["PSS with two hashes", { maskHash: "sha512" }],
    ["PSS with a short salt", { saltBytes: 20 }],
    ["PSS by default, SHA-1", { parametersDer: derSequence() }],
    ["PSS without parameters", { parametersDer: new Uint8Array(0) }],
  ];
  for (const [name, pss] of rows) {
    t.throws(() => validate(authority.issue("/db", { pss }).chain, anchors), algorithm, name);
    const middle = authority.intermediate({ pss });
    t.throws(() => validate(middle.issue("/db").chain, anchors), algorithm, name);
  }
  const sha1 = { keyKind: "rsa-2048", sha1: true } as const;
  t.throws(() => validate(authority.issue("/db", sha1).chain, anchors), algorithm, "SHA-1");
  t.throws(() => validate(authority.intermediate(sha1).issue("/db").chain, anchors), algorithm);
  const old = LaxAuthority.create(sha1);
  t.doesNotThrow(() => validate(old.issue("/db").chain, [old.certificate]), "an anchor's own");
  const ed25519 = derSequence(derObjectIdentifier("1.3.101.112"));
  t.throws(() => root.issue("/db", { innerAlgorithmDer: ed25519 }), {
    reason: "CERTIFICATE_INVALID",
    message: /two signature algorithms differ/,
  });
});
