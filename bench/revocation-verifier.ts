// The other end of revocation.ts, a process of its own: follows the Workload API as every workload does,
// and says when it is that it refuses an SVID. Moments are of the machine's monotonic clock, which all
// processes share.
import { verifyPeer } from "../client/verify.ts";
import { X509Source } from "../client/x509-source.ts";
import { IdentityError } from "../pki/errors.ts";

/** An SVID to judge from now on: its chain, DER in base64. */
export interface Target {
  readonly chain: readonly string[];
}

/** "armed": the target is good so far. "refused": since when it is not, in nanoseconds. */
export type Verdict = { readonly armed: true } | { readonly refusedAt: string };

const source = await X509Source.start();
let chain: readonly Uint8Array[] | undefined;

function isRefused(judged: readonly Uint8Array[]): boolean {
  try {
    verifyPeer(judged, source.anchorsOf, new Date(), "client", source.crls());
    return false;
  } catch (error) {
    if (error instanceof IdentityError && error.reason === "SVID_REVOKED") return true;
    throw error;
  }
}

source.onChange(() => {
  if (chain === undefined || !isRefused(chain)) return;
  chain = undefined;
  say({ refusedAt: String(process.hrtime.bigint()) });
});

process.on("message", (target: Target) => {
  chain = target.chain.map((der) => Buffer.from(der, "base64"));
  if (isRefused(chain)) throw new Error("a target is revoked before anybody revoked it");
  say({ armed: true });
});

function say(verdict: Verdict): void {
  process.send?.(verdict);
}
