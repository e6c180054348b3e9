// The server as the tasks of this node need it (signet.nodetask.v1), and what is checked of its answers
// before they are taken over. Implemented by agent/link/tasks.ts.

import type { IdentityError } from "../../pki/errors.ts";
import { renewAt } from "../../pki/lifetime.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import type { Certificate } from "../../pki/x509/certificate.ts";
import type { Init } from "../../proto/codec.ts";
import type { signet } from "../../proto/schema.gen.ts";
import { issuerKeyIds } from "../cache/mint.ts";
import { agentError } from "../errors.ts";

export type Task = signet.task.v1.Task;
export type ChangeRequest = Init<signet.nodetask.v1.ChangeRequest>;

/** What is asked of the server. Everything throws SERVER_UNREACHABLE, and what the server answers. */
export interface TaskServer {
  assertConnected(): void;
  open(request: Init<signet.nodetask.v1.OpenRequest>): Promise<signet.task.v1.OpenTaskResponse>;
  /** Answers in the order of the requests: a chain (DER, leaf first), or why the server refuses it. */
  signX509(
    requests: readonly { readonly taskId: string; readonly csr: Uint8Array }[],
  ): Promise<readonly (readonly Uint8Array[] | IdentityError)[]>;
  newJwtSvid(
    taskId: string,
    audience: readonly string[],
  ): Promise<signet.task.v1.FetchTaskJWTSVIDResponse>;
  /** Throws NOT_SUPPORTED where the server issues no WIT-SVIDs. */
  newWitSvid(
    taskId: string,
    key: { readonly spki: Uint8Array; readonly alg?: string },
  ): Promise<signet.task.v1.FetchTaskWITSVIDResponse>;
  issueToken(
    request: Init<signet.nodetask.v1.IssueTokenRequest>,
  ): Promise<signet.task.v1.IssueTokenResponse>;
  change(request: ChangeRequest): Promise<Task>;
  held(taskIds: readonly string[]): Promise<readonly Task[]>;
  /** Throws METHOD_UNKNOWN where the server has no such call. */
  endOrphans(
    request: Init<signet.nodetask.v1.EndOrphansRequest>,
  ): Promise<signet.nodetask.v1.EndOrphansResponse>;
  report(request: Init<signet.nodetask.v1.ReportRequest>): Promise<void>;
}

/** An X509-SVID of a task whose key the workload has. */
export interface TaskSvid {
  /** DER, one after another, leaf first. */
  readonly chain: Uint8Array;
  readonly notAfter: Date;
  readonly renewAt: Date;
  /** Key IDs (hex) of the authorities above it. */
  readonly issuerKeyIds: readonly string[];
}

/**
 * A chain as the server answered it: of this task, and for this key. A server that mixed up its answers would
 * hand one task the identity of another.
 * @throws SERVER_ANSWER_INVALID
 */
export function acceptChain(
  chain: readonly Certificate[],
  of: { readonly spiffeId: string; readonly spki: Uint8Array },
  { now, random }: { readonly now: Date; readonly random: () => number },
): TaskSvid {
  const [leaf] = chain;
  if (leaf === undefined) throw invalid(of.spiffeId, "an empty chain");
  if (leaf.uris.length !== 1 || leaf.uris[0] !== of.spiffeId) {
    throw invalid(of.spiffeId, `an SVID of ${leaf.uris.join(", ")}`);
  }
  if (Buffer.compare(leaf.spki, of.spki) !== 0) {
    throw invalid(of.spiffeId, "an SVID for another key");
  }
  const madeAt = new Date(Math.max(leaf.notBefore.getTime(), now.getTime()));
  return {
    // A copy: fields of a message are views of it, which they would keep in memory.
    chain: new Uint8Array(Buffer.concat(chain.map(({ der }) => der))),
    notAfter: leaf.notAfter,
    renewAt: renewAt(madeAt, leaf.notAfter, random()),
    issuerKeyIds: issuerKeyIds(chain),
  };
}

/**
 * A WIT-SVID as the server answered it: of this task, or (class option `identity`) of its AI agent, and for this
 * key.
 * @throws SERVER_ANSWER_INVALID, and what is wrong with it
 */
export function acceptWit<T extends { readonly token: string }>(
  answer: T,
  of: { readonly spiffeId: string; readonly spki: Uint8Array },
): T {
  const { id, confirmation } = parseWitSvidInsecurely(answer.token);
  const ids = [of.spiffeId, parseTaskId(SpiffeId.parse(of.spiffeId))?.agent];
  if (!ids.includes(id.toString())) throw invalid(of.spiffeId, `a WIT-SVID of ${id}`);
  if (Buffer.compare(confirmation.spki, of.spki) !== 0) {
    throw invalid(of.spiffeId, "a WIT-SVID for another key");
  }
  return answer;
}

function invalid(spiffeId: string, what: string): Error {
  return agentError("SERVER_ANSWER_INVALID", `the server answered task ${spiffeId} with ${what}`);
}
