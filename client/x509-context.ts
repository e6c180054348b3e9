// What a workload holds for X.509: its SVIDs and the bundles it may trust, as one state that each
// message of the Workload API replaces whole (Workload API s4.3, s4.4, s5). Reading those messages.

import { type Certificate, parseCertificates } from "../pki/x509/certificate.ts";
import type { CrlSet } from "../pki/x509/crl-set.ts";
import { parseX509Svid, type X509Svid } from "../pki/x509/svid.ts";
import type { workload } from "../proto/schema.gen.ts";
import { CrlReader } from "./crls.ts";
import { withoutRepeatedHints } from "./hints.ts";
import { invalid, missing, readBundleKey, reading } from "./response.ts";

/** An X509-SVID of this workload; `hint` tells apart several identities, "" when there is none. */
export interface WorkloadX509Svid extends X509Svid {
  readonly hint: string;
}

/** X.509 authorities by the bare name of their trust domain. */
export type X509Bundles = ReadonlyMap<string, readonly Certificate[]>;

export interface X509Context {
  /** The first is the default identity. Empty after the identity was withdrawn. */
  readonly svids: readonly WorkloadX509Svid[];
  /** Own and federated trust domains. */
  readonly bundles: X509Bundles;
  /** What is known to be revoked; undefined when nothing is. */
  readonly crls: CrlSet | undefined;
}

/** The state of a workload that has no identity: it trusts nobody either. */
export const NO_X509_CONTEXT: X509Context = {
  svids: [],
  bundles: new Map(),
  crls: undefined,
};

/**
 * Reads a message of FetchX509SVID; `crls` is the reader of the messages before. Of SVIDs with the same
 * hint the first counts.
 * @throws WORKLOAD_API_RESPONSE_INVALID when a mandatory field is missing or anything does not parse
 */
export function readX509Context(
  message: workload.X509SVIDResponse,
  crls: CrlReader = new CrlReader(),
): X509Context {
  return reading("X509SVIDResponse", () => {
    if (message.svids.length === 0) throw missing("svids");
    const bundles = new Map<string, readonly Certificate[]>();
    const svids = message.svids.map((wire) => {
      const svid = readSvid(wire);
      const { name } = svid.id.trustDomain;
      if (!bundles.has(name)) bundles.set(name, parseCertificates(wire.bundle));
      return svid;
    });
    for (const [name, certificates] of readBundles(message.federatedBundles)) {
      if (!bundles.has(name)) bundles.set(name, certificates);
    }
    return { svids: withoutRepeatedHints(svids), bundles, crls: crls.read(message.crl) };
  });
}

/**
 * Reads a message of FetchX509Bundles.
 * @throws WORKLOAD_API_RESPONSE_INVALID
 */
export function readX509Bundles(message: workload.X509BundlesResponse): X509Bundles {
  return reading("X509BundlesResponse", () => {
    if (Object.keys(message.bundles).length === 0) throw missing("bundles");
    return readBundles(message.bundles);
  });
}

function readSvid(wire: workload.X509SVID): WorkloadX509Svid {
  for (const field of ["spiffeId", "x509Svid", "x509SvidKey", "bundle"] as const) {
    if (wire[field].length === 0) throw missing(field);
  }
  const chain = parseCertificates(wire.x509Svid).map(({ der }) => der);
  const svid = parseX509Svid(chain, wire.x509SvidKey);
  if (svid.id.toString() !== wire.spiffeId) {
    throw invalid(`the SVID of ${svid.id} is called ${JSON.stringify(wire.spiffeId)}`);
  }
  return { ...svid, hint: wire.hint };
}

/** A bundle without certificates is kept: its trust domain is known, and nobody in it is trusted. */
function readBundles(wire: Readonly<Record<string, Uint8Array>>): X509Bundles {
  return new Map(
    Object.entries(wire).map(([key, der]) => [readBundleKey(key).name, parseCertificates(der)]),
  );
}
