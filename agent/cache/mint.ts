// Getting X509-SVIDs: makes keys and CSRs for a batch of entries, has the server sign them, and checks
// each answer before it is held. Private keys are made here and exist in this process's memory only.
// Which entries need one and when: svids.ts and rotation.ts.

import { IdentityError } from "../../pki/errors.ts";
import {
  exportPkcs8,
  generateKeyPair,
  generateP256KeyPair,
  type KeyPair,
  type KeyType,
} from "../../pki/keys.ts";
import { renewAt } from "../../pki/lifetime.ts";
import { type Certificate, parseCertificate } from "../../pki/x509/certificate.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { agentError } from "../errors.ts";
import { keyIdOf } from "./bundles.ts";
import type { HeldDocument } from "./holdings.ts";

/** An X509-SVID with its private key, for one entry. */
export interface HeldSvid extends HeldDocument {
  /** Concatenated DER: leaf, then intermediates. */
  readonly chain: Uint8Array;
  /** Unencrypted PKCS #8 DER. */
  readonly privateKey: Uint8Array;
  /** Key IDs (hex) of the authorities above the leaf, nearest first. */
  readonly issuerKeyIds: readonly string[];
  /** What it can be revoked by: the leaf, then the intermediates. */
  readonly serials: readonly IssuedSerial[];
}

/** A serial number, and the key ID (hex) of the authority that gave it. */
export interface IssuedSerial {
  readonly serialHex: string;
  readonly issuerKeyId: string | undefined;
}

/** Has CSRs signed by the server. Implemented by agent/link. */
export interface X509Signing {
  /** @throws SERVER_UNREACHABLE when there is no connection, before any work is done for nothing */
  assertConnected(): void;
  /**
   * Answers in the order of the requests: a chain (DER, leaf first), or why the server refuses it.
   * @throws SERVER_UNREACHABLE and what the server answers to the whole call
   */
  signX509(
    requests: readonly { readonly entryId: string; readonly csr: Uint8Array }[],
  ): Promise<readonly (readonly Uint8Array[] | IdentityError)[]>;
}

export interface MintOptions {
  readonly signing: X509Signing;
  readonly keyType: KeyType;
  readonly now: () => Date;
  /** Answers 0..1, to spread renewals. */
  readonly random: () => number;
}

/** Keys made before the event loop gets its turn: about 3 ms of P-256. */
const KEYS_PER_TURN = 25;

/** What of an entry goes into its X509-SVID. The rest can change without a new one. */
export function svidInputs(entry: RegistrationEntry): string {
  const known = inputs.get(entry);
  if (known !== undefined) return known;
  const made = JSON.stringify([entry.spiffeId, entry.x509SvidTtlSeconds, ...entry.dnsNames]);
  inputs.set(entry, made);
  return made;
}

const inputs = new WeakMap<RegistrationEntry, string>();

/** Makes an SVID for each entry; in its place the reason when the server refuses one. */
export async function mintX509Svids(
  entries: readonly RegistrationEntry[],
  options: MintOptions,
): Promise<(HeldSvid | IdentityError)[]> {
  options.signing.assertConnected();
  const keys = await makeKeys(entries.length, options.keyType);
  const requests = keys.map((key, i) => ({ entryId: entries[i]?.id ?? "", csr: createCsr(key) }));
  const answers = await options.signing.signX509(requests);
  return takeAnswers(entries, keys, answers, "certificate", (entry, key, chain) =>
    accept(entry, key, chain, options),
  );
}

/**
 * What the server answered, entry by entry: what `accept` makes of it, or the reason why the server
 * refused, or why the answer is not taken.
 */
export function takeAnswers<Answer, Held>(
  entries: readonly RegistrationEntry[],
  keys: readonly KeyPair[],
  answers: readonly (Answer | IdentityError)[],
  what: string,
  accept: (entry: RegistrationEntry, key: KeyPair, answer: Answer) => Held,
): (Held | IdentityError)[] {
  return entries.map((entry, i) => {
    const answer = answers[i];
    const key = keys[i];
    if (answer === undefined || key === undefined) return invalid(entry, "no answer for it");
    if (answer instanceof IdentityError) return answer;
    try {
      return accept(entry, key, answer);
    } catch (cause) {
      if (cause instanceof IdentityError && cause.reason === "SERVER_ANSWER_INVALID") return cause;
      return invalid(entry, `a ${what} that cannot be read`, cause);
    }
  });
}

/** New keys, a few before the event loop gets its turn. */
export async function makeKeys(count: number, keyType: KeyType): Promise<KeyPair[]> {
  const keys: KeyPair[] = [];
  while (keys.length < count) {
    if (keys.length > 0 && keys.length % KEYS_PER_TURN === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    keys.push(keyType === "ec-p256" ? generateP256KeyPair() : await generateKeyPair(keyType));
  }
  return keys;
}

function accept(
  entry: RegistrationEntry,
  key: KeyPair,
  chain: readonly Uint8Array[],
  options: MintOptions,
): HeldSvid {
  const certificates = chain.map((der) => parseCertificate(der));
  const [leaf] = certificates;
  if (leaf === undefined) throw invalid(entry, "an empty chain");
  // A server that mixed up its answers would hand one workload the identity of another.
  if (leaf.uris.length !== 1 || leaf.uris[0] !== entry.spiffeId) {
    throw invalid(entry, `an SVID of ${leaf.uris.join(", ")}, not of ${entry.spiffeId}`);
  }
  if (Buffer.compare(leaf.spki, key.spki) !== 0) throw invalid(entry, "an SVID for another key");
  if (leaf.notAfter.getTime() <= options.now().getTime()) {
    throw invalid(entry, `an SVID that expired at ${leaf.notAfter.toISOString()}`);
  }
  // Not from its backdated start: an SVID of a few seconds would be due for renewal as soon as it came.
  const madeAt = new Date(Math.max(leaf.notBefore.getTime(), options.now().getTime()));
  return {
    entryId: entry.id,
    spiffeId: entry.spiffeId,
    inputs: svidInputs(entry),
    chain: new Uint8Array(Buffer.concat(chain)),
    privateKey: exportPkcs8(key.privateKey),
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
    renewAt: renewAt(madeAt, leaf.notAfter, options.random()),
    issuerKeyIds: issuerKeyIds(certificates),
    serials: certificates.map(({ serialHex, authorityKeyId }) => ({
      serialHex,
      issuerKeyId: keyIdOf(authorityKeyId),
    })),
  };
}

/** Key IDs (hex) of the authorities that a chain hangs from, nearest first. */
export function issuerKeyIds(chain: readonly Certificate[]): string[] {
  return chain.flatMap((certificate) => keyIdOf(certificate.authorityKeyId) ?? []);
}

/** An answer that is not taken. */
export function invalid(entry: RegistrationEntry, what: string, cause?: unknown): IdentityError {
  return agentError("SERVER_ANSWER_INVALID", `the server answered entry ${entry.id} with ${what}`, {
    cause,
  });
}
