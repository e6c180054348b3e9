// One row of the corpus: a document, and what we say of it. Who says otherwise: disagreements.ts.

/** Who else is asked. */
export const READERS = ["openssl", "gnutls", "nss", "go", "python", "node", "zlint"] as const;
export type ReaderName = (typeof READERS)[number];

/** What a reader says of a document. */
export interface Verdict {
  readonly accepted: boolean;
  /** In its own words; "" when it says nothing. */
  readonly says: string;
}

interface Case {
  /** The one thing that is special about it; also the name of its row in docs/readers.md. */
  readonly name: string;
  /** The reason with which we refuse it; absent: we accept it. */
  readonly reason?: string;
}

/** A chain of certificates, DER. */
export interface ChainCase extends Case {
  readonly leaf: Uint8Array;
  readonly intermediates: readonly Uint8Array[];
  readonly anchors: readonly Uint8Array[];
}

/** A revocation list (DER), of an authority, and a serial number that is looked up in it. */
export interface CrlCase extends Case {
  readonly crl: Uint8Array;
  readonly authority: Uint8Array;
  /** A leaf (DER) of the authority; listed unless the case says `unlisted`. */
  readonly leaf: Uint8Array;
  readonly unlisted?: boolean;
}

/** A certificate request, DER. */
export interface RequestCase extends Case {
  readonly request: Uint8Array;
}
