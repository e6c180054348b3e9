// What the tests of the rows on fetching bundles have in common: authorities, an endpoint that a test
// plays, and short words for what administrators ask.
import { generateP256KeyPair } from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import type { X509Svid } from "../../pki/x509/svid.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { bundleToWire } from "../../proto/types/bundle.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { TestBundleEndpoint } from "../support/test-bundle-endpoint.ts";
import { LEAF_DEFAULTS, signTestCertificate } from "../support/test-certificate.ts";
import {
  bundleOf,
  documentOf,
  startTestFederation,
  type TestFederation,
  type TestFederationOptions,
  until,
} from "../support/test-federation.ts";

export const web: TestAuthority = await TestAuthority.create("web.test");
export const first: TestAuthority = await TestAuthority.create("south.test");
export const second: TestAuthority = await TestAuthority.create("south.test");
export const third: TestAuthority = await TestAuthority.create("south.test");
export const west: TestAuthority = await TestAuthority.create("west.test");
export const webCertificate: X509Svid = await web.issue("/site", { dnsNames: ["localhost"] });
export const south: TrustDomain = TrustDomain.parse("south.test");
export const ENDPOINT: string = "spiffe://south.test/spire/server";
export const endpointSvid: X509Svid = await first.issue("/spire/server");

export const isTrusted = (federation: TestFederation, svid: X509Svid): boolean => {
  try {
    validateX509Svid(svid.chain, federation.anchorsOf, federation.clock.now());
    return true;
  } catch {
    return false;
  }
};
export const workloadOf = (authority: TestAuthority) => authority.issue("/db");
export const roots = ({ bundles }: TestFederation): number =>
  bundles.get("south.test")?.x509Authorities.length ?? 0;

interface Teardown {
  teardown(fn: () => unknown): void;
}

/** An SVID for an ID of any trust domain, which an honest authority would not sign. */
export function forge(authority: TestAuthority, id: string): X509Svid {
  const { privateKey, spki } = generateP256KeyPair();
  const issuer = { nameDer: authority.root.subjectDer, keyPair: authority.keyPair };
  const der = signTestCertificate({ ...LEAF_DEFAULTS, uris: [id] }, spki, issuer);
  const leaf = parseCertificate(der);
  return { id: SpiffeId.parse(id), chain: [der], leaf, privateKey };
}

/** A federation, and an https_web endpoint of south.test that serves its first authority. */
export async function withWeb(t: Teardown, options: TestFederationOptions = {}) {
  const federation = await startTestFederation(t, { webAuthority: web, ...options });
  const endpoint = await TestBundleEndpoint.start(t, webCertificate);
  endpoint.document = documentOf([first], { sequence: 7n, refreshHintSeconds: 60 });
  return { federation, endpoint, url: endpoint.url("/bundle", "localhost") };
}

export const webRelationship = (url: string) => ({
  trustDomain: "south.test",
  bundleEndpointUrl: url,
  httpsWeb: {},
});
export const spiffeRelationship = (url: string, authority = first, id = ENDPOINT) => ({
  trustDomain: "south.test",
  bundleEndpointUrl: url,
  httpsSpiffe: { endpointSpiffeId: id },
  trustDomainBundle: bundleToWire(bundleOf([authority])),
});

type Relationship = Parameters<
  TestFederation["api"]["batchCreateFederationRelationship"]
>[0]["federationRelationships"] extends readonly (infer One)[] | undefined
  ? One
  : never;

export async function create({ api }: TestFederation, relationship: Relationship): Promise<void> {
  const { results } = await api.batchCreateFederationRelationship({
    federationRelationships: [relationship],
  });
  const { code = -1, message } = results[0]?.status ?? {};
  if (code !== 0) throw new Error(`${code} ${message}`);
}

export async function codeOf({ api }: TestFederation, relationship: Relationship): Promise<number> {
  const { results } = await api.batchCreateFederationRelationship({
    federationRelationships: [relationship],
  });
  return results[0]?.status.code ?? -1;
}

/** The attempt that comes next has been made. */
export async function attempted(federation: TestFederation, count: number): Promise<void> {
  const made = () =>
    federation.lines.filter(
      ({ msg }) => msg.startsWith("bundle fetched") || msg.startsWith("bundle not"),
    );
  await until(() => made().length >= count, `${count} attempts`);
}
