// The Workload API as one service: its X.509 and JWT profiles, and the WIT profile, which is not built
// and says so. The service is never extended (Workload API s2): new features are services of their own.

import type { Handlers } from "../../proto/rpc/service.ts";
import type { SpiffeWorkloadApi } from "../../proto/schema.gen.ts";
import { agentError } from "../errors.ts";
import { type JwtOptions, jwtHandlers } from "./jwt.ts";
import { x509Handlers } from "./x509.ts";

export type WorkloadApiOptions = JwtOptions;

/** The handlers of the Workload API. */
export function workloadApiHandlers(
  options: WorkloadApiOptions,
): Handlers<typeof SpiffeWorkloadApi> {
  return {
    ...x509Handlers(options),
    ...jwtHandlers(options),
    fetchWITSVID: notServed,
    fetchWITBundles: notServed,
  };
}

// biome-ignore lint/correctness/useYield: a stream that ends before its first message
async function* notServed(): AsyncGenerator<never, never> {
  throw agentError("WIT_NOT_SERVED", "this agent does not serve WIT-SVIDs", {
    hint: "use an X509-SVID or a JWT-SVID",
  });
}
