// Whether a document that a guard was shown is a credential of a task: signed by this trust domain, of that
// task, not expired. Who can show one has met the task, or is it: nobody else is told of it by node agents, or
// spends its uses. Nothing here says that the task goes on, or that whoever showed the document has its key.
import { verifyPeer } from "../../client/verify.ts";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { parseJwtSvidInsecurely, validateJwtSvid } from "../../pki/jwt/svid.ts";
import type { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import { parseAccessTokenInsecurely, validateAccessToken } from "../../pki/token/access-token.ts";
import type { VerificationKey } from "../../pki/token/jwks.ts";
import { typeOf } from "../../pki/token/kinds.ts";
import { validateWitSvid } from "../../pki/wit/svid.ts";
import { parseCertificates } from "../../pki/x509/certificate.ts";
import type { AnchorsOf } from "../../pki/x509/svid.ts";
import type { Clock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";
import type { OAuthAddresses } from "../oauth/addresses.ts";
import { taskOf } from "../oauth/callers.ts";

export interface ShownOptions {
  readonly trustDomain: TrustDomain;
  readonly anchorsOf: AnchorsOf;
  readonly bundle: () => Bundle | undefined;
  /** Those of access tokens. */
  readonly keys: () => readonly VerificationKey[];
  /** Undefined when there are no access tokens. */
  readonly addresses: Pick<OAuthAddresses, "issuer" | "taskClaim"> | undefined;
  readonly clock: Clock;
}

/** An access token and what its escapes add, or a chain with its intermediates. */
const MAX_BYTES = 32_768;
/** What a guard accepted a moment ago, by its own clock. */
const LEEWAY_SECONDS = 60;
/** How DER begins, and no token does. */
const DER_SEQUENCE = 0x30;

/** Tells credentials of tasks from whatever else somebody shows. */
export class ShownCredentials {
  readonly #options: ShownOptions;

  constructor(options: ShownOptions) {
    this.#options = options;
  }

  /** Whether `shown` is a credential of the task with this ULID. @throws TASK_REQUEST_INVALID when it is too large */
  async isOf(taskId: string, shown: Uint8Array): Promise<boolean> {
    if (shown.length > MAX_BYTES) {
      throw serverError("TASK_REQUEST_INVALID", `what was shown has over ${MAX_BYTES} bytes`);
    }
    try {
      const id = await this.#subjectOf(shown);
      const { trustDomain } = this.#options;
      if (id === undefined || !id.isMemberOf(trustDomain)) return false;
      return parseTaskId(id)?.ulid === taskId;
    } catch (error) {
      if (error instanceof IdentityError && error.code !== Status.internal) return false;
      throw error;
    }
  }

  async #subjectOf(shown: Uint8Array): Promise<SpiffeId | undefined> {
    const { anchorsOf, bundle, trustDomain, addresses, clock } = this.#options;
    if (shown[0] === DER_SEQUENCE) {
      const chain = parseCertificates(shown);
      const ders = chain.map(({ der }) => der);
      const at = lastMomentOf(chain[0]?.notAfter, clock.now());
      return verifyPeer(ders, anchorsOf, at, "client").id;
    }
    const token = Buffer.from(shown).toString("latin1");
    const type = typeOf(token);
    if (type === "at+jwt") return this.#byAccessToken(token);
    const expected = { now: clock.now(), leewaySeconds: LEEWAY_SECONDS };
    const own = ({ name }: TrustDomain): Bundle | undefined =>
      name === trustDomain.name ? bundle() : undefined;
    const claim = addresses?.taskClaim ?? `${trustDomain.id}/task`;
    if (type === "wit+jwt") {
      const authoritiesOf = (of: TrustDomain) => own(of)?.witAuthorities;
      const wit = await validateWitSvid(token, { ...expected, authoritiesOf });
      return taskOf(wit, claim) ?? wit.id;
    }
    const { audience } = parseJwtSvidInsecurely(token);
    const authoritiesOf = (of: TrustDomain) => own(of)?.jwtAuthorities;
    const svid = await validateJwtSvid(token, { ...expected, audience, authoritiesOf });
    return taskOf(svid, claim) ?? svid.id;
  }

  async #byAccessToken(token: string): Promise<SpiffeId | undefined> {
    const { addresses, keys, clock } = this.#options;
    if (addresses === undefined) return undefined;
    const { audience } = parseAccessTokenInsecurely(token);
    const expected = { issuer: addresses.issuer, audience, keys: keys(), now: clock.now() };
    return (await validateAccessToken(token, { ...expected, leewaySeconds: LEEWAY_SECONDS }))
      .taskId;
  }
}

/** Now, or the end of a certificate that a guard may have accepted before it came here. */
function lastMomentOf(notAfter: Date | undefined, now: Date): Date {
  if (notAfter === undefined) return now;
  const lateMs = now.getTime() - notAfter.getTime();
  return lateMs >= 0 && lateMs < LEEWAY_SECONDS * 1000 ? new Date(notAfter.getTime() - 1) : now;
}
