// Certificate requests. The fuzzer cannot sign, so half of its inputs are put where a request's content
// stands and signed here: what lies behind the check of the signature is reached too.
import { sign } from "node:crypto";
import { importSpki } from "../../../pki/keys.ts";
import { createCsr, parseCsr } from "../../../pki/x509/csr.ts";
import { Tag } from "../../../pki/x509/der.ts";
import {
  derBitString,
  derElement,
  derObjectIdentifier,
  derSequence,
} from "../../../pki/x509/der-writer.ts";
import { SignatureOid } from "../../../pki/x509/oid.ts";
import { testKeyPair } from "../../support/test-certificate.ts";
import { type FuzzTarget, parsedOrRefused } from "../target.ts";

const keys = testKeyPair();
const algorithm = derSequence(derObjectIdentifier(SignatureOid.ecdsaSha256));
const version = derElement(Tag.integer, Uint8Array.of(0));

export const csr: FuzzTarget = {
  name: "csr",
  reads: "certificate requests of node agents and administrators",
  maxBytes: 4096,
  seeds() {
    const plain = createCsr(keys);
    const named = createCsr(keys, { uris: ["spiffe://north.test/db"], dnsNames: ["db.test"] });
    return [plain, named].flatMap((der) => [der, Uint8Array.of(0, ...der.subarray(0, 200))]);
  },
  run(data) {
    check(data);
    // Empty subject, the key that signs, and the input as attributes.
    const content = derSequence(version, derSequence(), keys.spki, derElement(0xa0, data));
    const signature = derBitString(sign("sha256", content, keys.privateKey));
    check(derSequence(content, algorithm, signature));
  },
};

function check(der: Uint8Array): void {
  const parsed = parsedOrRefused(() => parseCsr(der));
  // A request that is accepted has a key that can be certified.
  if (parsed !== undefined) importSpki(parsed.spki);
}
