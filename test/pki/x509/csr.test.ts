import "reflect-metadata"; // the certificate library wants it loaded first

import { sign } from "node:crypto";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import t from "tap";
import { createCsr, parseCsr } from "../../../pki/x509/csr.ts";
import { contextTag, Tag } from "../../../pki/x509/der.ts";
import {
  derBitString,
  derElement,
  derObjectIdentifier,
  derSequence,
  derUnsignedInteger,
} from "../../../pki/x509/der-writer.ts";
import { derAltNames } from "../../../pki/x509/extensions-writer.ts";
import { testKeyPair } from "../../support/test-certificate.ts";

const invalid = { reason: "CSR_INVALID", code: 3 };
const pair = testKeyPair();
const uris = ["spiffe://north.test/db"];

t.test("makes requests that another reader verifies, and reads them", async (t) => {
  for (const kind of ["ec-p256", "ec-p384", "rsa-2048"] as const) {
    const keyPair = testKeyPair(kind);
    const der = createCsr(keyPair, { uris, dnsNames: ["db.north.test"] });
    const other = new Pkcs10CertificateRequest(Uint8Array.from(der));
    t.ok(await other.verify(globalThis.crypto), kind);
    t.equal(other.subject, "C=US, O=SPIRE");
    const request = parseCsr(der);
    t.same(request.spki, keyPair.spki);
    t.match(request, { uris, dnsNames: ["db.north.test"] });
  }
  t.match(parseCsr(createCsr(pair)), { uris: [], dnsNames: [] });
  t.throws(() => createCsr(testKeyPair("ed25519")), TypeError);
});

t.test("refuses keys that no SVID is issued for", async (t) => {
  for (const kind of ["ec-p521", "ed25519", "rsa-1024"] as const) {
    const der = request({ keyPair: testKeyPair(kind) });
    t.throws(() => parseCsr(der), { reason: "KEY_UNSUPPORTED", code: 3 }, kind);
  }
});

t.test("never accepts a request with any bit changed", async (t) => {
  const der = createCsr(pair, { uris });
  for (let at = 0; at < der.length; at += 1) {
    const changed = Uint8Array.from(der);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    t.throws(() => parseCsr(changed), { reason: /^(CSR|KEY)_/, code: 3 }, `byte ${at}`);
  }
});

t.test("refuses a request that another key signed, is cut, or is too large", async (t) => {
  const der = createCsr(pair);
  t.throws(() => parseCsr(request({ signer: testKeyPair() })), invalid);
  t.throws(() => parseCsr(new Uint8Array(16_385)), { ...invalid, message: /over 16384/ });
  t.throws(() => parseCsr(new Uint8Array(0)), invalid);
  t.throws(() => parseCsr(Buffer.concat([der, Uint8Array.of(0)])), invalid);
  for (let length = 0; length < der.length; length += 1) {
    t.throws(() => parseCsr(der.subarray(0, length)), invalid);
  }
});

const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
const attribute = (oid: string, ...values: Uint8Array[]) =>
  derSequence(derObjectIdentifier(oid), derElement(Tag.set, ...values));

t.test("reads the attributes that it knows and skips the others", async (t) => {
  const names = attribute(EXTENSION_REQUEST, derSequence(derAltNames(uris, [], false)));
  const password = attribute("1.2.840.113549.1.9.7", derUnsignedInteger(Uint8Array.of(1)));
  t.same(parseCsr(request({ attributes: [password, names] })).uris, uris);
  t.same(parseCsr(request({ attributes: undefined })).uris, []);
  const rows: [string, Uint8Array[]][] = [
    ["asking twice", [names, names]],
    ["two values", [attribute(EXTENSION_REQUEST, derSequence(), derSequence())]],
    ["no value", [attribute(EXTENSION_REQUEST)]],
    ["17 attributes", Array.from({ length: 17 }, () => password)],
  ];
  for (const [name, attributes] of rows) {
    t.throws(() => parseCsr(request({ attributes })), invalid, name);
  }
});

t.test("refuses another version and unknown signature algorithms", async (t) => {
  t.throws(() => parseCsr(request({ version: 1 })), invalid);
  const algorithm = derSequence(derObjectIdentifier("1.2.840.10045.4.1"));
  t.throws(() => parseCsr(request({ algorithm })), { message: /algorithm is not supported/ });
});

function request(options: {
  version?: number;
  keyPair?: typeof pair;
  signer?: typeof pair;
  attributes?: Uint8Array[] | undefined;
  algorithm?: Uint8Array;
}): Uint8Array {
  const { keyPair = pair, version = 0 } = options;
  const signer = options.signer ?? keyPair;
  const info = derSequence(
    derUnsignedInteger(Uint8Array.of(version)),
    derSequence(),
    keyPair.spki,
    ...(options.attributes ? [derElement(contextTag(0, true), ...options.attributes)] : []),
  );
  const hash = keyPair.privateKey.asymmetricKeyType === "ed25519" ? null : "sha256";
  const signature = sign(hash, info, signer.privateKey);
  const algorithm = options.algorithm ?? derSequence(derObjectIdentifier("1.2.840.10045.4.3.2"));
  return derSequence(info, algorithm, derBitString(signature));
}
