// spire.api.server.agent.v1.Agent: node agents attest, renew and report here; administrators list,
// show, ban and evict them, and make join tokens. How a node proves itself is server/attestation; the
// commit that admits it is store/nodes.ts; who may call what is authorize.ts.
import type { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import type { Init } from "../../proto/codec.ts";
import type { Handlers } from "../../proto/rpc/service.ts";
import type { AgentService, spire } from "../../proto/schema.gen.ts";
import { spiffeIdFromWire, spiffeIdToWire } from "../../proto/types/spiffe-id.ts";
import type { Clock } from "../../runtime/clock.ts";
import { agentFilter } from "../attestation/agent-filter.ts";
import {
  agentToWire,
  cutToSize,
  formatPageToken,
  parsePageToken,
} from "../attestation/agent-list.ts";
import { createJoinToken } from "../attestation/create-join-token.ts";
import type { NodeAttestor } from "../attestation/node-attestor.ts";
import type { Issuer } from "../ca/issuer.ts";
import { serverError } from "../errors.ts";
import type { NodeStore } from "../store/nodes.ts";
import type { TokenStore } from "../store/tokens.ts";
import { agentOf, callerName } from "./authorize.ts";

export interface AgentApiOptions {
  readonly trustDomain: TrustDomain;
  readonly nodes: NodeStore;
  readonly tokens: TokenStore;
  readonly issuer: Pick<Issuer, "issueForKey">;
  readonly attestors: ReadonlyMap<string, NodeAttestor>;
  readonly agentTtlSeconds: number;
  readonly clock: Clock;
  /** Bans an agent, and revokes what it was given. */
  readonly ban: (agentId: string, by: string) => Promise<void>;
}

type Wire = typeof AgentService;
type AttestRequest = spire.api.server.agent.v1.AttestAgentRequest;
type AttestResponse = Init<spire.api.server.agent.v1.AttestAgentResponse>;
type Svid = Init<spire.api.types.X509SVID>;

const MAX_PAGE = 1000;
const MAX_VERSION_LENGTH = 255;
const MAX_PAYLOAD_BYTES = 1024 * 1024;
/** Challenges one attestation may take: a node that never finishes must not be served for ever. */
const MAX_CHALLENGES = 16;
/** How long a node may take for each message: anyone can open such a stream and leave it. */
const MESSAGE_TIMEOUT_MS = 30_000;

/** The handlers of the service. */
export function agentHandlers(options: AgentApiOptions): Handlers<Wire> {
  const { nodes, trustDomain } = options;
  return {
    attestAgent: (requests) => attest(requests, options),
    renewAgent: ({ params }, context) => renew(params?.csr, agentOf(context), options),
    async postStatus({ agentVersion }, context) {
      if (agentVersion.length > MAX_VERSION_LENGTH) {
        throw serverError("AGENT_VERSION_INVALID", "the version is longer than 255 characters");
      }
      await nodes.setVersion(agentOf(context).toString(), agentVersion);
      return {};
    },
    async countAgents({ filter }) {
      const passes = agentFilter(filter);
      let count = 0;
      for (const node of nodes.values()) if (passes(node)) count++;
      return { count };
    },
    async listAgents({ filter, outputMask, pageSize, pageToken }) {
      const after = parsePageToken(pageToken);
      const limit = pageSize > 0 ? Math.min(pageSize, MAX_PAGE) : MAX_PAGE;
      const where = agentFilter(filter);
      const page = nodes.list({ where, limit, ...(after !== undefined && { after }) });
      const { fitting, next } = cutToSize(page.nodes, page.next);
      return {
        agents: fitting.map((node) => agentToWire(node, outputMask)),
        nextPageToken: next === undefined ? "" : formatPageToken(next),
      };
    },
    async getAgent({ id, outputMask }) {
      const name = agentIdFromWire(id, trustDomain);
      const node = nodes.get(name);
      if (node === undefined) {
        throw serverError("AGENT_NOT_FOUND", `no agent has the SPIFFE ID "${name}"`, {
          hint: "list the agents with 'signet agent list'",
        });
      }
      return agentToWire(node, outputMask);
    },
    async deleteAgent({ id }) {
      await nodes.delete(agentIdFromWire(id, trustDomain));
      return {};
    },
    async banAgent({ id }, context) {
      await options.ban(agentIdFromWire(id, trustDomain), callerName(context));
      return {};
    },
    createJoinToken: (request) => createJoinToken(request, options),
  };
}

async function* attest(
  requests: AsyncIterable<AttestRequest>,
  options: AgentApiOptions,
): AsyncGenerator<AttestResponse, void, undefined> {
  const iterator = requests[Symbol.asyncIterator]();
  const { clock } = options;
  const first = await inTime(iterator.next(), clock);
  const params = first.done === true ? undefined : first.value.params;
  const { data, csr } = checkParams(params);
  const attestor = options.attestors.get(data.type);
  if (attestor === undefined) {
    throw serverError(
      "ATTESTATION_TYPE_UNKNOWN",
      `there is no node attestor ${JSON.stringify(data.type.slice(0, 64))}`,
      { hint: `use one of ${[...options.attestors.keys()].join(", ")}` },
    );
  }
  const { spki } = parseCsr(csr);
  const proof = attestor.attest(data.payload);
  let step = await proof.next();
  for (let challenges = 0; step.done !== true; challenges++) {
    if (challenges === MAX_CHALLENGES) throw invalid("it takes too many challenges");
    yield { challenge: step.value };
    const answer = await inTime(iterator.next(), clock);
    const response = answer.done === true ? undefined : answer.value.challengeResponse;
    if (response === undefined) throw invalid("a challenge was not answered");
    step = await proof.next(response);
  }
  const { agentId, selectors, canReattest, joinToken } = step.value;
  if (options.nodes.get(agentId.toString())?.banned === true) {
    throw serverError("AGENT_BANNED", `agent "${agentId}" is banned`);
  }
  const ttlSeconds = options.agentTtlSeconds;
  const { chain, leaf } = await options.issuer.issueForKey({ spki, spiffeId: agentId, ttlSeconds });
  // The certificate leaves this process only once the commit that makes it good has succeeded.
  await options.nodes.attest(
    {
      id: agentId.toString(),
      attestationType: attestor.type,
      serial: leaf.serialDecimal,
      notAfterUnixSeconds: unixSeconds(leaf.notAfter),
      selectors,
      canReattest,
      agentVersion: "",
    },
    joinToken,
  );
  const svid = svidToWire(agentId, chain, leaf.notAfter);
  yield { result: { svid, reattestable: canReattest } };
}

async function inTime<T>(message: Promise<T>, clock: Clock): Promise<T> {
  const late = Promise.withResolvers<never>();
  using _timer = clock.setTimer(MESSAGE_TIMEOUT_MS, () =>
    late.reject(invalid("the next message did not come in time")),
  );
  return await Promise.race([message, late.promise]);
}

function checkParams(params: spire.api.server.agent.v1.AttestAgentRequest.Params | undefined): {
  readonly data: spire.api.types.AttestationData;
  readonly csr: Uint8Array;
} {
  if (params === undefined) throw invalid("the first message has no params");
  const { data } = params;
  const csr = params.params?.csr;
  if (data === undefined) throw invalid("there is no attestation data");
  if (data.type === "") throw invalid("there is no attestation type");
  if (data.payload.length === 0) throw invalid("the payload is empty");
  if (data.payload.length > MAX_PAYLOAD_BYTES) throw invalid("the payload is too large");
  if (csr === undefined || csr.length === 0) throw invalid("there is no certificate request");
  return { data, csr };
}

async function renew(
  csr: Uint8Array | undefined,
  agentId: SpiffeId,
  { nodes, issuer, agentTtlSeconds }: AgentApiOptions,
): Promise<{ readonly svid: Svid }> {
  if (csr === undefined || csr.length === 0) throw invalid("there is no certificate request");
  const name = agentId.toString();
  if (nodes.get(name)?.canReattest === true) {
    throw serverError("AGENT_MUST_REATTEST", `agent "${name}" attests again instead of renewing`);
  }
  const { spki } = parseCsr(csr);
  const order = { spki, spiffeId: agentId, ttlSeconds: agentTtlSeconds };
  const { chain, leaf } = await issuer.issueForKey(order);
  await nodes.renew(name, {
    serial: leaf.serialDecimal,
    notAfterUnixSeconds: unixSeconds(leaf.notAfter),
  });
  return { svid: svidToWire(agentId, chain, leaf.notAfter) };
}

function agentIdFromWire(
  wire: spire.api.types.SPIFFEID | undefined,
  trustDomain: TrustDomain,
): string {
  const id = spiffeIdFromWire(wire);
  if (!id.isMemberOf(trustDomain) || !id.path.startsWith("/spire/agent/")) {
    throw serverError("AGENT_ID_INVALID", `"${id}" is not the SPIFFE ID of an agent here`, {
      hint: `agents of this server are below ${trustDomain.id}/spire/agent/`,
    });
  }
  return id.toString();
}

function svidToWire(id: SpiffeId, certChain: readonly Uint8Array[], notAfter: Date): Svid {
  return { id: spiffeIdToWire(id), certChain, expiresAt: unixSeconds(notAfter) };
}

function unixSeconds(moment: Date): number {
  return Math.floor(moment.getTime() / 1000);
}

function invalid(problem: string): Error {
  return serverError("ATTESTATION_INVALID", `malformed attestation: ${problem}`);
}
