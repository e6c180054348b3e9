import "reflect-metadata"; // the certificate library wants it loaded first

import { X509Certificate as NodeCertificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import t from "tap";
import { generateKeyPair, KEY_TYPES, type Signer, signerOf } from "../../../pki/keys.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { createCaCertificate } from "../../../pki/x509/ca.ts";
import { KeyUsage, parseCertificate } from "../../../pki/x509/certificate.ts";
import { testKeyPair } from "../../support/test-certificate.ts";

const trustDomain = TrustDomain.parse("north.test");
const subject = { country: "US", organization: "SPIRE", commonName: "north" };
const notBefore = new Date("2026-06-01T11:59:50.900Z");
const notAfter = new Date("2055-06-02T12:00:00Z");
const make = (signer: Signer, changes = {}) =>
  createCaCertificate({ signer, trustDomain, subject, notBefore, notAfter, ...changes });

t.test("makes a self-signed authority with every kind of key", async (t) => {
  for (const keyType of KEY_TYPES) {
    const pair = await generateKeyPair(keyType);
    const der = await make(signerOf("ca", pair));
    const certificate = parseCertificate(der);
    t.match(certificate, { isCa: true, pathLen: undefined, uris: ["spiffe://north.test"] });
    t.equal(certificate.keyUsage, KeyUsage.keyCertSign | KeyUsage.cRLSign);
    t.equal(certificate.extKeyUsage, undefined);
    t.equal(certificate.subjectKeyId?.length, 20);
    t.same(certificate.notBefore, new Date("2026-06-01T11:59:50Z"));
    t.same(certificate.notAfter, notAfter);
    const node = new NodeCertificate(der);
    t.ok(node.verify(pair.publicKey), keyType);
    t.equal(node.subject, `C=US\nO=SPIRE\nCN=north\nserialNumber=${certificate.serialDecimal}`);
    t.equal(node.issuer, node.subject);
    const other = new x509.X509Certificate(Uint8Array.from(der));
    t.ok(await other.isSelfSigned(globalThis.crypto));
    t.match(other.getExtension(x509.BasicConstraintsExtension), { critical: true, ca: true });
    t.match(other.getExtension(x509.KeyUsagesExtension), { critical: true });
  }
});

t.test("makes a new name and serial number each time", async (t) => {
  const signer = signerOf("ca", testKeyPair());
  const [one, two] = [parseCertificate(await make(signer)), parseCertificate(await make(signer))];
  t.not(one.serialHex, two.serialHex);
  t.notSame(one.subjectDer, two.subjectDer);
  t.same(one.subjectKeyId, two.subjectKeyId);
});

t.test("signs through the signer alone, which need not hold its key here", async (t) => {
  const pair = testKeyPair("ec-p384");
  const { publicKey, spki } = pair;
  const calls: string[] = [];
  const remote: Signer = {
    keyId: "remote",
    keyType: "ec-p384",
    publicKey,
    spki,
    sign: (data, hash) => {
      calls.push(hash);
      return signerOf("k", pair).sign(data, hash);
    },
  };
  t.ok(parseCertificate(await make(remote)).isSignedBy(publicKey));
  t.same(calls, ["sha384"]);
});

t.test("lets nothing leave that is not what was asked for", async (t) => {
  const pair = testKeyPair();
  const wrong = { reason: "SVID_PROFILE", code: 13 };
  const forger: Signer = { ...signerOf("k", testKeyPair()), spki: pair.spki };
  await t.rejects(make({ ...forger, publicKey: pair.publicKey }), {
    ...wrong,
    message: /wrong: signature$/,
  });
  await t.rejects(make(signerOf("k", pair), { notAfter: notBefore }), {
    ...wrong,
    message: /wrong: lifetime$/,
  });
});

t.test("passes on what the signer answers, unless it is no signature", async (t) => {
  const signer = signerOf("k", testKeyPair());
  const failing = (sign: Signer["sign"]) => make({ ...signer, sign });
  await t.rejects(
    failing(async () => {
      throw new Error("the token is locked");
    }),
    { message: "the token is locked" },
  );
  const answers = [
    "",
    "3003020101",
    "300602010102010100",
    `3026${"0221"}01${"00".repeat(32)}020101`,
  ];
  for (const hex of answers) {
    await t.rejects(
      failing(async () => Buffer.from(hex, "hex")),
      TypeError,
      hex,
    );
  }
});
