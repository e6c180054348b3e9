// Certificates and PEM, compared with what OpenSSL makes of the same bytes.
import { X509Certificate } from "node:crypto";
import { parseCertificate, parseCertificates } from "../../../pki/x509/certificate.ts";
import { formatPem, parsePem } from "../../../pki/x509/pem.ts";
import { LaxAuthority } from "../../support/lax-authority.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused, textOf } from "../target.ts";

export const certificate: FuzzTarget = {
  name: "certificate",
  reads: "certificates that peers show and bundles hold",
  maxBytes: 8192,
  seeds() {
    const root = LaxAuthority.create({ pathLen: 1 });
    const below = root.intermediate({ keyKind: "ec-p384" });
    const leaf = below.issue("/db", { dnsNames: ["db.north.test"] });
    const rsa = LaxAuthority.create({ keyKind: "rsa-2048" });
    return [root, below, rsa].map(({ certificate: { der } }) => der).concat(leaf.chain);
  },
  run(data) {
    const parsed = parsedOrRefused(() => parseCertificate(data));
    parsedOrRefused(() => parseCertificates(data));
    if (parsed === undefined) return;
    holds(Buffer.from(parsed.der).equals(data), "a certificate with bytes beyond its end");
    // What the key is does not matter here: only that asking for it is refused cleanly.
    parsedOrRefused(() => parsed.publicKey);
    const theirs = readByOpenssl(data);
    if (theirs === undefined) return;
    const serial = (hex: string): bigint => BigInt(`0x${hex || "0"}`);
    holds(serial(theirs.serialNumber) === serial(parsed.serialHex), "two serial numbers");
    const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);
    holds(seconds(new Date(theirs.validTo)) === seconds(parsed.notAfter), "two ends of validity");
    // Not the reverse: of a certificate that it finds malformed anywhere OpenSSL says that it is no authority.
    holds(parsed.isCa || !theirs.ca, "an authority for OpenSSL only");
  },
};

function readByOpenssl(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

export const pem: FuzzTarget = {
  name: "pem",
  reads: "PEM files of operators",
  maxBytes: 8192,
  seeds: () => [
    bytesOf(formatPem("CERTIFICATE", Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x05))),
    bytesOf(
      "-----BEGIN A-----\nAAAA\n-----END A-----\ntext\n-----BEGIN B-----\r\nAQ==\r\n-----END B-----",
    ),
  ],
  run(data) {
    for (const { label, der } of parsedOrRefused(() => parsePem(textOf(data))) ?? []) {
      const [again] = parsePem(formatPem(label, der));
      holds(again?.label === label, "a label changes when it is written and read");
      holds(Buffer.from(again.der).equals(der), "bytes change when they are written and read");
    }
  },
};
