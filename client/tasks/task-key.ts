// The key of one task: made in this process, which it never leaves. The node agent gets a certificate
// request of it, and with every later call a proof.

import { exportPkcs8, generateP256KeyPair, type KeyPair } from "../../pki/keys.ts";
import { issueTaskProof } from "../../pki/task-proof.ts";
import { type DpopTarget, issueDpopProof } from "../../pki/token/dpop.ts";
import type { ProofKey } from "../../pki/wit/private-jwk.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { parseX509Svid, type X509Svid } from "../../pki/x509/svid.ts";
import type { Init } from "../../proto/codec.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";

/** What a P-256 key signs with. */
const ALGORITHM = "ES256";

export class TaskKey {
  readonly #pair: KeyPair = generateP256KeyPair();
  readonly #clock: Clock;
  /** PKCS #10 DER. */
  readonly csr: Uint8Array;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.csr = createCsr(this.#pair);
  }

  /** Shows, for one call of one method, that this process has the key. */
  prove(method: string, taskId: string): Init<signet.task.v1.TaskProof> {
    const { privateKey } = this.#pair;
    return { taskId, jws: issueTaskProof(privateKey, { method, taskId, now: this.#clock.now() }) };
  }

  /** The key itself, for proofs that go with a WIT-SVID. */
  get proofKey(): ProofKey {
    const { privateKey, spki } = this.#pair;
    return { privateKey, alg: ALGORITHM, spki };
  }

  /** Shows to a service, for one request, that this process has the key (RFC 9449). */
  dpopProof(target: DpopTarget & { readonly nonce?: string }): string {
    return issueDpopProof({ ...target, key: this.proofKey, now: this.#clock.now() });
  }

  /** An SVID of this key, from its chain: DER, leaf first. @throws SVID_KEY_MISMATCH and other reasons of pki */
  svidOf(chain: readonly Uint8Array[]): X509Svid {
    return parseX509Svid([...chain], exportPkcs8(this.#pair.privateKey));
  }
}
