// The three laws of the CA as a checker that looks at everything the CA has ever signed. A test moves
// time and calls `step` after each move; whatever breaks a law comes back as a sentence.

import type { Bundle } from "../../../pki/bundle/bundle.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { north, type TestCa } from "../../support/test-ca.ts";

interface Signed {
  readonly what: string;
  readonly spki: string;
  readonly untilMs: number;
}

const workload = SpiffeId.of(north, "/db");
const { spki } = generateP256KeyPair();

/** Follows one CA through its life. */
export class Laws {
  readonly #ca: TestCa;
  /** The bundles that node agents hold at the moment. */
  readonly #agents: Bundle[];
  readonly #signed: Signed[] = [];
  readonly #revoked = new Set<string>();
  readonly #signers = new Set<string>();

  constructor(ca: TestCa, agents: number) {
    this.#ca = ca;
    this.#agents = Array.from({ length: agents }, () => ca.authorities.bundle());
    if (agents > 0) ca.agents.connect(ca.authorities.bundle().sequence);
  }

  /** How many different authorities have signed. */
  get signers(): number {
    return this.#signers.size;
  }

  /** One agent takes the newest bundle; acknowledged is what all have. */
  deliver(agent: number): void {
    this.#agents[agent % this.#agents.length] = this.#ca.authorities.bundle();
    const [oldest] = this.#agents.map(({ sequence }) => sequence).sort((a, b) => Number(a - b));
    this.#ca.agents.acknowledge(oldest ?? 0n);
  }

  /** What an authority signed is void by decision from now on. `spki` is that of the authority. */
  revoked(spki: Uint8Array): void {
    this.#revoked.add(hex(spki));
  }

  /** Signs one document of each kind, then checks the laws on all that were ever signed. */
  async step(): Promise<string[]> {
    const problems: string[] = [];
    const { issuer, authorities, clock } = this.#ca;
    const x509 = authorities.x509();
    const { leaf } = await issuer.issueForKey({ spki, spiffeId: workload, ttlSeconds: 6 * 3600 });
    this.#sign("X509-SVID", x509.certificate.spki, leaf.notAfter);
    const jwt = authorities.jwt();
    const token = await issuer.issueJwt({
      spiffeId: workload,
      audience: ["a"],
      ttlSeconds: 6 * 3600,
    });
    this.#sign("JWT-SVID", jwt.signer.spki, token.expiresAt);

    // First law: every agent, and whoever polls, knows the authorities that sign now.
    for (const kind of ["x509", "jwt"] as const) {
      const { active } = authorities.slots(kind);
      if (active === undefined) problems.push(`no active ${kind} authority`);
      else problems.push(...this.#unpublished(kind, active.publishedAt, active.spki));
    }
    // Second law: what is valid verifies. Third law: what may have to be revoked has its key.
    const nowMs = clock.now().getTime();
    const inBundle = keysOf(authorities.bundle());
    for (const { what, spki, untilMs } of this.#signed) {
      if (untilMs <= nowMs || this.#revoked.has(spki)) continue;
      if (!inBundle.has(spki)) problems.push(`a valid ${what} has no authority in the bundle`);
    }
    const kept = new Set((await this.#ca.keys.list()).map((signer) => hex(signer.spki)));
    for (const key of inBundle) if (!kept.has(key)) problems.push("an authority lost its key");
    if (kept.size > inBundle.size) problems.push("a key outlived its authority");
    return problems;
  }

  #sign(what: string, authority: Uint8Array, notAfter: Date): void {
    this.#signers.add(hex(authority));
    this.#signed.push({ what, spki: hex(authority), untilMs: notAfter.getTime() });
  }

  #unpublished(kind: string, publishedAt: Date, spki: Uint8Array): string[] {
    const ageMs = this.#ca.clock.now().getTime() - publishedAt.getTime();
    const hintMs = this.#ca.authorities.bundle().refreshHintSeconds * 1000;
    if (ageMs >= 3 * hintMs) return [];
    const ignorant = this.#agents.filter((bundle) => !keysOf(bundle).has(hex(spki)));
    return ignorant.map(() => `an agent does not know the ${kind} authority that signs`);
  }
}

function keysOf(bundle: Bundle): Set<string> {
  return new Set([
    ...bundle.x509Authorities.map(({ der }) => hex(parseCertificate(der).spki)),
    ...bundle.jwtAuthorities.map(({ spki }) => hex(spki)),
  ]);
}

function hex(spki: Uint8Array): string {
  return Buffer.from(spki).toString("hex");
}
