// Node attestation, the agent's side of Agent/AttestAgent, and the renewal of what it gave. What comes back
// is checked before it is taken over: the key, the name, and that the bundle vouches for it.

import type { KeyObject } from "node:crypto";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { generateP256KeyPair, type KeyPair } from "../../pki/keys.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { type Certificate, parseCertificate } from "../../pki/x509/certificate.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { AgentService, BundleService, type spire } from "../../proto/schema.gen.ts";
import { bundleFromWire } from "../../proto/types/bundle.ts";
import type { NodeAttestor } from "../attestation/index.ts";
import { agentError } from "../errors.ts";
import type { Connection } from "./dial.ts";

/** An identity that the server gave this agent. */
export interface GrantedSvid {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
  readonly canReattest: boolean;
}

export interface AttestOptions {
  readonly connection: Connection;
  readonly trustDomain: TrustDomain;
  readonly attestor: NodeAttestor;
  /** The connection was not verified: the bundle must at least vouch for the server itself. */
  readonly insecure: boolean;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** Servers slow attestations down by waiting: this is no time for haste. */
const ATTEST_TIMEOUT_MS = 60_000;
const RENEW_TIMEOUT_MS = 30_000;
const MAX_CHALLENGES = 16;

/**
 * Attests this node and fetches the bundle over the same connection.
 * @throws ATTESTATION_REFUSED, AGENT_BANNED (by the server), SERVER_ANSWER_INVALID, what the connection fails with
 */
export async function attestNode(
  options: AttestOptions,
): Promise<{ svid: GrantedSvid; bundle: Bundle }> {
  const { connection, trustDomain, insecure, now, signal } = options;
  const keyPair = generateP256KeyPair();
  const payload = await options.attestor.payload();
  const result = await exchange(options, payload, createCsr(keyPair));
  const wire = await connection.channel
    .client(BundleService)
    .getBundle({}, { signal, timeoutMs: RENEW_TIMEOUT_MS });
  const bundle = bundleFromWire(wire);
  if (bundle.trustDomain.name !== trustDomain.name) {
    throw invalid(`a bundle of the trust domain "${bundle.trustDomain}"`);
  }
  const chain = checkGranted(result.svid, keyPair, trustDomain);
  const anchors = bundle.x509Authorities.map(({ der }) => parseCertificate(der));
  assertVouched(chain, trustDomain, anchors, now());
  if (insecure) assertVouched(connection.serverChain(), trustDomain, anchors, now());
  return {
    svid: { chain, privateKey: keyPair.privateKey, canReattest: result.reattestable },
    bundle,
  };
}

/** Renews the agent's SVID with a new key over its own connection. */
export async function renewNode(
  options: Omit<AttestOptions, "attestor" | "insecure">,
  canReattest: boolean,
): Promise<GrantedSvid> {
  const keyPair = generateP256KeyPair();
  const { svid } = await options.connection.channel
    .client(AgentService)
    .renewAgent(
      { params: { csr: createCsr(keyPair) } },
      { signal: options.signal, timeoutMs: RENEW_TIMEOUT_MS },
    );
  const chain = checkGranted(svid, keyPair, options.trustDomain);
  return { chain, privateKey: keyPair.privateKey, canReattest };
}

async function exchange(
  { connection, attestor, signal }: AttestOptions,
  payload: Uint8Array,
  csr: Uint8Array,
): Promise<spire.api.server.agent.v1.AttestAgentResponse.Result> {
  const call = connection.channel
    .client(AgentService)
    .attestAgent({ signal, timeoutMs: ATTEST_TIMEOUT_MS });
  try {
    await call.send({ params: { data: { type: attestor.type, payload }, params: { csr } } });
    let challenges = 0;
    for await (const { challenge, result } of call.responses) {
      if (result !== undefined) {
        call.end();
        return result;
      }
      challenges += 1;
      if (challenge === undefined || challenges > MAX_CHALLENGES) break;
      await call.send({ challengeResponse: await attestor.respond(challenge) });
    }
  } catch (error) {
    throw refusal(error, attestor.type);
  }
  throw invalid("neither an identity nor a challenge");
}

const REFUSALS: ReadonlySet<Status> = new Set([
  Status.invalidArgument,
  Status.permissionDenied,
  Status.failedPrecondition,
  Status.notFound,
  Status.unauthenticated,
]);

/** A server that said no will say so again: told apart from one that could not be asked. */
function refusal(error: unknown, type: string): unknown {
  const isRefusal = error instanceof IdentityError && REFUSALS.has(error.code);
  if (!isRefusal || error.reason === "AGENT_BANNED") return error;
  return agentError(
    "ATTESTATION_REFUSED",
    `the server refused this node's ${type} attestation: ${error.message}`,
    { hint: error.hint ?? "make a new join token with 'signet token generate'", cause: error },
  );
}

function checkGranted(
  svid: spire.api.types.X509SVID | undefined,
  keyPair: KeyPair,
  trustDomain: TrustDomain,
): readonly Uint8Array[] {
  // Copies: the fields are views of the whole message, which they would keep in memory.
  const chain = (svid?.certChain ?? []).map((der) => new Uint8Array(der));
  const [first] = chain;
  if (first === undefined) throw invalid("an empty chain");
  const leaf = parseCertificate(first);
  if (Buffer.compare(leaf.spki, keyPair.spki) !== 0) throw invalid("an SVID for another key");
  const [uri = ""] = leaf.uris;
  if (leaf.uris.length !== 1 || !uri.startsWith(`${trustDomain.id}/spire/agent/`)) {
    throw invalid(`an SVID of "${leaf.uris.join(", ")}"`);
  }
  return chain;
}

function assertVouched(
  chain: readonly Uint8Array[],
  trustDomain: TrustDomain,
  anchors: readonly Certificate[],
  now: Date,
): void {
  validateX509Svid(chain, (other) => (other.name === trustDomain.name ? anchors : undefined), now);
}

function invalid(what: string): IdentityError {
  return agentError("SERVER_ANSWER_INVALID", `the server answered the attestation with ${what}`);
}
