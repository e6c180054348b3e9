// The revocation lists that an agent hands out beside SVIDs and bundles (Workload API s5.1): as one set
// for the verifier (verify.ts). The field replaces what it held before, as every field does.

import type { IdentityError } from "../pki/errors.ts";
import { equalBytes } from "../pki/x509/certificate.ts";
import { type Crl, parseCrl } from "../pki/x509/crl.ts";
import { CrlSet } from "../pki/x509/crl-set.ts";
import { clientError } from "./errors.ts";

/** Reads the lists of one message after another. Bytes that come again are not parsed again. */
export class CrlReader {
  readonly #onError: (error: IdentityError) => void;
  #crls: readonly Crl[] = [];
  #set: CrlSet | undefined;

  /** `onError` is told of each list that cannot be read. */
  constructor(onError: (error: IdentityError) => void = () => {}) {
    this.#onError = onError;
  }

  /**
   * The lists of a message, DER, as a set; undefined when there are none. The same set as before when
   * the lists are. One that cannot be read costs nobody their identity: it is left out, and what was
   * revoked by the message before stays so.
   */
  read(ders: readonly Uint8Array[]): CrlSet | undefined {
    const read = ders.map((der) => this.#parse(der));
    const fresh = read.filter((crl) => crl !== undefined);
    const kept = fresh.length < read.length ? this.#crls.filter((crl) => !fresh.includes(crl)) : [];
    const crls = [...fresh, ...kept];
    const isSame =
      crls.length === this.#crls.length && crls.every((crl) => this.#crls.includes(crl));
    if (!isSame) this.#set = crls.length === 0 ? undefined : new CrlSet(crls);
    this.#crls = crls;
    return this.#set;
  }

  #parse(der: Uint8Array): Crl | undefined {
    const known = this.#crls.find((crl) => equalBytes(crl.der, der));
    if (known !== undefined) return known;
    try {
      return parseCrl(der);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `the agent sent a wrong revocation list: ${why}`;
      this.#onError(clientError("WORKLOAD_API_RESPONSE_INVALID", message, { cause }));
      return undefined;
    }
  }
}
