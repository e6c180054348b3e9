// Issuing X509-SVIDs (X509-SVID s2 to s4, RFC 5280 s4): the hot path of the server. A template is
// filled (leaf-template.ts), signed by the authority's Signer, read again and compared with its
// profile (leaf-profile.ts). Who may have which SVID is decided before: server/entries. Authorities'
// own certificates: ca.ts.
import { pkiError } from "../errors.ts";
import { importSpki, isP256Spki, type Signer } from "../keys.ts";
import { SpiffeId } from "../spiffe-id.ts";
import {
  type Certificate,
  equalBytes,
  parseCertificate,
  parseOwnCertificate,
} from "./certificate.ts";
import { derBitString, derSequence } from "./der-writer.ts";
import { isDnsName } from "./dns-name.ts";
import { derCrlPoints } from "./extensions-writer.ts";
import { keyIdentifier } from "./key-identifier.ts";
import { checkLeaf } from "./leaf-profile.ts";
import {
  type IssuerFields,
  type LeafContent,
  type LeafFields,
  LeafTemplate,
  leafKeyUsage,
} from "./leaf-template.ts";
import { newSerial } from "./serial.ts";
import { SIGNING_SCHEMES, type SigningScheme } from "./signature.ts";

/** An authority that signs X509-SVIDs. Build one object per authority and keep it: templates hang on it. */
export interface X509Issuer {
  readonly certificate: Certificate;
  /** Intermediates (DER) to send after the leaf, from this authority's own certificate upwards; [] when self-signed. */
  readonly upstreamChain: readonly Uint8Array[];
  readonly signer: Signer;
  /** Where this authority's revocation list can be fetched: `http://...`, ASCII. SVIDs then say so. */
  readonly crlUrl?: string | undefined;
  /** As above, of the list for SVIDs of tasks, which are on no other one. */
  readonly taskCrlUrl?: string | undefined;
}

/** What the SVID is to say. The caller backdates `notBefore`. */
export interface X509SvidRequest {
  /** SubjectPublicKeyInfo, DER, of a request whose signature was verified. */
  readonly spki: Uint8Array;
  readonly spiffeId: SpiffeId;
  readonly dnsNames?: readonly string[];
  readonly notBefore: Date;
  /** Cut to the end of the authority. */
  readonly notAfter: Date;
  /** Leaves the subject empty, which makes the subject alternative name critical. */
  readonly hasEmptySubject?: boolean;
  /** It is of a task: its revocation list is another one. */
  readonly isTask?: boolean | undefined;
}

/**
 * Issues an X509-SVID and returns the leaf, DER: at once when the signer can sign at once.
 * @throws SVID_PATH_MISSING, SVID_TRUST_DOMAIN_FOREIGN, DNS_NAME_INVALID, AUTHORITY_EXPIRED,
 *   KEY_INVALID, KEY_UNSUPPORTED; SVID_URI_SAN_COUNT, SPIFFE_ID_INVALID, SVID_SPIFFE_ID_INVALID for
 *   what the authority's own certificate names; SVID_PROFILE when the result is not what was asked for
 */
export function issueX509Svid(
  issuer: X509Issuer,
  request: X509SvidRequest,
): Uint8Array | Promise<Uint8Array> {
  const leaf = issueX509Leaf(issuer, request);
  return leaf instanceof Promise ? leaf.then(({ der }) => der) : leaf.der;
}

/** As {@link issueX509Svid}, and returns the certificate as it was read again: serial number, end, DER. */
export function issueX509Leaf(
  issuer: X509Issuer,
  request: X509SvidRequest,
): Certificate | Promise<Certificate> {
  const authority = authorityOf(issuer);
  const { spki, spiffeId, dnsNames = [], hasEmptySubject = false, isTask = false } = request;
  checkNames(authority, spiffeId, dnsNames);
  const { notBefore, notAfter } = validityOf(authority, request);
  const isRsa = !isP256Spki(spki) && importSpki(spki).asymmetricKeyType === "rsa";
  const content = { spiffeId, dnsNames, hasEmptySubject, keyUsage: leafKeyUsage(isRsa) };
  const keyId = keyIdentifier(spki);
  const fields: LeafFields = { serial: newSerial(), notBefore, notAfter, spki, keyId };
  const issuerFields = isTask ? authority.taskFields : authority.fields;
  const template = templateOf(
    isTask ? authority.taskTemplates : authority.templates,
    issuerFields,
    content,
  );
  const tbs = template.fill(fields);
  const finish = (signature: Uint8Array): Certificate => {
    const der = derSequence(tbs, authority.scheme.algorithmDer, derBitString(signature));
    const leaf = parseOwnCertificate(der);
    checkLeaf(leaf, issuerFields, template.profile, fields);
    return leaf;
  };
  const { signer } = issuer;
  const { hash } = authority.scheme;
  return signer.signSync ? finish(signer.signSync(tbs, hash)) : signer.sign(tbs, hash).then(finish);
}

/** What is worked out once per authority. */
interface Authority {
  readonly fields: IssuerFields;
  /** In SVIDs of tasks. */
  readonly taskFields: IssuerFields;
  readonly scheme: SigningScheme;
  readonly notAfter: Date;
  /** Undefined when its certificate names none. */
  readonly trustDomainName: string | undefined;
  readonly templates: Map<string, LeafTemplate>;
  readonly taskTemplates: Map<string, LeafTemplate>;
}

const MAX_TEMPLATES = 4096;
const USUAL_KEY_USAGE = leafKeyUsage(false);
const MAX_DNS_NAMES = 1000;
/** Not https: whoever fetches a list to verify a certificate would first have to verify another one. */
const CRL_URL = /^http:\/\/[!-~]{1,2048}$/;
const authorities = new WeakMap<X509Issuer, Authority>();

function authorityOf(issuer: X509Issuer): Authority {
  let authority = authorities.get(issuer);
  if (authority === undefined) {
    const { certificate, upstreamChain, signer, crlUrl, taskCrlUrl } = issuer;
    if (!equalBytes(certificate.spki, signer.spki)) {
      throw new TypeError("an authority's signer does not hold the key of its certificate");
    }
    const scheme = SIGNING_SCHEMES[signer.keyType];
    const keyId = certificate.subjectKeyId ?? keyIdentifier(certificate.spki);
    const ends = [certificate, ...upstreamChain.map(parseCertificate)].map((c) => c.notAfter);
    const fieldsWith = (url: string | undefined): IssuerFields => ({
      algorithmDer: scheme.algorithmDer,
      nameDer: certificate.subjectDer,
      keyId,
      crlPointsDer: url === undefined ? undefined : crlPointsOf(url),
    });
    authority = {
      fields: fieldsWith(crlUrl),
      taskFields: fieldsWith(taskCrlUrl),
      scheme,
      notAfter: new Date(Math.min(...ends.map((end) => end.getTime()))),
      trustDomainName: trustDomainNameOf(certificate),
      templates: new Map(),
      taskTemplates: new Map(),
    };
    authorities.set(issuer, authority);
  }
  return authority;
}

function crlPointsOf(url: string): Uint8Array {
  if (!CRL_URL.test(url) || !URL.canParse(url)) {
    throw new TypeError(`${JSON.stringify(url)} is no address of a revocation list`);
  }
  return derCrlPoints(url);
}

/** An authority that is an SVID itself names one trust domain, without a path (X509-SVID s3.2). */
function trustDomainNameOf(certificate: Certificate): string | undefined {
  const [uri, ...others] = certificate.uris;
  if (uri === undefined) return undefined;
  if (others.length > 0) {
    throw pkiError(
      "SVID_URI_SAN_COUNT",
      `the authority's certificate has ${certificate.uris.length} URI names instead of one`,
    );
  }
  const id = SpiffeId.parse(uri);
  if (id.path === "") return id.trustDomain.name;
  throw pkiError("SVID_SPIFFE_ID_INVALID", `"${id}" is no ID of an authority: it has a path`);
}

function templateOf(
  templates: Map<string, LeafTemplate>,
  fields: IssuerFields,
  content: LeafContent,
): LeafTemplate {
  const { spiffeId, dnsNames, hasEmptySubject, keyUsage } = content;
  // The ID alone for the usual leaf: no string has to be built.
  const isUsual = dnsNames.length === 0 && !hasEmptySubject && keyUsage === USUAL_KEY_USAGE;
  const key = isUsual
    ? spiffeId.toString()
    : `${keyUsage}|${hasEmptySubject}|${spiffeId}|${dnsNames.join("|")}`;
  let template = templates.get(key);
  if (template === undefined) {
    template = new LeafTemplate(fields, content);
    if (templates.size >= MAX_TEMPLATES) templates.clear();
    templates.set(key, template);
  }
  return template;
}

function checkNames(authority: Authority, spiffeId: SpiffeId, dnsNames: readonly string[]): void {
  if (spiffeId.path === "") {
    throw pkiError("SVID_PATH_MISSING", `"${spiffeId}" has no path: no workload has this ID`);
  }
  const { trustDomainName } = authority;
  if (trustDomainName !== undefined && trustDomainName !== spiffeId.trustDomain.name) {
    throw pkiError(
      "SVID_TRUST_DOMAIN_FOREIGN",
      `the authority of "${trustDomainName}" issues no SVID for "${spiffeId}"`,
    );
  }
  if (dnsNames.length > MAX_DNS_NAMES) {
    throw pkiError("DNS_NAME_INVALID", `an SVID has at most ${MAX_DNS_NAMES} DNS names`);
  }
  for (const name of dnsNames) {
    if (!isDnsName(name)) {
      throw pkiError("DNS_NAME_INVALID", `${JSON.stringify(name.slice(0, 100))} is not a DNS name`);
    }
  }
}

/** Whole seconds, as certificates have them; the end not after the authority's (X509-42). */
function validityOf(
  authority: Authority,
  request: X509SvidRequest,
): { notBefore: Date; notAfter: Date } {
  const start = Math.floor(request.notBefore.getTime() / 1000) * 1000;
  const wanted = Math.floor(request.notAfter.getTime() / 1000) * 1000;
  const end = Math.min(wanted, authority.notAfter.getTime());
  if (!(start < wanted)) throw new TypeError("the lifetime of an SVID is not positive");
  if (!(start < end)) {
    throw pkiError(
      "AUTHORITY_EXPIRED",
      `no SVID for "${request.spiffeId}": the authority has expired`,
      {
        hint: "activate a newer authority",
      },
    );
  }
  return { notBefore: new Date(start), notAfter: new Date(end) };
}
