// The library that a workload imports: identities from the Workload API, and TLS by SPIFFE ID.

export type { JwtAuthority, WitAuthority } from "../pki/bundle/bundle.ts";
export { IdentityError, Status } from "../pki/errors.ts";
export { SpiffeId, TrustDomain } from "../pki/spiffe-id.ts";
export {
  type AccessToken,
  type AccessTokenExpectation,
  validateAccessToken,
} from "../pki/token/access-token.ts";
export { type DpopExpectation, type DpopProof, verifyDpopProof } from "../pki/token/dpop.ts";
export { parseJwks, type VerificationKey } from "../pki/token/jwks.ts";
export { type StatusList, TokenStatus } from "../pki/token/status-list.ts";
export {
  type StatusListExpectation,
  type StatusListToken,
  type StatusReference,
  validateStatusListToken,
} from "../pki/token/status-list-token.ts";
export { type Confirmation, isConfirmedBy } from "../pki/token/thumbprint.ts";
export type { Certificate } from "../pki/x509/certificate.ts";
export type { CrlSet } from "../pki/x509/crl-set.ts";
export type { X509Svid } from "../pki/x509/svid.ts";
export type { Mandate, MandateSet } from "../policy/mandate.ts";
export type { MandateRequest } from "../policy/mandate-request.ts";
export { bearerHeader } from "./bearer.ts";
export { BundleMapFile, type BundleMapOptions } from "./bundle-map.ts";
export { ENDPOINT_VARIABLE } from "./endpoint.ts";
export * from "./fetch.ts";
export type { JwtBundles, ValidatedJwtSvid, WorkloadJwtSvid } from "./jwt-context.ts";
export { JwtSource, type SourceJwtRequest, type ValidateOptions } from "./jwt-source.ts";
export {
  type TaskClassRules,
  type TaskStatus,
  TaskStatuses,
  type TaskStatusesOptions,
  type TaskVerdict,
} from "./task-status.ts";
export { type OpenTaskOptions, openTask, type TaskRequest } from "./tasks/open.ts";
export {
  type CreateTaskRequest,
  createTask,
  type TaskFilter,
  TaskOrchestrator,
} from "./tasks/orchestrator.ts";
export type { TaskHttpRequest, TaskRequestHeaders } from "./tasks/request-headers.ts";
export type { ServerOptions } from "./tasks/server-connection.ts";
export { type CompleteOptions, Task, type TaskEnd } from "./tasks/task.ts";
export type { TaskEndState, TaskInfo, TaskState } from "./tasks/task-info.ts";
export type { AccessTokenOptions, TaskAccessToken, TaskJwtSvid } from "./tasks/task-tokens.ts";
export type { TaskTrust, TaskX509 } from "./tasks/task-x509.ts";
export { peerOf } from "./tls/admit.ts";
export {
  type Authorize,
  type AuthorizeId,
  authorizeAny,
  authorizeId,
  authorizeMemberOf,
  authorizeOneOf,
} from "./tls/authorize.ts";
export { type ConnectOptions, secureSocket, tlsConnector } from "./tls/connect.ts";
export { type HttpsAgentOptions, httpsAgent } from "./tls/https.ts";
export {
  createTlsServer,
  type ProtectOptions,
  protectServer,
  serverTlsOptions,
  type TlsServerOptions,
} from "./tls/server.ts";
export type { TlsSource } from "./tls/source.ts";
export type { TaskRule } from "./tls/task-connections.ts";
export type { Peer } from "./verify.ts";
export type { WatchOptions } from "./watch.ts";
export { type PresentWitOptions, presentWit } from "./wit/present.ts";
export {
  ReplayCache,
  type ReplayCacheOptions,
  type ReplayGuard,
  type SeenProof,
} from "./wit/replay-cache.ts";
export type { ServerRequest } from "./wit/request.ts";
export {
  type ProofForm,
  type VerifiedWit,
  type VerifyWitOptions,
  verifyWitRequest,
} from "./wit/verify.ts";
export type { WitBundles, WorkloadWitSvid } from "./wit/wit-context.ts";
export { WitSource, type WitSourceOptions } from "./wit/wit-source.ts";
export {
  type FetchOptions,
  type JwtRequest,
  type PickOptions,
  type WitRequest,
  WorkloadApi,
  type WorkloadApiOptions,
} from "./workload-api.ts";
export type { WorkloadX509Svid, X509Bundles, X509Context } from "./x509-context.ts";
export { type SourceOptions, X509Source, type X509SourceOptions } from "./x509-source.ts";
