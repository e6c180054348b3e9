// The WIT-SVID of a task, which names the task's own key: whoever takes it asks for a proof by that key with
// each request. How it is presented: client/wit/present.ts.

import type { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import { parseWitSvidInsecurely } from "../../pki/wit/svid.ts";
import type { signet } from "../../proto/schema.gen.ts";
import { invalid, missing, reading } from "../response.ts";
import type { WorkloadWitSvid } from "../wit/wit-context.ts";
import type { TaskKey } from "./task-key.ts";

/**
 * Reads an answer of FetchTaskWITSVID.
 * @throws WORKLOAD_API_RESPONSE_INVALID also when it is of another task, or for another key
 */
export function readTaskWit(
  { token }: signet.task.v1.FetchTaskWITSVIDResponse,
  { proofKey: key }: Pick<TaskKey, "proofKey">,
  task: SpiffeId,
): WorkloadWitSvid {
  return reading("FetchTaskWITSVIDResponse", () => {
    if (token === "") throw missing("token");
    // Not verified: it comes straight from the agent, whom this task trusts with its life as well.
    const { id, confirmation, issuedAt, expiresAt } = parseWitSvidInsecurely(token);
    // A class may have the AI agent's own ID in tokens, with the task in a claim.
    if (!id.equals(task) && id.toString() !== parseTaskId(task)?.agent) {
      throw invalid(`the WIT-SVID is of ${id}, not of ${task}`);
    }
    if (Buffer.compare(confirmation.spki, key.spki) !== 0 || confirmation.alg !== key.alg) {
      throw invalid("the WIT-SVID names another key than the task's");
    }
    return { id, token, key, issuedAt, expiresAt, hint: "" };
  });
}
