// node:crypto: reads certificates and checks one signature; knows no paths, lists or requests. Asked for
// each certificate of a chain whether its issuer signed it.
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Verdict } from "../corpus/case.ts";
import type { ChainFiles, Judge } from "./judge.ts";

export const node: Judge = {
  name: "node",
  version: async () => `node ${process.versions.node}, OpenSSL ${process.versions.openssl}`,
  chains: async (files) => new Map(files.map((file) => [file.name, verdictOn(file)])),
};

function verdictOn({ leafDer, authorities }: ChainFiles): Verdict {
  try {
    const below = new X509Certificate(readFileSync(leafDer));
    const known = authorities.map(({ file, trusted }) => ({
      trusted,
      certificate: new X509Certificate(readFileSync(file)),
    }));
    const now = Date.now();
    let certificate: X509Certificate | undefined = below;
    for (let depth = 0; certificate !== undefined && depth <= known.length; depth++) {
      const { validFromDate, validToDate } = certificate;
      if (validFromDate.getTime() > now || validToDate.getTime() < now) {
        return { accepted: false, says: "not valid now" };
      }
      const issuers = known.filter(({ certificate: issuer }) => isIssuer(issuer, certificate));
      if (issuers.some(({ trusted }) => trusted)) return { accepted: true, says: "" };
      certificate = issuers[0]?.certificate;
    }
    return { accepted: false, says: "no issuer" };
  } catch (error) {
    return { accepted: false, says: String(error) };
  }
}

function isIssuer(issuer: X509Certificate, certificate: X509Certificate | undefined): boolean {
  return (
    issuer.ca && certificate?.checkIssued(issuer) === true && certificate.verify(issuer.publicKey)
  );
}
