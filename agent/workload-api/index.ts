// The Workload API as one service: its X.509 and JWT profiles, each of which the operator can turn off
// (Workload API s1), and the WIT profile behind its feature flag. The service is never extended (s2): new
// features are services of their own.

import type { Handlers } from "../../proto/rpc/service.ts";
import type { SpiffeWorkloadApi } from "../../proto/schema.gen.ts";
import type { FeatureFlag } from "../../runtime/feature-flags.ts";
import { agentError } from "../errors.ts";
import { type JwtOptions, jwtHandlers } from "./jwt.ts";
import { witHandlers } from "./wit.ts";
import { x509Handlers } from "./x509.ts";

export interface WorkloadApiOptions extends JwtOptions {
  readonly workloadApi: { readonly x509: boolean; readonly jwt: boolean };
  readonly featureFlags: ReadonlySet<FeatureFlag>;
}

type ApiHandlers = Handlers<typeof SpiffeWorkloadApi>;

/** The handlers of the Workload API. */
export function workloadApiHandlers(options: WorkloadApiOptions): ApiHandlers {
  const { x509, jwt } = options.workloadApi;
  return {
    ...(x509 ? x509Handlers(options) : X509_DISABLED),
    ...(jwt ? jwtHandlers(options) : JWT_DISABLED),
    ...(options.featureFlags.has("wit-svid") ? witHandlers(options) : WIT_DISABLED),
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

const WIT_DISABLED: ApiHandlers = {
  fetchWITSVID: () => endedBy(witNotServed()),
  fetchWITBundles: () => endedBy(witNotServed()),
};

function disabled(profile: "x509" | "jwt"): Error {
  return agentError("PROFILE_DISABLED", `this agent does not serve the ${profile} profile`, {
    hint: `use the other profile, or have workload_api.${profile} set to true in the agent's configuration`,
  });
}

/** What is said where the operator has not turned WIT-SVIDs on. */
export function witNotServed(): Error {
  return agentError("WIT_NOT_SERVED", "this agent does not serve WIT-SVIDs", {
    hint: "use an X509-SVID or a JWT-SVID; the standard may still change, and the operator can name it under feature_flags (wit-svid)",
  });
}

// biome-ignore lint/correctness/useYield: a stream that ends before its first message
async function* endedBy(error: Error): AsyncGenerator<never, never> {
  throw error;
}
