// Certificate requests, good and bad, each special in one thing.
import { sign } from "node:crypto";
import { createCsr } from "../../../pki/x509/csr.ts";
import { contextTag, Tag } from "../../../pki/x509/der.ts";
import {
  derBitString,
  derElement,
  derObjectIdentifier,
  derSequence,
} from "../../../pki/x509/der-writer.ts";
import { derName } from "../../../pki/x509/name.ts";
import { SignatureOid } from "../../../pki/x509/oid.ts";
import { testKeyPair } from "../../support/test-certificate.ts";
import type { RequestCase } from "./case.ts";

const names = { uris: ["spiffe://north.test/db"], dnsNames: ["db.north.test"] };
const keys = testKeyPair();

/** A request from parts, signed with `signer`. */
function build(parts: {
  readonly version?: number;
  readonly spki?: Uint8Array;
  readonly signer?: ReturnType<typeof testKeyPair>;
  readonly algorithm?: Uint8Array;
  readonly hash?: string | undefined;
}): Uint8Array {
  const { version = 0, spki = keys.spki, signer = keys } = parts;
  const { algorithm = derSequence(derObjectIdentifier(SignatureOid.ecdsaSha256)) } = parts;
  const hash = "hash" in parts ? parts.hash : "sha256";
  const info = derSequence(
    derElement(Tag.integer, Uint8Array.of(version)),
    derName({ country: "US", organization: "SPIRE" }),
    spki,
    derElement(contextTag(0, true)),
  );
  return derSequence(info, algorithm, derBitString(sign(hash, info, signer.privateKey)));
}

function flipped(): Uint8Array {
  const request = Uint8Array.from(createCsr(keys, names));
  const at = request.length - 5;
  request[at] = (request[at] ?? 0) ^ 1;
  return request;
}

const p521 = testKeyPair("ec-p521");
const ed25519 = testKeyPair("ed25519");
const weakRsa = testKeyPair("rsa-1024");
const rsaAlgorithm = derSequence(derObjectIdentifier(SignatureOid.rsaSha256), derElement(Tag.null));

export const REQUESTS: readonly RequestCase[] = [
  { name: "a P-256 request", request: createCsr(keys) },
  { name: "a request with names", request: createCsr(keys, names) },
  { name: "a P-384 request", request: createCsr(testKeyPair("ec-p384"), names) },
  { name: "an RSA request", request: createCsr(testKeyPair("rsa-2048"), names) },
  {
    name: "a request with a bit of its signature changed",
    reason: "CSR_INVALID",
    request: flipped(),
  },
  {
    name: "a request signed with another key",
    reason: "CSR_INVALID",
    request: build({ signer: testKeyPair() }),
  },
  {
    name: "bytes after the request",
    reason: "CSR_INVALID",
    request: Uint8Array.of(...createCsr(keys), 0),
  },
  { name: "a request of version 2", reason: "CSR_INVALID", request: build({ version: 1 }) },
  {
    name: "a P-521 request",
    reason: "KEY_UNSUPPORTED",
    request: build({ spki: p521.spki, signer: p521 }),
  },
  {
    name: "an Ed25519 request",
    reason: "KEY_UNSUPPORTED",
    request: build({
      spki: ed25519.spki,
      signer: ed25519,
      hash: undefined,
      algorithm: derSequence(derObjectIdentifier(SignatureOid.ed25519)),
    }),
  },
  {
    name: "an RSA request of 1024 bits",
    reason: "KEY_UNSUPPORTED",
    request: build({ spki: weakRsa.spki, signer: weakRsa, algorithm: rsaAlgorithm }),
  },
];
