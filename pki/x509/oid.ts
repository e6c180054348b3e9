// Object identifiers of RFC 5280, RFC 5480, RFC 8017 and RFC 8410, in dotted form.

/** Extensions of certificates and of revocation lists (RFC 5280 s4.2, s5.2, s5.3). */
export const ExtensionOid = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  crlNumber: "2.5.29.20",
  crlReason: "2.5.29.21",
  deltaCrlIndicator: "2.5.29.27",
  issuingDistributionPoint: "2.5.29.28",
  certificateIssuer: "2.5.29.29",
  nameConstraints: "2.5.29.30",
  crlDistributionPoints: "2.5.29.31",
  certificatePolicies: "2.5.29.32",
  policyMappings: "2.5.29.33",
  authorityKeyIdentifier: "2.5.29.35",
  policyConstraints: "2.5.29.36",
  extKeyUsage: "2.5.29.37",
  inhibitAnyPolicy: "2.5.29.54",
} as const;

/** Purposes in an extended key usage (RFC 5280 s4.2.1.12). */
export const PurposeOid = {
  any: "2.5.29.37.0",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** Attributes of a name (RFC 5280 app. A.1). */
export const NameOid = {
  commonName: "2.5.4.3",
  serialNumber: "2.5.4.5",
  country: "2.5.4.6",
  organization: "2.5.4.10",
  emailAddress: "1.2.840.113549.1.9.1",
} as const;

/** Signature algorithms. */
export const SignatureOid = {
  ecdsaSha256: "1.2.840.10045.4.3.2",
  ecdsaSha384: "1.2.840.10045.4.3.3",
  ecdsaSha512: "1.2.840.10045.4.3.4",
  rsaSha256: "1.2.840.113549.1.1.11",
  rsaSha384: "1.2.840.113549.1.1.12",
  rsaSha512: "1.2.840.113549.1.1.13",
  rsaPss: "1.2.840.113549.1.1.10",
  ed25519: "1.3.101.112",
} as const;

/** Hashes, as the parameters of RSASSA-PSS name them (RFC 4055 s2.1). */
export const HashOid = {
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3",
} as const;
export const MGF1_OID: string = "1.2.840.113549.1.1.8";

/** PKCS #9: the extensions that a certificate request asks for (RFC 2986). */
export const EXTENSION_REQUEST_OID: string = "1.2.840.113549.1.9.14";
