// The Workload API as one service: its X.509 and JWT profiles, each of which the operator can turn off
// (Workload API s1), and the WIT profile, which is not built and says so. The service is never extended
// (s2): new features are services of their own.

import type { Handlers } from "../../proto/rpc/service.ts";
import type { SpiffeWorkloadApi } from "../../proto/schema.gen.ts";
import { agentError } from "../errors.ts";
import { type JwtOptions, jwtHandlers } from "./jwt.ts";
import { x509Handlers } from "./x509.ts";

export interface WorkloadApiOptions extends JwtOptions {
  readonly workloadApi: { readonly x509: boolean; readonly jwt: boolean };
}

type ApiHandlers = Handlers<typeof SpiffeWorkloadApi>;

/** The handlers of the Workload API. */
export function workloadApiHandlers(options: WorkloadApiOptions): ApiHandlers {
  const { x509, jwt } = options.workloadApi;
  return {
    ...(x509 ? x509Handlers(options) : X509_DISABLED),
    ...(jwt ? jwtHandlers(options) : JWT_DISABLED),
    fetchWITSVID: notServed,
    fetchWITBundles: notServed,
  };
}

const X509_DISABLED: ApiHandlers = {
  fetchX509SVID: () => endedBy(disabled("x509")),
  fetchX509Bundles: () => endedBy(disabled("x509")),
};

const JWT_DISABLED: ApiHandlers = {
  fetchJWTSVID: () => Promise.reject(disabled("jwt")),
  fetchJWTBundles: () => endedBy(disabled("jwt")),
  validateJWTSVID: () => Promise.reject(disabled("jwt")),
};

function disabled(profile: "x509" | "jwt"): Error {
  return agentError("PROFILE_DISABLED", `this agent does not serve the ${profile} profile`, {
    hint: `use the other profile, or have workload_api.${profile} set to true in the agent's configuration`,
  });
}

function notServed(): AsyncGenerator<never, never> {
  return endedBy(
    agentError("WIT_NOT_SERVED", "this agent does not serve WIT-SVIDs", {
      hint: "use an X509-SVID or a JWT-SVID",
    }),
  );
}

// biome-ignore lint/correctness/useYield: a stream that ends before its first message
async function* endedBy(error: Error): AsyncGenerator<never, never> {
  throw error;
}
