// Where a reader says something else than we do, and why. docs/readers.md tells the same; a reader that
// comes to agree fails the test, so that both stay true.
import type { ReaderName } from "./case.ts";

export interface Disagreement {
  readonly readers: readonly ReaderName[];
  /** Names of cases. */
  readonly cases: readonly string[];
  readonly why: string;
}

const notOurs = ["a P-521 request", "an Ed25519 request", "an RSA request of 1024 bits"];

export const DISAGREEMENTS: readonly Disagreement[] = [
  // They take what we refuse.
  {
    readers: ["openssl", "gnutls", "go"],
    cases: ["a request of version 2"],
    why: "PKCS #10 knows version 1 only; they do not look",
  },
  {
    readers: ["openssl", "gnutls", "go", "python"],
    cases: notOurs,
    why: "they read the request; which keys are certified is our policy",
  },
  {
    readers: ["openssl"],
    cases: ["bytes after the request"],
    why: "its command reads one object and does not look further",
  },
  {
    readers: ["openssl", "gnutls", "go", "node", "nss", "python"],
    cases: ["a serial number of 21 bytes"],
    why: "RFC 5280 s4.1.2.2 ends at 20 bytes; they read on",
  },
  {
    readers: ["openssl", "gnutls", "nss", "node"],
    cases: ["a negative serial number"],
    why: "forbidden by RFC 5280 s4.1.2.2; they only warn, or do not look",
  },
  {
    readers: ["openssl", "go", "nss", "node"],
    cases: ["an RSA authority of 1024 bits"],
    why: "key sizes are left to the caller",
  },
  {
    readers: ["node"],
    cases: ["no policy where one is required"],
    why: "it knows no certificate policies",
  },
  {
    readers: ["nss"],
    cases: ["a root without keyCertSign"],
    why: "a trusted root is not looked at; we ask of anchors what we ask of every authority",
  },
  {
    readers: ["node"],
    cases: ["an expired anchor"],
    why: "we looked only at what lies below the anchor; TLS in Node looks at anchors too",
  },
  {
    readers: ["openssl", "node"],
    cases: ["bytes after the certificate"],
    why: "it reads one object and does not look further",
  },
  {
    readers: ["nss"],
    cases: ["an extension that is there twice"],
    why: "RFC 5280 s4.2 allows one; it uses the first",
  },
  {
    readers: ["openssl", "gnutls", "nss"],
    cases: ["two signature algorithms"],
    why: "the unsigned copy of a list's algorithm is not compared; of certificates it is",
  },
  {
    readers: ["openssl", "gnutls", "nss", "go"],
    cases: ["a reason that does not exist"],
    why: "the number is passed on as it is",
  },
  {
    readers: ["openssl", "gnutls", "go", "zlint"],
    cases: ["a delta list"],
    why: "taken for a full list: what the base has may be missed, which is why we refuse it",
  },
  {
    readers: ["openssl", "gnutls"],
    cases: ["version 3"],
    why: "the version of a list is not looked at",
  },
  {
    readers: ["openssl", "go", "zlint"],
    cases: ["bytes after the list"],
    why: "they read one object and do not look further",
  },
  {
    readers: ["gnutls", "go", "zlint"],
    cases: [
      "an unknown critical extension of the list",
      "an unknown critical extension of an entry",
    ],
    why: "critical extensions of lists are left to the caller",
  },
  // They refuse what we take.
  {
    readers: ["gnutls", "nss", "python"],
    cases: ["a policy where one is required"],
    why: "they know no policy constraints, and so refuse them as an unknown critical extension",
  },
  {
    readers: ["python"],
    cases: ["a URI within the permitted hosts"],
    why: "it knows no name constraints on URIs: leave them out of authorities for Python's sake",
  },
  {
    readers: ["python"],
    cases: ["critical purposes", "no key identifiers"],
    why: "its policy is that of the public web, which asks for more than RFC 5280",
  },
  {
    readers: ["openssl", "zlint"],
    cases: ["no key identifiers"],
    why: "RFC 5280 asks issuers for them (ours always sets them), not validators; OpenSSL does so when it is strict",
  },
  {
    readers: ["nss"],
    cases: ["an RSA leaf and an RSA root"],
    why: "an RSA key of a server is to have key usage keyEncipherment, for TLS 1.2 without forward secrecy",
  },
  {
    readers: ["nss"],
    cases: ["an Ed25519 leaf", "an Ed25519 root"],
    why: "this version knows no Ed25519",
  },
  {
    readers: ["python"],
    cases: ["an Ed25519 root"],
    why: "its policy is that of the public web, which has no Ed25519",
  },
  {
    readers: ["nss", "python"],
    cases: ["an authority as the peer"],
    why: "a server's certificate that is an authority is refused, as we do",
  },
];

/** What a reader has no means to find, by our reason for refusing it. */
export const CANNOT_TELL: Partial<Record<ReaderName, readonly string[]>> = {
  node: [
    "SVID_PATH_LENGTH",
    "SVID_CRITICAL_EXTENSION",
    "SVID_NAME_CONSTRAINT",
    "SVID_EXTENDED_KEY_USAGE",
  ],
  zlint: [
    "KEY_UNSUPPORTED",
    "SVID_CRITICAL_EXTENSION",
    "SVID_EXPIRED",
    "SVID_EXTENDED_KEY_USAGE",
    "SVID_INTERMEDIATE_NOT_CA",
    "SVID_NAME_CONSTRAINT",
    "SVID_NOT_YET_VALID",
    "SVID_PATH_LENGTH",
    "SVID_POLICY",
    "SVID_UNTRUSTED",
    "unsigned",
  ],
};
