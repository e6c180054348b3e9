// Generated from the .proto files by proto/generate.ts (`npm run generate`); a test compares. Do not edit.
// Types of messages live in ambient namespaces by package; the Workload API, which has none, in `workload`.

import { type Codec, Schema } from "./codec.ts";
import { type Method, type Service, serviceOf } from "./rpc/service.ts";

export declare namespace google.protobuf {
  interface Any {
    /** "type.googleapis.com/" and the full name. */
    readonly typeUrl: string;
    readonly value: Uint8Array;
  }
  /** 0 NULL_VALUE */
  type NullValue = number;
  interface Struct {
    readonly fields: Readonly<Record<string, google.protobuf.Value>>;
  }
  interface Value {
    readonly nullValue: google.protobuf.NullValue | undefined;
    readonly numberValue: number | undefined;
    readonly stringValue: string | undefined;
    readonly boolValue: boolean | undefined;
    readonly structValue: google.protobuf.Struct | undefined;
    readonly listValue: google.protobuf.ListValue | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly kind: "nullValue" | "numberValue" | "stringValue" | "boolValue" | "structValue" | "listValue" | undefined;
  }
  interface ListValue {
    readonly values: readonly google.protobuf.Value[];
  }
  interface BoolValue {
    readonly value: boolean;
  }
  interface StringValue {
    readonly value: string;
  }
  interface Empty {
  }
}

export declare namespace google.rpc {
  interface Status {
    readonly code: number;
    readonly message: string;
    readonly details: readonly google.protobuf.Any[];
  }
  /** The stable reason of an error, for programs to branch on. */
  interface ErrorInfo {
    readonly reason: string;
    readonly domain: string;
    readonly metadata: Readonly<Record<string, string>>;
  }
}

export declare namespace grpc.health.v1 {
  interface HealthCheckRequest {
    /** Empty: the server as a whole. */
    readonly service: string;
  }
  interface HealthCheckResponse {
    readonly status: grpc.health.v1.HealthCheckResponse.ServingStatus;
  }
  namespace HealthCheckResponse {
    /** 0 UNKNOWN, 1 SERVING, 2 NOT_SERVING, 3 SERVICE_UNKNOWN */
    type ServingStatus = number;
  }
  interface HealthListRequest {
  }
  interface HealthListResponse {
    readonly statuses: Readonly<Record<string, grpc.health.v1.HealthCheckResponse>>;
  }
}

export declare namespace grpc.reflection.v1alpha {
  interface ServerReflectionRequest {
    readonly host: string;
    readonly fileByFilename: string | undefined;
    readonly fileContainingSymbol: string | undefined;
    readonly fileContainingExtension: grpc.reflection.v1alpha.ExtensionRequest | undefined;
    readonly allExtensionNumbersOfType: string | undefined;
    readonly listServices: string | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly messageRequest: "fileByFilename" | "fileContainingSymbol" | "fileContainingExtension" | "allExtensionNumbersOfType" | "listServices" | undefined;
  }
  interface ExtensionRequest {
    readonly containingType: string;
    readonly extensionNumber: number;
  }
  interface ServerReflectionResponse {
    readonly validHost: string;
    readonly originalRequest: grpc.reflection.v1alpha.ServerReflectionRequest;
    readonly fileDescriptorResponse: grpc.reflection.v1alpha.FileDescriptorResponse | undefined;
    readonly allExtensionNumbersResponse: grpc.reflection.v1alpha.ExtensionNumberResponse | undefined;
    readonly listServicesResponse: grpc.reflection.v1alpha.ListServiceResponse | undefined;
    readonly errorResponse: grpc.reflection.v1alpha.ErrorResponse | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly messageResponse: "fileDescriptorResponse" | "allExtensionNumbersResponse" | "listServicesResponse" | "errorResponse" | undefined;
  }
  interface FileDescriptorResponse {
    /** Serialized FileDescriptorProto: the file asked for, and what it imports. */
    readonly fileDescriptorProto: readonly Uint8Array[];
  }
  interface ExtensionNumberResponse {
    readonly baseTypeName: string;
    readonly extensionNumber: readonly number[];
  }
  interface ListServiceResponse {
    readonly service: readonly grpc.reflection.v1alpha.ServiceResponse[];
  }
  interface ServiceResponse {
    readonly name: string;
  }
  interface ErrorResponse {
    readonly errorCode: number;
    readonly errorMessage: string;
  }
}

export declare namespace grpc.reflection.v1 {
  interface ServerReflectionRequest {
    readonly host: string;
    readonly fileByFilename: string | undefined;
    readonly fileContainingSymbol: string | undefined;
    readonly fileContainingExtension: grpc.reflection.v1.ExtensionRequest | undefined;
    readonly allExtensionNumbersOfType: string | undefined;
    readonly listServices: string | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly messageRequest: "fileByFilename" | "fileContainingSymbol" | "fileContainingExtension" | "allExtensionNumbersOfType" | "listServices" | undefined;
  }
  interface ExtensionRequest {
    readonly containingType: string;
    readonly extensionNumber: number;
  }
  interface ServerReflectionResponse {
    readonly validHost: string;
    readonly originalRequest: grpc.reflection.v1.ServerReflectionRequest;
    readonly fileDescriptorResponse: grpc.reflection.v1.FileDescriptorResponse | undefined;
    readonly allExtensionNumbersResponse: grpc.reflection.v1.ExtensionNumberResponse | undefined;
    readonly listServicesResponse: grpc.reflection.v1.ListServiceResponse | undefined;
    readonly errorResponse: grpc.reflection.v1.ErrorResponse | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly messageResponse: "fileDescriptorResponse" | "allExtensionNumbersResponse" | "listServicesResponse" | "errorResponse" | undefined;
  }
  interface FileDescriptorResponse {
    /** Serialized FileDescriptorProto: the file asked for, and what it imports. */
    readonly fileDescriptorProto: readonly Uint8Array[];
  }
  interface ExtensionNumberResponse {
    readonly baseTypeName: string;
    readonly extensionNumber: readonly number[];
  }
  interface ListServiceResponse {
    readonly service: readonly grpc.reflection.v1.ServiceResponse[];
  }
  interface ServiceResponse {
    readonly name: string;
  }
  interface ErrorResponse {
    readonly errorCode: number;
    readonly errorMessage: string;
  }
}

export declare namespace signet.audit.v1 {
  /** What happened. Who writes it down gives it a stream, a number and a place in the tree. */
  interface Event {
    /** A ULID, made by who saw it: an event that is sent again is the same event. */
    readonly id: string;
    /** Milliseconds since the Unix epoch. */
    readonly timeMs: number;
    /** identity, task, decision, tool_call, secret_access, data_retrieval, downstream_call, escalation, admin. */
    readonly stream: string;
    /** Such as "task.opened". */
    readonly type: string;
    /** "ok", "denied" or "failed". */
    readonly outcome: string;
    /** issuer, node, guard or agent. Set by who writes it down. */
    readonly observedBy: string;
    /** SPIFFE ID of the observer. Set by who writes it down. */
    readonly observer: string;
    readonly agent: string;
    /** SPIFFE ID of the task. */
    readonly task: string;
    readonly root: string;
    readonly parent: string;
    readonly principal: string;
    readonly action: string;
    readonly resource: string;
    readonly destination: string;
    readonly decisionId: string;
    readonly policyHash: string;
    readonly credential: signet.audit.v1.Credential;
    /** SHA-256 of the canonical arguments, hexadecimal. */
    readonly argsDigest: string;
    readonly assurance: string;
    readonly traceId: string;
    /** Of the error, when there was one. */
    readonly reason: string;
    /** More, by name: never a token, a key or a secret. */
    readonly detail: Readonly<Record<string, string>>;
  }
  interface Credential {
    /** x509-svid, jwt-svid, wit-svid or access-token. */
    readonly kind: string;
    /** The serial number or the jti. */
    readonly name: string;
    /** Of the document, hexadecimal. */
    readonly sha256: string;
  }
  interface AppendRequest {
    readonly events: readonly signet.audit.v1.Event[];
  }
  interface AppendResponse {
  }
  interface TailRequest {
    readonly streams: readonly string[];
    /** A ULID or a whole SPIFFE ID: events of the task alone, or of those that came from it with `tree`. */
    readonly task: string;
    readonly tree: boolean;
    /** The newest so many of what is there already; 0: all. */
    readonly last: number;
    /** Go on with those to come. */
    readonly follow: boolean;
    readonly type: string;
  }
  interface TailResponse {
    readonly events: readonly signet.audit.v1.LoggedEvent[];
  }
  /** An event as it stands in the log. */
  interface LoggedEvent {
    /** Its place in the Merkle tree, from 0. */
    readonly index: number | bigint;
    /** The line as it is in the file, without the line end: what is hashed. */
    readonly line: Uint8Array;
  }
  interface CheckpointRequest {
  }
  interface CheckpointResponse {
    /** A C2SP signed note. */
    readonly note: string;
    /** The verifier key, as in C2SP signed notes. */
    readonly verifierKey: string;
  }
  interface ProveRequest {
    /** Of an event. */
    readonly eventId: string;
    /** The size of an older checkpoint, to prove that the newest only adds to it; 0: none. */
    readonly oldSize: number | bigint;
  }
  interface ProveResponse {
    readonly event: signet.audit.v1.LoggedEvent;
    /** A signed note; the proofs are for its tree. */
    readonly note: string;
    readonly inclusion: readonly Uint8Array[];
    readonly consistency: readonly Uint8Array[];
  }
}

export declare namespace signet.federation.v1 {
  interface ListRelationshipsRequest {
    /** One trust domain, or all when empty. */
    readonly trustDomain: string;
    readonly pageSize: number;
    readonly pageToken: string;
  }
  interface ListRelationshipsResponse {
    /** By the trust domain's name. */
    readonly relationships: readonly signet.federation.v1.Relationship[];
    readonly nextPageToken: string;
  }
  /** Moments are seconds since the Unix epoch, 0 when there is none. */
  interface Relationship {
    readonly trustDomain: string;
    readonly bundleEndpointUrl: string;
    /** "https_web" or "https_spiffe". */
    readonly bundleEndpointProfile: string;
    /** With https_spiffe. */
    readonly endpointSpiffeId: string;
    /** From the configuration, over one of the API with the same name. */
    readonly static: boolean;
    /** Of the API: when it was created. */
    readonly createdAt: number;
    /** Whether there is a bundle of the trust domain, by fetching or by hand. */
    readonly hasBundle: boolean;
    /** Decimal, since it may need 64 bits; empty when the bundle came without one. */
    readonly sequence: string;
    readonly lastAttempt: number;
    readonly lastSuccess: number;
    /** Of the last attempt, empty when it succeeded. */
    readonly lastError: string;
    readonly nextPoll: number;
  }
}

export declare namespace signet.guard.v1 {
  interface WatchStatusRequest {
  }
  interface WatchStatusResponse {
    /** True in the first message: forget what was known before. It may come in several pages. */
    readonly reset: boolean;
    readonly tasks: readonly signet.link.v1.TaskStatus[];
    readonly classes: readonly signet.link.v1.TaskClassRules[];
    /** Whether the node agent hears the server now. What is not fresh counts for less: TaskClassRules. */
    readonly fresh: boolean;
    /** The first message, or the last page of it, and every one after it. */
    readonly complete: boolean;
  }
  interface DescribeTaskRequest {
    /** A ULID or a whole SPIFFE ID. */
    readonly id: string;
    /** What the task has shown to the caller: its X509-SVID (DER, one after another, leaf first), or a token as it came. Whoever was never shown anything by a task is told nothing of it. Not needed on a task's own socket. */
    readonly shown: Uint8Array;
  }
  interface DescribeTaskResponse {
    /** Absent: there is no such task. */
    readonly task: signet.task.v1.Task;
  }
  interface SpendUsesRequest {
    readonly taskId: string;
    readonly count: number;
    /** Random; spent once however often it is sent within ten minutes. */
    readonly spendId: string;
    /** As in DescribeTaskRequest. */
    readonly shown: Uint8Array;
  }
  interface SpendUsesResponse {
    readonly granted: boolean;
  }
  interface RecordRequest {
    readonly events: readonly signet.audit.v1.Event[];
  }
  interface RecordResponse {
  }
}

export declare namespace signet.launch.v1 {
  interface OpenRequest {
    readonly start: signet.launch.v1.Start | undefined;
    readonly started: signet.launch.v1.Started | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly step: "start" | "started" | undefined;
  }
  interface Start {
    readonly name: string;
  }
  interface Started {
    /** A child of the caller, which waits to be admitted. */
    readonly pid: number;
  }
  interface OpenResponse {
    readonly ready: signet.launch.v1.Ready | undefined;
    readonly admitted: signet.launch.v1.Admitted | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly step: "ready" | "admitted" | undefined;
  }
  interface Ready {
    /** The private Workload API socket, an absolute path. */
    readonly socketPath: string;
  }
  interface Admitted {
  }
}

export declare namespace signet.link.v1 {
  /** 0 GOOD, 1 REFUSED, 2 ENDED */
  type TaskVerdict = number;
  /** A place in the server's log of changes. */
  interface Cursor {
    /** Which store: a cursor of another one is worth nothing. */
    readonly epoch: string;
    readonly revision: number;
  }
  interface WatchRequest {
    /** First, once. */
    readonly hello: signet.link.v1.Hello | undefined;
    readonly ack: signet.link.v1.Ack | undefined;
    readonly ping: signet.link.v1.Ping | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly step: "hello" | "ack" | "ping" | undefined;
  }
  interface Hello {
    /** Of the link's messages; 1 now. */
    readonly version: number;
    readonly agentVersion: string;
    /** Where the agent stopped; absent: it holds nothing. */
    readonly cursor: signet.link.v1.Cursor;
  }
  /** The agent wants to hear how things stand now: answered with a delta, empty when nothing has changed. */
  interface Ping {
  }
  /** Everything up to the cursor is applied, its bundles pushed to workloads. */
  interface Ack {
    readonly cursor: signet.link.v1.Cursor;
  }
  interface WatchResponse {
    /** First, once. */
    readonly welcome: signet.link.v1.Welcome | undefined;
    readonly snapshot: signet.link.v1.Snapshot | undefined;
    readonly delta: signet.link.v1.Delta | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly step: "welcome" | "snapshot" | "delta" | undefined;
  }
  interface Welcome {
    readonly version: number;
    /** True: deltas from the agent's cursor follow. False: a snapshot follows. */
    readonly resumed: boolean;
    readonly serverVersion: string;
  }
  /** One page of everything the agent may serve. */
  interface Snapshot {
    readonly entries: readonly spire.api.types.Entry[];
    readonly bundles: readonly spire.api.types.Bundle[];
    readonly last: boolean;
    /** On the last page only. */
    readonly cursor: signet.link.v1.Cursor;
    /** All that still matter. */
    readonly crls: readonly signet.link.v1.Crl[];
    readonly tokens: readonly signet.link.v1.TokenRevocation[];
    /** For each of the entries, in their order: see Delta. */
    readonly entryOrders: readonly number[];
    /** All that are to be refused and whose credentials may still be good. */
    readonly tasks: readonly signet.link.v1.TaskStatus[];
    /** Of every class. On the first page. */
    readonly taskClasses: readonly signet.link.v1.TaskClassRules[];
  }
  interface Delta {
    /** New or changed. */
    readonly entries: readonly spire.api.types.Entry[];
    readonly removedEntryIds: readonly string[];
    readonly bundles: readonly spire.api.types.Bundle[];
    /** Bare trust domain names. */
    readonly removedBundles: readonly string[];
    readonly cursor: signet.link.v1.Cursor;
    /** New, or in place of the one of the same authority. */
    readonly crls: readonly signet.link.v1.Crl[];
    /** IDs of authorities whose list is empty again. */
    readonly removedCrls: readonly string[];
    /** New ones; none is ever taken back, each ends when it expires. */
    readonly tokens: readonly signet.link.v1.TokenRevocation[];
    /** What the server refused because it was held back may be had again: to be asked for now. */
    readonly reask: boolean;
    /** For each of the entries, in their order: grows with every entry that is made, 0 when it is not known. Of a caller's entries the one with the smallest is the default identity. */
    readonly entryOrders: readonly number[];
    /** New states, of tasks from anywhere; of those that this agent holds also versions of tasks that go on. */
    readonly tasks: readonly signet.link.v1.TaskStatus[];
    /** New or changed classes. */
    readonly taskClasses: readonly signet.link.v1.TaskClassRules[];
    readonly removedTaskClasses: readonly string[];
  }
  /** The revocation list of an X.509 authority of the agent's own trust domain. */
  interface Crl {
    /** The authority's subject key ID: hexadecimal digits. */
    readonly authorityId: string;
    /** RFC 5280 CertificateList, DER. */
    readonly der: Uint8Array;
  }
  /** JWT-SVIDs and WIT-SVIDs that are to be refused. */
  interface TokenRevocation {
    readonly jti: string | undefined;
    /** The first 16 bytes of the SHA-256 of a token's signing input, which is its text up to the last dot. */
    readonly digest: Uint8Array | undefined;
    /** Whole, with scheme: the tokens of this ID that are old enough. */
    readonly spiffeId: string | undefined;
    /** Seconds since the Unix epoch, with spiffe_id: tokens issued then (iat) or before. */
    readonly issuedUntil: number;
    /** Seconds since the Unix epoch: by then every such token has expired. */
    readonly expiresAt: number;
    /** Which one is set; derived, so never needed to encode. */
    readonly what: "jti" | "digest" | "spiffeId" | undefined;
  }
  /** What verifiers must know of a task. */
  interface TaskStatus {
    /** A ULID. */
    readonly taskId: string;
    /** Whole. */
    readonly spiffeId: string;
    readonly verdict: signet.link.v1.TaskVerdict;
    /** Grows with every change of the task: the greater one counts. */
    readonly version: number | bigint;
    /** Seconds since the Unix epoch: by then each of its credentials has expired. */
    readonly forgetAt: number;
    /** Why, for people: the state's name. */
    readonly state: string;
    /** The words of whoever brought it into this state: one line, at most 200 characters. "" when there are none. */
    readonly reason: string;
  }
  /** What a guard must know of a class. */
  interface TaskClassRules {
    readonly name: string;
    /** "closed" or "ttl". */
    readonly failMode: string;
    readonly requirePop: boolean;
  }
}

export declare namespace signet.mandate.v1 {
  /** Carried in tokens as an element of authorization_details (RFC 9396). In a request for a mandate an absent message stands for what may be had at most; in a mandate an absent set is an empty one. */
  interface Mandate {
    /** Canonical URIs of the services that may be used. */
    readonly locations: signet.mandate.v1.Set;
    /** Patterns such as "tools/read/*": "*" is one segment, a final "**" the rest. */
    readonly actions: signet.mandate.v1.Set;
    readonly datatypes: signet.mandate.v1.Set;
    /** How many uses in all. Absent: no limit of its own. */
    readonly uses: signet.mandate.v1.Limit;
    /** How many times it may be handed on. Absent: in a request what may be had, otherwise 0, not at all. */
    readonly depth: signet.mandate.v1.Limit;
    /** The highest sensitivity of what may be used; absent: in a request what may be had, otherwise 0, the lowest. */
    readonly maxSensitivity: signet.mandate.v1.Limit;
    /** Seconds since the Unix epoch. 0: no end of its own. */
    readonly until: number;
    /** One name at most. */
    readonly environment: signet.mandate.v1.Set;
  }
  /** Both empty: nothing. */
  interface Set {
    readonly any: boolean;
    readonly values: readonly string[];
  }
  interface Limit {
    readonly value: number | bigint;
  }
}

export declare namespace signet.nodetask.v1 {
  interface OpenRequest {
    /** Of the caller: entries of this node agent that its selectors match. */
    readonly entryIds: readonly string[];
    readonly task: signet.task.v1.OpenTaskRequest;
    readonly binding: signet.task.v1.TaskBinding;
  }
  interface BatchSignX509Request {
    readonly requests: readonly signet.nodetask.v1.SignX509[];
  }
  interface SignX509 {
    readonly taskId: string;
    /** PKCS #10 DER. */
    readonly csr: Uint8Array;
  }
  interface BatchSignX509Response {
    readonly results: readonly signet.nodetask.v1.SignX509Result[];
  }
  interface SignX509Result {
    /** 0, or a gRPC status. */
    readonly code: number;
    /** A reason of the catalogue, with code. */
    readonly reason: string;
    readonly message: string;
    /** DER, leaf first. */
    readonly certChain: readonly Uint8Array[];
    readonly expiresAt: number;
  }
  interface NewJWTSVIDRequest {
    readonly taskId: string;
    readonly audience: readonly string[];
  }
  interface NewWITSVIDRequest {
    readonly taskId: string;
    /** SubjectPublicKeyInfo, DER: the task's, or one of the node agent for the task's own socket. */
    readonly publicKey: Uint8Array;
    /** Of the proofs; "" is the usual one of such a key. */
    readonly signingAlgorithm: string;
  }
  interface IssueTokenRequest {
    readonly taskId: string;
    readonly resource: string;
    readonly mandate: signet.mandate.v1.Mandate;
    readonly confirmationJkt: string;
    readonly unbound: boolean;
  }
  interface ChangeRequest {
    readonly taskId: string;
    /** ACTIVE resumes, PARKED parks, a terminal state ends; unspecified narrows. */
    readonly to: signet.task.v1.TaskState;
    readonly mandate: signet.mandate.v1.Mandate;
    readonly reason: string;
    readonly summaryDigest: string;
    /** After a restart: the process that is bound to it now. */
    readonly binding: signet.task.v1.TaskBinding;
  }
  interface HeldRequest {
    readonly taskIds: readonly string[];
  }
  interface HeldResponse {
    readonly tasks: readonly signet.task.v1.Task[];
  }
  interface EndOrphansRequest {
    /** "" asks for a mark alone. Otherwise that of an earlier answer: what was opened since is left alone. */
    readonly mark: string;
    /** Every task that the node agent holds, after each call of Open that was under way when it got the mark has been answered, or has failed, and its task has been taken over. */
    readonly heldIds: readonly string[];
  }
  interface EndOrphansResponse {
    /** For the next time: it stands for this moment, until the server restarts. */
    readonly mark: string;
    /** Open tasks that the server has as held by this node agent. */
    readonly open: number;
    /** Of these, those that are not held and have not ended: they are being opened, or may be asked for once more. What is nobody's then ends when this is asked again, a minute later. */
    readonly left: number;
  }
  interface DescribeRequest {
    readonly taskIds: readonly string[];
  }
  interface DescribeResponse {
    /** Unknown ones are left out. */
    readonly tasks: readonly signet.task.v1.Task[];
  }
  interface CheckShownRequest {
    readonly taskId: string;
    /** An X509-SVID (DER, one after another, leaf first), or a token as it came. */
    readonly shown: Uint8Array;
  }
  interface CheckShownResponse {
    readonly isCredential: boolean;
  }
  interface LeaseUsesRequest {
    readonly taskId: string;
    /** How many are wanted; less may be lent. */
    readonly count: number | bigint;
    /** Random; a call that is made again with it is answered as before. */
    readonly leaseId: string;
  }
  interface LeaseUsesResponse {
    readonly lent: number | bigint;
    /** In all that are still to be had from the server. */
    readonly left: number | bigint;
  }
  interface ReportRequest {
    readonly taskId: string;
    /** Of server/tasks/escalations.ts. */
    readonly kind: string;
    readonly detail: string;
    /** Whole SPIFFE ID of who saw it on this node, or "". */
    readonly observer: string;
  }
  interface ReportResponse {
    /** What was done about it: "log", "suspend" or "revoke". */
    readonly reaction: string;
  }
}

export declare namespace signet.oauth.v1 {
  interface GetOAuthAuthorityStateRequest {
  }
  interface GetOAuthAuthorityStateResponse {
    readonly active: spire.api.server.localauthority.v1.AuthorityState;
    readonly prepared: spire.api.server.localauthority.v1.AuthorityState;
    readonly old: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface PrepareOAuthAuthorityRequest {
  }
  interface PrepareOAuthAuthorityResponse {
    readonly preparedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface ActivateOAuthAuthorityRequest {
    readonly authorityId: string;
  }
  interface ActivateOAuthAuthorityResponse {
    readonly activatedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface TaintOAuthAuthorityRequest {
    readonly authorityId: string;
  }
  interface TaintOAuthAuthorityResponse {
    readonly taintedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface RevokeOAuthAuthorityRequest {
    readonly authorityId: string;
  }
  interface RevokeOAuthAuthorityResponse {
    readonly revokedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
}

export declare namespace signet.registry.v1 {
  /** Moments are seconds since the Unix epoch, 0 when there is none. */
  interface AiAgent {
    /** Whole. */
    readonly spiffeId: string;
    /** A person or a team, such as "team:support". */
    readonly owner: string;
    readonly purpose: string;
    readonly environment: string;
    readonly validUntil: number;
    /** The most that any task may get. */
    readonly ceiling: signet.mandate.v1.Mandate;
    readonly taskClasses: readonly string[];
    readonly manifestHash: string;
    readonly modelId: string;
    readonly labels: Readonly<Record<string, string>>;
    /** 0: the server's default. */
    readonly maxOpenTasks: number;
    /** Said by the server: */
    readonly disabled: boolean;
    readonly disabledReason: string;
    readonly createdAt: number;
    readonly updatedAt: number;
    readonly openTasks: number;
    /** The set that declared it, "" when it was made by hand. */
    readonly managedBy: string;
    readonly version: number | bigint;
    readonly entryIds: readonly string[];
    /** AI agents that its processes may open tasks for: SPIFFE IDs, or path prefixes that end in "/*". */
    readonly mayHost: readonly string[];
    /** Said by the server: who may host it, and how many tasks it has open for others. */
    readonly hostedBy: readonly string[];
    readonly hostedTasks: number;
  }
  interface CreateAiAgentRequest {
    readonly aiAgent: signet.registry.v1.AiAgent;
    /** How its processes are recognised, made in the same commit: a registration entry for its SPIFFE ID. Absent when there is one already. */
    readonly entry: spire.api.types.Entry;
  }
  interface UpdateAiAgentRequest {
    /** Whole: what is absent is taken away. */
    readonly aiAgent: signet.registry.v1.AiAgent;
    /** 0: whatever it is. */
    readonly expectedVersion: number | bigint;
  }
  interface AiAgentResponse {
    readonly aiAgent: signet.registry.v1.AiAgent;
  }
  interface GetAiAgentRequest {
    readonly spiffeId: string;
  }
  interface ListAiAgentsRequest {
    readonly owner: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly pageSize: number;
    readonly pageToken: string;
  }
  interface ListAiAgentsResponse {
    readonly aiAgents: readonly signet.registry.v1.AiAgent[];
    readonly nextPageToken: string;
  }
  interface AiAgentAction {
    readonly spiffeId: string;
    readonly reason: string;
    /** With deletion: its registration entries too. */
    readonly withEntries: boolean;
  }
  interface TaskClass {
    readonly name: string;
    readonly description: string;
    /** The most that a task of the class may get. */
    readonly maximum: signet.mandate.v1.Mandate;
    /** 0: the server's default, as of the lifetimes below, and so "" of the words. */
    readonly defaultTtlSeconds: number;
    readonly maxTtlSeconds: number;
    /** 0: none. */
    readonly idleTimeoutSeconds: number;
    readonly x509SvidTtlSeconds: number;
    readonly jwtSvidTtlSeconds: number;
    readonly accessTokenTtlSeconds: number;
    readonly maxDepth: number;
    /** No bearer tokens. */
    readonly requirePop: boolean;
    /** "closed" or "ttl": what guards do while they hear nothing of the server. */
    readonly failMode: string;
    /** "task" or "agent": what the `sub` of its SVIDs is. */
    readonly identity: string;
    /** "process" or "none". */
    readonly bind: string;
    readonly allowClip: boolean;
    /** "agent" or "operator": who may open one. */
    readonly openedBy: string;
    /** Reactions to escalation attempts, by kind: "log", "suspend" or "revoke". */
    readonly reactions: Readonly<Record<string, string>>;
    /** Said by the server: */
    readonly shipped: boolean;
    readonly version: number | bigint;
    readonly managedBy: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly owner: string;
    /** Only for processes that were attested as the AI agent itself: no hosted ones. */
    readonly requireAttested: boolean;
  }
  interface SetTaskClassRequest {
    readonly taskClass: signet.registry.v1.TaskClass;
    /** 0: whatever it is. */
    readonly expectedVersion: number | bigint;
  }
  interface TaskClassResponse {
    readonly taskClass: signet.registry.v1.TaskClass;
  }
  interface GetTaskClassRequest {
    readonly name: string;
  }
  interface ListTaskClassesRequest {
  }
  interface ListTaskClassesResponse {
    readonly taskClasses: readonly signet.registry.v1.TaskClass[];
  }
  interface DeleteTaskClassRequest {
    readonly name: string;
  }
  interface ApplyRequest {
    /** What to do with all of it: said in the first message. */
    readonly options: signet.registry.v1.ApplyOptions;
    readonly entries: readonly signet.registry.v1.DeclaredEntry[];
    readonly aiAgents: readonly signet.registry.v1.AiAgent[];
    readonly taskClasses: readonly signet.registry.v1.TaskClass[];
  }
  interface ApplyOptions {
    /** The name of what is declared together: pruning stays within it. */
    readonly set: string;
    readonly dryRun: boolean;
    /** What the set declared before and does not now is deleted. */
    readonly prune: boolean;
    /** Takes over what was made by hand and is declared otherwise, and what another set declared. */
    readonly adopt: boolean;
    /** The plan that a dry run answered: refused when it would be another one now. "": whatever it is. */
    readonly expectedPlan: string;
  }
  /** An entry is known by its SPIFFE ID, parent ID and selectors: its ID is the server's. */
  interface DeclaredEntry {
    readonly entry: spire.api.types.Entry;
    readonly owner: string;
    readonly labels: Readonly<Record<string, string>>;
  }
  interface ApplyResponse {
    readonly changes: readonly signet.registry.v1.AppliedChange[];
    /** Of a dry run: why it cannot be done. Otherwise the call fails and nothing is changed. */
    readonly problems: readonly signet.registry.v1.ApplyProblem[];
    /** With the last message. */
    readonly summary: signet.registry.v1.ApplySummary;
  }
  interface ApplySummary {
    readonly set: string;
    readonly dryRun: boolean;
    readonly created: number;
    readonly updated: number;
    readonly deleted: number;
    readonly unchanged: number;
    /** Names these changes. */
    readonly plan: string;
  }
  interface ApplyProblem {
    /** "entry", "ai-agent" or "task-class". */
    readonly kind: string;
    /** Its place among those of its kind, from 1; 0 for what is not declared any more. */
    readonly index: number;
    readonly reason: string;
    readonly message: string;
    readonly hint: string;
  }
  interface AppliedChange {
    /** "entry", "ai-agent" or "task-class". */
    readonly kind: string;
    /** The SPIFFE ID, or the name of a class. */
    readonly name: string;
    /** "create", "update" or "delete". */
    readonly action: string;
    readonly fields: readonly signet.registry.v1.FieldChange[];
    /** Of an entry that is there. */
    readonly entryId: string;
  }
  interface FieldChange {
    readonly field: string;
    /** As JSON; "" when there is nothing. */
    readonly before: string;
    readonly after: string;
  }
  interface ListEntryOwnersRequest {
    /** "": of every set, and of none. */
    readonly set: string;
    readonly pageSize: number;
    readonly pageToken: string;
  }
  interface ListEntryOwnersResponse {
    readonly owners: readonly signet.registry.v1.EntryOwner[];
    readonly nextPageToken: string;
  }
  interface EntryOwner {
    readonly entryId: string;
    readonly owner: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly managedBy: string;
  }
}

export declare namespace signet.revocation.v1 {
  /** The reasons of RFC 5280 s5.3.1 that fit an SVID, under their numbers there. 0 UNSPECIFIED, 1 KEY_COMPROMISE, 3 AFFILIATION_CHANGED, 4 SUPERSEDED, 5 CESSATION_OF_OPERATION, 9 PRIVILEGE_WITHDRAWN */
  type Reason = number;
  interface RevokeSVIDRequest {
    /** Of an X509-SVID: hexadecimal digits. */
    readonly serial: string | undefined;
    /** Of a JWT-SVID or WIT-SVID. */
    readonly jti: string | undefined;
    /** Every document of this SPIFFE ID, wherever it is used. */
    readonly spiffeId: spire.api.types.SPIFFEID | undefined;
    readonly reason: signet.revocation.v1.Reason;
    /** Revoke the document alone: its holder gets a new one at once. Not with `spiffe_id`. */
    readonly replace: boolean;
    /** Revoke also what the server does not know to have issued. */
    readonly force: boolean;
    /** Which one is set; derived, so never needed to encode. */
    readonly target: "serial" | "jti" | "spiffeId" | undefined;
  }
  interface RevokeSVIDResponse {
    readonly revocation: signet.revocation.v1.RevocationRecord;
    /** With `spiffe_id`: of the AI agent, node agent or task that has it. */
    readonly tasksEnded: number;
  }
  interface ListRevocationsRequest {
    /** Those alone that still hold back new documents. */
    readonly heldOnly: boolean;
    readonly pageSize: number;
    readonly pageToken: string;
  }
  interface ListRevocationsResponse {
    readonly revocations: readonly signet.revocation.v1.RevocationRecord[];
    readonly nextPageToken: string;
  }
  interface ReleaseHoldRequest {
    readonly id: string;
  }
  interface ReleaseHoldResponse {
    readonly revocation: signet.revocation.v1.RevocationRecord;
  }
  interface RevocationRecord {
    readonly id: string;
    readonly serial: string | undefined;
    readonly jti: string | undefined;
    readonly spiffeId: spire.api.types.SPIFFEID | undefined;
    /** A node agent that was banned: everything it was given. */
    readonly agentId: spire.api.types.SPIFFEID | undefined;
    readonly reason: signet.revocation.v1.Reason;
    /** Seconds since the Unix epoch, as all moments here. */
    readonly revokedAt: number;
    readonly revokedBy: string;
    /** Absent: nothing is held back. */
    readonly hold: signet.revocation.v1.Hold;
    /** How many documents it covers. */
    readonly x509Svids: number;
    readonly tokens: number;
    /** When the last of them expires. */
    readonly expiresAt: number;
    /** Which one is set; derived, so never needed to encode. */
    readonly target: "serial" | "jti" | "spiffeId" | "agentId" | undefined;
  }
  /** New documents that are refused. */
  interface Hold {
    readonly spiffeId: spire.api.types.SPIFFEID;
    /** Absent: through whichever agent. */
    readonly agentId: spire.api.types.SPIFFEID;
    /** 0 while it stands. */
    readonly releasedAt: number;
    readonly releasedBy: string;
  }
}

export declare namespace signet.task.v1 {
  /** 0 TASK_STATE_UNSPECIFIED, 1 PENDING, 2 ACTIVE, 3 PARKED, 4 SUSPENDED, 5 COMPLETED, 6 FAILED, 7 ABANDONED, 8 REVOKED, 9 EXPIRED */
  type TaskState = number;
  /** Moments are milliseconds since the Unix epoch, 0 when there is none. */
  interface Task {
    /** A ULID. */
    readonly id: string;
    /** Whole, as are all SPIFFE IDs here: the AI agent's, then "/task/" and the ID. */
    readonly spiffeId: string;
    readonly aiAgent: string;
    readonly taskClass: string;
    readonly purpose: string;
    readonly intent: string;
    readonly mandate: signet.mandate.v1.Mandate;
    /** For whom: a user, or the AI agent itself. */
    readonly principal: string;
    readonly parent: string;
    readonly root: string;
    readonly depth: number;
    /** Of the AI agent. */
    readonly owner: string;
    readonly openedAtMs: number;
    readonly expiresAtMs: number;
    readonly idleTimeoutSeconds: number;
    readonly state: signet.task.v1.TaskState;
    /** Why it is in this state, for people. */
    readonly stateReason: string;
    readonly endedAtMs: number;
    /** Who opened it: the caller's SPIFFE ID or name. */
    readonly openedBy: string;
    /** The node agent that holds it; "" until it is claimed. */
    readonly nodeAgent: string;
    readonly externalRefs: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
    /** How it is known that the AI agent is who holds it: "process-attested", or by the word of its host, "host-asserted". "" until it is claimed. */
    readonly assurance: string;
    /** Uses that are spent or lent to node agents. */
    readonly usesTaken: number | bigint;
    /** SHA-256 of the grant, hexadecimal. */
    readonly grantHash: string;
    /** RFC 7638 thumbprint of the task's key, base64url; "" until there is one. */
    readonly keyThumbprint: string;
    /** Grows with every change. */
    readonly version: number | bigint;
    readonly lastActiveMs: number;
    readonly binding: signet.task.v1.TaskBinding;
    /** Where its bit stands in the Token Status List. */
    readonly status: signet.task.v1.StatusReference;
    /** The AI agent whose process holds it; "" when that is `ai_agent` itself. */
    readonly host: string;
  }
  interface StatusReference {
    /** The list's name: the hour in which the task was opened, such as "2026-11-23T02". */
    readonly list: string;
    readonly index: number;
  }
  /** The process that a task ends with. */
  interface TaskBinding {
    readonly pid: number;
    readonly uid: number;
    /** Clock ticks since boot. */
    readonly startTime: number;
    /** Of the kernel: pids of another boot mean nothing. */
    readonly bootId: string;
  }
  interface OpenTaskRequest {
    readonly taskClass: string;
    readonly purpose: string;
    readonly intent: string;
    /** Absent: what the class and the AI agent may both have. */
    readonly mandate: signet.mandate.v1.Mandate;
    /** 0: the class's default. */
    readonly ttlSeconds: number;
    /** PKCS #10 DER, signed with the task's key, which later proofs are signed with too. */
    readonly csr: Uint8Array;
    /** Of the caller's AI agents; "" when it has one alone. Or one that it hosts. */
    readonly aiAgent: string;
    /** To claim a task that an orchestrator made; class, purpose and mandate are then its own. */
    readonly claimTaskId: string;
    /** A call that is made again with the same key is answered with the same task. */
    readonly idempotencyKey: string;
    readonly externalRefs: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
    /** Take what is left of the mandate after narrowing, in place of a refusal. */
    readonly allowClip: boolean;
    /** For whom, when it is not the AI agent itself: recorded as the agent's word. */
    readonly principal: string;
    /** 0: the class's default. */
    readonly idleTimeoutSeconds: number;
  }
  interface OpenTaskResponse {
    readonly task: signet.task.v1.Task;
    readonly svid: signet.task.v1.TaskX509SVID;
  }
  interface TaskX509SVID {
    /** DER, one after another, leaf first. */
    readonly x509Svid: Uint8Array;
    /** DER, one after another. */
    readonly bundle: Uint8Array;
    /** Seconds since the Unix epoch. */
    readonly expiresAt: number;
  }
  interface RunTaskRequest {
    /** First: `open` (its csr is of a key that the launcher keeps for proofs), or `attach` after the node agent was restarted. */
    readonly open: signet.task.v1.OpenTaskRequest | undefined;
    readonly attach: signet.task.v1.AttachStep | undefined;
    readonly started: signet.task.v1.StartedStep | undefined;
    /** Last: how the command ended. */
    readonly finished: signet.task.v1.FinishedStep | undefined;
    /** With `open`: adds the selector launch:name:NAME to the caller's, as `signet run` does. */
    readonly launchName: string;
    /** Which one is set; derived, so never needed to encode. */
    readonly step: "open" | "attach" | "started" | "finished" | undefined;
  }
  interface AttachStep {
    readonly proof: signet.task.v1.TaskProof;
    readonly pid: number;
  }
  interface StartedStep {
    readonly pid: number;
  }
  interface FinishedStep {
    /** True: COMPLETED; otherwise FAILED. */
    readonly succeeded: boolean;
    readonly detail: string;
  }
  interface RunTaskResponse {
    /** The task, and its private Workload API socket: an absolute path. */
    readonly ready: signet.task.v1.ReadyStep | undefined;
    readonly admitted: signet.task.v1.AdmittedStep | undefined;
    /** The task ended, or changed. */
    readonly changed: signet.task.v1.Task | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly step: "ready" | "admitted" | "changed" | undefined;
  }
  interface ReadyStep {
    readonly task: signet.task.v1.Task;
    readonly socketPath: string;
  }
  interface AdmittedStep {
  }
  /** Shows that the caller has the task's key. */
  interface TaskProof {
    readonly taskId: string;
    /** Compact JWS, typ "task-proof+jwt": aud (the method's name), sub (the task ID), iat, jti. */
    readonly jws: string;
  }
  interface WatchTaskRequest {
    readonly proof: signet.task.v1.TaskProof;
    /** As in OpenTaskRequest, with the same key: what renewals are made from. */
    readonly csr: Uint8Array;
  }
  interface TaskEvent {
    readonly task: signet.task.v1.Task;
    /** When it is new since the last message. */
    readonly svid: signet.task.v1.TaskX509SVID;
  }
  interface FetchTaskJWTSVIDRequest {
    readonly proof: signet.task.v1.TaskProof;
    /** One; within the mandate's locations. */
    readonly audience: string;
  }
  interface FetchTaskJWTSVIDResponse {
    readonly token: string;
    /** Seconds since the Unix epoch. */
    readonly expiresAt: number;
  }
  interface FetchTaskWITSVIDRequest {
    readonly proof: signet.task.v1.TaskProof;
  }
  interface FetchTaskWITSVIDResponse {
    /** Worth nothing without a proof by the key in its `cnf`, which is the task's. */
    readonly token: string;
    /** Seconds since the Unix epoch. */
    readonly expiresAt: number;
  }
  interface IssueTokenRequest {
    readonly proof: signet.task.v1.TaskProof;
    /** The resource's canonical URI: becomes the audience. */
    readonly resource: string;
    /** Narrower than the task's own, or absent. */
    readonly mandate: signet.mandate.v1.Mandate;
    /** RFC 7638 thumbprint (base64url) of a key that the token is bound to. "" binds it to the task's key. */
    readonly confirmationJkt: string;
    /** A bearer token: refused where the class requires proof of possession. */
    readonly unbound: boolean;
  }
  interface IssueTokenResponse {
    readonly accessToken: string;
    readonly expiresAt: number;
    /** "Bearer" or "DPoP". */
    readonly tokenType: string;
  }
  interface NarrowRequest {
    readonly proof: signet.task.v1.TaskProof;
    readonly mandate: signet.mandate.v1.Mandate;
  }
  interface TaskRequest {
    readonly proof: signet.task.v1.TaskProof;
  }
  interface ResumeRequest {
    readonly proof: signet.task.v1.TaskProof;
    /** Narrower than before, or absent. */
    readonly mandate: signet.mandate.v1.Mandate;
    readonly csr: Uint8Array;
  }
  interface CompleteRequest {
    readonly proof: signet.task.v1.TaskProof;
    /** COMPLETED or FAILED. */
    readonly outcome: signet.task.v1.TaskState;
    /** Hexadecimal; of a summary that is kept elsewhere. */
    readonly summaryDigest: string;
    /** Why, for people. */
    readonly detail: string;
  }
  interface TaskResponse {
    readonly task: signet.task.v1.Task;
  }
  interface CreateTaskRequest {
    readonly aiAgent: string;
    readonly task: signet.task.v1.OpenTaskRequest;
  }
  interface GetTaskRequest {
    /** A ULID or a whole SPIFFE ID. */
    readonly id: string;
  }
  interface ListTasksRequest {
    readonly aiAgent: string;
    readonly taskClass: string;
    readonly states: readonly signet.task.v1.TaskState[];
    readonly nodeAgent: string;
    /** A task and those that came from it. */
    readonly root: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly pageSize: number;
    readonly pageToken: string;
    /** Of the AI agent. */
    readonly owner: string;
    /** The AI agent that hosts them. */
    readonly host: string;
  }
  interface ListTasksResponse {
    readonly tasks: readonly signet.task.v1.Task[];
    readonly nextPageToken: string;
  }
  interface TaskAction {
    readonly id: string;
    readonly reason: string;
  }
  interface RevokeTaskResponse {
    /** This one and those below it. */
    readonly ended: readonly signet.task.v1.Task[];
  }
  interface CompleteTaskRequest {
    readonly id: string;
    readonly outcome: signet.task.v1.TaskState;
    readonly reason: string;
  }
}

export declare namespace workload {
  interface X509SVIDRequest {
  }
  interface X509SVIDResponse {
    /** The first one is the caller's default identity. */
    readonly svids: readonly workload.X509SVID[];
    /** DER. */
    readonly crl: readonly Uint8Array[];
    /** By the SPIFFE ID of the trust domain; concatenated DER. */
    readonly federatedBundles: Readonly<Record<string, Uint8Array>>;
  }
  interface X509SVID {
    readonly spiffeId: string;
    /** Concatenated DER, leaf first, without the root. */
    readonly x509Svid: Uint8Array;
    /** PKCS#8 DER. */
    readonly x509SvidKey: Uint8Array;
    /** Concatenated DER. */
    readonly bundle: Uint8Array;
    readonly hint: string;
  }
  interface X509BundlesRequest {
  }
  interface X509BundlesResponse {
    readonly crl: readonly Uint8Array[];
    readonly bundles: Readonly<Record<string, Uint8Array>>;
  }
  interface JWTSVIDRequest {
    readonly audience: readonly string[];
    /** Empty: every identity of the caller. */
    readonly spiffeId: string;
  }
  interface JWTSVIDResponse {
    readonly svids: readonly workload.JWTSVID[];
  }
  interface JWTSVID {
    readonly spiffeId: string;
    /** JWS compact serialization. */
    readonly svid: string;
    readonly hint: string;
  }
  interface JWTBundlesRequest {
  }
  interface JWTBundlesResponse {
    /** By the SPIFFE ID of the trust domain; a JWK Set as JSON. */
    readonly bundles: Readonly<Record<string, Uint8Array>>;
  }
  interface ValidateJWTSVIDRequest {
    readonly audience: string;
    readonly svid: string;
  }
  interface ValidateJWTSVIDResponse {
    readonly spiffeId: string;
    readonly claims: google.protobuf.Struct;
  }
  interface WITSVIDRequest {
    readonly spiffeId: string;
  }
  interface WITSVIDResponse {
    readonly svids: readonly workload.WITSVID[];
  }
  interface WITSVID {
    readonly spiffeId: string;
    readonly witSvid: string;
    /** Private JWK as JSON text. */
    readonly witSvidKey: string;
    readonly hint: string;
  }
  interface WITBundlesRequest {
  }
  interface WITBundlesResponse {
    /** Strings here, unlike the JWT bundles. */
    readonly bundles: Readonly<Record<string, string>>;
  }
}

export declare namespace spire.api.server.agent.v1 {
  interface CountAgentsRequest {
    readonly filter: spire.api.server.agent.v1.CountAgentsRequest.Filter;
  }
  namespace CountAgentsRequest {
    interface Filter {
      readonly byAttestationType: string;
      readonly bySelectorMatch: spire.api.types.SelectorMatch;
      readonly byBanned: google.protobuf.BoolValue;
      readonly byCanReattest: google.protobuf.BoolValue;
      /** "2026-01-31 15:04:05 +0000 UTC". */
      readonly byExpiresBefore: string;
    }
  }
  interface CountAgentsResponse {
    readonly count: number;
  }
  interface ListAgentsRequest {
    readonly filter: spire.api.server.agent.v1.ListAgentsRequest.Filter;
    readonly outputMask: spire.api.types.AgentMask;
    readonly pageSize: number;
    readonly pageToken: string;
  }
  namespace ListAgentsRequest {
    interface Filter {
      readonly byAttestationType: string;
      readonly bySelectorMatch: spire.api.types.SelectorMatch;
      readonly byBanned: google.protobuf.BoolValue;
      readonly byCanReattest: google.protobuf.BoolValue;
      readonly byExpiresBefore: string;
    }
  }
  interface ListAgentsResponse {
    readonly agents: readonly spire.api.types.Agent[];
    readonly nextPageToken: string;
  }
  interface GetAgentRequest {
    readonly id: spire.api.types.SPIFFEID;
    readonly outputMask: spire.api.types.AgentMask;
  }
  interface DeleteAgentRequest {
    readonly id: spire.api.types.SPIFFEID;
  }
  interface BanAgentRequest {
    readonly id: spire.api.types.SPIFFEID;
  }
  interface AttestAgentRequest {
    /** First, once. */
    readonly params: spire.api.server.agent.v1.AttestAgentRequest.Params | undefined;
    readonly challengeResponse: Uint8Array | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly step: "params" | "challengeResponse" | undefined;
  }
  namespace AttestAgentRequest {
    interface Params {
      readonly data: spire.api.types.AttestationData;
      readonly params: spire.api.server.agent.v1.AgentX509SVIDParams;
    }
  }
  interface AttestAgentResponse {
    readonly result: spire.api.server.agent.v1.AttestAgentResponse.Result | undefined;
    readonly challenge: Uint8Array | undefined;
    /** Which one is set; derived, so never needed to encode. */
    readonly step: "result" | "challenge" | undefined;
  }
  namespace AttestAgentResponse {
    interface Result {
      readonly svid: spire.api.types.X509SVID;
      readonly reattestable: boolean;
    }
  }
  interface AgentX509SVIDParams {
    /** PKCS#10, DER; only its public key is used. */
    readonly csr: Uint8Array;
  }
  interface RenewAgentRequest {
    readonly params: spire.api.server.agent.v1.AgentX509SVIDParams;
  }
  interface RenewAgentResponse {
    readonly svid: spire.api.types.X509SVID;
  }
  interface CreateJoinTokenRequest {
    /** Seconds. */
    readonly ttl: number;
    /** Empty: the server makes one. */
    readonly token: string;
    /** An additional ID for the node, through an alias entry. */
    readonly agentId: spire.api.types.SPIFFEID;
  }
  interface PostStatusRequest {
    readonly currentBundleSerial: number | bigint;
    readonly agentVersion: string;
  }
  interface PostStatusResponse {
  }
}

export declare namespace spire.api.server.bundle.v1 {
  interface CountBundlesRequest {
  }
  interface CountBundlesResponse {
    readonly count: number;
  }
  interface GetBundleRequest {
    readonly outputMask: spire.api.types.BundleMask;
  }
  interface AppendBundleRequest {
    readonly x509Authorities: readonly spire.api.types.X509Certificate[];
    readonly jwtAuthorities: readonly spire.api.types.JWTKey[];
    readonly outputMask: spire.api.types.BundleMask;
    readonly witAuthorities: readonly spire.api.types.WITKey[];
  }
  interface PublishJWTAuthorityRequest {
    readonly jwtAuthority: spire.api.types.JWTKey;
  }
  interface PublishJWTAuthorityResponse {
    readonly jwtAuthorities: readonly spire.api.types.JWTKey[];
  }
  interface PublishWITAuthorityRequest {
    readonly witAuthority: spire.api.types.WITKey;
  }
  interface PublishWITAuthorityResponse {
    readonly witAuthorities: readonly spire.api.types.WITKey[];
  }
  interface ListFederatedBundlesRequest {
    readonly outputMask: spire.api.types.BundleMask;
    readonly pageSize: number;
    readonly pageToken: string;
  }
  interface ListFederatedBundlesResponse {
    readonly bundles: readonly spire.api.types.Bundle[];
    readonly nextPageToken: string;
  }
  interface GetFederatedBundleRequest {
    readonly trustDomain: string;
    readonly outputMask: spire.api.types.BundleMask;
  }
  interface BatchCreateFederatedBundleRequest {
    readonly bundle: readonly spire.api.types.Bundle[];
    readonly outputMask: spire.api.types.BundleMask;
  }
  interface BatchCreateFederatedBundleResponse {
    readonly results: readonly spire.api.server.bundle.v1.BatchCreateFederatedBundleResponse.Result[];
  }
  namespace BatchCreateFederatedBundleResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly bundle: spire.api.types.Bundle;
    }
  }
  interface BatchUpdateFederatedBundleRequest {
    readonly bundle: readonly spire.api.types.Bundle[];
    readonly inputMask: spire.api.types.BundleMask;
    readonly outputMask: spire.api.types.BundleMask;
  }
  interface BatchUpdateFederatedBundleResponse {
    readonly results: readonly spire.api.server.bundle.v1.BatchUpdateFederatedBundleResponse.Result[];
  }
  namespace BatchUpdateFederatedBundleResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly bundle: spire.api.types.Bundle;
    }
  }
  interface BatchSetFederatedBundleRequest {
    readonly bundle: readonly spire.api.types.Bundle[];
    readonly outputMask: spire.api.types.BundleMask;
  }
  interface BatchSetFederatedBundleResponse {
    readonly results: readonly spire.api.server.bundle.v1.BatchSetFederatedBundleResponse.Result[];
  }
  namespace BatchSetFederatedBundleResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly bundle: spire.api.types.Bundle;
    }
  }
  interface BatchDeleteFederatedBundleRequest {
    readonly trustDomains: readonly string[];
    readonly mode: spire.api.server.bundle.v1.BatchDeleteFederatedBundleRequest.Mode;
  }
  namespace BatchDeleteFederatedBundleRequest {
    /** What becomes of entries that federate with the trust domain. 0 RESTRICT, 1 DELETE, 2 DISSOCIATE */
    type Mode = number;
  }
  interface BatchDeleteFederatedBundleResponse {
    readonly results: readonly spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse.Result[];
  }
  namespace BatchDeleteFederatedBundleResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly trustDomain: string;
    }
  }
}

export declare namespace spire.api.server.debug.v1 {
  interface GetInfoRequest {
  }
  interface GetInfoResponse {
    readonly svidChain: readonly spire.api.server.debug.v1.GetInfoResponse.Cert[];
    /** Seconds. */
    readonly uptime: number;
    readonly agentsCount: number;
    readonly federatedBundlesCount: number;
    readonly entriesCount: number;
  }
  namespace GetInfoResponse {
    interface Cert {
      readonly id: spire.api.types.SPIFFEID;
      readonly expiresAt: number;
      readonly subject: string;
    }
  }
}

export declare namespace spire.api.server.entry.v1 {
  interface CountEntriesRequest {
    readonly filter: spire.api.server.entry.v1.CountEntriesRequest.Filter;
  }
  namespace CountEntriesRequest {
    interface Filter {
      readonly bySpiffeId: spire.api.types.SPIFFEID;
      readonly byParentId: spire.api.types.SPIFFEID;
      readonly bySelectors: spire.api.types.SelectorMatch;
      readonly byFederatesWith: spire.api.types.FederatesWithMatch;
      readonly byHint: google.protobuf.StringValue;
      readonly byDownstream: google.protobuf.BoolValue;
    }
  }
  interface CountEntriesResponse {
    readonly count: number;
  }
  interface ListEntriesRequest {
    readonly filter: spire.api.server.entry.v1.ListEntriesRequest.Filter;
    readonly outputMask: spire.api.types.EntryMask;
    readonly pageSize: number;
    readonly pageToken: string;
  }
  namespace ListEntriesRequest {
    interface Filter {
      readonly bySpiffeId: spire.api.types.SPIFFEID;
      readonly byParentId: spire.api.types.SPIFFEID;
      readonly bySelectors: spire.api.types.SelectorMatch;
      readonly byFederatesWith: spire.api.types.FederatesWithMatch;
      readonly byHint: google.protobuf.StringValue;
      readonly byDownstream: google.protobuf.BoolValue;
    }
  }
  interface ListEntriesResponse {
    readonly entries: readonly spire.api.types.Entry[];
    readonly nextPageToken: string;
  }
  interface GetEntryRequest {
    readonly id: string;
    readonly outputMask: spire.api.types.EntryMask;
  }
  interface BatchCreateEntryRequest {
    readonly entries: readonly spire.api.types.Entry[];
    readonly outputMask: spire.api.types.EntryMask;
  }
  interface BatchCreateEntryResponse {
    readonly results: readonly spire.api.server.entry.v1.BatchCreateEntryResponse.Result[];
  }
  namespace BatchCreateEntryResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      /** Of the existing entry when the status is ALREADY_EXISTS. */
      readonly entry: spire.api.types.Entry;
    }
  }
  interface BatchUpdateEntryRequest {
    readonly entries: readonly spire.api.types.Entry[];
    /** Absent: every field. */
    readonly inputMask: spire.api.types.EntryMask;
    readonly outputMask: spire.api.types.EntryMask;
  }
  interface BatchUpdateEntryResponse {
    readonly results: readonly spire.api.server.entry.v1.BatchUpdateEntryResponse.Result[];
  }
  namespace BatchUpdateEntryResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly entry: spire.api.types.Entry;
    }
  }
  interface BatchDeleteEntryRequest {
    readonly ids: readonly string[];
  }
  interface BatchDeleteEntryResponse {
    readonly results: readonly spire.api.server.entry.v1.BatchDeleteEntryResponse.Result[];
  }
  namespace BatchDeleteEntryResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly id: string;
    }
  }
  interface GetAuthorizedEntriesRequest {
    readonly outputMask: spire.api.types.EntryMask;
  }
  interface GetAuthorizedEntriesResponse {
    readonly entries: readonly spire.api.types.Entry[];
  }
  interface SyncAuthorizedEntriesRequest {
    /** In the first request only. */
    readonly outputMask: spire.api.types.EntryMask;
    readonly ids: readonly string[];
  }
  interface SyncAuthorizedEntriesResponse {
    /** Either these or the entries, never both. */
    readonly entryRevisions: readonly spire.api.server.entry.v1.EntryRevision[];
    readonly entries: readonly spire.api.types.Entry[];
    readonly more: boolean;
  }
  interface EntryRevision {
    readonly id: string;
    readonly revisionNumber: number;
    readonly createdAt: number;
  }
}

export declare namespace spire.api.server.localauthority.v1 {
  interface AuthorityState {
    /** Subject key ID (hex) of an X.509 authority, key ID of the others. */
    readonly authorityId: string;
    /** Seconds since the Unix epoch. */
    readonly expiresAt: number;
    readonly upstreamAuthoritySubjectKeyId: string;
  }
  interface GetJWTAuthorityStateRequest {
  }
  interface GetJWTAuthorityStateResponse {
    readonly active: spire.api.server.localauthority.v1.AuthorityState;
    readonly prepared: spire.api.server.localauthority.v1.AuthorityState;
    readonly old: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface PrepareJWTAuthorityRequest {
  }
  interface PrepareJWTAuthorityResponse {
    readonly preparedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface ActivateJWTAuthorityRequest {
    readonly authorityId: string;
  }
  interface ActivateJWTAuthorityResponse {
    readonly activatedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface TaintJWTAuthorityRequest {
    readonly authorityId: string;
  }
  interface TaintJWTAuthorityResponse {
    readonly taintedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface RevokeJWTAuthorityRequest {
    readonly authorityId: string;
  }
  interface RevokeJWTAuthorityResponse {
    readonly revokedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface GetX509AuthorityStateRequest {
  }
  interface GetX509AuthorityStateResponse {
    readonly active: spire.api.server.localauthority.v1.AuthorityState;
    readonly prepared: spire.api.server.localauthority.v1.AuthorityState;
    readonly old: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface PrepareX509AuthorityRequest {
  }
  interface PrepareX509AuthorityResponse {
    readonly preparedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface ActivateX509AuthorityRequest {
    readonly authorityId: string;
  }
  interface ActivateX509AuthorityResponse {
    readonly activatedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface TaintX509AuthorityRequest {
    readonly authorityId: string;
  }
  interface TaintX509AuthorityResponse {
    readonly taintedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface TaintX509UpstreamAuthorityRequest {
    readonly subjectKeyId: string;
  }
  interface TaintX509UpstreamAuthorityResponse {
    readonly upstreamAuthoritySubjectKeyId: string;
  }
  interface RevokeX509AuthorityRequest {
    readonly authorityId: string;
  }
  interface RevokeX509AuthorityResponse {
    readonly revokedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface RevokeX509UpstreamAuthorityRequest {
    readonly subjectKeyId: string;
  }
  interface RevokeX509UpstreamAuthorityResponse {
    readonly upstreamAuthoritySubjectKeyId: string;
  }
  interface GetWITAuthorityStateRequest {
  }
  interface GetWITAuthorityStateResponse {
    readonly active: spire.api.server.localauthority.v1.AuthorityState;
    readonly prepared: spire.api.server.localauthority.v1.AuthorityState;
    readonly old: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface PrepareWITAuthorityRequest {
  }
  interface PrepareWITAuthorityResponse {
    readonly preparedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface ActivateWITAuthorityRequest {
    readonly authorityId: string;
  }
  interface ActivateWITAuthorityResponse {
    readonly activatedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface TaintWITAuthorityRequest {
    readonly authorityId: string;
  }
  interface TaintWITAuthorityResponse {
    readonly taintedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
  interface RevokeWITAuthorityRequest {
    readonly authorityId: string;
  }
  interface RevokeWITAuthorityResponse {
    readonly revokedAuthority: spire.api.server.localauthority.v1.AuthorityState;
  }
}

export declare namespace spire.api.server.logger.v1 {
  interface GetLoggerRequest {
  }
  interface SetLogLevelRequest {
    readonly newLevel: spire.api.types.LogLevel;
  }
  interface ResetLogLevelRequest {
  }
}

export declare namespace spire.api.server.svid.v1 {
  interface MintX509SVIDRequest {
    /** PKCS#10, DER, with the SPIFFE ID as its one URI SAN. */
    readonly csr: Uint8Array;
    /** Seconds; 0 is the server's default. */
    readonly ttl: number;
  }
  interface MintX509SVIDResponse {
    readonly svid: spire.api.types.X509SVID;
  }
  interface MintJWTSVIDRequest {
    readonly id: spire.api.types.SPIFFEID;
    readonly audience: readonly string[];
    readonly ttl: number;
  }
  interface MintJWTSVIDResponse {
    readonly svid: spire.api.types.JWTSVID;
  }
  interface MintWITSVIDRequest {
    readonly id: spire.api.types.SPIFFEID;
    readonly publicKey: Uint8Array;
    readonly ttl: number;
    readonly signingAlgorithm: string;
  }
  interface MintWITSVIDResponse {
    readonly svid: spire.api.types.WITSVID;
  }
  interface NewX509SVIDParams {
    readonly entryId: string;
    /** PKCS#10, DER; only its public key is used. */
    readonly csr: Uint8Array;
  }
  interface BatchNewX509SVIDRequest {
    readonly params: readonly spire.api.server.svid.v1.NewX509SVIDParams[];
  }
  interface BatchNewX509SVIDResponse {
    /** In the order of the request. */
    readonly results: readonly spire.api.server.svid.v1.BatchNewX509SVIDResponse.Result[];
  }
  namespace BatchNewX509SVIDResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly svid: spire.api.types.X509SVID;
    }
  }
  interface NewJWTSVIDRequest {
    readonly entryId: string;
    readonly audience: readonly string[];
  }
  interface NewJWTSVIDResponse {
    readonly svid: spire.api.types.JWTSVID;
  }
  interface NewWITSVIDParams {
    readonly entryId: string;
    readonly publicKey: Uint8Array;
    readonly signingAlgorithm: string;
  }
  interface BatchNewWITSVIDRequest {
    readonly params: readonly spire.api.server.svid.v1.NewWITSVIDParams[];
  }
  interface BatchNewWITSVIDResponse {
    readonly results: readonly spire.api.server.svid.v1.BatchNewWITSVIDResponse.Result[];
  }
  namespace BatchNewWITSVIDResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly svid: spire.api.types.WITSVID;
    }
  }
  interface NewDownstreamX509CARequest {
    readonly csr: Uint8Array;
    /** Seconds. */
    readonly preferredTtl: number;
  }
  interface NewDownstreamX509CAResponse {
    readonly caCertChain: readonly Uint8Array[];
    readonly x509Authorities: readonly Uint8Array[];
  }
}

export declare namespace spire.api.server.trustdomain.v1 {
  interface ListFederationRelationshipsRequest {
    readonly outputMask: spire.api.types.FederationRelationshipMask;
    readonly pageSize: number;
    readonly pageToken: string;
  }
  interface ListFederationRelationshipsResponse {
    readonly federationRelationships: readonly spire.api.types.FederationRelationship[];
    readonly nextPageToken: string;
  }
  interface GetFederationRelationshipRequest {
    readonly trustDomain: string;
    readonly outputMask: spire.api.types.FederationRelationshipMask;
  }
  interface BatchCreateFederationRelationshipRequest {
    readonly federationRelationships: readonly spire.api.types.FederationRelationship[];
    readonly outputMask: spire.api.types.FederationRelationshipMask;
  }
  interface BatchCreateFederationRelationshipResponse {
    readonly results: readonly spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse.Result[];
  }
  namespace BatchCreateFederationRelationshipResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly federationRelationship: spire.api.types.FederationRelationship;
    }
  }
  interface BatchUpdateFederationRelationshipRequest {
    readonly federationRelationships: readonly spire.api.types.FederationRelationship[];
    readonly inputMask: spire.api.types.FederationRelationshipMask;
    readonly outputMask: spire.api.types.FederationRelationshipMask;
  }
  interface BatchUpdateFederationRelationshipResponse {
    readonly results: readonly spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse.Result[];
  }
  namespace BatchUpdateFederationRelationshipResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly federationRelationship: spire.api.types.FederationRelationship;
    }
  }
  interface BatchDeleteFederationRelationshipRequest {
    readonly trustDomains: readonly string[];
  }
  interface BatchDeleteFederationRelationshipResponse {
    readonly results: readonly spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse.Result[];
  }
  namespace BatchDeleteFederationRelationshipResponse {
    interface Result {
      readonly status: spire.api.types.Status;
      readonly trustDomain: string;
    }
  }
  interface RefreshBundleRequest {
    readonly trustDomain: string;
  }
}

export declare namespace spire.api.types {
  /** 0 UNSPECIFIED, 1 PANIC, 2 FATAL, 3 ERROR, 4 WARN, 5 INFO, 6 DEBUG, 7 TRACE */
  type LogLevel = number;
  interface SPIFFEID {
    /** Bare name. */
    readonly trustDomain: string;
    /** Empty, or with its leading slash. */
    readonly path: string;
  }
  /** The outcome of one item of a batch: a gRPC status code. */
  interface Status {
    readonly code: number;
    readonly message: string;
  }
  /** Detail of PERMISSION_DENIED that tells an agent what to do next. */
  interface PermissionDeniedDetails {
    readonly reason: spire.api.types.PermissionDeniedDetails.Reason;
  }
  namespace PermissionDeniedDetails {
    /** 0 UNKNOWN, 1 AGENT_EXPIRED, 2 AGENT_NOT_ATTESTED, 3 AGENT_NOT_ACTIVE, 4 AGENT_BANNED, 5 AGENT_MUST_REATTEST */
    type Reason = number;
  }
  interface Selector {
    readonly type: string;
    readonly value: string;
  }
  interface SelectorMatch {
    readonly selectors: readonly spire.api.types.Selector[];
    readonly match: spire.api.types.SelectorMatch.MatchBehavior;
  }
  namespace SelectorMatch {
    /** 0 MATCH_EXACT, 1 MATCH_SUBSET, 2 MATCH_SUPERSET, 3 MATCH_ANY */
    type MatchBehavior = number;
  }
  interface FederatesWithMatch {
    readonly trustDomains: readonly string[];
    readonly match: spire.api.types.FederatesWithMatch.MatchBehavior;
  }
  namespace FederatesWithMatch {
    /** 0 MATCH_EXACT, 1 MATCH_SUBSET, 2 MATCH_SUPERSET, 3 MATCH_ANY */
    type MatchBehavior = number;
  }
  interface Entry {
    readonly id: string;
    readonly spiffeId: spire.api.types.SPIFFEID;
    readonly parentId: spire.api.types.SPIFFEID;
    readonly selectors: readonly spire.api.types.Selector[];
    /** Seconds; 0 is the server's default. */
    readonly x509SvidTtl: number;
    /** Bare trust domain names. */
    readonly federatesWith: readonly string[];
    readonly admin: boolean;
    readonly downstream: boolean;
    /** Seconds since the Unix epoch; 0 is never. */
    readonly expiresAt: number;
    readonly dnsNames: readonly string[];
    /** Plus one for each update. */
    readonly revisionNumber: number;
    readonly storeSvid: boolean;
    /** Seconds; 0 is the server's default. */
    readonly jwtSvidTtl: number;
    readonly hint: string;
    /** Seconds since the Unix epoch. */
    readonly createdAt: number;
    readonly additionalAttributes: spire.api.types.Entry.AdditionalAttributes | undefined;
  }
  namespace Entry {
    interface AdditionalAttributes {
      readonly disableX509SvidPrefetch: boolean;
      readonly jwtSvidIncludeJti: boolean;
    }
  }
  /** Which fields of an Entry are meant; the ID always is. */
  interface EntryMask {
    readonly spiffeId: boolean;
    readonly parentId: boolean;
    readonly selectors: boolean;
    readonly x509SvidTtl: boolean;
    readonly federatesWith: boolean;
    readonly admin: boolean;
    readonly downstream: boolean;
    readonly expiresAt: boolean;
    readonly dnsNames: boolean;
    readonly revisionNumber: boolean;
    readonly storeSvid: boolean;
    readonly jwtSvidTtl: boolean;
    readonly hint: boolean;
    readonly createdAt: boolean;
    readonly additionalAttributes: boolean;
  }
  interface Bundle {
    /** Bare name. */
    readonly trustDomain: string;
    readonly x509Authorities: readonly spire.api.types.X509Certificate[];
    readonly jwtAuthorities: readonly spire.api.types.JWTKey[];
    /** Seconds. */
    readonly refreshHint: number;
    readonly sequenceNumber: number | bigint;
    readonly witAuthorities: readonly spire.api.types.WITKey[];
  }
  interface X509Certificate {
    /** DER, one certificate. */
    readonly asn1: Uint8Array;
    readonly tainted: boolean;
  }
  interface JWTKey {
    /** SubjectPublicKeyInfo, DER. */
    readonly publicKey: Uint8Array;
    readonly keyId: string;
    /** Seconds since the Unix epoch; 0 is unknown. */
    readonly expiresAt: number;
    readonly tainted: boolean;
  }
  interface WITKey {
    readonly publicKey: Uint8Array;
    readonly keyId: string;
    readonly expiresAt: number;
    readonly tainted: boolean;
  }
  /** Which fields of a Bundle are meant; the trust domain always is. */
  interface BundleMask {
    readonly x509Authorities: boolean;
    readonly jwtAuthorities: boolean;
    readonly refreshHint: boolean;
    readonly sequenceNumber: boolean;
    readonly witAuthorities: boolean;
  }
  interface X509SVID {
    /** DER, leaf first. */
    readonly certChain: readonly Uint8Array[];
    readonly id: spire.api.types.SPIFFEID;
    readonly expiresAt: number;
    readonly hint: string;
  }
  interface JWTSVID {
    readonly token: string;
    readonly id: spire.api.types.SPIFFEID;
    readonly expiresAt: number;
    readonly issuedAt: number;
    readonly hint: string;
  }
  interface WITSVID {
    readonly token: string;
    readonly id: spire.api.types.SPIFFEID;
    readonly expiresAt: number;
    readonly issuedAt: number;
    readonly hint: string;
  }
  /** A node agent that has attested. */
  interface Agent {
    readonly id: spire.api.types.SPIFFEID;
    readonly attestationType: string;
    /** Decimal. */
    readonly x509svidSerialNumber: string;
    readonly x509svidExpiresAt: number;
    readonly selectors: readonly spire.api.types.Selector[];
    readonly banned: boolean;
    readonly canReattest: boolean;
    readonly agentVersion: string;
  }
  /** Which fields of an Agent are meant; the ID always is. */
  interface AgentMask {
    readonly attestationType: boolean;
    readonly x509svidSerialNumber: boolean;
    readonly x509svidExpiresAt: boolean;
    readonly selectors: boolean;
    readonly banned: boolean;
    readonly canReattest: boolean;
    readonly agentVersion: boolean;
  }
  interface AttestationData {
    /** Name of the node attestor. */
    readonly type: string;
    readonly payload: Uint8Array;
  }
  interface JoinToken {
    readonly value: string;
    readonly expiresAt: number;
  }
  interface FederationRelationship {
    readonly trustDomain: string;
    readonly bundleEndpointUrl: string;
    readonly httpsWeb: spire.api.types.HTTPSWebProfile | undefined;
    readonly httpsSpiffe: spire.api.types.HTTPSSPIFFEProfile | undefined;
    readonly trustDomainBundle: spire.api.types.Bundle;
    /** Which one is set; derived, so never needed to encode. */
    readonly bundleEndpointProfile: "httpsWeb" | "httpsSpiffe" | undefined;
  }
  interface HTTPSWebProfile {
  }
  interface HTTPSSPIFFEProfile {
    readonly endpointSpiffeId: string;
  }
  interface FederationRelationshipMask {
    readonly bundleEndpointUrl: boolean;
    readonly bundleEndpointProfile: boolean;
    readonly trustDomainBundle: boolean;
  }
  interface Logger {
    readonly currentLevel: spire.api.types.LogLevel;
    readonly launchLevel: spire.api.types.LogLevel;
  }
}

export const NullValue: { readonly NULL_VALUE: 0 } = { NULL_VALUE: 0 };
export const HealthCheckResponseServingStatus: { readonly UNKNOWN: 0; readonly SERVING: 1; readonly NOT_SERVING: 2; readonly SERVICE_UNKNOWN: 3 } = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 };
export const TaskVerdict: { readonly GOOD: 0; readonly REFUSED: 1; readonly ENDED: 2 } = { GOOD: 0, REFUSED: 1, ENDED: 2 };
export const Reason: { readonly UNSPECIFIED: 0; readonly KEY_COMPROMISE: 1; readonly AFFILIATION_CHANGED: 3; readonly SUPERSEDED: 4; readonly CESSATION_OF_OPERATION: 5; readonly PRIVILEGE_WITHDRAWN: 9 } = { UNSPECIFIED: 0, KEY_COMPROMISE: 1, AFFILIATION_CHANGED: 3, SUPERSEDED: 4, CESSATION_OF_OPERATION: 5, PRIVILEGE_WITHDRAWN: 9 };
export const TaskState: { readonly TASK_STATE_UNSPECIFIED: 0; readonly PENDING: 1; readonly ACTIVE: 2; readonly PARKED: 3; readonly SUSPENDED: 4; readonly COMPLETED: 5; readonly FAILED: 6; readonly ABANDONED: 7; readonly REVOKED: 8; readonly EXPIRED: 9 } = { TASK_STATE_UNSPECIFIED: 0, PENDING: 1, ACTIVE: 2, PARKED: 3, SUSPENDED: 4, COMPLETED: 5, FAILED: 6, ABANDONED: 7, REVOKED: 8, EXPIRED: 9 };
export const BatchDeleteFederatedBundleRequestMode: { readonly RESTRICT: 0; readonly DELETE: 1; readonly DISSOCIATE: 2 } = { RESTRICT: 0, DELETE: 1, DISSOCIATE: 2 };
export const LogLevel: { readonly UNSPECIFIED: 0; readonly PANIC: 1; readonly FATAL: 2; readonly ERROR: 3; readonly WARN: 4; readonly INFO: 5; readonly DEBUG: 6; readonly TRACE: 7 } = { UNSPECIFIED: 0, PANIC: 1, FATAL: 2, ERROR: 3, WARN: 4, INFO: 5, DEBUG: 6, TRACE: 7 };
export const PermissionDeniedDetailsReason: { readonly UNKNOWN: 0; readonly AGENT_EXPIRED: 1; readonly AGENT_NOT_ATTESTED: 2; readonly AGENT_NOT_ACTIVE: 3; readonly AGENT_BANNED: 4; readonly AGENT_MUST_REATTEST: 5 } = { UNKNOWN: 0, AGENT_EXPIRED: 1, AGENT_NOT_ATTESTED: 2, AGENT_NOT_ACTIVE: 3, AGENT_BANNED: 4, AGENT_MUST_REATTEST: 5 };
export const SelectorMatchBehavior: { readonly MATCH_EXACT: 0; readonly MATCH_SUBSET: 1; readonly MATCH_SUPERSET: 2; readonly MATCH_ANY: 3 } = { MATCH_EXACT: 0, MATCH_SUBSET: 1, MATCH_SUPERSET: 2, MATCH_ANY: 3 };
export const FederatesWithMatchBehavior: { readonly MATCH_EXACT: 0; readonly MATCH_SUBSET: 1; readonly MATCH_SUPERSET: 2; readonly MATCH_ANY: 3 } = { MATCH_EXACT: 0, MATCH_SUBSET: 1, MATCH_SUPERSET: 2, MATCH_ANY: 3 };

const schema: Schema = new Schema({ nested: {
  "google": { nested: {
    "protobuf": { nested: {
      "Any": {"edition":"proto3","fields":{"typeUrl":{"type":"string","id":1},"value":{"type":"bytes","id":2}}},
      "Struct": {"edition":"proto3","fields":{"fields":{"keyType":"string","type":".google.protobuf.Value","id":1}}},
      "Value": {"edition":"proto3","fields":{"nullValue":{"type":".google.protobuf.NullValue","id":1},"numberValue":{"type":"double","id":2},"stringValue":{"type":"string","id":3},"boolValue":{"type":"bool","id":4},"structValue":{"type":".google.protobuf.Struct","id":5},"listValue":{"type":".google.protobuf.ListValue","id":6}},"oneofs":{"kind":{"oneof":["nullValue","numberValue","stringValue","boolValue","structValue","listValue"]}}},
      "ListValue": {"edition":"proto3","fields":{"values":{"rule":"repeated","type":".google.protobuf.Value","id":1}}},
      "NullValue": {"edition":"proto3","values":{"NULL_VALUE":0}},
      "BoolValue": {"edition":"proto3","fields":{"value":{"type":"bool","id":1}}},
      "StringValue": {"edition":"proto3","fields":{"value":{"type":"string","id":1}}},
      "Empty": {"edition":"proto3","fields":{}},
    } },
    "rpc": { nested: {
      "Status": {"edition":"proto3","fields":{"code":{"type":"int32","id":1},"message":{"type":"string","id":2},"details":{"rule":"repeated","type":".google.protobuf.Any","id":3}}},
      "ErrorInfo": {"edition":"proto3","fields":{"reason":{"type":"string","id":1},"domain":{"type":"string","id":2},"metadata":{"keyType":"string","type":"string","id":3}}},
    } },
  } },
  "grpc": { nested: {
    "health": { nested: {
      "v1": { nested: {
        "HealthCheckRequest": {"edition":"proto3","fields":{"service":{"type":"string","id":1}}},
        "HealthCheckResponse": {"edition":"proto3","fields":{"status":{"type":".grpc.health.v1.HealthCheckResponse.ServingStatus","id":1}},"nested":{"ServingStatus":{"edition":"proto3","values":{"UNKNOWN":0,"SERVING":1,"NOT_SERVING":2,"SERVICE_UNKNOWN":3}}}},
        "HealthListRequest": {"edition":"proto3","fields":{}},
        "HealthListResponse": {"edition":"proto3","fields":{"statuses":{"keyType":"string","type":".grpc.health.v1.HealthCheckResponse","id":1}}},
      } },
    } },
    "reflection": { nested: {
      "v1alpha": { nested: {
        "ServerReflectionRequest": {"edition":"proto3","fields":{"host":{"type":"string","id":1},"fileByFilename":{"type":"string","id":3},"fileContainingSymbol":{"type":"string","id":4},"fileContainingExtension":{"type":".grpc.reflection.v1alpha.ExtensionRequest","id":5},"allExtensionNumbersOfType":{"type":"string","id":6},"listServices":{"type":"string","id":7}},"oneofs":{"messageRequest":{"oneof":["fileByFilename","fileContainingSymbol","fileContainingExtension","allExtensionNumbersOfType","listServices"]}}},
        "ExtensionRequest": {"edition":"proto3","fields":{"containingType":{"type":"string","id":1},"extensionNumber":{"type":"int32","id":2}}},
        "ServerReflectionResponse": {"edition":"proto3","fields":{"validHost":{"type":"string","id":1},"originalRequest":{"type":".grpc.reflection.v1alpha.ServerReflectionRequest","id":2},"fileDescriptorResponse":{"type":".grpc.reflection.v1alpha.FileDescriptorResponse","id":4},"allExtensionNumbersResponse":{"type":".grpc.reflection.v1alpha.ExtensionNumberResponse","id":5},"listServicesResponse":{"type":".grpc.reflection.v1alpha.ListServiceResponse","id":6},"errorResponse":{"type":".grpc.reflection.v1alpha.ErrorResponse","id":7}},"oneofs":{"messageResponse":{"oneof":["fileDescriptorResponse","allExtensionNumbersResponse","listServicesResponse","errorResponse"]}}},
        "FileDescriptorResponse": {"edition":"proto3","fields":{"fileDescriptorProto":{"rule":"repeated","type":"bytes","id":1}}},
        "ExtensionNumberResponse": {"edition":"proto3","fields":{"baseTypeName":{"type":"string","id":1},"extensionNumber":{"rule":"repeated","type":"int32","id":2}}},
        "ListServiceResponse": {"edition":"proto3","fields":{"service":{"rule":"repeated","type":".grpc.reflection.v1alpha.ServiceResponse","id":1}}},
        "ServiceResponse": {"edition":"proto3","fields":{"name":{"type":"string","id":1}}},
        "ErrorResponse": {"edition":"proto3","fields":{"errorCode":{"type":"int32","id":1},"errorMessage":{"type":"string","id":2}}},
      } },
      "v1": { nested: {
        "ServerReflectionRequest": {"edition":"proto3","fields":{"host":{"type":"string","id":1},"fileByFilename":{"type":"string","id":3},"fileContainingSymbol":{"type":"string","id":4},"fileContainingExtension":{"type":".grpc.reflection.v1.ExtensionRequest","id":5},"allExtensionNumbersOfType":{"type":"string","id":6},"listServices":{"type":"string","id":7}},"oneofs":{"messageRequest":{"oneof":["fileByFilename","fileContainingSymbol","fileContainingExtension","allExtensionNumbersOfType","listServices"]}}},
        "ExtensionRequest": {"edition":"proto3","fields":{"containingType":{"type":"string","id":1},"extensionNumber":{"type":"int32","id":2}}},
        "ServerReflectionResponse": {"edition":"proto3","fields":{"validHost":{"type":"string","id":1},"originalRequest":{"type":".grpc.reflection.v1.ServerReflectionRequest","id":2},"fileDescriptorResponse":{"type":".grpc.reflection.v1.FileDescriptorResponse","id":4},"allExtensionNumbersResponse":{"type":".grpc.reflection.v1.ExtensionNumberResponse","id":5},"listServicesResponse":{"type":".grpc.reflection.v1.ListServiceResponse","id":6},"errorResponse":{"type":".grpc.reflection.v1.ErrorResponse","id":7}},"oneofs":{"messageResponse":{"oneof":["fileDescriptorResponse","allExtensionNumbersResponse","listServicesResponse","errorResponse"]}}},
        "FileDescriptorResponse": {"edition":"proto3","fields":{"fileDescriptorProto":{"rule":"repeated","type":"bytes","id":1}}},
        "ExtensionNumberResponse": {"edition":"proto3","fields":{"baseTypeName":{"type":"string","id":1},"extensionNumber":{"rule":"repeated","type":"int32","id":2}}},
        "ListServiceResponse": {"edition":"proto3","fields":{"service":{"rule":"repeated","type":".grpc.reflection.v1.ServiceResponse","id":1}}},
        "ServiceResponse": {"edition":"proto3","fields":{"name":{"type":"string","id":1}}},
        "ErrorResponse": {"edition":"proto3","fields":{"errorCode":{"type":"int32","id":1},"errorMessage":{"type":"string","id":2}}},
      } },
    } },
  } },
  "signet": { nested: {
    "audit": { nested: {
      "v1": { nested: {
        "Event": {"edition":"proto3","fields":{"id":{"type":"string","id":1},"timeMs":{"type":"int64","id":2},"stream":{"type":"string","id":3},"type":{"type":"string","id":4},"outcome":{"type":"string","id":5},"observedBy":{"type":"string","id":6},"observer":{"type":"string","id":7},"agent":{"type":"string","id":8},"task":{"type":"string","id":9},"root":{"type":"string","id":10},"parent":{"type":"string","id":11},"principal":{"type":"string","id":12},"action":{"type":"string","id":13},"resource":{"type":"string","id":14},"destination":{"type":"string","id":15},"decisionId":{"type":"string","id":16},"policyHash":{"type":"string","id":17},"credential":{"type":".signet.audit.v1.Credential","id":18},"argsDigest":{"type":"string","id":19},"assurance":{"type":"string","id":20},"traceId":{"type":"string","id":21},"reason":{"type":"string","id":22},"detail":{"keyType":"string","type":"string","id":23}}},
        "Credential": {"edition":"proto3","fields":{"kind":{"type":"string","id":1},"name":{"type":"string","id":2},"sha256":{"type":"string","id":3}}},
        "AppendRequest": {"edition":"proto3","fields":{"events":{"rule":"repeated","type":".signet.audit.v1.Event","id":1}}},
        "AppendResponse": {"edition":"proto3","fields":{}},
        "TailRequest": {"edition":"proto3","fields":{"streams":{"rule":"repeated","type":"string","id":1},"task":{"type":"string","id":2},"tree":{"type":"bool","id":3},"last":{"type":"uint32","id":4},"follow":{"type":"bool","id":5},"type":{"type":"string","id":6}}},
        "TailResponse": {"edition":"proto3","fields":{"events":{"rule":"repeated","type":".signet.audit.v1.LoggedEvent","id":1}}},
        "LoggedEvent": {"edition":"proto3","fields":{"index":{"type":"uint64","id":1},"line":{"type":"bytes","id":2}}},
        "CheckpointRequest": {"edition":"proto3","fields":{}},
        "CheckpointResponse": {"edition":"proto3","fields":{"note":{"type":"string","id":1},"verifierKey":{"type":"string","id":2}}},
        "ProveRequest": {"edition":"proto3","fields":{"eventId":{"type":"string","id":1},"oldSize":{"type":"uint64","id":2}}},
        "ProveResponse": {"edition":"proto3","fields":{"event":{"type":".signet.audit.v1.LoggedEvent","id":1},"note":{"type":"string","id":2},"inclusion":{"rule":"repeated","type":"bytes","id":3},"consistency":{"rule":"repeated","type":"bytes","id":4}}},
      } },
    } },
    "federation": { nested: {
      "v1": { nested: {
        "ListRelationshipsRequest": {"edition":"proto3","fields":{"trustDomain":{"type":"string","id":1},"pageSize":{"type":"int32","id":2},"pageToken":{"type":"string","id":3}}},
        "ListRelationshipsResponse": {"edition":"proto3","fields":{"relationships":{"rule":"repeated","type":".signet.federation.v1.Relationship","id":1},"nextPageToken":{"type":"string","id":2}}},
        "Relationship": {"edition":"proto3","fields":{"trustDomain":{"type":"string","id":1},"bundleEndpointUrl":{"type":"string","id":2},"bundleEndpointProfile":{"type":"string","id":3},"endpointSpiffeId":{"type":"string","id":4},"static":{"type":"bool","id":5},"createdAt":{"type":"int64","id":6},"hasBundle":{"type":"bool","id":7},"sequence":{"type":"string","id":8},"lastAttempt":{"type":"int64","id":9},"lastSuccess":{"type":"int64","id":10},"lastError":{"type":"string","id":11},"nextPoll":{"type":"int64","id":12}}},
      } },
    } },
    "guard": { nested: {
      "v1": { nested: {
        "WatchStatusRequest": {"edition":"proto3","fields":{}},
        "WatchStatusResponse": {"edition":"proto3","fields":{"reset":{"type":"bool","id":1},"tasks":{"rule":"repeated","type":".signet.link.v1.TaskStatus","id":2},"classes":{"rule":"repeated","type":".signet.link.v1.TaskClassRules","id":3},"fresh":{"type":"bool","id":4},"complete":{"type":"bool","id":5}}},
        "DescribeTaskRequest": {"edition":"proto3","fields":{"id":{"type":"string","id":1},"shown":{"type":"bytes","id":2}}},
        "DescribeTaskResponse": {"edition":"proto3","fields":{"task":{"type":".signet.task.v1.Task","id":1}}},
        "SpendUsesRequest": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"count":{"type":"uint32","id":2},"spendId":{"type":"string","id":3},"shown":{"type":"bytes","id":4}}},
        "SpendUsesResponse": {"edition":"proto3","fields":{"granted":{"type":"bool","id":1}}},
        "RecordRequest": {"edition":"proto3","fields":{"events":{"rule":"repeated","type":".signet.audit.v1.Event","id":1}}},
        "RecordResponse": {"edition":"proto3","fields":{}},
      } },
    } },
    "launch": { nested: {
      "v1": { nested: {
        "OpenRequest": {"edition":"proto3","fields":{"start":{"type":".signet.launch.v1.Start","id":1},"started":{"type":".signet.launch.v1.Started","id":2}},"oneofs":{"step":{"oneof":["start","started"]}}},
        "Start": {"edition":"proto3","fields":{"name":{"type":"string","id":1}}},
        "Started": {"edition":"proto3","fields":{"pid":{"type":"int32","id":1}}},
        "OpenResponse": {"edition":"proto3","fields":{"ready":{"type":".signet.launch.v1.Ready","id":1},"admitted":{"type":".signet.launch.v1.Admitted","id":2}},"oneofs":{"step":{"oneof":["ready","admitted"]}}},
        "Ready": {"edition":"proto3","fields":{"socketPath":{"type":"string","id":1}}},
        "Admitted": {"edition":"proto3","fields":{}},
      } },
    } },
    "link": { nested: {
      "v1": { nested: {
        "Cursor": {"edition":"proto3","fields":{"epoch":{"type":"string","id":1},"revision":{"type":"int64","id":2}}},
        "WatchRequest": {"edition":"proto3","fields":{"hello":{"type":".signet.link.v1.Hello","id":1},"ack":{"type":".signet.link.v1.Ack","id":2},"ping":{"type":".signet.link.v1.Ping","id":3}},"oneofs":{"step":{"oneof":["hello","ack","ping"]}}},
        "Hello": {"edition":"proto3","fields":{"version":{"type":"uint32","id":1},"agentVersion":{"type":"string","id":2},"cursor":{"type":".signet.link.v1.Cursor","id":3}}},
        "Ping": {"edition":"proto3","fields":{}},
        "Ack": {"edition":"proto3","fields":{"cursor":{"type":".signet.link.v1.Cursor","id":1}}},
        "WatchResponse": {"edition":"proto3","fields":{"welcome":{"type":".signet.link.v1.Welcome","id":1},"snapshot":{"type":".signet.link.v1.Snapshot","id":2},"delta":{"type":".signet.link.v1.Delta","id":3}},"oneofs":{"step":{"oneof":["welcome","snapshot","delta"]}}},
        "Welcome": {"edition":"proto3","fields":{"version":{"type":"uint32","id":1},"resumed":{"type":"bool","id":2},"serverVersion":{"type":"string","id":3}}},
        "Snapshot": {"edition":"proto3","fields":{"entries":{"rule":"repeated","type":".spire.api.types.Entry","id":1},"bundles":{"rule":"repeated","type":".spire.api.types.Bundle","id":2},"last":{"type":"bool","id":3},"cursor":{"type":".signet.link.v1.Cursor","id":4},"crls":{"rule":"repeated","type":".signet.link.v1.Crl","id":5},"tokens":{"rule":"repeated","type":".signet.link.v1.TokenRevocation","id":6},"entryOrders":{"rule":"repeated","type":"int64","id":7},"tasks":{"rule":"repeated","type":".signet.link.v1.TaskStatus","id":8},"taskClasses":{"rule":"repeated","type":".signet.link.v1.TaskClassRules","id":9}}},
        "Delta": {"edition":"proto3","fields":{"entries":{"rule":"repeated","type":".spire.api.types.Entry","id":1},"removedEntryIds":{"rule":"repeated","type":"string","id":2},"bundles":{"rule":"repeated","type":".spire.api.types.Bundle","id":3},"removedBundles":{"rule":"repeated","type":"string","id":4},"cursor":{"type":".signet.link.v1.Cursor","id":5},"crls":{"rule":"repeated","type":".signet.link.v1.Crl","id":6},"removedCrls":{"rule":"repeated","type":"string","id":7},"tokens":{"rule":"repeated","type":".signet.link.v1.TokenRevocation","id":8},"reask":{"type":"bool","id":9},"entryOrders":{"rule":"repeated","type":"int64","id":10},"tasks":{"rule":"repeated","type":".signet.link.v1.TaskStatus","id":11},"taskClasses":{"rule":"repeated","type":".signet.link.v1.TaskClassRules","id":12},"removedTaskClasses":{"rule":"repeated","type":"string","id":13}}},
        "Crl": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1},"der":{"type":"bytes","id":2}}},
        "TokenRevocation": {"edition":"proto3","fields":{"jti":{"type":"string","id":1},"digest":{"type":"bytes","id":2},"spiffeId":{"type":"string","id":3},"issuedUntil":{"type":"int64","id":4},"expiresAt":{"type":"int64","id":5}},"oneofs":{"what":{"oneof":["jti","digest","spiffeId"]}}},
        "TaskStatus": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"spiffeId":{"type":"string","id":2},"verdict":{"type":".signet.link.v1.TaskVerdict","id":3},"version":{"type":"uint64","id":4},"forgetAt":{"type":"int64","id":5},"state":{"type":"string","id":6},"reason":{"type":"string","id":7}}},
        "TaskClassRules": {"edition":"proto3","fields":{"name":{"type":"string","id":1},"failMode":{"type":"string","id":2},"requirePop":{"type":"bool","id":3}}},
        "TaskVerdict": {"edition":"proto3","values":{"GOOD":0,"REFUSED":1,"ENDED":2}},
      } },
    } },
    "mandate": { nested: {
      "v1": { nested: {
        "Mandate": {"edition":"proto3","fields":{"locations":{"type":".signet.mandate.v1.Set","id":1},"actions":{"type":".signet.mandate.v1.Set","id":2},"datatypes":{"type":".signet.mandate.v1.Set","id":3},"uses":{"type":".signet.mandate.v1.Limit","id":4},"depth":{"type":".signet.mandate.v1.Limit","id":5},"maxSensitivity":{"type":".signet.mandate.v1.Limit","id":6},"until":{"type":"int64","id":7},"environment":{"type":".signet.mandate.v1.Set","id":8}}},
        "Set": {"edition":"proto3","fields":{"any":{"type":"bool","id":1},"values":{"rule":"repeated","type":"string","id":2}}},
        "Limit": {"edition":"proto3","fields":{"value":{"type":"uint64","id":1}}},
      } },
    } },
    "nodetask": { nested: {
      "v1": { nested: {
        "OpenRequest": {"edition":"proto3","fields":{"entryIds":{"rule":"repeated","type":"string","id":1},"task":{"type":".signet.task.v1.OpenTaskRequest","id":2},"binding":{"type":".signet.task.v1.TaskBinding","id":3}}},
        "BatchSignX509Request": {"edition":"proto3","fields":{"requests":{"rule":"repeated","type":".signet.nodetask.v1.SignX509","id":1}}},
        "SignX509": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"csr":{"type":"bytes","id":2}}},
        "BatchSignX509Response": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".signet.nodetask.v1.SignX509Result","id":1}}},
        "SignX509Result": {"edition":"proto3","fields":{"code":{"type":"int32","id":1},"reason":{"type":"string","id":2},"message":{"type":"string","id":3},"certChain":{"rule":"repeated","type":"bytes","id":4},"expiresAt":{"type":"int64","id":5}}},
        "NewJWTSVIDRequest": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"audience":{"rule":"repeated","type":"string","id":2}}},
        "NewWITSVIDRequest": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"publicKey":{"type":"bytes","id":2},"signingAlgorithm":{"type":"string","id":3}}},
        "IssueTokenRequest": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"resource":{"type":"string","id":2},"mandate":{"type":".signet.mandate.v1.Mandate","id":3},"confirmationJkt":{"type":"string","id":4},"unbound":{"type":"bool","id":5}}},
        "ChangeRequest": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"to":{"type":".signet.task.v1.TaskState","id":2},"mandate":{"type":".signet.mandate.v1.Mandate","id":3},"reason":{"type":"string","id":4},"summaryDigest":{"type":"string","id":5},"binding":{"type":".signet.task.v1.TaskBinding","id":6}}},
        "HeldRequest": {"edition":"proto3","fields":{"taskIds":{"rule":"repeated","type":"string","id":1}}},
        "HeldResponse": {"edition":"proto3","fields":{"tasks":{"rule":"repeated","type":".signet.task.v1.Task","id":1}}},
        "EndOrphansRequest": {"edition":"proto3","fields":{"mark":{"type":"string","id":1},"heldIds":{"rule":"repeated","type":"string","id":2}}},
        "EndOrphansResponse": {"edition":"proto3","fields":{"mark":{"type":"string","id":1},"open":{"type":"uint32","id":2},"left":{"type":"uint32","id":3}}},
        "DescribeRequest": {"edition":"proto3","fields":{"taskIds":{"rule":"repeated","type":"string","id":1}}},
        "DescribeResponse": {"edition":"proto3","fields":{"tasks":{"rule":"repeated","type":".signet.task.v1.Task","id":1}}},
        "CheckShownRequest": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"shown":{"type":"bytes","id":2}}},
        "CheckShownResponse": {"edition":"proto3","fields":{"isCredential":{"type":"bool","id":1}}},
        "LeaseUsesRequest": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"count":{"type":"uint64","id":2},"leaseId":{"type":"string","id":3}}},
        "LeaseUsesResponse": {"edition":"proto3","fields":{"lent":{"type":"uint64","id":1},"left":{"type":"uint64","id":2}}},
        "ReportRequest": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"kind":{"type":"string","id":2},"detail":{"type":"string","id":3},"observer":{"type":"string","id":4}}},
        "ReportResponse": {"edition":"proto3","fields":{"reaction":{"type":"string","id":1}}},
      } },
    } },
    "oauth": { nested: {
      "v1": { nested: {
        "GetOAuthAuthorityStateRequest": {"edition":"proto3","fields":{}},
        "GetOAuthAuthorityStateResponse": {"edition":"proto3","fields":{"active":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1},"prepared":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":2},"old":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":3}}},
        "PrepareOAuthAuthorityRequest": {"edition":"proto3","fields":{}},
        "PrepareOAuthAuthorityResponse": {"edition":"proto3","fields":{"preparedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
        "ActivateOAuthAuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
        "ActivateOAuthAuthorityResponse": {"edition":"proto3","fields":{"activatedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
        "TaintOAuthAuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
        "TaintOAuthAuthorityResponse": {"edition":"proto3","fields":{"taintedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
        "RevokeOAuthAuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
        "RevokeOAuthAuthorityResponse": {"edition":"proto3","fields":{"revokedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
      } },
    } },
    "registry": { nested: {
      "v1": { nested: {
        "AiAgent": {"edition":"proto3","fields":{"spiffeId":{"type":"string","id":1},"owner":{"type":"string","id":2},"purpose":{"type":"string","id":3},"environment":{"type":"string","id":4},"validUntil":{"type":"int64","id":5},"ceiling":{"type":".signet.mandate.v1.Mandate","id":6},"taskClasses":{"rule":"repeated","type":"string","id":7},"manifestHash":{"type":"string","id":8},"modelId":{"type":"string","id":9},"labels":{"keyType":"string","type":"string","id":10},"maxOpenTasks":{"type":"uint32","id":11},"disabled":{"type":"bool","id":12},"disabledReason":{"type":"string","id":13},"createdAt":{"type":"int64","id":14},"updatedAt":{"type":"int64","id":15},"openTasks":{"type":"uint32","id":16},"managedBy":{"type":"string","id":17},"version":{"type":"uint64","id":18},"entryIds":{"rule":"repeated","type":"string","id":19},"mayHost":{"rule":"repeated","type":"string","id":20},"hostedBy":{"rule":"repeated","type":"string","id":21},"hostedTasks":{"type":"uint32","id":22}}},
        "CreateAiAgentRequest": {"edition":"proto3","fields":{"aiAgent":{"type":".signet.registry.v1.AiAgent","id":1},"entry":{"type":".spire.api.types.Entry","id":2}}},
        "UpdateAiAgentRequest": {"edition":"proto3","fields":{"aiAgent":{"type":".signet.registry.v1.AiAgent","id":1},"expectedVersion":{"type":"uint64","id":2}}},
        "AiAgentResponse": {"edition":"proto3","fields":{"aiAgent":{"type":".signet.registry.v1.AiAgent","id":1}}},
        "GetAiAgentRequest": {"edition":"proto3","fields":{"spiffeId":{"type":"string","id":1}}},
        "ListAiAgentsRequest": {"edition":"proto3","fields":{"owner":{"type":"string","id":1},"labels":{"keyType":"string","type":"string","id":2},"pageSize":{"type":"int32","id":3},"pageToken":{"type":"string","id":4}}},
        "ListAiAgentsResponse": {"edition":"proto3","fields":{"aiAgents":{"rule":"repeated","type":".signet.registry.v1.AiAgent","id":1},"nextPageToken":{"type":"string","id":2}}},
        "AiAgentAction": {"edition":"proto3","fields":{"spiffeId":{"type":"string","id":1},"reason":{"type":"string","id":2},"withEntries":{"type":"bool","id":3}}},
        "TaskClass": {"edition":"proto3","fields":{"name":{"type":"string","id":1},"description":{"type":"string","id":2},"maximum":{"type":".signet.mandate.v1.Mandate","id":3},"defaultTtlSeconds":{"type":"uint32","id":4},"maxTtlSeconds":{"type":"uint32","id":5},"idleTimeoutSeconds":{"type":"uint32","id":6},"x509SvidTtlSeconds":{"type":"uint32","id":7},"jwtSvidTtlSeconds":{"type":"uint32","id":8},"accessTokenTtlSeconds":{"type":"uint32","id":9},"maxDepth":{"type":"uint32","id":10},"requirePop":{"type":"bool","id":11},"failMode":{"type":"string","id":12},"identity":{"type":"string","id":13},"bind":{"type":"string","id":14},"allowClip":{"type":"bool","id":15},"openedBy":{"type":"string","id":16},"reactions":{"keyType":"string","type":"string","id":17},"shipped":{"type":"bool","id":18},"version":{"type":"uint64","id":19},"managedBy":{"type":"string","id":20},"labels":{"keyType":"string","type":"string","id":21},"owner":{"type":"string","id":22},"requireAttested":{"type":"bool","id":23}}},
        "SetTaskClassRequest": {"edition":"proto3","fields":{"taskClass":{"type":".signet.registry.v1.TaskClass","id":1},"expectedVersion":{"type":"uint64","id":2}}},
        "TaskClassResponse": {"edition":"proto3","fields":{"taskClass":{"type":".signet.registry.v1.TaskClass","id":1}}},
        "GetTaskClassRequest": {"edition":"proto3","fields":{"name":{"type":"string","id":1}}},
        "ListTaskClassesRequest": {"edition":"proto3","fields":{}},
        "ListTaskClassesResponse": {"edition":"proto3","fields":{"taskClasses":{"rule":"repeated","type":".signet.registry.v1.TaskClass","id":1}}},
        "DeleteTaskClassRequest": {"edition":"proto3","fields":{"name":{"type":"string","id":1}}},
        "ApplyRequest": {"edition":"proto3","fields":{"options":{"type":".signet.registry.v1.ApplyOptions","id":1},"entries":{"rule":"repeated","type":".signet.registry.v1.DeclaredEntry","id":2},"aiAgents":{"rule":"repeated","type":".signet.registry.v1.AiAgent","id":3},"taskClasses":{"rule":"repeated","type":".signet.registry.v1.TaskClass","id":4}}},
        "ApplyOptions": {"edition":"proto3","fields":{"set":{"type":"string","id":1},"dryRun":{"type":"bool","id":2},"prune":{"type":"bool","id":3},"adopt":{"type":"bool","id":4},"expectedPlan":{"type":"string","id":5}}},
        "DeclaredEntry": {"edition":"proto3","fields":{"entry":{"type":".spire.api.types.Entry","id":1},"owner":{"type":"string","id":2},"labels":{"keyType":"string","type":"string","id":3}}},
        "ApplyResponse": {"edition":"proto3","fields":{"changes":{"rule":"repeated","type":".signet.registry.v1.AppliedChange","id":1},"problems":{"rule":"repeated","type":".signet.registry.v1.ApplyProblem","id":2},"summary":{"type":".signet.registry.v1.ApplySummary","id":3}}},
        "ApplySummary": {"edition":"proto3","fields":{"set":{"type":"string","id":1},"dryRun":{"type":"bool","id":2},"created":{"type":"uint32","id":3},"updated":{"type":"uint32","id":4},"deleted":{"type":"uint32","id":5},"unchanged":{"type":"uint32","id":6},"plan":{"type":"string","id":7}}},
        "ApplyProblem": {"edition":"proto3","fields":{"kind":{"type":"string","id":1},"index":{"type":"uint32","id":2},"reason":{"type":"string","id":3},"message":{"type":"string","id":4},"hint":{"type":"string","id":5}}},
        "AppliedChange": {"edition":"proto3","fields":{"kind":{"type":"string","id":1},"name":{"type":"string","id":2},"action":{"type":"string","id":3},"fields":{"rule":"repeated","type":".signet.registry.v1.FieldChange","id":4},"entryId":{"type":"string","id":5}}},
        "FieldChange": {"edition":"proto3","fields":{"field":{"type":"string","id":1},"before":{"type":"string","id":2},"after":{"type":"string","id":3}}},
        "ListEntryOwnersRequest": {"edition":"proto3","fields":{"set":{"type":"string","id":1},"pageSize":{"type":"int32","id":2},"pageToken":{"type":"string","id":3}}},
        "ListEntryOwnersResponse": {"edition":"proto3","fields":{"owners":{"rule":"repeated","type":".signet.registry.v1.EntryOwner","id":1},"nextPageToken":{"type":"string","id":2}}},
        "EntryOwner": {"edition":"proto3","fields":{"entryId":{"type":"string","id":1},"owner":{"type":"string","id":2},"labels":{"keyType":"string","type":"string","id":3},"managedBy":{"type":"string","id":4}}},
      } },
    } },
    "revocation": { nested: {
      "v1": { nested: {
        "RevokeSVIDRequest": {"edition":"proto3","fields":{"serial":{"type":"string","id":1},"jti":{"type":"string","id":2},"spiffeId":{"type":".spire.api.types.SPIFFEID","id":3},"reason":{"type":".signet.revocation.v1.Reason","id":4},"replace":{"type":"bool","id":5},"force":{"type":"bool","id":6}},"oneofs":{"target":{"oneof":["serial","jti","spiffeId"]}}},
        "RevokeSVIDResponse": {"edition":"proto3","fields":{"revocation":{"type":".signet.revocation.v1.RevocationRecord","id":1},"tasksEnded":{"type":"uint32","id":2}}},
        "ListRevocationsRequest": {"edition":"proto3","fields":{"heldOnly":{"type":"bool","id":1},"pageSize":{"type":"int32","id":2},"pageToken":{"type":"string","id":3}}},
        "ListRevocationsResponse": {"edition":"proto3","fields":{"revocations":{"rule":"repeated","type":".signet.revocation.v1.RevocationRecord","id":1},"nextPageToken":{"type":"string","id":2}}},
        "ReleaseHoldRequest": {"edition":"proto3","fields":{"id":{"type":"string","id":1}}},
        "ReleaseHoldResponse": {"edition":"proto3","fields":{"revocation":{"type":".signet.revocation.v1.RevocationRecord","id":1}}},
        "RevocationRecord": {"edition":"proto3","fields":{"id":{"type":"string","id":1},"serial":{"type":"string","id":2},"jti":{"type":"string","id":3},"spiffeId":{"type":".spire.api.types.SPIFFEID","id":4},"agentId":{"type":".spire.api.types.SPIFFEID","id":5},"reason":{"type":".signet.revocation.v1.Reason","id":6},"revokedAt":{"type":"int64","id":7},"revokedBy":{"type":"string","id":8},"hold":{"type":".signet.revocation.v1.Hold","id":9},"x509Svids":{"type":"uint32","id":10},"tokens":{"type":"uint32","id":11},"expiresAt":{"type":"int64","id":12}},"oneofs":{"target":{"oneof":["serial","jti","spiffeId","agentId"]}}},
        "Hold": {"edition":"proto3","fields":{"spiffeId":{"type":".spire.api.types.SPIFFEID","id":1},"agentId":{"type":".spire.api.types.SPIFFEID","id":2},"releasedAt":{"type":"int64","id":3},"releasedBy":{"type":"string","id":4}}},
        "Reason": {"edition":"proto3","values":{"UNSPECIFIED":0,"KEY_COMPROMISE":1,"AFFILIATION_CHANGED":3,"SUPERSEDED":4,"CESSATION_OF_OPERATION":5,"PRIVILEGE_WITHDRAWN":9}},
      } },
    } },
    "task": { nested: {
      "v1": { nested: {
        "Task": {"edition":"proto3","fields":{"id":{"type":"string","id":1},"spiffeId":{"type":"string","id":2},"aiAgent":{"type":"string","id":3},"taskClass":{"type":"string","id":4},"purpose":{"type":"string","id":5},"intent":{"type":"string","id":6},"mandate":{"type":".signet.mandate.v1.Mandate","id":7},"principal":{"type":"string","id":8},"parent":{"type":"string","id":9},"root":{"type":"string","id":10},"depth":{"type":"uint32","id":11},"owner":{"type":"string","id":12},"openedAtMs":{"type":"int64","id":13},"expiresAtMs":{"type":"int64","id":14},"idleTimeoutSeconds":{"type":"uint32","id":15},"state":{"type":".signet.task.v1.TaskState","id":16},"stateReason":{"type":"string","id":17},"endedAtMs":{"type":"int64","id":18},"openedBy":{"type":"string","id":19},"nodeAgent":{"type":"string","id":20},"externalRefs":{"keyType":"string","type":"string","id":21},"labels":{"keyType":"string","type":"string","id":22},"assurance":{"type":"string","id":23},"usesTaken":{"type":"uint64","id":24},"grantHash":{"type":"string","id":25},"keyThumbprint":{"type":"string","id":26},"version":{"type":"uint64","id":27},"lastActiveMs":{"type":"int64","id":28},"binding":{"type":".signet.task.v1.TaskBinding","id":29},"status":{"type":".signet.task.v1.StatusReference","id":30},"host":{"type":"string","id":31}}},
        "StatusReference": {"edition":"proto3","fields":{"list":{"type":"string","id":1},"index":{"type":"uint32","id":2}}},
        "TaskBinding": {"edition":"proto3","fields":{"pid":{"type":"int32","id":1},"uid":{"type":"uint32","id":2},"startTime":{"type":"int64","id":3},"bootId":{"type":"string","id":4}}},
        "OpenTaskRequest": {"edition":"proto3","fields":{"taskClass":{"type":"string","id":1},"purpose":{"type":"string","id":2},"intent":{"type":"string","id":3},"mandate":{"type":".signet.mandate.v1.Mandate","id":4},"ttlSeconds":{"type":"uint32","id":5},"csr":{"type":"bytes","id":6},"aiAgent":{"type":"string","id":7},"claimTaskId":{"type":"string","id":8},"idempotencyKey":{"type":"string","id":9},"externalRefs":{"keyType":"string","type":"string","id":10},"labels":{"keyType":"string","type":"string","id":11},"allowClip":{"type":"bool","id":12},"principal":{"type":"string","id":13},"idleTimeoutSeconds":{"type":"uint32","id":14}}},
        "OpenTaskResponse": {"edition":"proto3","fields":{"task":{"type":".signet.task.v1.Task","id":1},"svid":{"type":".signet.task.v1.TaskX509SVID","id":2}}},
        "TaskX509SVID": {"edition":"proto3","fields":{"x509Svid":{"type":"bytes","id":1},"bundle":{"type":"bytes","id":2},"expiresAt":{"type":"int64","id":3}}},
        "RunTaskRequest": {"edition":"proto3","fields":{"open":{"type":".signet.task.v1.OpenTaskRequest","id":1},"attach":{"type":".signet.task.v1.AttachStep","id":2},"started":{"type":".signet.task.v1.StartedStep","id":3},"finished":{"type":".signet.task.v1.FinishedStep","id":4},"launchName":{"type":"string","id":5}},"oneofs":{"step":{"oneof":["open","attach","started","finished"]}}},
        "AttachStep": {"edition":"proto3","fields":{"proof":{"type":".signet.task.v1.TaskProof","id":1},"pid":{"type":"int32","id":2}}},
        "StartedStep": {"edition":"proto3","fields":{"pid":{"type":"int32","id":1}}},
        "FinishedStep": {"edition":"proto3","fields":{"succeeded":{"type":"bool","id":1},"detail":{"type":"string","id":2}}},
        "RunTaskResponse": {"edition":"proto3","fields":{"ready":{"type":".signet.task.v1.ReadyStep","id":1},"admitted":{"type":".signet.task.v1.AdmittedStep","id":2},"changed":{"type":".signet.task.v1.Task","id":3}},"oneofs":{"step":{"oneof":["ready","admitted","changed"]}}},
        "ReadyStep": {"edition":"proto3","fields":{"task":{"type":".signet.task.v1.Task","id":1},"socketPath":{"type":"string","id":2}}},
        "AdmittedStep": {"edition":"proto3","fields":{}},
        "TaskProof": {"edition":"proto3","fields":{"taskId":{"type":"string","id":1},"jws":{"type":"string","id":2}}},
        "WatchTaskRequest": {"edition":"proto3","fields":{"proof":{"type":".signet.task.v1.TaskProof","id":1},"csr":{"type":"bytes","id":2}}},
        "TaskEvent": {"edition":"proto3","fields":{"task":{"type":".signet.task.v1.Task","id":1},"svid":{"type":".signet.task.v1.TaskX509SVID","id":2}}},
        "FetchTaskJWTSVIDRequest": {"edition":"proto3","fields":{"proof":{"type":".signet.task.v1.TaskProof","id":1},"audience":{"type":"string","id":2}}},
        "FetchTaskJWTSVIDResponse": {"edition":"proto3","fields":{"token":{"type":"string","id":1},"expiresAt":{"type":"int64","id":2}}},
        "FetchTaskWITSVIDRequest": {"edition":"proto3","fields":{"proof":{"type":".signet.task.v1.TaskProof","id":1}}},
        "FetchTaskWITSVIDResponse": {"edition":"proto3","fields":{"token":{"type":"string","id":1},"expiresAt":{"type":"int64","id":2}}},
        "IssueTokenRequest": {"edition":"proto3","fields":{"proof":{"type":".signet.task.v1.TaskProof","id":1},"resource":{"type":"string","id":2},"mandate":{"type":".signet.mandate.v1.Mandate","id":3},"confirmationJkt":{"type":"string","id":4},"unbound":{"type":"bool","id":5}}},
        "IssueTokenResponse": {"edition":"proto3","fields":{"accessToken":{"type":"string","id":1},"expiresAt":{"type":"int64","id":2},"tokenType":{"type":"string","id":3}}},
        "NarrowRequest": {"edition":"proto3","fields":{"proof":{"type":".signet.task.v1.TaskProof","id":1},"mandate":{"type":".signet.mandate.v1.Mandate","id":2}}},
        "TaskRequest": {"edition":"proto3","fields":{"proof":{"type":".signet.task.v1.TaskProof","id":1}}},
        "ResumeRequest": {"edition":"proto3","fields":{"proof":{"type":".signet.task.v1.TaskProof","id":1},"mandate":{"type":".signet.mandate.v1.Mandate","id":2},"csr":{"type":"bytes","id":3}}},
        "CompleteRequest": {"edition":"proto3","fields":{"proof":{"type":".signet.task.v1.TaskProof","id":1},"outcome":{"type":".signet.task.v1.TaskState","id":2},"summaryDigest":{"type":"string","id":3},"detail":{"type":"string","id":4}}},
        "TaskResponse": {"edition":"proto3","fields":{"task":{"type":".signet.task.v1.Task","id":1}}},
        "CreateTaskRequest": {"edition":"proto3","fields":{"aiAgent":{"type":"string","id":1},"task":{"type":".signet.task.v1.OpenTaskRequest","id":2}}},
        "GetTaskRequest": {"edition":"proto3","fields":{"id":{"type":"string","id":1}}},
        "ListTasksRequest": {"edition":"proto3","fields":{"aiAgent":{"type":"string","id":1},"taskClass":{"type":"string","id":2},"states":{"rule":"repeated","type":".signet.task.v1.TaskState","id":3},"nodeAgent":{"type":"string","id":4},"root":{"type":"string","id":5},"labels":{"keyType":"string","type":"string","id":6},"pageSize":{"type":"int32","id":7},"pageToken":{"type":"string","id":8},"owner":{"type":"string","id":9},"host":{"type":"string","id":10}}},
        "ListTasksResponse": {"edition":"proto3","fields":{"tasks":{"rule":"repeated","type":".signet.task.v1.Task","id":1},"nextPageToken":{"type":"string","id":2}}},
        "TaskAction": {"edition":"proto3","fields":{"id":{"type":"string","id":1},"reason":{"type":"string","id":2}}},
        "RevokeTaskResponse": {"edition":"proto3","fields":{"ended":{"rule":"repeated","type":".signet.task.v1.Task","id":1}}},
        "CompleteTaskRequest": {"edition":"proto3","fields":{"id":{"type":"string","id":1},"outcome":{"type":".signet.task.v1.TaskState","id":2},"reason":{"type":"string","id":3}}},
        "TaskState": {"edition":"proto3","values":{"TASK_STATE_UNSPECIFIED":0,"PENDING":1,"ACTIVE":2,"PARKED":3,"SUSPENDED":4,"COMPLETED":5,"FAILED":6,"ABANDONED":7,"REVOKED":8,"EXPIRED":9}},
      } },
    } },
  } },
  "X509SVIDRequest": {"edition":"proto3","fields":{}},
  "X509SVIDResponse": {"edition":"proto3","fields":{"svids":{"rule":"repeated","type":".X509SVID","id":1},"crl":{"rule":"repeated","type":"bytes","id":2},"federatedBundles":{"keyType":"string","type":"bytes","id":3}}},
  "X509SVID": {"edition":"proto3","fields":{"spiffeId":{"type":"string","id":1},"x509Svid":{"type":"bytes","id":2},"x509SvidKey":{"type":"bytes","id":3},"bundle":{"type":"bytes","id":4},"hint":{"type":"string","id":5}}},
  "X509BundlesRequest": {"edition":"proto3","fields":{}},
  "X509BundlesResponse": {"edition":"proto3","fields":{"crl":{"rule":"repeated","type":"bytes","id":1},"bundles":{"keyType":"string","type":"bytes","id":2}}},
  "JWTSVIDRequest": {"edition":"proto3","fields":{"audience":{"rule":"repeated","type":"string","id":1},"spiffeId":{"type":"string","id":2}}},
  "JWTSVIDResponse": {"edition":"proto3","fields":{"svids":{"rule":"repeated","type":".JWTSVID","id":1}}},
  "JWTSVID": {"edition":"proto3","fields":{"spiffeId":{"type":"string","id":1},"svid":{"type":"string","id":2},"hint":{"type":"string","id":3}}},
  "JWTBundlesRequest": {"edition":"proto3","fields":{}},
  "JWTBundlesResponse": {"edition":"proto3","fields":{"bundles":{"keyType":"string","type":"bytes","id":1}}},
  "ValidateJWTSVIDRequest": {"edition":"proto3","fields":{"audience":{"type":"string","id":1},"svid":{"type":"string","id":2}}},
  "ValidateJWTSVIDResponse": {"edition":"proto3","fields":{"spiffeId":{"type":"string","id":1},"claims":{"type":".google.protobuf.Struct","id":2}}},
  "WITSVIDRequest": {"edition":"proto3","fields":{"spiffeId":{"type":"string","id":1}}},
  "WITSVIDResponse": {"edition":"proto3","fields":{"svids":{"rule":"repeated","type":".WITSVID","id":1}}},
  "WITSVID": {"edition":"proto3","fields":{"spiffeId":{"type":"string","id":1},"witSvid":{"type":"string","id":2},"witSvidKey":{"type":"string","id":3},"hint":{"type":"string","id":4}}},
  "WITBundlesRequest": {"edition":"proto3","fields":{}},
  "WITBundlesResponse": {"edition":"proto3","fields":{"bundles":{"keyType":"string","type":"string","id":1}}},
  "spire": { nested: {
    "api": { nested: {
      "server": { nested: {
        "agent": { nested: {
          "v1": { nested: {
            "CountAgentsRequest": {"edition":"proto3","fields":{"filter":{"type":".spire.api.server.agent.v1.CountAgentsRequest.Filter","id":1}},"nested":{"Filter":{"edition":"proto3","fields":{"byAttestationType":{"type":"string","id":1},"bySelectorMatch":{"type":".spire.api.types.SelectorMatch","id":2},"byBanned":{"type":".google.protobuf.BoolValue","id":3},"byCanReattest":{"type":".google.protobuf.BoolValue","id":4},"byExpiresBefore":{"type":"string","id":5}}}}},
            "CountAgentsResponse": {"edition":"proto3","fields":{"count":{"type":"int32","id":1}}},
            "ListAgentsRequest": {"edition":"proto3","fields":{"filter":{"type":".spire.api.server.agent.v1.ListAgentsRequest.Filter","id":1},"outputMask":{"type":".spire.api.types.AgentMask","id":2},"pageSize":{"type":"int32","id":3},"pageToken":{"type":"string","id":4}},"nested":{"Filter":{"edition":"proto3","fields":{"byAttestationType":{"type":"string","id":1},"bySelectorMatch":{"type":".spire.api.types.SelectorMatch","id":2},"byBanned":{"type":".google.protobuf.BoolValue","id":3},"byCanReattest":{"type":".google.protobuf.BoolValue","id":4},"byExpiresBefore":{"type":"string","id":5}}}}},
            "ListAgentsResponse": {"edition":"proto3","fields":{"agents":{"rule":"repeated","type":".spire.api.types.Agent","id":1},"nextPageToken":{"type":"string","id":2}}},
            "GetAgentRequest": {"edition":"proto3","fields":{"id":{"type":".spire.api.types.SPIFFEID","id":1},"outputMask":{"type":".spire.api.types.AgentMask","id":2}}},
            "DeleteAgentRequest": {"edition":"proto3","fields":{"id":{"type":".spire.api.types.SPIFFEID","id":1}}},
            "BanAgentRequest": {"edition":"proto3","fields":{"id":{"type":".spire.api.types.SPIFFEID","id":1}}},
            "AttestAgentRequest": {"edition":"proto3","fields":{"params":{"type":".spire.api.server.agent.v1.AttestAgentRequest.Params","id":1},"challengeResponse":{"type":"bytes","id":2}},"oneofs":{"step":{"oneof":["params","challengeResponse"]}},"nested":{"Params":{"edition":"proto3","fields":{"data":{"type":".spire.api.types.AttestationData","id":1},"params":{"type":".spire.api.server.agent.v1.AgentX509SVIDParams","id":2}}}}},
            "AttestAgentResponse": {"edition":"proto3","fields":{"result":{"type":".spire.api.server.agent.v1.AttestAgentResponse.Result","id":1},"challenge":{"type":"bytes","id":2}},"oneofs":{"step":{"oneof":["result","challenge"]}},"nested":{"Result":{"edition":"proto3","fields":{"svid":{"type":".spire.api.types.X509SVID","id":1},"reattestable":{"type":"bool","id":2}}}}},
            "AgentX509SVIDParams": {"edition":"proto3","fields":{"csr":{"type":"bytes","id":1}}},
            "RenewAgentRequest": {"edition":"proto3","fields":{"params":{"type":".spire.api.server.agent.v1.AgentX509SVIDParams","id":1}}},
            "RenewAgentResponse": {"edition":"proto3","fields":{"svid":{"type":".spire.api.types.X509SVID","id":1}}},
            "CreateJoinTokenRequest": {"edition":"proto3","fields":{"ttl":{"type":"int32","id":1},"token":{"type":"string","id":2},"agentId":{"type":".spire.api.types.SPIFFEID","id":3}}},
            "PostStatusRequest": {"edition":"proto3","fields":{"currentBundleSerial":{"type":"uint64","id":1},"agentVersion":{"type":"string","id":2}}},
            "PostStatusResponse": {"edition":"proto3","fields":{}},
          } },
        } },
        "bundle": { nested: {
          "v1": { nested: {
            "CountBundlesRequest": {"edition":"proto3","fields":{}},
            "CountBundlesResponse": {"edition":"proto3","fields":{"count":{"type":"int32","id":1}}},
            "GetBundleRequest": {"edition":"proto3","fields":{"outputMask":{"type":".spire.api.types.BundleMask","id":1}}},
            "AppendBundleRequest": {"edition":"proto3","fields":{"x509Authorities":{"rule":"repeated","type":".spire.api.types.X509Certificate","id":1},"jwtAuthorities":{"rule":"repeated","type":".spire.api.types.JWTKey","id":2},"outputMask":{"type":".spire.api.types.BundleMask","id":3},"witAuthorities":{"rule":"repeated","type":".spire.api.types.WITKey","id":4}}},
            "PublishJWTAuthorityRequest": {"edition":"proto3","fields":{"jwtAuthority":{"type":".spire.api.types.JWTKey","id":1}}},
            "PublishJWTAuthorityResponse": {"edition":"proto3","fields":{"jwtAuthorities":{"rule":"repeated","type":".spire.api.types.JWTKey","id":1}}},
            "PublishWITAuthorityRequest": {"edition":"proto3","fields":{"witAuthority":{"type":".spire.api.types.WITKey","id":1}}},
            "PublishWITAuthorityResponse": {"edition":"proto3","fields":{"witAuthorities":{"rule":"repeated","type":".spire.api.types.WITKey","id":1}}},
            "ListFederatedBundlesRequest": {"edition":"proto3","fields":{"outputMask":{"type":".spire.api.types.BundleMask","id":1},"pageSize":{"type":"int32","id":2},"pageToken":{"type":"string","id":3}}},
            "ListFederatedBundlesResponse": {"edition":"proto3","fields":{"bundles":{"rule":"repeated","type":".spire.api.types.Bundle","id":1},"nextPageToken":{"type":"string","id":2}}},
            "GetFederatedBundleRequest": {"edition":"proto3","fields":{"trustDomain":{"type":"string","id":1},"outputMask":{"type":".spire.api.types.BundleMask","id":2}}},
            "BatchCreateFederatedBundleRequest": {"edition":"proto3","fields":{"bundle":{"rule":"repeated","type":".spire.api.types.Bundle","id":1},"outputMask":{"type":".spire.api.types.BundleMask","id":2}}},
            "BatchCreateFederatedBundleResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.bundle.v1.BatchCreateFederatedBundleResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"bundle":{"type":".spire.api.types.Bundle","id":2}}}}},
            "BatchUpdateFederatedBundleRequest": {"edition":"proto3","fields":{"bundle":{"rule":"repeated","type":".spire.api.types.Bundle","id":1},"inputMask":{"type":".spire.api.types.BundleMask","id":2},"outputMask":{"type":".spire.api.types.BundleMask","id":3}}},
            "BatchUpdateFederatedBundleResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.bundle.v1.BatchUpdateFederatedBundleResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"bundle":{"type":".spire.api.types.Bundle","id":2}}}}},
            "BatchSetFederatedBundleRequest": {"edition":"proto3","fields":{"bundle":{"rule":"repeated","type":".spire.api.types.Bundle","id":1},"outputMask":{"type":".spire.api.types.BundleMask","id":2}}},
            "BatchSetFederatedBundleResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.bundle.v1.BatchSetFederatedBundleResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"bundle":{"type":".spire.api.types.Bundle","id":2}}}}},
            "BatchDeleteFederatedBundleRequest": {"edition":"proto3","fields":{"trustDomains":{"rule":"repeated","type":"string","id":1},"mode":{"type":".spire.api.server.bundle.v1.BatchDeleteFederatedBundleRequest.Mode","id":2}},"nested":{"Mode":{"edition":"proto3","values":{"RESTRICT":0,"DELETE":1,"DISSOCIATE":2}}}},
            "BatchDeleteFederatedBundleResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"trustDomain":{"type":"string","id":2}}}}},
          } },
        } },
        "debug": { nested: {
          "v1": { nested: {
            "GetInfoRequest": {"edition":"proto3","fields":{}},
            "GetInfoResponse": {"edition":"proto3","fields":{"svidChain":{"rule":"repeated","type":".spire.api.server.debug.v1.GetInfoResponse.Cert","id":1},"uptime":{"type":"int32","id":2},"agentsCount":{"type":"int32","id":3},"federatedBundlesCount":{"type":"int32","id":4},"entriesCount":{"type":"int32","id":5}},"nested":{"Cert":{"edition":"proto3","fields":{"id":{"type":".spire.api.types.SPIFFEID","id":1},"expiresAt":{"type":"int64","id":2},"subject":{"type":"string","id":3}}}}},
          } },
        } },
        "entry": { nested: {
          "v1": { nested: {
            "CountEntriesRequest": {"edition":"proto3","fields":{"filter":{"type":".spire.api.server.entry.v1.CountEntriesRequest.Filter","id":1}},"nested":{"Filter":{"edition":"proto3","fields":{"bySpiffeId":{"type":".spire.api.types.SPIFFEID","id":1},"byParentId":{"type":".spire.api.types.SPIFFEID","id":2},"bySelectors":{"type":".spire.api.types.SelectorMatch","id":3},"byFederatesWith":{"type":".spire.api.types.FederatesWithMatch","id":4},"byHint":{"type":".google.protobuf.StringValue","id":5},"byDownstream":{"type":".google.protobuf.BoolValue","id":6}}}}},
            "CountEntriesResponse": {"edition":"proto3","fields":{"count":{"type":"int32","id":1}}},
            "ListEntriesRequest": {"edition":"proto3","fields":{"filter":{"type":".spire.api.server.entry.v1.ListEntriesRequest.Filter","id":1},"outputMask":{"type":".spire.api.types.EntryMask","id":2},"pageSize":{"type":"int32","id":3},"pageToken":{"type":"string","id":4}},"nested":{"Filter":{"edition":"proto3","fields":{"bySpiffeId":{"type":".spire.api.types.SPIFFEID","id":1},"byParentId":{"type":".spire.api.types.SPIFFEID","id":2},"bySelectors":{"type":".spire.api.types.SelectorMatch","id":3},"byFederatesWith":{"type":".spire.api.types.FederatesWithMatch","id":4},"byHint":{"type":".google.protobuf.StringValue","id":5},"byDownstream":{"type":".google.protobuf.BoolValue","id":6}}}}},
            "ListEntriesResponse": {"edition":"proto3","fields":{"entries":{"rule":"repeated","type":".spire.api.types.Entry","id":1},"nextPageToken":{"type":"string","id":2}}},
            "GetEntryRequest": {"edition":"proto3","fields":{"id":{"type":"string","id":1},"outputMask":{"type":".spire.api.types.EntryMask","id":2}}},
            "BatchCreateEntryRequest": {"edition":"proto3","fields":{"entries":{"rule":"repeated","type":".spire.api.types.Entry","id":1},"outputMask":{"type":".spire.api.types.EntryMask","id":2}}},
            "BatchCreateEntryResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.entry.v1.BatchCreateEntryResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"entry":{"type":".spire.api.types.Entry","id":2}}}}},
            "BatchUpdateEntryRequest": {"edition":"proto3","fields":{"entries":{"rule":"repeated","type":".spire.api.types.Entry","id":1},"inputMask":{"type":".spire.api.types.EntryMask","id":2},"outputMask":{"type":".spire.api.types.EntryMask","id":3}}},
            "BatchUpdateEntryResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.entry.v1.BatchUpdateEntryResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"entry":{"type":".spire.api.types.Entry","id":2}}}}},
            "BatchDeleteEntryRequest": {"edition":"proto3","fields":{"ids":{"rule":"repeated","type":"string","id":1}}},
            "BatchDeleteEntryResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.entry.v1.BatchDeleteEntryResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"id":{"type":"string","id":2}}}}},
            "GetAuthorizedEntriesRequest": {"edition":"proto3","fields":{"outputMask":{"type":".spire.api.types.EntryMask","id":1}}},
            "GetAuthorizedEntriesResponse": {"edition":"proto3","fields":{"entries":{"rule":"repeated","type":".spire.api.types.Entry","id":1}}},
            "SyncAuthorizedEntriesRequest": {"edition":"proto3","fields":{"outputMask":{"type":".spire.api.types.EntryMask","id":1},"ids":{"rule":"repeated","type":"string","id":2}}},
            "SyncAuthorizedEntriesResponse": {"edition":"proto3","fields":{"entryRevisions":{"rule":"repeated","type":".spire.api.server.entry.v1.EntryRevision","id":1},"entries":{"rule":"repeated","type":".spire.api.types.Entry","id":2},"more":{"type":"bool","id":3}}},
            "EntryRevision": {"edition":"proto3","fields":{"id":{"type":"string","id":1},"revisionNumber":{"type":"int64","id":2},"createdAt":{"type":"int64","id":3}}},
          } },
        } },
        "localauthority": { nested: {
          "v1": { nested: {
            "AuthorityState": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1},"expiresAt":{"type":"int64","id":2},"upstreamAuthoritySubjectKeyId":{"type":"string","id":3}}},
            "GetJWTAuthorityStateRequest": {"edition":"proto3","fields":{}},
            "GetJWTAuthorityStateResponse": {"edition":"proto3","fields":{"active":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1},"prepared":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":2},"old":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":3}}},
            "PrepareJWTAuthorityRequest": {"edition":"proto3","fields":{}},
            "PrepareJWTAuthorityResponse": {"edition":"proto3","fields":{"preparedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "ActivateJWTAuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
            "ActivateJWTAuthorityResponse": {"edition":"proto3","fields":{"activatedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "TaintJWTAuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
            "TaintJWTAuthorityResponse": {"edition":"proto3","fields":{"taintedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "RevokeJWTAuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
            "RevokeJWTAuthorityResponse": {"edition":"proto3","fields":{"revokedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "GetX509AuthorityStateRequest": {"edition":"proto3","fields":{}},
            "GetX509AuthorityStateResponse": {"edition":"proto3","fields":{"active":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1},"prepared":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":2},"old":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":3}}},
            "PrepareX509AuthorityRequest": {"edition":"proto3","fields":{}},
            "PrepareX509AuthorityResponse": {"edition":"proto3","fields":{"preparedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "ActivateX509AuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
            "ActivateX509AuthorityResponse": {"edition":"proto3","fields":{"activatedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "TaintX509AuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
            "TaintX509AuthorityResponse": {"edition":"proto3","fields":{"taintedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "TaintX509UpstreamAuthorityRequest": {"edition":"proto3","fields":{"subjectKeyId":{"type":"string","id":1}}},
            "TaintX509UpstreamAuthorityResponse": {"edition":"proto3","fields":{"upstreamAuthoritySubjectKeyId":{"type":"string","id":1}}},
            "RevokeX509AuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
            "RevokeX509AuthorityResponse": {"edition":"proto3","fields":{"revokedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "RevokeX509UpstreamAuthorityRequest": {"edition":"proto3","fields":{"subjectKeyId":{"type":"string","id":1}}},
            "RevokeX509UpstreamAuthorityResponse": {"edition":"proto3","fields":{"upstreamAuthoritySubjectKeyId":{"type":"string","id":1}}},
            "GetWITAuthorityStateRequest": {"edition":"proto3","fields":{}},
            "GetWITAuthorityStateResponse": {"edition":"proto3","fields":{"active":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1},"prepared":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":2},"old":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":3}}},
            "PrepareWITAuthorityRequest": {"edition":"proto3","fields":{}},
            "PrepareWITAuthorityResponse": {"edition":"proto3","fields":{"preparedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "ActivateWITAuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
            "ActivateWITAuthorityResponse": {"edition":"proto3","fields":{"activatedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "TaintWITAuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
            "TaintWITAuthorityResponse": {"edition":"proto3","fields":{"taintedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
            "RevokeWITAuthorityRequest": {"edition":"proto3","fields":{"authorityId":{"type":"string","id":1}}},
            "RevokeWITAuthorityResponse": {"edition":"proto3","fields":{"revokedAuthority":{"type":".spire.api.server.localauthority.v1.AuthorityState","id":1}}},
          } },
        } },
        "logger": { nested: {
          "v1": { nested: {
            "GetLoggerRequest": {"edition":"proto3","fields":{}},
            "SetLogLevelRequest": {"edition":"proto3","fields":{"newLevel":{"type":".spire.api.types.LogLevel","id":1}}},
            "ResetLogLevelRequest": {"edition":"proto3","fields":{}},
          } },
        } },
        "svid": { nested: {
          "v1": { nested: {
            "MintX509SVIDRequest": {"edition":"proto3","fields":{"csr":{"type":"bytes","id":1},"ttl":{"type":"int32","id":2}}},
            "MintX509SVIDResponse": {"edition":"proto3","fields":{"svid":{"type":".spire.api.types.X509SVID","id":1}}},
            "MintJWTSVIDRequest": {"edition":"proto3","fields":{"id":{"type":".spire.api.types.SPIFFEID","id":1},"audience":{"rule":"repeated","type":"string","id":2},"ttl":{"type":"int32","id":3}}},
            "MintJWTSVIDResponse": {"edition":"proto3","fields":{"svid":{"type":".spire.api.types.JWTSVID","id":1}}},
            "MintWITSVIDRequest": {"edition":"proto3","fields":{"id":{"type":".spire.api.types.SPIFFEID","id":1},"publicKey":{"type":"bytes","id":2},"ttl":{"type":"int32","id":3},"signingAlgorithm":{"type":"string","id":4}}},
            "MintWITSVIDResponse": {"edition":"proto3","fields":{"svid":{"type":".spire.api.types.WITSVID","id":1}}},
            "NewX509SVIDParams": {"edition":"proto3","fields":{"entryId":{"type":"string","id":1},"csr":{"type":"bytes","id":2}}},
            "BatchNewX509SVIDRequest": {"edition":"proto3","fields":{"params":{"rule":"repeated","type":".spire.api.server.svid.v1.NewX509SVIDParams","id":1}}},
            "BatchNewX509SVIDResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.svid.v1.BatchNewX509SVIDResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"svid":{"type":".spire.api.types.X509SVID","id":2}}}}},
            "NewJWTSVIDRequest": {"edition":"proto3","fields":{"entryId":{"type":"string","id":1},"audience":{"rule":"repeated","type":"string","id":2}}},
            "NewJWTSVIDResponse": {"edition":"proto3","fields":{"svid":{"type":".spire.api.types.JWTSVID","id":1}}},
            "NewWITSVIDParams": {"edition":"proto3","fields":{"entryId":{"type":"string","id":1},"publicKey":{"type":"bytes","id":2},"signingAlgorithm":{"type":"string","id":3}}},
            "BatchNewWITSVIDRequest": {"edition":"proto3","fields":{"params":{"rule":"repeated","type":".spire.api.server.svid.v1.NewWITSVIDParams","id":1}}},
            "BatchNewWITSVIDResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.svid.v1.BatchNewWITSVIDResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"svid":{"type":".spire.api.types.WITSVID","id":2}}}}},
            "NewDownstreamX509CARequest": {"edition":"proto3","fields":{"csr":{"type":"bytes","id":1},"preferredTtl":{"type":"int32","id":2}}},
            "NewDownstreamX509CAResponse": {"edition":"proto3","fields":{"caCertChain":{"rule":"repeated","type":"bytes","id":1},"x509Authorities":{"rule":"repeated","type":"bytes","id":2}}},
          } },
        } },
        "trustdomain": { nested: {
          "v1": { nested: {
            "ListFederationRelationshipsRequest": {"edition":"proto3","fields":{"outputMask":{"type":".spire.api.types.FederationRelationshipMask","id":1},"pageSize":{"type":"int32","id":2},"pageToken":{"type":"string","id":3}}},
            "ListFederationRelationshipsResponse": {"edition":"proto3","fields":{"federationRelationships":{"rule":"repeated","type":".spire.api.types.FederationRelationship","id":1},"nextPageToken":{"type":"string","id":2}}},
            "GetFederationRelationshipRequest": {"edition":"proto3","fields":{"trustDomain":{"type":"string","id":1},"outputMask":{"type":".spire.api.types.FederationRelationshipMask","id":2}}},
            "BatchCreateFederationRelationshipRequest": {"edition":"proto3","fields":{"federationRelationships":{"rule":"repeated","type":".spire.api.types.FederationRelationship","id":1},"outputMask":{"type":".spire.api.types.FederationRelationshipMask","id":2}}},
            "BatchCreateFederationRelationshipResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"federationRelationship":{"type":".spire.api.types.FederationRelationship","id":2}}}}},
            "BatchUpdateFederationRelationshipRequest": {"edition":"proto3","fields":{"federationRelationships":{"rule":"repeated","type":".spire.api.types.FederationRelationship","id":1},"inputMask":{"type":".spire.api.types.FederationRelationshipMask","id":2},"outputMask":{"type":".spire.api.types.FederationRelationshipMask","id":3}}},
            "BatchUpdateFederationRelationshipResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"federationRelationship":{"type":".spire.api.types.FederationRelationship","id":2}}}}},
            "BatchDeleteFederationRelationshipRequest": {"edition":"proto3","fields":{"trustDomains":{"rule":"repeated","type":"string","id":1}}},
            "BatchDeleteFederationRelationshipResponse": {"edition":"proto3","fields":{"results":{"rule":"repeated","type":".spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse.Result","id":1}},"nested":{"Result":{"edition":"proto3","fields":{"status":{"type":".spire.api.types.Status","id":1},"trustDomain":{"type":"string","id":2}}}}},
            "RefreshBundleRequest": {"edition":"proto3","fields":{"trustDomain":{"type":"string","id":1}}},
          } },
        } },
      } },
      "types": { nested: {
        "SPIFFEID": {"edition":"proto3","fields":{"trustDomain":{"type":"string","id":1},"path":{"type":"string","id":2}}},
        "Status": {"edition":"proto3","fields":{"code":{"type":"int32","id":1},"message":{"type":"string","id":2}}},
        "PermissionDeniedDetails": {"edition":"proto3","fields":{"reason":{"type":".spire.api.types.PermissionDeniedDetails.Reason","id":1}},"nested":{"Reason":{"edition":"proto3","values":{"UNKNOWN":0,"AGENT_EXPIRED":1,"AGENT_NOT_ATTESTED":2,"AGENT_NOT_ACTIVE":3,"AGENT_BANNED":4,"AGENT_MUST_REATTEST":5}}}},
        "Selector": {"edition":"proto3","fields":{"type":{"type":"string","id":1},"value":{"type":"string","id":2}}},
        "SelectorMatch": {"edition":"proto3","fields":{"selectors":{"rule":"repeated","type":".spire.api.types.Selector","id":1},"match":{"type":".spire.api.types.SelectorMatch.MatchBehavior","id":2}},"nested":{"MatchBehavior":{"edition":"proto3","values":{"MATCH_EXACT":0,"MATCH_SUBSET":1,"MATCH_SUPERSET":2,"MATCH_ANY":3}}}},
        "FederatesWithMatch": {"edition":"proto3","fields":{"trustDomains":{"rule":"repeated","type":"string","id":1},"match":{"type":".spire.api.types.FederatesWithMatch.MatchBehavior","id":2}},"nested":{"MatchBehavior":{"edition":"proto3","values":{"MATCH_EXACT":0,"MATCH_SUBSET":1,"MATCH_SUPERSET":2,"MATCH_ANY":3}}}},
        "Entry": {"edition":"proto3","fields":{"id":{"type":"string","id":1},"spiffeId":{"type":".spire.api.types.SPIFFEID","id":2},"parentId":{"type":".spire.api.types.SPIFFEID","id":3},"selectors":{"rule":"repeated","type":".spire.api.types.Selector","id":4},"x509SvidTtl":{"type":"int32","id":5},"federatesWith":{"rule":"repeated","type":"string","id":6},"admin":{"type":"bool","id":7},"downstream":{"type":"bool","id":8},"expiresAt":{"type":"int64","id":9},"dnsNames":{"rule":"repeated","type":"string","id":10},"revisionNumber":{"type":"int64","id":11},"storeSvid":{"type":"bool","id":12},"jwtSvidTtl":{"type":"int32","id":13},"hint":{"type":"string","id":14},"createdAt":{"type":"int64","id":15},"additionalAttributes":{"type":".spire.api.types.Entry.AdditionalAttributes","id":16}},"nested":{"AdditionalAttributes":{"edition":"proto3","fields":{"disableX509SvidPrefetch":{"type":"bool","id":1},"jwtSvidIncludeJti":{"type":"bool","id":2}}}}},
        "EntryMask": {"edition":"proto3","fields":{"spiffeId":{"type":"bool","id":2},"parentId":{"type":"bool","id":3},"selectors":{"type":"bool","id":4},"x509SvidTtl":{"type":"bool","id":5},"federatesWith":{"type":"bool","id":6},"admin":{"type":"bool","id":7},"downstream":{"type":"bool","id":8},"expiresAt":{"type":"bool","id":9},"dnsNames":{"type":"bool","id":10},"revisionNumber":{"type":"bool","id":11},"storeSvid":{"type":"bool","id":12},"jwtSvidTtl":{"type":"bool","id":13},"hint":{"type":"bool","id":14},"createdAt":{"type":"bool","id":15},"additionalAttributes":{"type":"bool","id":16}}},
        "Bundle": {"edition":"proto3","fields":{"trustDomain":{"type":"string","id":1},"x509Authorities":{"rule":"repeated","type":".spire.api.types.X509Certificate","id":2},"jwtAuthorities":{"rule":"repeated","type":".spire.api.types.JWTKey","id":3},"refreshHint":{"type":"int64","id":4},"sequenceNumber":{"type":"uint64","id":5},"witAuthorities":{"rule":"repeated","type":".spire.api.types.WITKey","id":6}}},
        "X509Certificate": {"edition":"proto3","fields":{"asn1":{"type":"bytes","id":1},"tainted":{"type":"bool","id":2}}},
        "JWTKey": {"edition":"proto3","fields":{"publicKey":{"type":"bytes","id":1},"keyId":{"type":"string","id":2},"expiresAt":{"type":"int64","id":3},"tainted":{"type":"bool","id":4}}},
        "WITKey": {"edition":"proto3","fields":{"publicKey":{"type":"bytes","id":1},"keyId":{"type":"string","id":2},"expiresAt":{"type":"int64","id":3},"tainted":{"type":"bool","id":4}}},
        "BundleMask": {"edition":"proto3","fields":{"x509Authorities":{"type":"bool","id":2},"jwtAuthorities":{"type":"bool","id":3},"refreshHint":{"type":"bool","id":4},"sequenceNumber":{"type":"bool","id":5},"witAuthorities":{"type":"bool","id":6}}},
        "X509SVID": {"edition":"proto3","fields":{"certChain":{"rule":"repeated","type":"bytes","id":1},"id":{"type":".spire.api.types.SPIFFEID","id":2},"expiresAt":{"type":"int64","id":3},"hint":{"type":"string","id":4}}},
        "JWTSVID": {"edition":"proto3","fields":{"token":{"type":"string","id":1},"id":{"type":".spire.api.types.SPIFFEID","id":2},"expiresAt":{"type":"int64","id":3},"issuedAt":{"type":"int64","id":4},"hint":{"type":"string","id":5}}},
        "WITSVID": {"edition":"proto3","fields":{"token":{"type":"string","id":1},"id":{"type":".spire.api.types.SPIFFEID","id":2},"expiresAt":{"type":"int64","id":3},"issuedAt":{"type":"int64","id":4},"hint":{"type":"string","id":5}}},
        "Agent": {"edition":"proto3","fields":{"id":{"type":".spire.api.types.SPIFFEID","id":1},"attestationType":{"type":"string","id":2},"x509svidSerialNumber":{"type":"string","id":3},"x509svidExpiresAt":{"type":"int64","id":4},"selectors":{"rule":"repeated","type":".spire.api.types.Selector","id":5},"banned":{"type":"bool","id":6},"canReattest":{"type":"bool","id":7},"agentVersion":{"type":"string","id":8}}},
        "AgentMask": {"edition":"proto3","fields":{"attestationType":{"type":"bool","id":2},"x509svidSerialNumber":{"type":"bool","id":3},"x509svidExpiresAt":{"type":"bool","id":4},"selectors":{"type":"bool","id":5},"banned":{"type":"bool","id":6},"canReattest":{"type":"bool","id":7},"agentVersion":{"type":"bool","id":8}}},
        "AttestationData": {"edition":"proto3","fields":{"type":{"type":"string","id":1},"payload":{"type":"bytes","id":2}}},
        "JoinToken": {"edition":"proto3","fields":{"value":{"type":"string","id":1},"expiresAt":{"type":"int64","id":2}}},
        "FederationRelationship": {"edition":"proto3","fields":{"trustDomain":{"type":"string","id":1},"bundleEndpointUrl":{"type":"string","id":2},"httpsWeb":{"type":".spire.api.types.HTTPSWebProfile","id":3},"httpsSpiffe":{"type":".spire.api.types.HTTPSSPIFFEProfile","id":4},"trustDomainBundle":{"type":".spire.api.types.Bundle","id":5}},"oneofs":{"bundleEndpointProfile":{"oneof":["httpsWeb","httpsSpiffe"]}}},
        "HTTPSWebProfile": {"edition":"proto3","fields":{}},
        "HTTPSSPIFFEProfile": {"edition":"proto3","fields":{"endpointSpiffeId":{"type":"string","id":1}}},
        "FederationRelationshipMask": {"edition":"proto3","fields":{"bundleEndpointUrl":{"type":"bool","id":1},"bundleEndpointProfile":{"type":"bool","id":2},"trustDomainBundle":{"type":"bool","id":3}}},
        "Logger": {"edition":"proto3","fields":{"currentLevel":{"type":".spire.api.types.LogLevel","id":1},"launchLevel":{"type":".spire.api.types.LogLevel","id":2}}},
        "LogLevel": {"edition":"proto3","values":{"UNSPECIFIED":0,"PANIC":1,"FATAL":2,"ERROR":3,"WARN":4,"INFO":5,"DEBUG":6,"TRACE":7}},
      } },
    } },
  } },
} });

/** Every message by its full name on the wire. */
export interface Messages {
  readonly "google.protobuf.Any": google.protobuf.Any;
  readonly "google.rpc.Status": google.rpc.Status;
  readonly "google.rpc.ErrorInfo": google.rpc.ErrorInfo;
  readonly "google.protobuf.Struct": google.protobuf.Struct;
  readonly "google.protobuf.Value": google.protobuf.Value;
  readonly "google.protobuf.ListValue": google.protobuf.ListValue;
  readonly "google.protobuf.BoolValue": google.protobuf.BoolValue;
  readonly "google.protobuf.StringValue": google.protobuf.StringValue;
  readonly "google.protobuf.Empty": google.protobuf.Empty;
  readonly "grpc.health.v1.HealthCheckRequest": grpc.health.v1.HealthCheckRequest;
  readonly "grpc.health.v1.HealthCheckResponse": grpc.health.v1.HealthCheckResponse;
  readonly "grpc.health.v1.HealthListRequest": grpc.health.v1.HealthListRequest;
  readonly "grpc.health.v1.HealthListResponse": grpc.health.v1.HealthListResponse;
  readonly "grpc.reflection.v1alpha.ServerReflectionRequest": grpc.reflection.v1alpha.ServerReflectionRequest;
  readonly "grpc.reflection.v1alpha.ExtensionRequest": grpc.reflection.v1alpha.ExtensionRequest;
  readonly "grpc.reflection.v1alpha.ServerReflectionResponse": grpc.reflection.v1alpha.ServerReflectionResponse;
  readonly "grpc.reflection.v1alpha.FileDescriptorResponse": grpc.reflection.v1alpha.FileDescriptorResponse;
  readonly "grpc.reflection.v1alpha.ExtensionNumberResponse": grpc.reflection.v1alpha.ExtensionNumberResponse;
  readonly "grpc.reflection.v1alpha.ListServiceResponse": grpc.reflection.v1alpha.ListServiceResponse;
  readonly "grpc.reflection.v1alpha.ServiceResponse": grpc.reflection.v1alpha.ServiceResponse;
  readonly "grpc.reflection.v1alpha.ErrorResponse": grpc.reflection.v1alpha.ErrorResponse;
  readonly "grpc.reflection.v1.ServerReflectionRequest": grpc.reflection.v1.ServerReflectionRequest;
  readonly "grpc.reflection.v1.ExtensionRequest": grpc.reflection.v1.ExtensionRequest;
  readonly "grpc.reflection.v1.ServerReflectionResponse": grpc.reflection.v1.ServerReflectionResponse;
  readonly "grpc.reflection.v1.FileDescriptorResponse": grpc.reflection.v1.FileDescriptorResponse;
  readonly "grpc.reflection.v1.ExtensionNumberResponse": grpc.reflection.v1.ExtensionNumberResponse;
  readonly "grpc.reflection.v1.ListServiceResponse": grpc.reflection.v1.ListServiceResponse;
  readonly "grpc.reflection.v1.ServiceResponse": grpc.reflection.v1.ServiceResponse;
  readonly "grpc.reflection.v1.ErrorResponse": grpc.reflection.v1.ErrorResponse;
  readonly "signet.audit.v1.Event": signet.audit.v1.Event;
  readonly "signet.audit.v1.Credential": signet.audit.v1.Credential;
  readonly "signet.audit.v1.AppendRequest": signet.audit.v1.AppendRequest;
  readonly "signet.audit.v1.AppendResponse": signet.audit.v1.AppendResponse;
  readonly "signet.audit.v1.TailRequest": signet.audit.v1.TailRequest;
  readonly "signet.audit.v1.TailResponse": signet.audit.v1.TailResponse;
  readonly "signet.audit.v1.LoggedEvent": signet.audit.v1.LoggedEvent;
  readonly "signet.audit.v1.CheckpointRequest": signet.audit.v1.CheckpointRequest;
  readonly "signet.audit.v1.CheckpointResponse": signet.audit.v1.CheckpointResponse;
  readonly "signet.audit.v1.ProveRequest": signet.audit.v1.ProveRequest;
  readonly "signet.audit.v1.ProveResponse": signet.audit.v1.ProveResponse;
  readonly "signet.federation.v1.ListRelationshipsRequest": signet.federation.v1.ListRelationshipsRequest;
  readonly "signet.federation.v1.ListRelationshipsResponse": signet.federation.v1.ListRelationshipsResponse;
  readonly "signet.federation.v1.Relationship": signet.federation.v1.Relationship;
  readonly "signet.guard.v1.WatchStatusRequest": signet.guard.v1.WatchStatusRequest;
  readonly "signet.guard.v1.WatchStatusResponse": signet.guard.v1.WatchStatusResponse;
  readonly "signet.guard.v1.DescribeTaskRequest": signet.guard.v1.DescribeTaskRequest;
  readonly "signet.guard.v1.DescribeTaskResponse": signet.guard.v1.DescribeTaskResponse;
  readonly "signet.guard.v1.SpendUsesRequest": signet.guard.v1.SpendUsesRequest;
  readonly "signet.guard.v1.SpendUsesResponse": signet.guard.v1.SpendUsesResponse;
  readonly "signet.guard.v1.RecordRequest": signet.guard.v1.RecordRequest;
  readonly "signet.guard.v1.RecordResponse": signet.guard.v1.RecordResponse;
  readonly "signet.launch.v1.OpenRequest": signet.launch.v1.OpenRequest;
  readonly "signet.launch.v1.Start": signet.launch.v1.Start;
  readonly "signet.launch.v1.Started": signet.launch.v1.Started;
  readonly "signet.launch.v1.OpenResponse": signet.launch.v1.OpenResponse;
  readonly "signet.launch.v1.Ready": signet.launch.v1.Ready;
  readonly "signet.launch.v1.Admitted": signet.launch.v1.Admitted;
  readonly "signet.link.v1.Cursor": signet.link.v1.Cursor;
  readonly "signet.link.v1.WatchRequest": signet.link.v1.WatchRequest;
  readonly "signet.link.v1.Hello": signet.link.v1.Hello;
  readonly "signet.link.v1.Ping": signet.link.v1.Ping;
  readonly "signet.link.v1.Ack": signet.link.v1.Ack;
  readonly "signet.link.v1.WatchResponse": signet.link.v1.WatchResponse;
  readonly "signet.link.v1.Welcome": signet.link.v1.Welcome;
  readonly "signet.link.v1.Snapshot": signet.link.v1.Snapshot;
  readonly "signet.link.v1.Delta": signet.link.v1.Delta;
  readonly "signet.link.v1.Crl": signet.link.v1.Crl;
  readonly "signet.link.v1.TokenRevocation": signet.link.v1.TokenRevocation;
  readonly "signet.link.v1.TaskStatus": signet.link.v1.TaskStatus;
  readonly "signet.link.v1.TaskClassRules": signet.link.v1.TaskClassRules;
  readonly "signet.mandate.v1.Mandate": signet.mandate.v1.Mandate;
  readonly "signet.mandate.v1.Set": signet.mandate.v1.Set;
  readonly "signet.mandate.v1.Limit": signet.mandate.v1.Limit;
  readonly "signet.nodetask.v1.OpenRequest": signet.nodetask.v1.OpenRequest;
  readonly "signet.nodetask.v1.BatchSignX509Request": signet.nodetask.v1.BatchSignX509Request;
  readonly "signet.nodetask.v1.SignX509": signet.nodetask.v1.SignX509;
  readonly "signet.nodetask.v1.BatchSignX509Response": signet.nodetask.v1.BatchSignX509Response;
  readonly "signet.nodetask.v1.SignX509Result": signet.nodetask.v1.SignX509Result;
  readonly "signet.nodetask.v1.NewJWTSVIDRequest": signet.nodetask.v1.NewJWTSVIDRequest;
  readonly "signet.nodetask.v1.NewWITSVIDRequest": signet.nodetask.v1.NewWITSVIDRequest;
  readonly "signet.nodetask.v1.IssueTokenRequest": signet.nodetask.v1.IssueTokenRequest;
  readonly "signet.nodetask.v1.ChangeRequest": signet.nodetask.v1.ChangeRequest;
  readonly "signet.nodetask.v1.HeldRequest": signet.nodetask.v1.HeldRequest;
  readonly "signet.nodetask.v1.HeldResponse": signet.nodetask.v1.HeldResponse;
  readonly "signet.nodetask.v1.EndOrphansRequest": signet.nodetask.v1.EndOrphansRequest;
  readonly "signet.nodetask.v1.EndOrphansResponse": signet.nodetask.v1.EndOrphansResponse;
  readonly "signet.nodetask.v1.DescribeRequest": signet.nodetask.v1.DescribeRequest;
  readonly "signet.nodetask.v1.DescribeResponse": signet.nodetask.v1.DescribeResponse;
  readonly "signet.nodetask.v1.CheckShownRequest": signet.nodetask.v1.CheckShownRequest;
  readonly "signet.nodetask.v1.CheckShownResponse": signet.nodetask.v1.CheckShownResponse;
  readonly "signet.nodetask.v1.LeaseUsesRequest": signet.nodetask.v1.LeaseUsesRequest;
  readonly "signet.nodetask.v1.LeaseUsesResponse": signet.nodetask.v1.LeaseUsesResponse;
  readonly "signet.nodetask.v1.ReportRequest": signet.nodetask.v1.ReportRequest;
  readonly "signet.nodetask.v1.ReportResponse": signet.nodetask.v1.ReportResponse;
  readonly "signet.oauth.v1.GetOAuthAuthorityStateRequest": signet.oauth.v1.GetOAuthAuthorityStateRequest;
  readonly "signet.oauth.v1.GetOAuthAuthorityStateResponse": signet.oauth.v1.GetOAuthAuthorityStateResponse;
  readonly "signet.oauth.v1.PrepareOAuthAuthorityRequest": signet.oauth.v1.PrepareOAuthAuthorityRequest;
  readonly "signet.oauth.v1.PrepareOAuthAuthorityResponse": signet.oauth.v1.PrepareOAuthAuthorityResponse;
  readonly "signet.oauth.v1.ActivateOAuthAuthorityRequest": signet.oauth.v1.ActivateOAuthAuthorityRequest;
  readonly "signet.oauth.v1.ActivateOAuthAuthorityResponse": signet.oauth.v1.ActivateOAuthAuthorityResponse;
  readonly "signet.oauth.v1.TaintOAuthAuthorityRequest": signet.oauth.v1.TaintOAuthAuthorityRequest;
  readonly "signet.oauth.v1.TaintOAuthAuthorityResponse": signet.oauth.v1.TaintOAuthAuthorityResponse;
  readonly "signet.oauth.v1.RevokeOAuthAuthorityRequest": signet.oauth.v1.RevokeOAuthAuthorityRequest;
  readonly "signet.oauth.v1.RevokeOAuthAuthorityResponse": signet.oauth.v1.RevokeOAuthAuthorityResponse;
  readonly "signet.registry.v1.AiAgent": signet.registry.v1.AiAgent;
  readonly "signet.registry.v1.CreateAiAgentRequest": signet.registry.v1.CreateAiAgentRequest;
  readonly "signet.registry.v1.UpdateAiAgentRequest": signet.registry.v1.UpdateAiAgentRequest;
  readonly "signet.registry.v1.AiAgentResponse": signet.registry.v1.AiAgentResponse;
  readonly "signet.registry.v1.GetAiAgentRequest": signet.registry.v1.GetAiAgentRequest;
  readonly "signet.registry.v1.ListAiAgentsRequest": signet.registry.v1.ListAiAgentsRequest;
  readonly "signet.registry.v1.ListAiAgentsResponse": signet.registry.v1.ListAiAgentsResponse;
  readonly "signet.registry.v1.AiAgentAction": signet.registry.v1.AiAgentAction;
  readonly "signet.registry.v1.TaskClass": signet.registry.v1.TaskClass;
  readonly "signet.registry.v1.SetTaskClassRequest": signet.registry.v1.SetTaskClassRequest;
  readonly "signet.registry.v1.TaskClassResponse": signet.registry.v1.TaskClassResponse;
  readonly "signet.registry.v1.GetTaskClassRequest": signet.registry.v1.GetTaskClassRequest;
  readonly "signet.registry.v1.ListTaskClassesRequest": signet.registry.v1.ListTaskClassesRequest;
  readonly "signet.registry.v1.ListTaskClassesResponse": signet.registry.v1.ListTaskClassesResponse;
  readonly "signet.registry.v1.DeleteTaskClassRequest": signet.registry.v1.DeleteTaskClassRequest;
  readonly "signet.registry.v1.ApplyRequest": signet.registry.v1.ApplyRequest;
  readonly "signet.registry.v1.ApplyOptions": signet.registry.v1.ApplyOptions;
  readonly "signet.registry.v1.DeclaredEntry": signet.registry.v1.DeclaredEntry;
  readonly "signet.registry.v1.ApplyResponse": signet.registry.v1.ApplyResponse;
  readonly "signet.registry.v1.ApplySummary": signet.registry.v1.ApplySummary;
  readonly "signet.registry.v1.ApplyProblem": signet.registry.v1.ApplyProblem;
  readonly "signet.registry.v1.AppliedChange": signet.registry.v1.AppliedChange;
  readonly "signet.registry.v1.FieldChange": signet.registry.v1.FieldChange;
  readonly "signet.registry.v1.ListEntryOwnersRequest": signet.registry.v1.ListEntryOwnersRequest;
  readonly "signet.registry.v1.ListEntryOwnersResponse": signet.registry.v1.ListEntryOwnersResponse;
  readonly "signet.registry.v1.EntryOwner": signet.registry.v1.EntryOwner;
  readonly "signet.revocation.v1.RevokeSVIDRequest": signet.revocation.v1.RevokeSVIDRequest;
  readonly "signet.revocation.v1.RevokeSVIDResponse": signet.revocation.v1.RevokeSVIDResponse;
  readonly "signet.revocation.v1.ListRevocationsRequest": signet.revocation.v1.ListRevocationsRequest;
  readonly "signet.revocation.v1.ListRevocationsResponse": signet.revocation.v1.ListRevocationsResponse;
  readonly "signet.revocation.v1.ReleaseHoldRequest": signet.revocation.v1.ReleaseHoldRequest;
  readonly "signet.revocation.v1.ReleaseHoldResponse": signet.revocation.v1.ReleaseHoldResponse;
  readonly "signet.revocation.v1.RevocationRecord": signet.revocation.v1.RevocationRecord;
  readonly "signet.revocation.v1.Hold": signet.revocation.v1.Hold;
  readonly "signet.task.v1.Task": signet.task.v1.Task;
  readonly "signet.task.v1.StatusReference": signet.task.v1.StatusReference;
  readonly "signet.task.v1.TaskBinding": signet.task.v1.TaskBinding;
  readonly "signet.task.v1.OpenTaskRequest": signet.task.v1.OpenTaskRequest;
  readonly "signet.task.v1.OpenTaskResponse": signet.task.v1.OpenTaskResponse;
  readonly "signet.task.v1.TaskX509SVID": signet.task.v1.TaskX509SVID;
  readonly "signet.task.v1.RunTaskRequest": signet.task.v1.RunTaskRequest;
  readonly "signet.task.v1.AttachStep": signet.task.v1.AttachStep;
  readonly "signet.task.v1.StartedStep": signet.task.v1.StartedStep;
  readonly "signet.task.v1.FinishedStep": signet.task.v1.FinishedStep;
  readonly "signet.task.v1.RunTaskResponse": signet.task.v1.RunTaskResponse;
  readonly "signet.task.v1.ReadyStep": signet.task.v1.ReadyStep;
  readonly "signet.task.v1.AdmittedStep": signet.task.v1.AdmittedStep;
  readonly "signet.task.v1.TaskProof": signet.task.v1.TaskProof;
  readonly "signet.task.v1.WatchTaskRequest": signet.task.v1.WatchTaskRequest;
  readonly "signet.task.v1.TaskEvent": signet.task.v1.TaskEvent;
  readonly "signet.task.v1.FetchTaskJWTSVIDRequest": signet.task.v1.FetchTaskJWTSVIDRequest;
  readonly "signet.task.v1.FetchTaskJWTSVIDResponse": signet.task.v1.FetchTaskJWTSVIDResponse;
  readonly "signet.task.v1.FetchTaskWITSVIDRequest": signet.task.v1.FetchTaskWITSVIDRequest;
  readonly "signet.task.v1.FetchTaskWITSVIDResponse": signet.task.v1.FetchTaskWITSVIDResponse;
  readonly "signet.task.v1.IssueTokenRequest": signet.task.v1.IssueTokenRequest;
  readonly "signet.task.v1.IssueTokenResponse": signet.task.v1.IssueTokenResponse;
  readonly "signet.task.v1.NarrowRequest": signet.task.v1.NarrowRequest;
  readonly "signet.task.v1.TaskRequest": signet.task.v1.TaskRequest;
  readonly "signet.task.v1.ResumeRequest": signet.task.v1.ResumeRequest;
  readonly "signet.task.v1.CompleteRequest": signet.task.v1.CompleteRequest;
  readonly "signet.task.v1.TaskResponse": signet.task.v1.TaskResponse;
  readonly "signet.task.v1.CreateTaskRequest": signet.task.v1.CreateTaskRequest;
  readonly "signet.task.v1.GetTaskRequest": signet.task.v1.GetTaskRequest;
  readonly "signet.task.v1.ListTasksRequest": signet.task.v1.ListTasksRequest;
  readonly "signet.task.v1.ListTasksResponse": signet.task.v1.ListTasksResponse;
  readonly "signet.task.v1.TaskAction": signet.task.v1.TaskAction;
  readonly "signet.task.v1.RevokeTaskResponse": signet.task.v1.RevokeTaskResponse;
  readonly "signet.task.v1.CompleteTaskRequest": signet.task.v1.CompleteTaskRequest;
  readonly "X509SVIDRequest": workload.X509SVIDRequest;
  readonly "X509SVIDResponse": workload.X509SVIDResponse;
  readonly "X509SVID": workload.X509SVID;
  readonly "X509BundlesRequest": workload.X509BundlesRequest;
  readonly "X509BundlesResponse": workload.X509BundlesResponse;
  readonly "JWTSVIDRequest": workload.JWTSVIDRequest;
  readonly "JWTSVIDResponse": workload.JWTSVIDResponse;
  readonly "JWTSVID": workload.JWTSVID;
  readonly "JWTBundlesRequest": workload.JWTBundlesRequest;
  readonly "JWTBundlesResponse": workload.JWTBundlesResponse;
  readonly "ValidateJWTSVIDRequest": workload.ValidateJWTSVIDRequest;
  readonly "ValidateJWTSVIDResponse": workload.ValidateJWTSVIDResponse;
  readonly "WITSVIDRequest": workload.WITSVIDRequest;
  readonly "WITSVIDResponse": workload.WITSVIDResponse;
  readonly "WITSVID": workload.WITSVID;
  readonly "WITBundlesRequest": workload.WITBundlesRequest;
  readonly "WITBundlesResponse": workload.WITBundlesResponse;
  readonly "spire.api.server.agent.v1.CountAgentsRequest": spire.api.server.agent.v1.CountAgentsRequest;
  readonly "spire.api.server.agent.v1.CountAgentsRequest.Filter": spire.api.server.agent.v1.CountAgentsRequest.Filter;
  readonly "spire.api.server.agent.v1.CountAgentsResponse": spire.api.server.agent.v1.CountAgentsResponse;
  readonly "spire.api.server.agent.v1.ListAgentsRequest": spire.api.server.agent.v1.ListAgentsRequest;
  readonly "spire.api.server.agent.v1.ListAgentsRequest.Filter": spire.api.server.agent.v1.ListAgentsRequest.Filter;
  readonly "spire.api.server.agent.v1.ListAgentsResponse": spire.api.server.agent.v1.ListAgentsResponse;
  readonly "spire.api.server.agent.v1.GetAgentRequest": spire.api.server.agent.v1.GetAgentRequest;
  readonly "spire.api.server.agent.v1.DeleteAgentRequest": spire.api.server.agent.v1.DeleteAgentRequest;
  readonly "spire.api.server.agent.v1.BanAgentRequest": spire.api.server.agent.v1.BanAgentRequest;
  readonly "spire.api.server.agent.v1.AttestAgentRequest": spire.api.server.agent.v1.AttestAgentRequest;
  readonly "spire.api.server.agent.v1.AttestAgentRequest.Params": spire.api.server.agent.v1.AttestAgentRequest.Params;
  readonly "spire.api.server.agent.v1.AttestAgentResponse": spire.api.server.agent.v1.AttestAgentResponse;
  readonly "spire.api.server.agent.v1.AttestAgentResponse.Result": spire.api.server.agent.v1.AttestAgentResponse.Result;
  readonly "spire.api.server.agent.v1.AgentX509SVIDParams": spire.api.server.agent.v1.AgentX509SVIDParams;
  readonly "spire.api.server.agent.v1.RenewAgentRequest": spire.api.server.agent.v1.RenewAgentRequest;
  readonly "spire.api.server.agent.v1.RenewAgentResponse": spire.api.server.agent.v1.RenewAgentResponse;
  readonly "spire.api.server.agent.v1.CreateJoinTokenRequest": spire.api.server.agent.v1.CreateJoinTokenRequest;
  readonly "spire.api.server.agent.v1.PostStatusRequest": spire.api.server.agent.v1.PostStatusRequest;
  readonly "spire.api.server.agent.v1.PostStatusResponse": spire.api.server.agent.v1.PostStatusResponse;
  readonly "spire.api.server.bundle.v1.CountBundlesRequest": spire.api.server.bundle.v1.CountBundlesRequest;
  readonly "spire.api.server.bundle.v1.CountBundlesResponse": spire.api.server.bundle.v1.CountBundlesResponse;
  readonly "spire.api.server.bundle.v1.GetBundleRequest": spire.api.server.bundle.v1.GetBundleRequest;
  readonly "spire.api.server.bundle.v1.AppendBundleRequest": spire.api.server.bundle.v1.AppendBundleRequest;
  readonly "spire.api.server.bundle.v1.PublishJWTAuthorityRequest": spire.api.server.bundle.v1.PublishJWTAuthorityRequest;
  readonly "spire.api.server.bundle.v1.PublishJWTAuthorityResponse": spire.api.server.bundle.v1.PublishJWTAuthorityResponse;
  readonly "spire.api.server.bundle.v1.PublishWITAuthorityRequest": spire.api.server.bundle.v1.PublishWITAuthorityRequest;
  readonly "spire.api.server.bundle.v1.PublishWITAuthorityResponse": spire.api.server.bundle.v1.PublishWITAuthorityResponse;
  readonly "spire.api.server.bundle.v1.ListFederatedBundlesRequest": spire.api.server.bundle.v1.ListFederatedBundlesRequest;
  readonly "spire.api.server.bundle.v1.ListFederatedBundlesResponse": spire.api.server.bundle.v1.ListFederatedBundlesResponse;
  readonly "spire.api.server.bundle.v1.GetFederatedBundleRequest": spire.api.server.bundle.v1.GetFederatedBundleRequest;
  readonly "spire.api.server.bundle.v1.BatchCreateFederatedBundleRequest": spire.api.server.bundle.v1.BatchCreateFederatedBundleRequest;
  readonly "spire.api.server.bundle.v1.BatchCreateFederatedBundleResponse": spire.api.server.bundle.v1.BatchCreateFederatedBundleResponse;
  readonly "spire.api.server.bundle.v1.BatchCreateFederatedBundleResponse.Result": spire.api.server.bundle.v1.BatchCreateFederatedBundleResponse.Result;
  readonly "spire.api.server.bundle.v1.BatchUpdateFederatedBundleRequest": spire.api.server.bundle.v1.BatchUpdateFederatedBundleRequest;
  readonly "spire.api.server.bundle.v1.BatchUpdateFederatedBundleResponse": spire.api.server.bundle.v1.BatchUpdateFederatedBundleResponse;
  readonly "spire.api.server.bundle.v1.BatchUpdateFederatedBundleResponse.Result": spire.api.server.bundle.v1.BatchUpdateFederatedBundleResponse.Result;
  readonly "spire.api.server.bundle.v1.BatchSetFederatedBundleRequest": spire.api.server.bundle.v1.BatchSetFederatedBundleRequest;
  readonly "spire.api.server.bundle.v1.BatchSetFederatedBundleResponse": spire.api.server.bundle.v1.BatchSetFederatedBundleResponse;
  readonly "spire.api.server.bundle.v1.BatchSetFederatedBundleResponse.Result": spire.api.server.bundle.v1.BatchSetFederatedBundleResponse.Result;
  readonly "spire.api.server.bundle.v1.BatchDeleteFederatedBundleRequest": spire.api.server.bundle.v1.BatchDeleteFederatedBundleRequest;
  readonly "spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse": spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse;
  readonly "spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse.Result": spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse.Result;
  readonly "spire.api.server.debug.v1.GetInfoRequest": spire.api.server.debug.v1.GetInfoRequest;
  readonly "spire.api.server.debug.v1.GetInfoResponse": spire.api.server.debug.v1.GetInfoResponse;
  readonly "spire.api.server.debug.v1.GetInfoResponse.Cert": spire.api.server.debug.v1.GetInfoResponse.Cert;
  readonly "spire.api.server.entry.v1.CountEntriesRequest": spire.api.server.entry.v1.CountEntriesRequest;
  readonly "spire.api.server.entry.v1.CountEntriesRequest.Filter": spire.api.server.entry.v1.CountEntriesRequest.Filter;
  readonly "spire.api.server.entry.v1.CountEntriesResponse": spire.api.server.entry.v1.CountEntriesResponse;
  readonly "spire.api.server.entry.v1.ListEntriesRequest": spire.api.server.entry.v1.ListEntriesRequest;
  readonly "spire.api.server.entry.v1.ListEntriesRequest.Filter": spire.api.server.entry.v1.ListEntriesRequest.Filter;
  readonly "spire.api.server.entry.v1.ListEntriesResponse": spire.api.server.entry.v1.ListEntriesResponse;
  readonly "spire.api.server.entry.v1.GetEntryRequest": spire.api.server.entry.v1.GetEntryRequest;
  readonly "spire.api.server.entry.v1.BatchCreateEntryRequest": spire.api.server.entry.v1.BatchCreateEntryRequest;
  readonly "spire.api.server.entry.v1.BatchCreateEntryResponse": spire.api.server.entry.v1.BatchCreateEntryResponse;
  readonly "spire.api.server.entry.v1.BatchCreateEntryResponse.Result": spire.api.server.entry.v1.BatchCreateEntryResponse.Result;
  readonly "spire.api.server.entry.v1.BatchUpdateEntryRequest": spire.api.server.entry.v1.BatchUpdateEntryRequest;
  readonly "spire.api.server.entry.v1.BatchUpdateEntryResponse": spire.api.server.entry.v1.BatchUpdateEntryResponse;
  readonly "spire.api.server.entry.v1.BatchUpdateEntryResponse.Result": spire.api.server.entry.v1.BatchUpdateEntryResponse.Result;
  readonly "spire.api.server.entry.v1.BatchDeleteEntryRequest": spire.api.server.entry.v1.BatchDeleteEntryRequest;
  readonly "spire.api.server.entry.v1.BatchDeleteEntryResponse": spire.api.server.entry.v1.BatchDeleteEntryResponse;
  readonly "spire.api.server.entry.v1.BatchDeleteEntryResponse.Result": spire.api.server.entry.v1.BatchDeleteEntryResponse.Result;
  readonly "spire.api.server.entry.v1.GetAuthorizedEntriesRequest": spire.api.server.entry.v1.GetAuthorizedEntriesRequest;
  readonly "spire.api.server.entry.v1.GetAuthorizedEntriesResponse": spire.api.server.entry.v1.GetAuthorizedEntriesResponse;
  readonly "spire.api.server.entry.v1.SyncAuthorizedEntriesRequest": spire.api.server.entry.v1.SyncAuthorizedEntriesRequest;
  readonly "spire.api.server.entry.v1.SyncAuthorizedEntriesResponse": spire.api.server.entry.v1.SyncAuthorizedEntriesResponse;
  readonly "spire.api.server.entry.v1.EntryRevision": spire.api.server.entry.v1.EntryRevision;
  readonly "spire.api.server.localauthority.v1.AuthorityState": spire.api.server.localauthority.v1.AuthorityState;
  readonly "spire.api.server.localauthority.v1.GetJWTAuthorityStateRequest": spire.api.server.localauthority.v1.GetJWTAuthorityStateRequest;
  readonly "spire.api.server.localauthority.v1.GetJWTAuthorityStateResponse": spire.api.server.localauthority.v1.GetJWTAuthorityStateResponse;
  readonly "spire.api.server.localauthority.v1.PrepareJWTAuthorityRequest": spire.api.server.localauthority.v1.PrepareJWTAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.PrepareJWTAuthorityResponse": spire.api.server.localauthority.v1.PrepareJWTAuthorityResponse;
  readonly "spire.api.server.localauthority.v1.ActivateJWTAuthorityRequest": spire.api.server.localauthority.v1.ActivateJWTAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.ActivateJWTAuthorityResponse": spire.api.server.localauthority.v1.ActivateJWTAuthorityResponse;
  readonly "spire.api.server.localauthority.v1.TaintJWTAuthorityRequest": spire.api.server.localauthority.v1.TaintJWTAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.TaintJWTAuthorityResponse": spire.api.server.localauthority.v1.TaintJWTAuthorityResponse;
  readonly "spire.api.server.localauthority.v1.RevokeJWTAuthorityRequest": spire.api.server.localauthority.v1.RevokeJWTAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.RevokeJWTAuthorityResponse": spire.api.server.localauthority.v1.RevokeJWTAuthorityResponse;
  readonly "spire.api.server.localauthority.v1.GetX509AuthorityStateRequest": spire.api.server.localauthority.v1.GetX509AuthorityStateRequest;
  readonly "spire.api.server.localauthority.v1.GetX509AuthorityStateResponse": spire.api.server.localauthority.v1.GetX509AuthorityStateResponse;
  readonly "spire.api.server.localauthority.v1.PrepareX509AuthorityRequest": spire.api.server.localauthority.v1.PrepareX509AuthorityRequest;
  readonly "spire.api.server.localauthority.v1.PrepareX509AuthorityResponse": spire.api.server.localauthority.v1.PrepareX509AuthorityResponse;
  readonly "spire.api.server.localauthority.v1.ActivateX509AuthorityRequest": spire.api.server.localauthority.v1.ActivateX509AuthorityRequest;
  readonly "spire.api.server.localauthority.v1.ActivateX509AuthorityResponse": spire.api.server.localauthority.v1.ActivateX509AuthorityResponse;
  readonly "spire.api.server.localauthority.v1.TaintX509AuthorityRequest": spire.api.server.localauthority.v1.TaintX509AuthorityRequest;
  readonly "spire.api.server.localauthority.v1.TaintX509AuthorityResponse": spire.api.server.localauthority.v1.TaintX509AuthorityResponse;
  readonly "spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityRequest": spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityResponse": spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityResponse;
  readonly "spire.api.server.localauthority.v1.RevokeX509AuthorityRequest": spire.api.server.localauthority.v1.RevokeX509AuthorityRequest;
  readonly "spire.api.server.localauthority.v1.RevokeX509AuthorityResponse": spire.api.server.localauthority.v1.RevokeX509AuthorityResponse;
  readonly "spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityRequest": spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityResponse": spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityResponse;
  readonly "spire.api.server.localauthority.v1.GetWITAuthorityStateRequest": spire.api.server.localauthority.v1.GetWITAuthorityStateRequest;
  readonly "spire.api.server.localauthority.v1.GetWITAuthorityStateResponse": spire.api.server.localauthority.v1.GetWITAuthorityStateResponse;
  readonly "spire.api.server.localauthority.v1.PrepareWITAuthorityRequest": spire.api.server.localauthority.v1.PrepareWITAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.PrepareWITAuthorityResponse": spire.api.server.localauthority.v1.PrepareWITAuthorityResponse;
  readonly "spire.api.server.localauthority.v1.ActivateWITAuthorityRequest": spire.api.server.localauthority.v1.ActivateWITAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.ActivateWITAuthorityResponse": spire.api.server.localauthority.v1.ActivateWITAuthorityResponse;
  readonly "spire.api.server.localauthority.v1.TaintWITAuthorityRequest": spire.api.server.localauthority.v1.TaintWITAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.TaintWITAuthorityResponse": spire.api.server.localauthority.v1.TaintWITAuthorityResponse;
  readonly "spire.api.server.localauthority.v1.RevokeWITAuthorityRequest": spire.api.server.localauthority.v1.RevokeWITAuthorityRequest;
  readonly "spire.api.server.localauthority.v1.RevokeWITAuthorityResponse": spire.api.server.localauthority.v1.RevokeWITAuthorityResponse;
  readonly "spire.api.server.logger.v1.GetLoggerRequest": spire.api.server.logger.v1.GetLoggerRequest;
  readonly "spire.api.server.logger.v1.SetLogLevelRequest": spire.api.server.logger.v1.SetLogLevelRequest;
  readonly "spire.api.server.logger.v1.ResetLogLevelRequest": spire.api.server.logger.v1.ResetLogLevelRequest;
  readonly "spire.api.server.svid.v1.MintX509SVIDRequest": spire.api.server.svid.v1.MintX509SVIDRequest;
  readonly "spire.api.server.svid.v1.MintX509SVIDResponse": spire.api.server.svid.v1.MintX509SVIDResponse;
  readonly "spire.api.server.svid.v1.MintJWTSVIDRequest": spire.api.server.svid.v1.MintJWTSVIDRequest;
  readonly "spire.api.server.svid.v1.MintJWTSVIDResponse": spire.api.server.svid.v1.MintJWTSVIDResponse;
  readonly "spire.api.server.svid.v1.MintWITSVIDRequest": spire.api.server.svid.v1.MintWITSVIDRequest;
  readonly "spire.api.server.svid.v1.MintWITSVIDResponse": spire.api.server.svid.v1.MintWITSVIDResponse;
  readonly "spire.api.server.svid.v1.NewX509SVIDParams": spire.api.server.svid.v1.NewX509SVIDParams;
  readonly "spire.api.server.svid.v1.BatchNewX509SVIDRequest": spire.api.server.svid.v1.BatchNewX509SVIDRequest;
  readonly "spire.api.server.svid.v1.BatchNewX509SVIDResponse": spire.api.server.svid.v1.BatchNewX509SVIDResponse;
  readonly "spire.api.server.svid.v1.BatchNewX509SVIDResponse.Result": spire.api.server.svid.v1.BatchNewX509SVIDResponse.Result;
  readonly "spire.api.server.svid.v1.NewJWTSVIDRequest": spire.api.server.svid.v1.NewJWTSVIDRequest;
  readonly "spire.api.server.svid.v1.NewJWTSVIDResponse": spire.api.server.svid.v1.NewJWTSVIDResponse;
  readonly "spire.api.server.svid.v1.NewWITSVIDParams": spire.api.server.svid.v1.NewWITSVIDParams;
  readonly "spire.api.server.svid.v1.BatchNewWITSVIDRequest": spire.api.server.svid.v1.BatchNewWITSVIDRequest;
  readonly "spire.api.server.svid.v1.BatchNewWITSVIDResponse": spire.api.server.svid.v1.BatchNewWITSVIDResponse;
  readonly "spire.api.server.svid.v1.BatchNewWITSVIDResponse.Result": spire.api.server.svid.v1.BatchNewWITSVIDResponse.Result;
  readonly "spire.api.server.svid.v1.NewDownstreamX509CARequest": spire.api.server.svid.v1.NewDownstreamX509CARequest;
  readonly "spire.api.server.svid.v1.NewDownstreamX509CAResponse": spire.api.server.svid.v1.NewDownstreamX509CAResponse;
  readonly "spire.api.server.trustdomain.v1.ListFederationRelationshipsRequest": spire.api.server.trustdomain.v1.ListFederationRelationshipsRequest;
  readonly "spire.api.server.trustdomain.v1.ListFederationRelationshipsResponse": spire.api.server.trustdomain.v1.ListFederationRelationshipsResponse;
  readonly "spire.api.server.trustdomain.v1.GetFederationRelationshipRequest": spire.api.server.trustdomain.v1.GetFederationRelationshipRequest;
  readonly "spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipRequest": spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipRequest;
  readonly "spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse": spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse;
  readonly "spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse.Result": spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse.Result;
  readonly "spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipRequest": spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipRequest;
  readonly "spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse": spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse;
  readonly "spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse.Result": spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse.Result;
  readonly "spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipRequest": spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipRequest;
  readonly "spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse": spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse;
  readonly "spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse.Result": spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse.Result;
  readonly "spire.api.server.trustdomain.v1.RefreshBundleRequest": spire.api.server.trustdomain.v1.RefreshBundleRequest;
  readonly "spire.api.types.SPIFFEID": spire.api.types.SPIFFEID;
  readonly "spire.api.types.Status": spire.api.types.Status;
  readonly "spire.api.types.PermissionDeniedDetails": spire.api.types.PermissionDeniedDetails;
  readonly "spire.api.types.Selector": spire.api.types.Selector;
  readonly "spire.api.types.SelectorMatch": spire.api.types.SelectorMatch;
  readonly "spire.api.types.FederatesWithMatch": spire.api.types.FederatesWithMatch;
  readonly "spire.api.types.Entry": spire.api.types.Entry;
  readonly "spire.api.types.Entry.AdditionalAttributes": spire.api.types.Entry.AdditionalAttributes;
  readonly "spire.api.types.EntryMask": spire.api.types.EntryMask;
  readonly "spire.api.types.Bundle": spire.api.types.Bundle;
  readonly "spire.api.types.X509Certificate": spire.api.types.X509Certificate;
  readonly "spire.api.types.JWTKey": spire.api.types.JWTKey;
  readonly "spire.api.types.WITKey": spire.api.types.WITKey;
  readonly "spire.api.types.BundleMask": spire.api.types.BundleMask;
  readonly "spire.api.types.X509SVID": spire.api.types.X509SVID;
  readonly "spire.api.types.JWTSVID": spire.api.types.JWTSVID;
  readonly "spire.api.types.WITSVID": spire.api.types.WITSVID;
  readonly "spire.api.types.Agent": spire.api.types.Agent;
  readonly "spire.api.types.AgentMask": spire.api.types.AgentMask;
  readonly "spire.api.types.AttestationData": spire.api.types.AttestationData;
  readonly "spire.api.types.JoinToken": spire.api.types.JoinToken;
  readonly "spire.api.types.FederationRelationship": spire.api.types.FederationRelationship;
  readonly "spire.api.types.HTTPSWebProfile": spire.api.types.HTTPSWebProfile;
  readonly "spire.api.types.HTTPSSPIFFEProfile": spire.api.types.HTTPSSPIFFEProfile;
  readonly "spire.api.types.FederationRelationshipMask": spire.api.types.FederationRelationshipMask;
  readonly "spire.api.types.Logger": spire.api.types.Logger;
}

/** The codec of a message. */
export function codecOf<Name extends keyof Messages & string>(name: Name): Codec<Messages[Name]> {
  return schema.codec(name);
}

export const HealthService: Service<{
  readonly check: Method<"unary", grpc.health.v1.HealthCheckRequest, grpc.health.v1.HealthCheckResponse>;
  readonly list: Method<"unary", grpc.health.v1.HealthListRequest, grpc.health.v1.HealthListResponse>;
  readonly watch: Method<"serverStream", grpc.health.v1.HealthCheckRequest, grpc.health.v1.HealthCheckResponse>;
}> = serviceOf(schema, "grpc.health.v1.Health", {
  check: ["Check","unary","grpc.health.v1.HealthCheckRequest","grpc.health.v1.HealthCheckResponse"],
  list: ["List","unary","grpc.health.v1.HealthListRequest","grpc.health.v1.HealthListResponse"],
  watch: ["Watch","serverStream","grpc.health.v1.HealthCheckRequest","grpc.health.v1.HealthCheckResponse"],
});

export const ServerReflectionV1AlphaService: Service<{
  readonly serverReflectionInfo: Method<"bidi", grpc.reflection.v1alpha.ServerReflectionRequest, grpc.reflection.v1alpha.ServerReflectionResponse>;
}> = serviceOf(schema, "grpc.reflection.v1alpha.ServerReflection", {
  serverReflectionInfo: ["ServerReflectionInfo","bidi","grpc.reflection.v1alpha.ServerReflectionRequest","grpc.reflection.v1alpha.ServerReflectionResponse"],
});

export const ServerReflectionService: Service<{
  readonly serverReflectionInfo: Method<"bidi", grpc.reflection.v1.ServerReflectionRequest, grpc.reflection.v1.ServerReflectionResponse>;
}> = serviceOf(schema, "grpc.reflection.v1.ServerReflection", {
  serverReflectionInfo: ["ServerReflectionInfo","bidi","grpc.reflection.v1.ServerReflectionRequest","grpc.reflection.v1.ServerReflectionResponse"],
});

export const AuditLogService: Service<{
  readonly append: Method<"unary", signet.audit.v1.AppendRequest, signet.audit.v1.AppendResponse>;
  readonly tail: Method<"serverStream", signet.audit.v1.TailRequest, signet.audit.v1.TailResponse>;
  readonly checkpoint: Method<"unary", signet.audit.v1.CheckpointRequest, signet.audit.v1.CheckpointResponse>;
  readonly prove: Method<"unary", signet.audit.v1.ProveRequest, signet.audit.v1.ProveResponse>;
}> = serviceOf(schema, "signet.audit.v1.AuditLog", {
  append: ["Append","unary","signet.audit.v1.AppendRequest","signet.audit.v1.AppendResponse"],
  tail: ["Tail","serverStream","signet.audit.v1.TailRequest","signet.audit.v1.TailResponse"],
  checkpoint: ["Checkpoint","unary","signet.audit.v1.CheckpointRequest","signet.audit.v1.CheckpointResponse"],
  prove: ["Prove","unary","signet.audit.v1.ProveRequest","signet.audit.v1.ProveResponse"],
});

export const FederationService: Service<{
  readonly listRelationships: Method<"unary", signet.federation.v1.ListRelationshipsRequest, signet.federation.v1.ListRelationshipsResponse>;
}> = serviceOf(schema, "signet.federation.v1.Federation", {
  listRelationships: ["ListRelationships","unary","signet.federation.v1.ListRelationshipsRequest","signet.federation.v1.ListRelationshipsResponse"],
});

export const GuardService: Service<{
  readonly watchStatus: Method<"serverStream", signet.guard.v1.WatchStatusRequest, signet.guard.v1.WatchStatusResponse>;
  readonly describeTask: Method<"unary", signet.guard.v1.DescribeTaskRequest, signet.guard.v1.DescribeTaskResponse>;
  readonly spendUses: Method<"unary", signet.guard.v1.SpendUsesRequest, signet.guard.v1.SpendUsesResponse>;
  readonly record: Method<"unary", signet.guard.v1.RecordRequest, signet.guard.v1.RecordResponse>;
}> = serviceOf(schema, "signet.guard.v1.Guard", {
  watchStatus: ["WatchStatus","serverStream","signet.guard.v1.WatchStatusRequest","signet.guard.v1.WatchStatusResponse"],
  describeTask: ["DescribeTask","unary","signet.guard.v1.DescribeTaskRequest","signet.guard.v1.DescribeTaskResponse"],
  spendUses: ["SpendUses","unary","signet.guard.v1.SpendUsesRequest","signet.guard.v1.SpendUsesResponse"],
  record: ["Record","unary","signet.guard.v1.RecordRequest","signet.guard.v1.RecordResponse"],
});

export const LaunchService: Service<{
  readonly open: Method<"bidi", signet.launch.v1.OpenRequest, signet.launch.v1.OpenResponse>;
}> = serviceOf(schema, "signet.launch.v1.Launch", {
  open: ["Open","bidi","signet.launch.v1.OpenRequest","signet.launch.v1.OpenResponse"],
});

export const LinkService: Service<{
  readonly watch: Method<"bidi", signet.link.v1.WatchRequest, signet.link.v1.WatchResponse>;
}> = serviceOf(schema, "signet.link.v1.Link", {
  watch: ["Watch","bidi","signet.link.v1.WatchRequest","signet.link.v1.WatchResponse"],
});

export const NodeTasksService: Service<{
  readonly open: Method<"unary", signet.nodetask.v1.OpenRequest, signet.task.v1.OpenTaskResponse>;
  readonly batchSignX509: Method<"unary", signet.nodetask.v1.BatchSignX509Request, signet.nodetask.v1.BatchSignX509Response>;
  readonly newJWTSVID: Method<"unary", signet.nodetask.v1.NewJWTSVIDRequest, signet.task.v1.FetchTaskJWTSVIDResponse>;
  readonly newWITSVID: Method<"unary", signet.nodetask.v1.NewWITSVIDRequest, signet.task.v1.FetchTaskWITSVIDResponse>;
  readonly issueToken: Method<"unary", signet.nodetask.v1.IssueTokenRequest, signet.task.v1.IssueTokenResponse>;
  readonly change: Method<"unary", signet.nodetask.v1.ChangeRequest, signet.task.v1.TaskResponse>;
  readonly held: Method<"unary", signet.nodetask.v1.HeldRequest, signet.nodetask.v1.HeldResponse>;
  readonly endOrphans: Method<"unary", signet.nodetask.v1.EndOrphansRequest, signet.nodetask.v1.EndOrphansResponse>;
  readonly describe: Method<"unary", signet.nodetask.v1.DescribeRequest, signet.nodetask.v1.DescribeResponse>;
  readonly checkShown: Method<"unary", signet.nodetask.v1.CheckShownRequest, signet.nodetask.v1.CheckShownResponse>;
  readonly leaseUses: Method<"unary", signet.nodetask.v1.LeaseUsesRequest, signet.nodetask.v1.LeaseUsesResponse>;
  readonly report: Method<"unary", signet.nodetask.v1.ReportRequest, signet.nodetask.v1.ReportResponse>;
}> = serviceOf(schema, "signet.nodetask.v1.NodeTasks", {
  open: ["Open","unary","signet.nodetask.v1.OpenRequest","signet.task.v1.OpenTaskResponse"],
  batchSignX509: ["BatchSignX509","unary","signet.nodetask.v1.BatchSignX509Request","signet.nodetask.v1.BatchSignX509Response"],
  newJWTSVID: ["NewJWTSVID","unary","signet.nodetask.v1.NewJWTSVIDRequest","signet.task.v1.FetchTaskJWTSVIDResponse"],
  newWITSVID: ["NewWITSVID","unary","signet.nodetask.v1.NewWITSVIDRequest","signet.task.v1.FetchTaskWITSVIDResponse"],
  issueToken: ["IssueToken","unary","signet.nodetask.v1.IssueTokenRequest","signet.task.v1.IssueTokenResponse"],
  change: ["Change","unary","signet.nodetask.v1.ChangeRequest","signet.task.v1.TaskResponse"],
  held: ["Held","unary","signet.nodetask.v1.HeldRequest","signet.nodetask.v1.HeldResponse"],
  endOrphans: ["EndOrphans","unary","signet.nodetask.v1.EndOrphansRequest","signet.nodetask.v1.EndOrphansResponse"],
  describe: ["Describe","unary","signet.nodetask.v1.DescribeRequest","signet.nodetask.v1.DescribeResponse"],
  checkShown: ["CheckShown","unary","signet.nodetask.v1.CheckShownRequest","signet.nodetask.v1.CheckShownResponse"],
  leaseUses: ["LeaseUses","unary","signet.nodetask.v1.LeaseUsesRequest","signet.nodetask.v1.LeaseUsesResponse"],
  report: ["Report","unary","signet.nodetask.v1.ReportRequest","signet.nodetask.v1.ReportResponse"],
});

export const OAuthAuthorityService: Service<{
  readonly getOAuthAuthorityState: Method<"unary", signet.oauth.v1.GetOAuthAuthorityStateRequest, signet.oauth.v1.GetOAuthAuthorityStateResponse>;
  readonly prepareOAuthAuthority: Method<"unary", signet.oauth.v1.PrepareOAuthAuthorityRequest, signet.oauth.v1.PrepareOAuthAuthorityResponse>;
  readonly activateOAuthAuthority: Method<"unary", signet.oauth.v1.ActivateOAuthAuthorityRequest, signet.oauth.v1.ActivateOAuthAuthorityResponse>;
  readonly taintOAuthAuthority: Method<"unary", signet.oauth.v1.TaintOAuthAuthorityRequest, signet.oauth.v1.TaintOAuthAuthorityResponse>;
  readonly revokeOAuthAuthority: Method<"unary", signet.oauth.v1.RevokeOAuthAuthorityRequest, signet.oauth.v1.RevokeOAuthAuthorityResponse>;
}> = serviceOf(schema, "signet.oauth.v1.OAuthAuthority", {
  getOAuthAuthorityState: ["GetOAuthAuthorityState","unary","signet.oauth.v1.GetOAuthAuthorityStateRequest","signet.oauth.v1.GetOAuthAuthorityStateResponse"],
  prepareOAuthAuthority: ["PrepareOAuthAuthority","unary","signet.oauth.v1.PrepareOAuthAuthorityRequest","signet.oauth.v1.PrepareOAuthAuthorityResponse"],
  activateOAuthAuthority: ["ActivateOAuthAuthority","unary","signet.oauth.v1.ActivateOAuthAuthorityRequest","signet.oauth.v1.ActivateOAuthAuthorityResponse"],
  taintOAuthAuthority: ["TaintOAuthAuthority","unary","signet.oauth.v1.TaintOAuthAuthorityRequest","signet.oauth.v1.TaintOAuthAuthorityResponse"],
  revokeOAuthAuthority: ["RevokeOAuthAuthority","unary","signet.oauth.v1.RevokeOAuthAuthorityRequest","signet.oauth.v1.RevokeOAuthAuthorityResponse"],
});

export const RegistryService: Service<{
  readonly createAiAgent: Method<"unary", signet.registry.v1.CreateAiAgentRequest, signet.registry.v1.AiAgentResponse>;
  readonly updateAiAgent: Method<"unary", signet.registry.v1.UpdateAiAgentRequest, signet.registry.v1.AiAgentResponse>;
  readonly getAiAgent: Method<"unary", signet.registry.v1.GetAiAgentRequest, signet.registry.v1.AiAgentResponse>;
  readonly listAiAgents: Method<"unary", signet.registry.v1.ListAiAgentsRequest, signet.registry.v1.ListAiAgentsResponse>;
  readonly disableAiAgent: Method<"unary", signet.registry.v1.AiAgentAction, signet.registry.v1.AiAgentResponse>;
  readonly enableAiAgent: Method<"unary", signet.registry.v1.AiAgentAction, signet.registry.v1.AiAgentResponse>;
  readonly deleteAiAgent: Method<"unary", signet.registry.v1.AiAgentAction, signet.registry.v1.AiAgentResponse>;
  readonly setTaskClass: Method<"unary", signet.registry.v1.SetTaskClassRequest, signet.registry.v1.TaskClassResponse>;
  readonly getTaskClass: Method<"unary", signet.registry.v1.GetTaskClassRequest, signet.registry.v1.TaskClassResponse>;
  readonly listTaskClasses: Method<"unary", signet.registry.v1.ListTaskClassesRequest, signet.registry.v1.ListTaskClassesResponse>;
  readonly deleteTaskClass: Method<"unary", signet.registry.v1.DeleteTaskClassRequest, signet.registry.v1.TaskClassResponse>;
  readonly apply: Method<"bidi", signet.registry.v1.ApplyRequest, signet.registry.v1.ApplyResponse>;
  readonly listEntryOwners: Method<"unary", signet.registry.v1.ListEntryOwnersRequest, signet.registry.v1.ListEntryOwnersResponse>;
}> = serviceOf(schema, "signet.registry.v1.Registry", {
  createAiAgent: ["CreateAiAgent","unary","signet.registry.v1.CreateAiAgentRequest","signet.registry.v1.AiAgentResponse"],
  updateAiAgent: ["UpdateAiAgent","unary","signet.registry.v1.UpdateAiAgentRequest","signet.registry.v1.AiAgentResponse"],
  getAiAgent: ["GetAiAgent","unary","signet.registry.v1.GetAiAgentRequest","signet.registry.v1.AiAgentResponse"],
  listAiAgents: ["ListAiAgents","unary","signet.registry.v1.ListAiAgentsRequest","signet.registry.v1.ListAiAgentsResponse"],
  disableAiAgent: ["DisableAiAgent","unary","signet.registry.v1.AiAgentAction","signet.registry.v1.AiAgentResponse"],
  enableAiAgent: ["EnableAiAgent","unary","signet.registry.v1.AiAgentAction","signet.registry.v1.AiAgentResponse"],
  deleteAiAgent: ["DeleteAiAgent","unary","signet.registry.v1.AiAgentAction","signet.registry.v1.AiAgentResponse"],
  setTaskClass: ["SetTaskClass","unary","signet.registry.v1.SetTaskClassRequest","signet.registry.v1.TaskClassResponse"],
  getTaskClass: ["GetTaskClass","unary","signet.registry.v1.GetTaskClassRequest","signet.registry.v1.TaskClassResponse"],
  listTaskClasses: ["ListTaskClasses","unary","signet.registry.v1.ListTaskClassesRequest","signet.registry.v1.ListTaskClassesResponse"],
  deleteTaskClass: ["DeleteTaskClass","unary","signet.registry.v1.DeleteTaskClassRequest","signet.registry.v1.TaskClassResponse"],
  apply: ["Apply","bidi","signet.registry.v1.ApplyRequest","signet.registry.v1.ApplyResponse"],
  listEntryOwners: ["ListEntryOwners","unary","signet.registry.v1.ListEntryOwnersRequest","signet.registry.v1.ListEntryOwnersResponse"],
});

export const RevocationService: Service<{
  readonly revokeSVID: Method<"unary", signet.revocation.v1.RevokeSVIDRequest, signet.revocation.v1.RevokeSVIDResponse>;
  readonly listRevocations: Method<"unary", signet.revocation.v1.ListRevocationsRequest, signet.revocation.v1.ListRevocationsResponse>;
  readonly releaseHold: Method<"unary", signet.revocation.v1.ReleaseHoldRequest, signet.revocation.v1.ReleaseHoldResponse>;
}> = serviceOf(schema, "signet.revocation.v1.Revocation", {
  revokeSVID: ["RevokeSVID","unary","signet.revocation.v1.RevokeSVIDRequest","signet.revocation.v1.RevokeSVIDResponse"],
  listRevocations: ["ListRevocations","unary","signet.revocation.v1.ListRevocationsRequest","signet.revocation.v1.ListRevocationsResponse"],
  releaseHold: ["ReleaseHold","unary","signet.revocation.v1.ReleaseHoldRequest","signet.revocation.v1.ReleaseHoldResponse"],
});

/** For the AI agent itself. Calls carry the metadata `workload.spiffe.io: true`; the caller is attested. */
export const TaskAPIService: Service<{
  readonly openTask: Method<"unary", signet.task.v1.OpenTaskRequest, signet.task.v1.OpenTaskResponse>;
  readonly runTask: Method<"bidi", signet.task.v1.RunTaskRequest, signet.task.v1.RunTaskResponse>;
  readonly watchTask: Method<"serverStream", signet.task.v1.WatchTaskRequest, signet.task.v1.TaskEvent>;
  readonly fetchTaskJWTSVID: Method<"unary", signet.task.v1.FetchTaskJWTSVIDRequest, signet.task.v1.FetchTaskJWTSVIDResponse>;
  readonly fetchTaskWITSVID: Method<"unary", signet.task.v1.FetchTaskWITSVIDRequest, signet.task.v1.FetchTaskWITSVIDResponse>;
  readonly issueToken: Method<"unary", signet.task.v1.IssueTokenRequest, signet.task.v1.IssueTokenResponse>;
  readonly narrow: Method<"unary", signet.task.v1.NarrowRequest, signet.task.v1.TaskResponse>;
  readonly park: Method<"unary", signet.task.v1.TaskRequest, signet.task.v1.TaskResponse>;
  readonly resume: Method<"unary", signet.task.v1.ResumeRequest, signet.task.v1.OpenTaskResponse>;
  readonly complete: Method<"unary", signet.task.v1.CompleteRequest, signet.task.v1.TaskResponse>;
}> = serviceOf(schema, "signet.task.v1.TaskAPI", {
  openTask: ["OpenTask","unary","signet.task.v1.OpenTaskRequest","signet.task.v1.OpenTaskResponse"],
  runTask: ["RunTask","bidi","signet.task.v1.RunTaskRequest","signet.task.v1.RunTaskResponse"],
  watchTask: ["WatchTask","serverStream","signet.task.v1.WatchTaskRequest","signet.task.v1.TaskEvent"],
  fetchTaskJWTSVID: ["FetchTaskJWTSVID","unary","signet.task.v1.FetchTaskJWTSVIDRequest","signet.task.v1.FetchTaskJWTSVIDResponse"],
  fetchTaskWITSVID: ["FetchTaskWITSVID","unary","signet.task.v1.FetchTaskWITSVIDRequest","signet.task.v1.FetchTaskWITSVIDResponse"],
  issueToken: ["IssueToken","unary","signet.task.v1.IssueTokenRequest","signet.task.v1.IssueTokenResponse"],
  narrow: ["Narrow","unary","signet.task.v1.NarrowRequest","signet.task.v1.TaskResponse"],
  park: ["Park","unary","signet.task.v1.TaskRequest","signet.task.v1.TaskResponse"],
  resume: ["Resume","unary","signet.task.v1.ResumeRequest","signet.task.v1.OpenTaskResponse"],
  complete: ["Complete","unary","signet.task.v1.CompleteRequest","signet.task.v1.TaskResponse"],
});

/** On the server. */
export const TaskControlService: Service<{
  readonly createTask: Method<"unary", signet.task.v1.CreateTaskRequest, signet.task.v1.TaskResponse>;
  readonly getTask: Method<"unary", signet.task.v1.GetTaskRequest, signet.task.v1.TaskResponse>;
  readonly listTasks: Method<"unary", signet.task.v1.ListTasksRequest, signet.task.v1.ListTasksResponse>;
  readonly suspendTask: Method<"unary", signet.task.v1.TaskAction, signet.task.v1.TaskResponse>;
  readonly unsuspendTask: Method<"unary", signet.task.v1.TaskAction, signet.task.v1.TaskResponse>;
  readonly revokeTask: Method<"unary", signet.task.v1.TaskAction, signet.task.v1.RevokeTaskResponse>;
  readonly completeTask: Method<"unary", signet.task.v1.CompleteTaskRequest, signet.task.v1.TaskResponse>;
}> = serviceOf(schema, "signet.task.v1.TaskControl", {
  createTask: ["CreateTask","unary","signet.task.v1.CreateTaskRequest","signet.task.v1.TaskResponse"],
  getTask: ["GetTask","unary","signet.task.v1.GetTaskRequest","signet.task.v1.TaskResponse"],
  listTasks: ["ListTasks","unary","signet.task.v1.ListTasksRequest","signet.task.v1.ListTasksResponse"],
  suspendTask: ["SuspendTask","unary","signet.task.v1.TaskAction","signet.task.v1.TaskResponse"],
  unsuspendTask: ["UnsuspendTask","unary","signet.task.v1.TaskAction","signet.task.v1.TaskResponse"],
  revokeTask: ["RevokeTask","unary","signet.task.v1.TaskAction","signet.task.v1.RevokeTaskResponse"],
  completeTask: ["CompleteTask","unary","signet.task.v1.CompleteTaskRequest","signet.task.v1.TaskResponse"],
});

export const SpiffeWorkloadApi: Service<{
  readonly fetchX509SVID: Method<"serverStream", workload.X509SVIDRequest, workload.X509SVIDResponse>;
  readonly fetchX509Bundles: Method<"serverStream", workload.X509BundlesRequest, workload.X509BundlesResponse>;
  readonly fetchJWTSVID: Method<"unary", workload.JWTSVIDRequest, workload.JWTSVIDResponse>;
  readonly fetchJWTBundles: Method<"serverStream", workload.JWTBundlesRequest, workload.JWTBundlesResponse>;
  readonly validateJWTSVID: Method<"unary", workload.ValidateJWTSVIDRequest, workload.ValidateJWTSVIDResponse>;
  readonly fetchWITSVID: Method<"serverStream", workload.WITSVIDRequest, workload.WITSVIDResponse>;
  readonly fetchWITBundles: Method<"serverStream", workload.WITBundlesRequest, workload.WITBundlesResponse>;
}> = serviceOf(schema, "SpiffeWorkloadAPI", {
  fetchX509SVID: ["FetchX509SVID","serverStream","X509SVIDRequest","X509SVIDResponse"],
  fetchX509Bundles: ["FetchX509Bundles","serverStream","X509BundlesRequest","X509BundlesResponse"],
  fetchJWTSVID: ["FetchJWTSVID","unary","JWTSVIDRequest","JWTSVIDResponse"],
  fetchJWTBundles: ["FetchJWTBundles","serverStream","JWTBundlesRequest","JWTBundlesResponse"],
  validateJWTSVID: ["ValidateJWTSVID","unary","ValidateJWTSVIDRequest","ValidateJWTSVIDResponse"],
  fetchWITSVID: ["FetchWITSVID","serverStream","WITSVIDRequest","WITSVIDResponse"],
  fetchWITBundles: ["FetchWITBundles","serverStream","WITBundlesRequest","WITBundlesResponse"],
});

export const AgentService: Service<{
  readonly countAgents: Method<"unary", spire.api.server.agent.v1.CountAgentsRequest, spire.api.server.agent.v1.CountAgentsResponse>;
  readonly listAgents: Method<"unary", spire.api.server.agent.v1.ListAgentsRequest, spire.api.server.agent.v1.ListAgentsResponse>;
  readonly getAgent: Method<"unary", spire.api.server.agent.v1.GetAgentRequest, spire.api.types.Agent>;
  readonly deleteAgent: Method<"unary", spire.api.server.agent.v1.DeleteAgentRequest, google.protobuf.Empty>;
  readonly banAgent: Method<"unary", spire.api.server.agent.v1.BanAgentRequest, google.protobuf.Empty>;
  readonly attestAgent: Method<"bidi", spire.api.server.agent.v1.AttestAgentRequest, spire.api.server.agent.v1.AttestAgentResponse>;
  readonly renewAgent: Method<"unary", spire.api.server.agent.v1.RenewAgentRequest, spire.api.server.agent.v1.RenewAgentResponse>;
  readonly createJoinToken: Method<"unary", spire.api.server.agent.v1.CreateJoinTokenRequest, spire.api.types.JoinToken>;
  readonly postStatus: Method<"unary", spire.api.server.agent.v1.PostStatusRequest, spire.api.server.agent.v1.PostStatusResponse>;
}> = serviceOf(schema, "spire.api.server.agent.v1.Agent", {
  countAgents: ["CountAgents","unary","spire.api.server.agent.v1.CountAgentsRequest","spire.api.server.agent.v1.CountAgentsResponse"],
  listAgents: ["ListAgents","unary","spire.api.server.agent.v1.ListAgentsRequest","spire.api.server.agent.v1.ListAgentsResponse"],
  getAgent: ["GetAgent","unary","spire.api.server.agent.v1.GetAgentRequest","spire.api.types.Agent"],
  deleteAgent: ["DeleteAgent","unary","spire.api.server.agent.v1.DeleteAgentRequest","google.protobuf.Empty"],
  banAgent: ["BanAgent","unary","spire.api.server.agent.v1.BanAgentRequest","google.protobuf.Empty"],
  attestAgent: ["AttestAgent","bidi","spire.api.server.agent.v1.AttestAgentRequest","spire.api.server.agent.v1.AttestAgentResponse"],
  renewAgent: ["RenewAgent","unary","spire.api.server.agent.v1.RenewAgentRequest","spire.api.server.agent.v1.RenewAgentResponse"],
  createJoinToken: ["CreateJoinToken","unary","spire.api.server.agent.v1.CreateJoinTokenRequest","spire.api.types.JoinToken"],
  postStatus: ["PostStatus","unary","spire.api.server.agent.v1.PostStatusRequest","spire.api.server.agent.v1.PostStatusResponse"],
});

export const BundleService: Service<{
  readonly countBundles: Method<"unary", spire.api.server.bundle.v1.CountBundlesRequest, spire.api.server.bundle.v1.CountBundlesResponse>;
  readonly getBundle: Method<"unary", spire.api.server.bundle.v1.GetBundleRequest, spire.api.types.Bundle>;
  readonly appendBundle: Method<"unary", spire.api.server.bundle.v1.AppendBundleRequest, spire.api.types.Bundle>;
  readonly publishJWTAuthority: Method<"unary", spire.api.server.bundle.v1.PublishJWTAuthorityRequest, spire.api.server.bundle.v1.PublishJWTAuthorityResponse>;
  readonly publishWITAuthority: Method<"unary", spire.api.server.bundle.v1.PublishWITAuthorityRequest, spire.api.server.bundle.v1.PublishWITAuthorityResponse>;
  readonly listFederatedBundles: Method<"unary", spire.api.server.bundle.v1.ListFederatedBundlesRequest, spire.api.server.bundle.v1.ListFederatedBundlesResponse>;
  readonly getFederatedBundle: Method<"unary", spire.api.server.bundle.v1.GetFederatedBundleRequest, spire.api.types.Bundle>;
  readonly batchCreateFederatedBundle: Method<"unary", spire.api.server.bundle.v1.BatchCreateFederatedBundleRequest, spire.api.server.bundle.v1.BatchCreateFederatedBundleResponse>;
  readonly batchUpdateFederatedBundle: Method<"unary", spire.api.server.bundle.v1.BatchUpdateFederatedBundleRequest, spire.api.server.bundle.v1.BatchUpdateFederatedBundleResponse>;
  readonly batchSetFederatedBundle: Method<"unary", spire.api.server.bundle.v1.BatchSetFederatedBundleRequest, spire.api.server.bundle.v1.BatchSetFederatedBundleResponse>;
  readonly batchDeleteFederatedBundle: Method<"unary", spire.api.server.bundle.v1.BatchDeleteFederatedBundleRequest, spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse>;
}> = serviceOf(schema, "spire.api.server.bundle.v1.Bundle", {
  countBundles: ["CountBundles","unary","spire.api.server.bundle.v1.CountBundlesRequest","spire.api.server.bundle.v1.CountBundlesResponse"],
  getBundle: ["GetBundle","unary","spire.api.server.bundle.v1.GetBundleRequest","spire.api.types.Bundle"],
  appendBundle: ["AppendBundle","unary","spire.api.server.bundle.v1.AppendBundleRequest","spire.api.types.Bundle"],
  publishJWTAuthority: ["PublishJWTAuthority","unary","spire.api.server.bundle.v1.PublishJWTAuthorityRequest","spire.api.server.bundle.v1.PublishJWTAuthorityResponse"],
  publishWITAuthority: ["PublishWITAuthority","unary","spire.api.server.bundle.v1.PublishWITAuthorityRequest","spire.api.server.bundle.v1.PublishWITAuthorityResponse"],
  listFederatedBundles: ["ListFederatedBundles","unary","spire.api.server.bundle.v1.ListFederatedBundlesRequest","spire.api.server.bundle.v1.ListFederatedBundlesResponse"],
  getFederatedBundle: ["GetFederatedBundle","unary","spire.api.server.bundle.v1.GetFederatedBundleRequest","spire.api.types.Bundle"],
  batchCreateFederatedBundle: ["BatchCreateFederatedBundle","unary","spire.api.server.bundle.v1.BatchCreateFederatedBundleRequest","spire.api.server.bundle.v1.BatchCreateFederatedBundleResponse"],
  batchUpdateFederatedBundle: ["BatchUpdateFederatedBundle","unary","spire.api.server.bundle.v1.BatchUpdateFederatedBundleRequest","spire.api.server.bundle.v1.BatchUpdateFederatedBundleResponse"],
  batchSetFederatedBundle: ["BatchSetFederatedBundle","unary","spire.api.server.bundle.v1.BatchSetFederatedBundleRequest","spire.api.server.bundle.v1.BatchSetFederatedBundleResponse"],
  batchDeleteFederatedBundle: ["BatchDeleteFederatedBundle","unary","spire.api.server.bundle.v1.BatchDeleteFederatedBundleRequest","spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse"],
});

export const DebugService: Service<{
  readonly getInfo: Method<"unary", spire.api.server.debug.v1.GetInfoRequest, spire.api.server.debug.v1.GetInfoResponse>;
}> = serviceOf(schema, "spire.api.server.debug.v1.Debug", {
  getInfo: ["GetInfo","unary","spire.api.server.debug.v1.GetInfoRequest","spire.api.server.debug.v1.GetInfoResponse"],
});

export const EntryService: Service<{
  readonly countEntries: Method<"unary", spire.api.server.entry.v1.CountEntriesRequest, spire.api.server.entry.v1.CountEntriesResponse>;
  readonly listEntries: Method<"unary", spire.api.server.entry.v1.ListEntriesRequest, spire.api.server.entry.v1.ListEntriesResponse>;
  readonly getEntry: Method<"unary", spire.api.server.entry.v1.GetEntryRequest, spire.api.types.Entry>;
  readonly batchCreateEntry: Method<"unary", spire.api.server.entry.v1.BatchCreateEntryRequest, spire.api.server.entry.v1.BatchCreateEntryResponse>;
  readonly batchUpdateEntry: Method<"unary", spire.api.server.entry.v1.BatchUpdateEntryRequest, spire.api.server.entry.v1.BatchUpdateEntryResponse>;
  readonly batchDeleteEntry: Method<"unary", spire.api.server.entry.v1.BatchDeleteEntryRequest, spire.api.server.entry.v1.BatchDeleteEntryResponse>;
  readonly getAuthorizedEntries: Method<"unary", spire.api.server.entry.v1.GetAuthorizedEntriesRequest, spire.api.server.entry.v1.GetAuthorizedEntriesResponse>;
  readonly syncAuthorizedEntries: Method<"bidi", spire.api.server.entry.v1.SyncAuthorizedEntriesRequest, spire.api.server.entry.v1.SyncAuthorizedEntriesResponse>;
}> = serviceOf(schema, "spire.api.server.entry.v1.Entry", {
  countEntries: ["CountEntries","unary","spire.api.server.entry.v1.CountEntriesRequest","spire.api.server.entry.v1.CountEntriesResponse"],
  listEntries: ["ListEntries","unary","spire.api.server.entry.v1.ListEntriesRequest","spire.api.server.entry.v1.ListEntriesResponse"],
  getEntry: ["GetEntry","unary","spire.api.server.entry.v1.GetEntryRequest","spire.api.types.Entry"],
  batchCreateEntry: ["BatchCreateEntry","unary","spire.api.server.entry.v1.BatchCreateEntryRequest","spire.api.server.entry.v1.BatchCreateEntryResponse"],
  batchUpdateEntry: ["BatchUpdateEntry","unary","spire.api.server.entry.v1.BatchUpdateEntryRequest","spire.api.server.entry.v1.BatchUpdateEntryResponse"],
  batchDeleteEntry: ["BatchDeleteEntry","unary","spire.api.server.entry.v1.BatchDeleteEntryRequest","spire.api.server.entry.v1.BatchDeleteEntryResponse"],
  getAuthorizedEntries: ["GetAuthorizedEntries","unary","spire.api.server.entry.v1.GetAuthorizedEntriesRequest","spire.api.server.entry.v1.GetAuthorizedEntriesResponse"],
  syncAuthorizedEntries: ["SyncAuthorizedEntries","bidi","spire.api.server.entry.v1.SyncAuthorizedEntriesRequest","spire.api.server.entry.v1.SyncAuthorizedEntriesResponse"],
});

export const LocalAuthorityService: Service<{
  readonly getJWTAuthorityState: Method<"unary", spire.api.server.localauthority.v1.GetJWTAuthorityStateRequest, spire.api.server.localauthority.v1.GetJWTAuthorityStateResponse>;
  readonly prepareJWTAuthority: Method<"unary", spire.api.server.localauthority.v1.PrepareJWTAuthorityRequest, spire.api.server.localauthority.v1.PrepareJWTAuthorityResponse>;
  readonly activateJWTAuthority: Method<"unary", spire.api.server.localauthority.v1.ActivateJWTAuthorityRequest, spire.api.server.localauthority.v1.ActivateJWTAuthorityResponse>;
  readonly taintJWTAuthority: Method<"unary", spire.api.server.localauthority.v1.TaintJWTAuthorityRequest, spire.api.server.localauthority.v1.TaintJWTAuthorityResponse>;
  readonly revokeJWTAuthority: Method<"unary", spire.api.server.localauthority.v1.RevokeJWTAuthorityRequest, spire.api.server.localauthority.v1.RevokeJWTAuthorityResponse>;
  readonly getX509AuthorityState: Method<"unary", spire.api.server.localauthority.v1.GetX509AuthorityStateRequest, spire.api.server.localauthority.v1.GetX509AuthorityStateResponse>;
  readonly prepareX509Authority: Method<"unary", spire.api.server.localauthority.v1.PrepareX509AuthorityRequest, spire.api.server.localauthority.v1.PrepareX509AuthorityResponse>;
  readonly activateX509Authority: Method<"unary", spire.api.server.localauthority.v1.ActivateX509AuthorityRequest, spire.api.server.localauthority.v1.ActivateX509AuthorityResponse>;
  readonly taintX509Authority: Method<"unary", spire.api.server.localauthority.v1.TaintX509AuthorityRequest, spire.api.server.localauthority.v1.TaintX509AuthorityResponse>;
  readonly taintX509UpstreamAuthority: Method<"unary", spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityRequest, spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityResponse>;
  readonly revokeX509Authority: Method<"unary", spire.api.server.localauthority.v1.RevokeX509AuthorityRequest, spire.api.server.localauthority.v1.RevokeX509AuthorityResponse>;
  readonly revokeX509UpstreamAuthority: Method<"unary", spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityRequest, spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityResponse>;
  readonly getWITAuthorityState: Method<"unary", spire.api.server.localauthority.v1.GetWITAuthorityStateRequest, spire.api.server.localauthority.v1.GetWITAuthorityStateResponse>;
  readonly prepareWITAuthority: Method<"unary", spire.api.server.localauthority.v1.PrepareWITAuthorityRequest, spire.api.server.localauthority.v1.PrepareWITAuthorityResponse>;
  readonly activateWITAuthority: Method<"unary", spire.api.server.localauthority.v1.ActivateWITAuthorityRequest, spire.api.server.localauthority.v1.ActivateWITAuthorityResponse>;
  readonly taintWITAuthority: Method<"unary", spire.api.server.localauthority.v1.TaintWITAuthorityRequest, spire.api.server.localauthority.v1.TaintWITAuthorityResponse>;
  readonly revokeWITAuthority: Method<"unary", spire.api.server.localauthority.v1.RevokeWITAuthorityRequest, spire.api.server.localauthority.v1.RevokeWITAuthorityResponse>;
}> = serviceOf(schema, "spire.api.server.localauthority.v1.LocalAuthority", {
  getJWTAuthorityState: ["GetJWTAuthorityState","unary","spire.api.server.localauthority.v1.GetJWTAuthorityStateRequest","spire.api.server.localauthority.v1.GetJWTAuthorityStateResponse"],
  prepareJWTAuthority: ["PrepareJWTAuthority","unary","spire.api.server.localauthority.v1.PrepareJWTAuthorityRequest","spire.api.server.localauthority.v1.PrepareJWTAuthorityResponse"],
  activateJWTAuthority: ["ActivateJWTAuthority","unary","spire.api.server.localauthority.v1.ActivateJWTAuthorityRequest","spire.api.server.localauthority.v1.ActivateJWTAuthorityResponse"],
  taintJWTAuthority: ["TaintJWTAuthority","unary","spire.api.server.localauthority.v1.TaintJWTAuthorityRequest","spire.api.server.localauthority.v1.TaintJWTAuthorityResponse"],
  revokeJWTAuthority: ["RevokeJWTAuthority","unary","spire.api.server.localauthority.v1.RevokeJWTAuthorityRequest","spire.api.server.localauthority.v1.RevokeJWTAuthorityResponse"],
  getX509AuthorityState: ["GetX509AuthorityState","unary","spire.api.server.localauthority.v1.GetX509AuthorityStateRequest","spire.api.server.localauthority.v1.GetX509AuthorityStateResponse"],
  prepareX509Authority: ["PrepareX509Authority","unary","spire.api.server.localauthority.v1.PrepareX509AuthorityRequest","spire.api.server.localauthority.v1.PrepareX509AuthorityResponse"],
  activateX509Authority: ["ActivateX509Authority","unary","spire.api.server.localauthority.v1.ActivateX509AuthorityRequest","spire.api.server.localauthority.v1.ActivateX509AuthorityResponse"],
  taintX509Authority: ["TaintX509Authority","unary","spire.api.server.localauthority.v1.TaintX509AuthorityRequest","spire.api.server.localauthority.v1.TaintX509AuthorityResponse"],
  taintX509UpstreamAuthority: ["TaintX509UpstreamAuthority","unary","spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityRequest","spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityResponse"],
  revokeX509Authority: ["RevokeX509Authority","unary","spire.api.server.localauthority.v1.RevokeX509AuthorityRequest","spire.api.server.localauthority.v1.RevokeX509AuthorityResponse"],
  revokeX509UpstreamAuthority: ["RevokeX509UpstreamAuthority","unary","spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityRequest","spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityResponse"],
  getWITAuthorityState: ["GetWITAuthorityState","unary","spire.api.server.localauthority.v1.GetWITAuthorityStateRequest","spire.api.server.localauthority.v1.GetWITAuthorityStateResponse"],
  prepareWITAuthority: ["PrepareWITAuthority","unary","spire.api.server.localauthority.v1.PrepareWITAuthorityRequest","spire.api.server.localauthority.v1.PrepareWITAuthorityResponse"],
  activateWITAuthority: ["ActivateWITAuthority","unary","spire.api.server.localauthority.v1.ActivateWITAuthorityRequest","spire.api.server.localauthority.v1.ActivateWITAuthorityResponse"],
  taintWITAuthority: ["TaintWITAuthority","unary","spire.api.server.localauthority.v1.TaintWITAuthorityRequest","spire.api.server.localauthority.v1.TaintWITAuthorityResponse"],
  revokeWITAuthority: ["RevokeWITAuthority","unary","spire.api.server.localauthority.v1.RevokeWITAuthorityRequest","spire.api.server.localauthority.v1.RevokeWITAuthorityResponse"],
});

export const LoggerService: Service<{
  readonly getLogger: Method<"unary", spire.api.server.logger.v1.GetLoggerRequest, spire.api.types.Logger>;
  readonly setLogLevel: Method<"unary", spire.api.server.logger.v1.SetLogLevelRequest, spire.api.types.Logger>;
  readonly resetLogLevel: Method<"unary", spire.api.server.logger.v1.ResetLogLevelRequest, spire.api.types.Logger>;
}> = serviceOf(schema, "spire.api.server.logger.v1.Logger", {
  getLogger: ["GetLogger","unary","spire.api.server.logger.v1.GetLoggerRequest","spire.api.types.Logger"],
  setLogLevel: ["SetLogLevel","unary","spire.api.server.logger.v1.SetLogLevelRequest","spire.api.types.Logger"],
  resetLogLevel: ["ResetLogLevel","unary","spire.api.server.logger.v1.ResetLogLevelRequest","spire.api.types.Logger"],
});

export const SvidService: Service<{
  readonly mintX509SVID: Method<"unary", spire.api.server.svid.v1.MintX509SVIDRequest, spire.api.server.svid.v1.MintX509SVIDResponse>;
  readonly mintJWTSVID: Method<"unary", spire.api.server.svid.v1.MintJWTSVIDRequest, spire.api.server.svid.v1.MintJWTSVIDResponse>;
  readonly mintWITSVID: Method<"unary", spire.api.server.svid.v1.MintWITSVIDRequest, spire.api.server.svid.v1.MintWITSVIDResponse>;
  readonly batchNewX509SVID: Method<"unary", spire.api.server.svid.v1.BatchNewX509SVIDRequest, spire.api.server.svid.v1.BatchNewX509SVIDResponse>;
  readonly newJWTSVID: Method<"unary", spire.api.server.svid.v1.NewJWTSVIDRequest, spire.api.server.svid.v1.NewJWTSVIDResponse>;
  readonly batchNewWITSVID: Method<"unary", spire.api.server.svid.v1.BatchNewWITSVIDRequest, spire.api.server.svid.v1.BatchNewWITSVIDResponse>;
  readonly newDownstreamX509CA: Method<"unary", spire.api.server.svid.v1.NewDownstreamX509CARequest, spire.api.server.svid.v1.NewDownstreamX509CAResponse>;
}> = serviceOf(schema, "spire.api.server.svid.v1.SVID", {
  mintX509SVID: ["MintX509SVID","unary","spire.api.server.svid.v1.MintX509SVIDRequest","spire.api.server.svid.v1.MintX509SVIDResponse"],
  mintJWTSVID: ["MintJWTSVID","unary","spire.api.server.svid.v1.MintJWTSVIDRequest","spire.api.server.svid.v1.MintJWTSVIDResponse"],
  mintWITSVID: ["MintWITSVID","unary","spire.api.server.svid.v1.MintWITSVIDRequest","spire.api.server.svid.v1.MintWITSVIDResponse"],
  batchNewX509SVID: ["BatchNewX509SVID","unary","spire.api.server.svid.v1.BatchNewX509SVIDRequest","spire.api.server.svid.v1.BatchNewX509SVIDResponse"],
  newJWTSVID: ["NewJWTSVID","unary","spire.api.server.svid.v1.NewJWTSVIDRequest","spire.api.server.svid.v1.NewJWTSVIDResponse"],
  batchNewWITSVID: ["BatchNewWITSVID","unary","spire.api.server.svid.v1.BatchNewWITSVIDRequest","spire.api.server.svid.v1.BatchNewWITSVIDResponse"],
  newDownstreamX509CA: ["NewDownstreamX509CA","unary","spire.api.server.svid.v1.NewDownstreamX509CARequest","spire.api.server.svid.v1.NewDownstreamX509CAResponse"],
});

export const TrustDomainService: Service<{
  readonly listFederationRelationships: Method<"unary", spire.api.server.trustdomain.v1.ListFederationRelationshipsRequest, spire.api.server.trustdomain.v1.ListFederationRelationshipsResponse>;
  readonly getFederationRelationship: Method<"unary", spire.api.server.trustdomain.v1.GetFederationRelationshipRequest, spire.api.types.FederationRelationship>;
  readonly batchCreateFederationRelationship: Method<"unary", spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipRequest, spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse>;
  readonly batchUpdateFederationRelationship: Method<"unary", spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipRequest, spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse>;
  readonly batchDeleteFederationRelationship: Method<"unary", spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipRequest, spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse>;
  readonly refreshBundle: Method<"unary", spire.api.server.trustdomain.v1.RefreshBundleRequest, google.protobuf.Empty>;
}> = serviceOf(schema, "spire.api.server.trustdomain.v1.TrustDomain", {
  listFederationRelationships: ["ListFederationRelationships","unary","spire.api.server.trustdomain.v1.ListFederationRelationshipsRequest","spire.api.server.trustdomain.v1.ListFederationRelationshipsResponse"],
  getFederationRelationship: ["GetFederationRelationship","unary","spire.api.server.trustdomain.v1.GetFederationRelationshipRequest","spire.api.types.FederationRelationship"],
  batchCreateFederationRelationship: ["BatchCreateFederationRelationship","unary","spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipRequest","spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse"],
  batchUpdateFederationRelationship: ["BatchUpdateFederationRelationship","unary","spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipRequest","spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse"],
  batchDeleteFederationRelationship: ["BatchDeleteFederationRelationship","unary","spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipRequest","spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse"],
  refreshBundle: ["RefreshBundle","unary","spire.api.server.trustdomain.v1.RefreshBundleRequest","google.protobuf.Empty"],
});

/** A .proto file as server reflection serves it; `descriptor` is a FileDescriptorProto in base64. */
export interface DescriptorFile {
  readonly name: string;
  readonly imports: readonly string[];
  readonly services: readonly string[];
  readonly messages: readonly string[];
  readonly descriptor: string;
}

export const FILES: readonly DescriptorFile[] = [
  {"name":"google/any.proto","imports":[],"services":[],"messages":["google.protobuf.Any"],"descriptor":"ChBnb29nbGUvYW55LnByb3RvEg9nb29nbGUucHJvdG9idWYiNgoDQW55EhkKCHR5cGVfdXJsGAEgASgJUgd0eXBlVXJsEhQKBXZhbHVlGAIgASgMUgV2YWx1ZWIGcHJvdG8z"},
  {"name":"google/status.proto","imports":["google/any.proto"],"services":[],"messages":["google.rpc.Status","google.rpc.ErrorInfo"],"descriptor":"ChNnb29nbGUvc3RhdHVzLnByb3RvEgpnb29nbGUucnBjGhBnb29nbGUvYW55LnByb3RvImYKBlN0YXR1cxISCgRjb2RlGAEgASgFUgRjb2RlEhgKB21lc3NhZ2UYAiABKAlSB21lc3NhZ2USLgoHZGV0YWlscxgDIAMoCzIULmdvb2dsZS5wcm90b2J1Zi5BbnlSB2RldGFpbHMiuQEKCUVycm9ySW5mbxIWCgZyZWFzb24YASABKAlSBnJlYXNvbhIWCgZkb21haW4YAiABKAlSBmRvbWFpbhI/CghtZXRhZGF0YRgDIAMoCzIjLmdvb2dsZS5ycGMuRXJyb3JJbmZvLk1ldGFkYXRhRW50cnlSCG1ldGFkYXRhGjsKDU1ldGFkYXRhRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSFAoFdmFsdWUYAiABKAlSBXZhbHVlOgI4AWIGcHJvdG8z"},
  {"name":"google/struct.proto","imports":[],"services":[],"messages":["google.protobuf.Struct","google.protobuf.Value","google.protobuf.ListValue"],"descriptor":"ChNnb29nbGUvc3RydWN0LnByb3RvEg9nb29nbGUucHJvdG9idWYimAEKBlN0cnVjdBI7CgZmaWVsZHMYASADKAsyIy5nb29nbGUucHJvdG9idWYuU3RydWN0LkZpZWxkc0VudHJ5UgZmaWVsZHMaUQoLRmllbGRzRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSLAoFdmFsdWUYAiABKAsyFi5nb29nbGUucHJvdG9idWYuVmFsdWVSBXZhbHVlOgI4ASKyAgoFVmFsdWUSOwoKbnVsbF92YWx1ZRgBIAEoDjIaLmdvb2dsZS5wcm90b2J1Zi5OdWxsVmFsdWVIAFIJbnVsbFZhbHVlEiMKDG51bWJlcl92YWx1ZRgCIAEoAUgAUgtudW1iZXJWYWx1ZRIjCgxzdHJpbmdfdmFsdWUYAyABKAlIAFILc3RyaW5nVmFsdWUSHwoKYm9vbF92YWx1ZRgEIAEoCEgAUglib29sVmFsdWUSPAoMc3RydWN0X3ZhbHVlGAUgASgLMhcuZ29vZ2xlLnByb3RvYnVmLlN0cnVjdEgAUgtzdHJ1Y3RWYWx1ZRI7CgpsaXN0X3ZhbHVlGAYgASgLMhouZ29vZ2xlLnByb3RvYnVmLkxpc3RWYWx1ZUgAUglsaXN0VmFsdWVCBgoEa2luZCI7CglMaXN0VmFsdWUSLgoGdmFsdWVzGAEgAygLMhYuZ29vZ2xlLnByb3RvYnVmLlZhbHVlUgZ2YWx1ZXMqGwoJTnVsbFZhbHVlEg4KCk5VTExfVkFMVUUQAGIGcHJvdG8z"},
  {"name":"google/wrappers.proto","imports":[],"services":[],"messages":["google.protobuf.BoolValue","google.protobuf.StringValue","google.protobuf.Empty"],"descriptor":"ChVnb29nbGUvd3JhcHBlcnMucHJvdG8SD2dvb2dsZS5wcm90b2J1ZiIhCglCb29sVmFsdWUSFAoFdmFsdWUYASABKAhSBXZhbHVlIiMKC1N0cmluZ1ZhbHVlEhQKBXZhbHVlGAEgASgJUgV2YWx1ZSIHCgVFbXB0eWIGcHJvdG8z"},
  {"name":"grpc/health.proto","imports":[],"services":["grpc.health.v1.Health"],"messages":["grpc.health.v1.HealthCheckRequest","grpc.health.v1.HealthCheckResponse","grpc.health.v1.HealthListRequest","grpc.health.v1.HealthListResponse"],"descriptor":"ChFncnBjL2hlYWx0aC5wcm90bxIOZ3JwYy5oZWFsdGgudjEiLgoSSGVhbHRoQ2hlY2tSZXF1ZXN0EhgKB3NlcnZpY2UYASABKAlSB3NlcnZpY2UisQEKE0hlYWx0aENoZWNrUmVzcG9uc2USSQoGc3RhdHVzGAEgASgOMjEuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXNwb25zZS5TZXJ2aW5nU3RhdHVzUgZzdGF0dXMiTwoNU2VydmluZ1N0YXR1cxILCgdVTktOT1dOEAASCwoHU0VSVklORxABEg8KC05PVF9TRVJWSU5HEAISEwoPU0VSVklDRV9VTktOT1dOEAMiEwoRSGVhbHRoTGlzdFJlcXVlc3QixAEKEkhlYWx0aExpc3RSZXNwb25zZRJMCghzdGF0dXNlcxgBIAMoCzIwLmdycGMuaGVhbHRoLnYxLkhlYWx0aExpc3RSZXNwb25zZS5TdGF0dXNlc0VudHJ5UghzdGF0dXNlcxpgCg1TdGF0dXNlc0VudHJ5EhAKA2tleRgBIAEoCVIDa2V5EjkKBXZhbHVlGAIgASgLMiMuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXNwb25zZVIFdmFsdWU6AjgBMocCCgZIZWFsdGgSVAoFQ2hlY2sSIi5ncnBjLmhlYWx0aC52MS5IZWFsdGhDaGVja1JlcXVlc3QaIy5ncnBjLmhlYWx0aC52MS5IZWFsdGhDaGVja1Jlc3BvbnNlKAAwABJRCgRMaXN0EiEuZ3JwYy5oZWFsdGgudjEuSGVhbHRoTGlzdFJlcXVlc3QaIi5ncnBjLmhlYWx0aC52MS5IZWFsdGhMaXN0UmVzcG9uc2UoADAAElQKBVdhdGNoEiIuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXF1ZXN0GiMuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXNwb25zZSgAMAFiBnByb3RvMw=="},
  {"name":"grpc/reflection-v1alpha.proto","imports":[],"services":["grpc.reflection.v1alpha.ServerReflection"],"messages":["grpc.reflection.v1alpha.ServerReflectionRequest","grpc.reflection.v1alpha.ExtensionRequest","grpc.reflection.v1alpha.ServerReflectionResponse","grpc.reflection.v1alpha.FileDescriptorResponse","grpc.reflection.v1alpha.ExtensionNumberResponse","grpc.reflection.v1alpha.ListServiceResponse","grpc.reflection.v1alpha.ServiceResponse","grpc.reflection.v1alpha.ErrorResponse"],"descriptor":"Ch1ncnBjL3JlZmxlY3Rpb24tdjFhbHBoYS5wcm90bxIXZ3JwYy5yZWZsZWN0aW9uLnYxYWxwaGEi9wIKF1NlcnZlclJlZmxlY3Rpb25SZXF1ZXN0EhIKBGhvc3QYASABKAlSBGhvc3QSKgoQZmlsZV9ieV9maWxlbmFtZRgDIAEoCUgAUg5maWxlQnlGaWxlbmFtZRI2ChZmaWxlX2NvbnRhaW5pbmdfc3ltYm9sGAQgASgJSABSFGZpbGVDb250YWluaW5nU3ltYm9sEmcKGWZpbGVfY29udGFpbmluZ19leHRlbnNpb24YBSABKAsyKS5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5FeHRlbnNpb25SZXF1ZXN0SABSF2ZpbGVDb250YWluaW5nRXh0ZW5zaW9uEkIKHWFsbF9leHRlbnNpb25fbnVtYmVyc19vZl90eXBlGAYgASgJSABSGWFsbEV4dGVuc2lvbk51bWJlcnNPZlR5cGUSJQoNbGlzdF9zZXJ2aWNlcxgHIAEoCUgAUgxsaXN0U2VydmljZXNCEAoObWVzc2FnZVJlcXVlc3QiZgoQRXh0ZW5zaW9uUmVxdWVzdBInCg9jb250YWluaW5nX3R5cGUYASABKAlSDmNvbnRhaW5pbmdUeXBlEikKEGV4dGVuc2lvbl9udW1iZXIYAiABKAVSD2V4dGVuc2lvbk51bWJlciLGBAoYU2VydmVyUmVmbGVjdGlvblJlc3BvbnNlEh0KCnZhbGlkX2hvc3QYASABKAlSCXZhbGlkSG9zdBJbChBvcmlnaW5hbF9yZXF1ZXN0GAIgASgLMjAuZ3JwYy5yZWZsZWN0aW9uLnYxYWxwaGEuU2VydmVyUmVmbGVjdGlvblJlcXVlc3RSD29yaWdpbmFsUmVxdWVzdBJrChhmaWxlX2Rlc2NyaXB0b3JfcmVzcG9uc2UYBCABKAsyLy5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5GaWxlRGVzY3JpcHRvclJlc3BvbnNlSABSFmZpbGVEZXNjcmlwdG9yUmVzcG9uc2USdwoeYWxsX2V4dGVuc2lvbl9udW1iZXJzX3Jlc3BvbnNlGAUgASgLMjAuZ3JwYy5yZWZsZWN0aW9uLnYxYWxwaGEuRXh0ZW5zaW9uTnVtYmVyUmVzcG9uc2VIAFIbYWxsRXh0ZW5zaW9uTnVtYmVyc1Jlc3BvbnNlEmQKFmxpc3Rfc2VydmljZXNfcmVzcG9uc2UYBiABKAsyLC5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5MaXN0U2VydmljZVJlc3BvbnNlSABSFGxpc3RTZXJ2aWNlc1Jlc3BvbnNlEk8KDmVycm9yX3Jlc3BvbnNlGAcgASgLMiYuZ3JwYy5yZWZsZWN0aW9uLnYxYWxwaGEuRXJyb3JSZXNwb25zZUgAUg1lcnJvclJlc3BvbnNlQhEKD21lc3NhZ2VSZXNwb25zZSJMChZGaWxlRGVzY3JpcHRvclJlc3BvbnNlEjIKFWZpbGVfZGVzY3JpcHRvcl9wcm90bxgBIAMoDFITZmlsZURlc2NyaXB0b3JQcm90byJqChdFeHRlbnNpb25OdW1iZXJSZXNwb25zZRIkCg5iYXNlX3R5cGVfbmFtZRgBIAEoCVIMYmFzZVR5cGVOYW1lEikKEGV4dGVuc2lvbl9udW1iZXIYAiADKAVSD2V4dGVuc2lvbk51bWJlciJZChNMaXN0U2VydmljZVJlc3BvbnNlEkIKB3NlcnZpY2UYASADKAsyKC5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5TZXJ2aWNlUmVzcG9uc2VSB3NlcnZpY2UiJQoPU2VydmljZVJlc3BvbnNlEhIKBG5hbWUYASABKAlSBG5hbWUiUwoNRXJyb3JSZXNwb25zZRIdCgplcnJvcl9jb2RlGAEgASgFUgllcnJvckNvZGUSIwoNZXJyb3JfbWVzc2FnZRgCIAEoCVIMZXJyb3JNZXNzYWdlMpMBChBTZXJ2ZXJSZWZsZWN0aW9uEn8KFFNlcnZlclJlZmxlY3Rpb25JbmZvEjAuZ3JwYy5yZWZsZWN0aW9uLnYxYWxwaGEuU2VydmVyUmVmbGVjdGlvblJlcXVlc3QaMS5ncnBjLnJlZmxlY3Rpb24udjFhbHBoYS5TZXJ2ZXJSZWZsZWN0aW9uUmVzcG9uc2UoATABYgZwcm90bzM="},
  {"name":"grpc/reflection.proto","imports":[],"services":["grpc.reflection.v1.ServerReflection"],"messages":["grpc.reflection.v1.ServerReflectionRequest","grpc.reflection.v1.ExtensionRequest","grpc.reflection.v1.ServerReflectionResponse","grpc.reflection.v1.FileDescriptorResponse","grpc.reflection.v1.ExtensionNumberResponse","grpc.reflection.v1.ListServiceResponse","grpc.reflection.v1.ServiceResponse","grpc.reflection.v1.ErrorResponse"],"descriptor":"ChVncnBjL3JlZmxlY3Rpb24ucHJvdG8SEmdycGMucmVmbGVjdGlvbi52MSLyAgoXU2VydmVyUmVmbGVjdGlvblJlcXVlc3QSEgoEaG9zdBgBIAEoCVIEaG9zdBIqChBmaWxlX2J5X2ZpbGVuYW1lGAMgASgJSABSDmZpbGVCeUZpbGVuYW1lEjYKFmZpbGVfY29udGFpbmluZ19zeW1ib2wYBCABKAlIAFIUZmlsZUNvbnRhaW5pbmdTeW1ib2wSYgoZZmlsZV9jb250YWluaW5nX2V4dGVuc2lvbhgFIAEoCzIkLmdycGMucmVmbGVjdGlvbi52MS5FeHRlbnNpb25SZXF1ZXN0SABSF2ZpbGVDb250YWluaW5nRXh0ZW5zaW9uEkIKHWFsbF9leHRlbnNpb25fbnVtYmVyc19vZl90eXBlGAYgASgJSABSGWFsbEV4dGVuc2lvbk51bWJlcnNPZlR5cGUSJQoNbGlzdF9zZXJ2aWNlcxgHIAEoCUgAUgxsaXN0U2VydmljZXNCEAoObWVzc2FnZVJlcXVlc3QiZgoQRXh0ZW5zaW9uUmVxdWVzdBInCg9jb250YWluaW5nX3R5cGUYASABKAlSDmNvbnRhaW5pbmdUeXBlEikKEGV4dGVuc2lvbl9udW1iZXIYAiABKAVSD2V4dGVuc2lvbk51bWJlciKtBAoYU2VydmVyUmVmbGVjdGlvblJlc3BvbnNlEh0KCnZhbGlkX2hvc3QYASABKAlSCXZhbGlkSG9zdBJWChBvcmlnaW5hbF9yZXF1ZXN0GAIgASgLMisuZ3JwYy5yZWZsZWN0aW9uLnYxLlNlcnZlclJlZmxlY3Rpb25SZXF1ZXN0Ug9vcmlnaW5hbFJlcXVlc3QSZgoYZmlsZV9kZXNjcmlwdG9yX3Jlc3BvbnNlGAQgASgLMiouZ3JwYy5yZWZsZWN0aW9uLnYxLkZpbGVEZXNjcmlwdG9yUmVzcG9uc2VIAFIWZmlsZURlc2NyaXB0b3JSZXNwb25zZRJyCh5hbGxfZXh0ZW5zaW9uX251bWJlcnNfcmVzcG9uc2UYBSABKAsyKy5ncnBjLnJlZmxlY3Rpb24udjEuRXh0ZW5zaW9uTnVtYmVyUmVzcG9uc2VIAFIbYWxsRXh0ZW5zaW9uTnVtYmVyc1Jlc3BvbnNlEl8KFmxpc3Rfc2VydmljZXNfcmVzcG9uc2UYBiABKAsyJy5ncnBjLnJlZmxlY3Rpb24udjEuTGlzdFNlcnZpY2VSZXNwb25zZUgAUhRsaXN0U2VydmljZXNSZXNwb25zZRJKCg5lcnJvcl9yZXNwb25zZRgHIAEoCzIhLmdycGMucmVmbGVjdGlvbi52MS5FcnJvclJlc3BvbnNlSABSDWVycm9yUmVzcG9uc2VCEQoPbWVzc2FnZVJlc3BvbnNlIkwKFkZpbGVEZXNjcmlwdG9yUmVzcG9uc2USMgoVZmlsZV9kZXNjcmlwdG9yX3Byb3RvGAEgAygMUhNmaWxlRGVzY3JpcHRvclByb3RvImoKF0V4dGVuc2lvbk51bWJlclJlc3BvbnNlEiQKDmJhc2VfdHlwZV9uYW1lGAEgASgJUgxiYXNlVHlwZU5hbWUSKQoQZXh0ZW5zaW9uX251bWJlchgCIAMoBVIPZXh0ZW5zaW9uTnVtYmVyIlQKE0xpc3RTZXJ2aWNlUmVzcG9uc2USPQoHc2VydmljZRgBIAMoCzIjLmdycGMucmVmbGVjdGlvbi52MS5TZXJ2aWNlUmVzcG9uc2VSB3NlcnZpY2UiJQoPU2VydmljZVJlc3BvbnNlEhIKBG5hbWUYASABKAlSBG5hbWUiUwoNRXJyb3JSZXNwb25zZRIdCgplcnJvcl9jb2RlGAEgASgFUgllcnJvckNvZGUSIwoNZXJyb3JfbWVzc2FnZRgCIAEoCVIMZXJyb3JNZXNzYWdlMokBChBTZXJ2ZXJSZWZsZWN0aW9uEnUKFFNlcnZlclJlZmxlY3Rpb25JbmZvEisuZ3JwYy5yZWZsZWN0aW9uLnYxLlNlcnZlclJlZmxlY3Rpb25SZXF1ZXN0GiwuZ3JwYy5yZWZsZWN0aW9uLnYxLlNlcnZlclJlZmxlY3Rpb25SZXNwb25zZSgBMAFiBnByb3RvMw=="},
  {"name":"signet/audit.proto","imports":[],"services":["signet.audit.v1.AuditLog"],"messages":["signet.audit.v1.Event","signet.audit.v1.Credential","signet.audit.v1.AppendRequest","signet.audit.v1.AppendResponse","signet.audit.v1.TailRequest","signet.audit.v1.TailResponse","signet.audit.v1.LoggedEvent","signet.audit.v1.CheckpointRequest","signet.audit.v1.CheckpointResponse","signet.audit.v1.ProveRequest","signet.audit.v1.ProveResponse"],"descriptor":"ChJzaWduZXQvYXVkaXQucHJvdG8SD3NpZ25ldC5hdWRpdC52MSLlBQoFRXZlbnQSDgoCaWQYASABKAlSAmlkEhcKB3RpbWVfbXMYAiABKANSBnRpbWVNcxIWCgZzdHJlYW0YAyABKAlSBnN0cmVhbRISCgR0eXBlGAQgASgJUgR0eXBlEhgKB291dGNvbWUYBSABKAlSB291dGNvbWUSHwoLb2JzZXJ2ZWRfYnkYBiABKAlSCm9ic2VydmVkQnkSGgoIb2JzZXJ2ZXIYByABKAlSCG9ic2VydmVyEhQKBWFnZW50GAggASgJUgVhZ2VudBISCgR0YXNrGAkgASgJUgR0YXNrEhIKBHJvb3QYCiABKAlSBHJvb3QSFgoGcGFyZW50GAsgASgJUgZwYXJlbnQSHAoJcHJpbmNpcGFsGAwgASgJUglwcmluY2lwYWwSFgoGYWN0aW9uGA0gASgJUgZhY3Rpb24SGgoIcmVzb3VyY2UYDiABKAlSCHJlc291cmNlEiAKC2Rlc3RpbmF0aW9uGA8gASgJUgtkZXN0aW5hdGlvbhIfCgtkZWNpc2lvbl9pZBgQIAEoCVIKZGVjaXNpb25JZBIfCgtwb2xpY3lfaGFzaBgRIAEoCVIKcG9saWN5SGFzaBI7CgpjcmVkZW50aWFsGBIgASgLMhsuc2lnbmV0LmF1ZGl0LnYxLkNyZWRlbnRpYWxSCmNyZWRlbnRpYWwSHwoLYXJnc19kaWdlc3QYEyABKAlSCmFyZ3NEaWdlc3QSHAoJYXNzdXJhbmNlGBQgASgJUglhc3N1cmFuY2USGQoIdHJhY2VfaWQYFSABKAlSB3RyYWNlSWQSFgoGcmVhc29uGBYgASgJUgZyZWFzb24SOgoGZGV0YWlsGBcgAygLMiIuc2lnbmV0LmF1ZGl0LnYxLkV2ZW50LkRldGFpbEVudHJ5UgZkZXRhaWwaOQoLRGV0YWlsRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSFAoFdmFsdWUYAiABKAlSBXZhbHVlOgI4ASJMCgpDcmVkZW50aWFsEhIKBGtpbmQYASABKAlSBGtpbmQSEgoEbmFtZRgCIAEoCVIEbmFtZRIWCgZzaGEyNTYYAyABKAlSBnNoYTI1NiI/Cg1BcHBlbmRSZXF1ZXN0Ei4KBmV2ZW50cxgBIAMoCzIWLnNpZ25ldC5hdWRpdC52MS5FdmVudFIGZXZlbnRzIhAKDkFwcGVuZFJlc3BvbnNlIo8BCgtUYWlsUmVxdWVzdBIYCgdzdHJlYW1zGAEgAygJUgdzdHJlYW1zEhIKBHRhc2sYAiABKAlSBHRhc2sSEgoEdHJlZRgDIAEoCFIEdHJlZRISCgRsYXN0GAQgASgNUgRsYXN0EhYKBmZvbGxvdxgFIAEoCFIGZm9sbG93EhIKBHR5cGUYBiABKAlSBHR5cGUiRAoMVGFpbFJlc3BvbnNlEjQKBmV2ZW50cxgBIAMoCzIcLnNpZ25ldC5hdWRpdC52MS5Mb2dnZWRFdmVudFIGZXZlbnRzIjcKC0xvZ2dlZEV2ZW50EhQKBWluZGV4GAEgASgEUgVpbmRleBISCgRsaW5lGAIgASgMUgRsaW5lIhMKEUNoZWNrcG9pbnRSZXF1ZXN0IksKEkNoZWNrcG9pbnRSZXNwb25zZRISCgRub3RlGAEgASgJUgRub3RlEiEKDHZlcmlmaWVyX2tleRgCIAEoCVILdmVyaWZpZXJLZXkiRAoMUHJvdmVSZXF1ZXN0EhkKCGV2ZW50X2lkGAEgASgJUgdldmVudElkEhkKCG9sZF9zaXplGAIgASgEUgdvbGRTaXplIpcBCg1Qcm92ZVJlc3BvbnNlEjIKBWV2ZW50GAEgASgLMhwuc2lnbmV0LmF1ZGl0LnYxLkxvZ2dlZEV2ZW50UgVldmVudBISCgRub3RlGAIgASgJUgRub3RlEhwKCWluY2x1c2lvbhgDIAMoDFIJaW5jbHVzaW9uEiAKC2NvbnNpc3RlbmN5GAQgAygMUgtjb25zaXN0ZW5jeTLJAgoIQXVkaXRMb2cSTQoGQXBwZW5kEh4uc2lnbmV0LmF1ZGl0LnYxLkFwcGVuZFJlcXVlc3QaHy5zaWduZXQuYXVkaXQudjEuQXBwZW5kUmVzcG9uc2UoADAAEkcKBFRhaWwSHC5zaWduZXQuYXVkaXQudjEuVGFpbFJlcXVlc3QaHS5zaWduZXQuYXVkaXQudjEuVGFpbFJlc3BvbnNlKAAwARJZCgpDaGVja3BvaW50EiIuc2lnbmV0LmF1ZGl0LnYxLkNoZWNrcG9pbnRSZXF1ZXN0GiMuc2lnbmV0LmF1ZGl0LnYxLkNoZWNrcG9pbnRSZXNwb25zZSgAMAASSgoFUHJvdmUSHS5zaWduZXQuYXVkaXQudjEuUHJvdmVSZXF1ZXN0Gh4uc2lnbmV0LmF1ZGl0LnYxLlByb3ZlUmVzcG9uc2UoADAAYgZwcm90bzM="},
  {"name":"signet/federation.proto","imports":[],"services":["signet.federation.v1.Federation"],"messages":["signet.federation.v1.ListRelationshipsRequest","signet.federation.v1.ListRelationshipsResponse","signet.federation.v1.Relationship"],"descriptor":"ChdzaWduZXQvZmVkZXJhdGlvbi5wcm90bxIUc2lnbmV0LmZlZGVyYXRpb24udjEieQoYTGlzdFJlbGF0aW9uc2hpcHNSZXF1ZXN0EiEKDHRydXN0X2RvbWFpbhgBIAEoCVILdHJ1c3REb21haW4SGwoJcGFnZV9zaXplGAIgASgFUghwYWdlU2l6ZRIdCgpwYWdlX3Rva2VuGAMgASgJUglwYWdlVG9rZW4ijQEKGUxpc3RSZWxhdGlvbnNoaXBzUmVzcG9uc2USSAoNcmVsYXRpb25zaGlwcxgBIAMoCzIiLnNpZ25ldC5mZWRlcmF0aW9uLnYxLlJlbGF0aW9uc2hpcFINcmVsYXRpb25zaGlwcxImCg9uZXh0X3BhZ2VfdG9rZW4YAiABKAlSDW5leHRQYWdlVG9rZW4iuwMKDFJlbGF0aW9uc2hpcBIhCgx0cnVzdF9kb21haW4YASABKAlSC3RydXN0RG9tYWluEi4KE2J1bmRsZV9lbmRwb2ludF91cmwYAiABKAlSEWJ1bmRsZUVuZHBvaW50VXJsEjYKF2J1bmRsZV9lbmRwb2ludF9wcm9maWxlGAMgASgJUhVidW5kbGVFbmRwb2ludFByb2ZpbGUSLAoSZW5kcG9pbnRfc3BpZmZlX2lkGAQgASgJUhBlbmRwb2ludFNwaWZmZUlkEhYKBnN0YXRpYxgFIAEoCFIGc3RhdGljEh0KCmNyZWF0ZWRfYXQYBiABKANSCWNyZWF0ZWRBdBIdCgpoYXNfYnVuZGxlGAcgASgIUgloYXNCdW5kbGUSGgoIc2VxdWVuY2UYCCABKAlSCHNlcXVlbmNlEiEKDGxhc3RfYXR0ZW1wdBgJIAEoA1ILbGFzdEF0dGVtcHQSIQoMbGFzdF9zdWNjZXNzGAogASgDUgtsYXN0U3VjY2VzcxIdCgpsYXN0X2Vycm9yGAsgASgJUglsYXN0RXJyb3ISGwoJbmV4dF9wb2xsGAwgASgDUghuZXh0UG9sbDKGAQoKRmVkZXJhdGlvbhJ4ChFMaXN0UmVsYXRpb25zaGlwcxIuLnNpZ25ldC5mZWRlcmF0aW9uLnYxLkxpc3RSZWxhdGlvbnNoaXBzUmVxdWVzdBovLnNpZ25ldC5mZWRlcmF0aW9uLnYxLkxpc3RSZWxhdGlvbnNoaXBzUmVzcG9uc2UoADAAYgZwcm90bzM="},
  {"name":"signet/guard.proto","imports":["signet/audit.proto","signet/link.proto","signet/task.proto"],"services":["signet.guard.v1.Guard"],"messages":["signet.guard.v1.WatchStatusRequest","signet.guard.v1.WatchStatusResponse","signet.guard.v1.DescribeTaskRequest","signet.guard.v1.DescribeTaskResponse","signet.guard.v1.SpendUsesRequest","signet.guard.v1.SpendUsesResponse","signet.guard.v1.RecordRequest","signet.guard.v1.RecordResponse"],"descriptor":"ChJzaWduZXQvZ3VhcmQucHJvdG8SD3NpZ25ldC5ndWFyZC52MRoSc2lnbmV0L2F1ZGl0LnByb3RvGhFzaWduZXQvbGluay5wcm90bxoRc2lnbmV0L3Rhc2sucHJvdG8iFAoSV2F0Y2hTdGF0dXNSZXF1ZXN0IskBChNXYXRjaFN0YXR1c1Jlc3BvbnNlEhQKBXJlc2V0GAEgASgIUgVyZXNldBIwCgV0YXNrcxgCIAMoCzIaLnNpZ25ldC5saW5rLnYxLlRhc2tTdGF0dXNSBXRhc2tzEjgKB2NsYXNzZXMYAyADKAsyHi5zaWduZXQubGluay52MS5UYXNrQ2xhc3NSdWxlc1IHY2xhc3NlcxIUCgVmcmVzaBgEIAEoCFIFZnJlc2gSGgoIY29tcGxldGUYBSABKAhSCGNvbXBsZXRlIjsKE0Rlc2NyaWJlVGFza1JlcXVlc3QSDgoCaWQYASABKAlSAmlkEhQKBXNob3duGAIgASgMUgVzaG93biJAChREZXNjcmliZVRhc2tSZXNwb25zZRIoCgR0YXNrGAEgASgLMhQuc2lnbmV0LnRhc2sudjEuVGFza1IEdGFzayJyChBTcGVuZFVzZXNSZXF1ZXN0EhcKB3Rhc2tfaWQYASABKAlSBnRhc2tJZBIUCgVjb3VudBgCIAEoDVIFY291bnQSGQoIc3BlbmRfaWQYAyABKAlSB3NwZW5kSWQSFAoFc2hvd24YBCABKAxSBXNob3duIi0KEVNwZW5kVXNlc1Jlc3BvbnNlEhgKB2dyYW50ZWQYASABKAhSB2dyYW50ZWQiPwoNUmVjb3JkUmVxdWVzdBIuCgZldmVudHMYASADKAsyFi5zaWduZXQuYXVkaXQudjEuRXZlbnRSBmV2ZW50cyIQCg5SZWNvcmRSZXNwb25zZTLtAgoFR3VhcmQSXAoLV2F0Y2hTdGF0dXMSIy5zaWduZXQuZ3VhcmQudjEuV2F0Y2hTdGF0dXNSZXF1ZXN0GiQuc2lnbmV0Lmd1YXJkLnYxLldhdGNoU3RhdHVzUmVzcG9uc2UoADABEl8KDERlc2NyaWJlVGFzaxIkLnNpZ25ldC5ndWFyZC52MS5EZXNjcmliZVRhc2tSZXF1ZXN0GiUuc2lnbmV0Lmd1YXJkLnYxLkRlc2NyaWJlVGFza1Jlc3BvbnNlKAAwABJWCglTcGVuZFVzZXMSIS5zaWduZXQuZ3VhcmQudjEuU3BlbmRVc2VzUmVxdWVzdBoiLnNpZ25ldC5ndWFyZC52MS5TcGVuZFVzZXNSZXNwb25zZSgAMAASTQoGUmVjb3JkEh4uc2lnbmV0Lmd1YXJkLnYxLlJlY29yZFJlcXVlc3QaHy5zaWduZXQuZ3VhcmQudjEuUmVjb3JkUmVzcG9uc2UoADAAYgZwcm90bzM="},
  {"name":"signet/launch.proto","imports":[],"services":["signet.launch.v1.Launch"],"messages":["signet.launch.v1.OpenRequest","signet.launch.v1.Start","signet.launch.v1.Started","signet.launch.v1.OpenResponse","signet.launch.v1.Ready","signet.launch.v1.Admitted"],"descriptor":"ChNzaWduZXQvbGF1bmNoLnByb3RvEhBzaWduZXQubGF1bmNoLnYxIn0KC09wZW5SZXF1ZXN0Ei8KBXN0YXJ0GAEgASgLMhcuc2lnbmV0LmxhdW5jaC52MS5TdGFydEgAUgVzdGFydBI1CgdzdGFydGVkGAIgASgLMhkuc2lnbmV0LmxhdW5jaC52MS5TdGFydGVkSABSB3N0YXJ0ZWRCBgoEc3RlcCIbCgVTdGFydBISCgRuYW1lGAEgASgJUgRuYW1lIhsKB1N0YXJ0ZWQSEAoDcGlkGAEgASgFUgNwaWQigQEKDE9wZW5SZXNwb25zZRIvCgVyZWFkeRgBIAEoCzIXLnNpZ25ldC5sYXVuY2gudjEuUmVhZHlIAFIFcmVhZHkSOAoIYWRtaXR0ZWQYAiABKAsyGi5zaWduZXQubGF1bmNoLnYxLkFkbWl0dGVkSABSCGFkbWl0dGVkQgYKBHN0ZXAiKAoFUmVhZHkSHwoLc29ja2V0X3BhdGgYASABKAlSCnNvY2tldFBhdGgiCgoIQWRtaXR0ZWQyUwoGTGF1bmNoEkkKBE9wZW4SHS5zaWduZXQubGF1bmNoLnYxLk9wZW5SZXF1ZXN0Gh4uc2lnbmV0LmxhdW5jaC52MS5PcGVuUmVzcG9uc2UoATABYgZwcm90bzM="},
  {"name":"signet/link.proto","imports":["spire/types.proto"],"services":["signet.link.v1.Link"],"messages":["signet.link.v1.Cursor","signet.link.v1.WatchRequest","signet.link.v1.Hello","signet.link.v1.Ping","signet.link.v1.Ack","signet.link.v1.WatchResponse","signet.link.v1.Welcome","signet.link.v1.Snapshot","signet.link.v1.Delta","signet.link.v1.Crl","signet.link.v1.TokenRevocation","signet.link.v1.TaskStatus","signet.link.v1.TaskClassRules"],"descriptor":"ChFzaWduZXQvbGluay5wcm90bxIOc2lnbmV0LmxpbmsudjEaEXNwaXJlL3R5cGVzLnByb3RvIjoKBkN1cnNvchIUCgVlcG9jaBgBIAEoCVIFZXBvY2gSGgoIcmV2aXNpb24YAiABKANSCHJldmlzaW9uIpoBCgxXYXRjaFJlcXVlc3QSLQoFaGVsbG8YASABKAsyFS5zaWduZXQubGluay52MS5IZWxsb0gAUgVoZWxsbxInCgNhY2sYAiABKAsyEy5zaWduZXQubGluay52MS5BY2tIAFIDYWNrEioKBHBpbmcYAyABKAsyFC5zaWduZXQubGluay52MS5QaW5nSABSBHBpbmdCBgoEc3RlcCJ2CgVIZWxsbxIYCgd2ZXJzaW9uGAEgASgNUgd2ZXJzaW9uEiMKDWFnZW50X3ZlcnNpb24YAiABKAlSDGFnZW50VmVyc2lvbhIuCgZjdXJzb3IYAyABKAsyFi5zaWduZXQubGluay52MS5DdXJzb3JSBmN1cnNvciIGCgRQaW5nIjUKA0FjaxIuCgZjdXJzb3IYASABKAsyFi5zaWduZXQubGluay52MS5DdXJzb3JSBmN1cnNvciKzAQoNV2F0Y2hSZXNwb25zZRIzCgd3ZWxjb21lGAEgASgLMhcuc2lnbmV0LmxpbmsudjEuV2VsY29tZUgAUgd3ZWxjb21lEjYKCHNuYXBzaG90GAIgASgLMhguc2lnbmV0LmxpbmsudjEuU25hcHNob3RIAFIIc25hcHNob3QSLQoFZGVsdGEYAyABKAsyFS5zaWduZXQubGluay52MS5EZWx0YUgAUgVkZWx0YUIGCgRzdGVwImQKB1dlbGNvbWUSGAoHdmVyc2lvbhgBIAEoDVIHdmVyc2lvbhIYCgdyZXN1bWVkGAIgASgIUgdyZXN1bWVkEiUKDnNlcnZlcl92ZXJzaW9uGAMgASgJUg1zZXJ2ZXJWZXJzaW9uIq0DCghTbmFwc2hvdBIwCgdlbnRyaWVzGAEgAygLMhYuc3BpcmUuYXBpLnR5cGVzLkVudHJ5UgdlbnRyaWVzEjEKB2J1bmRsZXMYAiADKAsyFy5zcGlyZS5hcGkudHlwZXMuQnVuZGxlUgdidW5kbGVzEhIKBGxhc3QYAyABKAhSBGxhc3QSLgoGY3Vyc29yGAQgASgLMhYuc2lnbmV0LmxpbmsudjEuQ3Vyc29yUgZjdXJzb3ISJwoEY3JscxgFIAMoCzITLnNpZ25ldC5saW5rLnYxLkNybFIEY3JscxI3CgZ0b2tlbnMYBiADKAsyHy5zaWduZXQubGluay52MS5Ub2tlblJldm9jYXRpb25SBnRva2VucxIhCgxlbnRyeV9vcmRlcnMYByADKANSC2VudHJ5T3JkZXJzEjAKBXRhc2tzGAggAygLMhouc2lnbmV0LmxpbmsudjEuVGFza1N0YXR1c1IFdGFza3MSQQoMdGFza19jbGFzc2VzGAkgAygLMh4uc2lnbmV0LmxpbmsudjEuVGFza0NsYXNzUnVsZXNSC3Rhc2tDbGFzc2VzItYECgVEZWx0YRIwCgdlbnRyaWVzGAEgAygLMhYuc3BpcmUuYXBpLnR5cGVzLkVudHJ5UgdlbnRyaWVzEioKEXJlbW92ZWRfZW50cnlfaWRzGAIgAygJUg9yZW1vdmVkRW50cnlJZHMSMQoHYnVuZGxlcxgDIAMoCzIXLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVSB2J1bmRsZXMSJwoPcmVtb3ZlZF9idW5kbGVzGAQgAygJUg5yZW1vdmVkQnVuZGxlcxIuCgZjdXJzb3IYBSABKAsyFi5zaWduZXQubGluay52MS5DdXJzb3JSBmN1cnNvchInCgRjcmxzGAYgAygLMhMuc2lnbmV0LmxpbmsudjEuQ3JsUgRjcmxzEiEKDHJlbW92ZWRfY3JscxgHIAMoCVILcmVtb3ZlZENybHMSNwoGdG9rZW5zGAggAygLMh8uc2lnbmV0LmxpbmsudjEuVG9rZW5SZXZvY2F0aW9uUgZ0b2tlbnMSFAoFcmVhc2sYCSABKAhSBXJlYXNrEiEKDGVudHJ5X29yZGVycxgKIAMoA1ILZW50cnlPcmRlcnMSMAoFdGFza3MYCyADKAsyGi5zaWduZXQubGluay52MS5UYXNrU3RhdHVzUgV0YXNrcxJBCgx0YXNrX2NsYXNzZXMYDCADKAsyHi5zaWduZXQubGluay52MS5UYXNrQ2xhc3NSdWxlc1ILdGFza0NsYXNzZXMSMAoUcmVtb3ZlZF90YXNrX2NsYXNzZXMYDSADKAlSEnJlbW92ZWRUYXNrQ2xhc3NlcyI6CgNDcmwSIQoMYXV0aG9yaXR5X2lkGAEgASgJUgthdXRob3JpdHlJZBIQCgNkZXIYAiABKAxSA2RlciKoAQoPVG9rZW5SZXZvY2F0aW9uEhIKA2p0aRgBIAEoCUgAUgNqdGkSGAoGZGlnZXN0GAIgASgMSABSBmRpZ2VzdBIdCglzcGlmZmVfaWQYAyABKAlIAFIIc3BpZmZlSWQSIQoMaXNzdWVkX3VudGlsGAQgASgDUgtpc3N1ZWRVbnRpbBIdCgpleHBpcmVzX2F0GAUgASgDUglleHBpcmVzQXRCBgoEd2hhdCLeAQoKVGFza1N0YXR1cxIXCgd0YXNrX2lkGAEgASgJUgZ0YXNrSWQSGwoJc3BpZmZlX2lkGAIgASgJUghzcGlmZmVJZBI1Cgd2ZXJkaWN0GAMgASgOMhsuc2lnbmV0LmxpbmsudjEuVGFza1ZlcmRpY3RSB3ZlcmRpY3QSGAoHdmVyc2lvbhgEIAEoBFIHdmVyc2lvbhIbCglmb3JnZXRfYXQYBSABKANSCGZvcmdldEF0EhQKBXN0YXRlGAYgASgJUgVzdGF0ZRIWCgZyZWFzb24YByABKAlSBnJlYXNvbiJiCg5UYXNrQ2xhc3NSdWxlcxISCgRuYW1lGAEgASgJUgRuYW1lEhsKCWZhaWxfbW9kZRgCIAEoCVIIZmFpbE1vZGUSHwoLcmVxdWlyZV9wb3AYAyABKAhSCnJlcXVpcmVQb3AqLwoLVGFza1ZlcmRpY3QSCAoER09PRBAAEgsKB1JFRlVTRUQQARIJCgVFTkRFRBACMlAKBExpbmsSSAoFV2F0Y2gSHC5zaWduZXQubGluay52MS5XYXRjaFJlcXVlc3QaHS5zaWduZXQubGluay52MS5XYXRjaFJlc3BvbnNlKAEwAWIGcHJvdG8z"},
  {"name":"signet/mandate.proto","imports":[],"services":[],"messages":["signet.mandate.v1.Mandate","signet.mandate.v1.Set","signet.mandate.v1.Limit"],"descriptor":"ChRzaWduZXQvbWFuZGF0ZS5wcm90bxIRc2lnbmV0Lm1hbmRhdGUudjEimAMKB01hbmRhdGUSNAoJbG9jYXRpb25zGAEgASgLMhYuc2lnbmV0Lm1hbmRhdGUudjEuU2V0Uglsb2NhdGlvbnMSMAoHYWN0aW9ucxgCIAEoCzIWLnNpZ25ldC5tYW5kYXRlLnYxLlNldFIHYWN0aW9ucxI0CglkYXRhdHlwZXMYAyABKAsyFi5zaWduZXQubWFuZGF0ZS52MS5TZXRSCWRhdGF0eXBlcxIsCgR1c2VzGAQgASgLMhguc2lnbmV0Lm1hbmRhdGUudjEuTGltaXRSBHVzZXMSLgoFZGVwdGgYBSABKAsyGC5zaWduZXQubWFuZGF0ZS52MS5MaW1pdFIFZGVwdGgSQQoPbWF4X3NlbnNpdGl2aXR5GAYgASgLMhguc2lnbmV0Lm1hbmRhdGUudjEuTGltaXRSDm1heFNlbnNpdGl2aXR5EhQKBXVudGlsGAcgASgDUgV1bnRpbBI4CgtlbnZpcm9ubWVudBgIIAEoCzIWLnNpZ25ldC5tYW5kYXRlLnYxLlNldFILZW52aXJvbm1lbnQiLwoDU2V0EhAKA2FueRgBIAEoCFIDYW55EhYKBnZhbHVlcxgCIAMoCVIGdmFsdWVzIh0KBUxpbWl0EhQKBXZhbHVlGAEgASgEUgV2YWx1ZWIGcHJvdG8z"},
  {"name":"signet/nodetask.proto","imports":["signet/mandate.proto","signet/task.proto"],"services":["signet.nodetask.v1.NodeTasks"],"messages":["signet.nodetask.v1.OpenRequest","signet.nodetask.v1.BatchSignX509Request","signet.nodetask.v1.SignX509","signet.nodetask.v1.BatchSignX509Response","signet.nodetask.v1.SignX509Result","signet.nodetask.v1.NewJWTSVIDRequest","signet.nodetask.v1.NewWITSVIDRequest","signet.nodetask.v1.IssueTokenRequest","signet.nodetask.v1.ChangeRequest","signet.nodetask.v1.HeldRequest","signet.nodetask.v1.HeldResponse","signet.nodetask.v1.EndOrphansRequest","signet.nodetask.v1.EndOrphansResponse","signet.nodetask.v1.DescribeRequest","signet.nodetask.v1.DescribeResponse","signet.nodetask.v1.CheckShownRequest","signet.nodetask.v1.CheckShownResponse","signet.nodetask.v1.LeaseUsesRequest","signet.nodetask.v1.LeaseUsesResponse","signet.nodetask.v1.ReportRequest","signet.nodetask.v1.ReportResponse"],"descriptor":"ChVzaWduZXQvbm9kZXRhc2sucHJvdG8SEnNpZ25ldC5ub2RldGFzay52MRoUc2lnbmV0L21hbmRhdGUucHJvdG8aEXNpZ25ldC90YXNrLnByb3RvIpYBCgtPcGVuUmVxdWVzdBIbCgllbnRyeV9pZHMYASADKAlSCGVudHJ5SWRzEjMKBHRhc2sYAiABKAsyHy5zaWduZXQudGFzay52MS5PcGVuVGFza1JlcXVlc3RSBHRhc2sSNQoHYmluZGluZxgDIAEoCzIbLnNpZ25ldC50YXNrLnYxLlRhc2tCaW5kaW5nUgdiaW5kaW5nIlAKFEJhdGNoU2lnblg1MDlSZXF1ZXN0EjgKCHJlcXVlc3RzGAEgAygLMhwuc2lnbmV0Lm5vZGV0YXNrLnYxLlNpZ25YNTA5UghyZXF1ZXN0cyI1CghTaWduWDUwORIXCgd0YXNrX2lkGAEgASgJUgZ0YXNrSWQSEAoDY3NyGAIgASgMUgNjc3IiVQoVQmF0Y2hTaWduWDUwOVJlc3BvbnNlEjwKB3Jlc3VsdHMYASADKAsyIi5zaWduZXQubm9kZXRhc2sudjEuU2lnblg1MDlSZXN1bHRSB3Jlc3VsdHMilAEKDlNpZ25YNTA5UmVzdWx0EhIKBGNvZGUYASABKAVSBGNvZGUSFgoGcmVhc29uGAIgASgJUgZyZWFzb24SGAoHbWVzc2FnZRgDIAEoCVIHbWVzc2FnZRIdCgpjZXJ0X2NoYWluGAQgAygMUgljZXJ0Q2hhaW4SHQoKZXhwaXJlc19hdBgFIAEoA1IJZXhwaXJlc0F0IkgKEU5ld0pXVFNWSURSZXF1ZXN0EhcKB3Rhc2tfaWQYASABKAlSBnRhc2tJZBIaCghhdWRpZW5jZRgCIAMoCVIIYXVkaWVuY2UieAoRTmV3V0lUU1ZJRFJlcXVlc3QSFwoHdGFza19pZBgBIAEoCVIGdGFza0lkEh0KCnB1YmxpY19rZXkYAiABKAxSCXB1YmxpY0tleRIrChFzaWduaW5nX2FsZ29yaXRobRgDIAEoCVIQc2lnbmluZ0FsZ29yaXRobSLDAQoRSXNzdWVUb2tlblJlcXVlc3QSFwoHdGFza19pZBgBIAEoCVIGdGFza0lkEhoKCHJlc291cmNlGAIgASgJUghyZXNvdXJjZRI0CgdtYW5kYXRlGAMgASgLMhouc2lnbmV0Lm1hbmRhdGUudjEuTWFuZGF0ZVIHbWFuZGF0ZRIpChBjb25maXJtYXRpb25famt0GAQgASgJUg9jb25maXJtYXRpb25Ka3QSGAoHdW5ib3VuZBgFIAEoCFIHdW5ib3VuZCL/AQoNQ2hhbmdlUmVxdWVzdBIXCgd0YXNrX2lkGAEgASgJUgZ0YXNrSWQSKQoCdG8YAiABKA4yGS5zaWduZXQudGFzay52MS5UYXNrU3RhdGVSAnRvEjQKB21hbmRhdGUYAyABKAsyGi5zaWduZXQubWFuZGF0ZS52MS5NYW5kYXRlUgdtYW5kYXRlEhYKBnJlYXNvbhgEIAEoCVIGcmVhc29uEiUKDnN1bW1hcnlfZGlnZXN0GAUgASgJUg1zdW1tYXJ5RGlnZXN0EjUKB2JpbmRpbmcYBiABKAsyGy5zaWduZXQudGFzay52MS5UYXNrQmluZGluZ1IHYmluZGluZyIoCgtIZWxkUmVxdWVzdBIZCgh0YXNrX2lkcxgBIAMoCVIHdGFza0lkcyI6CgxIZWxkUmVzcG9uc2USKgoFdGFza3MYASADKAsyFC5zaWduZXQudGFzay52MS5UYXNrUgV0YXNrcyJCChFFbmRPcnBoYW5zUmVxdWVzdBISCgRtYXJrGAEgASgJUgRtYXJrEhkKCGhlbGRfaWRzGAIgAygJUgdoZWxkSWRzIlAKEkVuZE9ycGhhbnNSZXNwb25zZRISCgRtYXJrGAEgASgJUgRtYXJrEhIKBG9wZW4YAiABKA1SBG9wZW4SEgoEbGVmdBgDIAEoDVIEbGVmdCIsCg9EZXNjcmliZVJlcXVlc3QSGQoIdGFza19pZHMYASADKAlSB3Rhc2tJZHMiPgoQRGVzY3JpYmVSZXNwb25zZRIqCgV0YXNrcxgBIAMoCzIULnNpZ25ldC50YXNrLnYxLlRhc2tSBXRhc2tzIkIKEUNoZWNrU2hvd25SZXF1ZXN0EhcKB3Rhc2tfaWQYASABKAlSBnRhc2tJZBIUCgVzaG93bhgCIAEoDFIFc2hvd24iOQoSQ2hlY2tTaG93blJlc3BvbnNlEiMKDWlzX2NyZWRlbnRpYWwYASABKAhSDGlzQ3JlZGVudGlhbCJcChBMZWFzZVVzZXNSZXF1ZXN0EhcKB3Rhc2tfaWQYASABKAlSBnRhc2tJZBIUCgVjb3VudBgCIAEoBFIFY291bnQSGQoIbGVhc2VfaWQYAyABKAlSB2xlYXNlSWQiOwoRTGVhc2VVc2VzUmVzcG9uc2USEgoEbGVudBgBIAEoBFIEbGVudBISCgRsZWZ0GAIgASgEUgRsZWZ0InAKDVJlcG9ydFJlcXVlc3QSFwoHdGFza19pZBgBIAEoCVIGdGFza0lkEhIKBGtpbmQYAiABKAlSBGtpbmQSFgoGZGV0YWlsGAMgASgJUgZkZXRhaWwSGgoIb2JzZXJ2ZXIYBCABKAlSCG9ic2VydmVyIiwKDlJlcG9ydFJlc3BvbnNlEhoKCHJlYWN0aW9uGAEgASgJUghyZWFjdGlvbjLVCAoJTm9kZVRhc2tzEk0KBE9wZW4SHy5zaWduZXQubm9kZXRhc2sudjEuT3BlblJlcXVlc3QaIC5zaWduZXQudGFzay52MS5PcGVuVGFza1Jlc3BvbnNlKAAwABJoCg1CYXRjaFNpZ25YNTA5Eiguc2lnbmV0Lm5vZGV0YXNrLnYxLkJhdGNoU2lnblg1MDlSZXF1ZXN0Gikuc2lnbmV0Lm5vZGV0YXNrLnYxLkJhdGNoU2lnblg1MDlSZXNwb25zZSgAMAASYQoKTmV3SldUU1ZJRBIlLnNpZ25ldC5ub2RldGFzay52MS5OZXdKV1RTVklEUmVxdWVzdBooLnNpZ25ldC50YXNrLnYxLkZldGNoVGFza0pXVFNWSURSZXNwb25zZSgAMAASYQoKTmV3V0lUU1ZJRBIlLnNpZ25ldC5ub2RldGFzay52MS5OZXdXSVRTVklEUmVxdWVzdBooLnNpZ25ldC50YXNrLnYxLkZldGNoVGFza1dJVFNWSURSZXNwb25zZSgAMAASWwoKSXNzdWVUb2tlbhIlLnNpZ25ldC5ub2RldGFzay52MS5Jc3N1ZVRva2VuUmVxdWVzdBoiLnNpZ25ldC50YXNrLnYxLklzc3VlVG9rZW5SZXNwb25zZSgAMAASTQoGQ2hhbmdlEiEuc2lnbmV0Lm5vZGV0YXNrLnYxLkNoYW5nZVJlcXVlc3QaHC5zaWduZXQudGFzay52MS5UYXNrUmVzcG9uc2UoADAAEk0KBEhlbGQSHy5zaWduZXQubm9kZXRhc2sudjEuSGVsZFJlcXVlc3QaIC5zaWduZXQubm9kZXRhc2sudjEuSGVsZFJlc3BvbnNlKAAwABJfCgpFbmRPcnBoYW5zEiUuc2lnbmV0Lm5vZGV0YXNrLnYxLkVuZE9ycGhhbnNSZXF1ZXN0GiYuc2lnbmV0Lm5vZGV0YXNrLnYxLkVuZE9ycGhhbnNSZXNwb25zZSgAMAASWQoIRGVzY3JpYmUSIy5zaWduZXQubm9kZXRhc2sudjEuRGVzY3JpYmVSZXF1ZXN0GiQuc2lnbmV0Lm5vZGV0YXNrLnYxLkRlc2NyaWJlUmVzcG9uc2UoADAAEl8KCkNoZWNrU2hvd24SJS5zaWduZXQubm9kZXRhc2sudjEuQ2hlY2tTaG93blJlcXVlc3QaJi5zaWduZXQubm9kZXRhc2sudjEuQ2hlY2tTaG93blJlc3BvbnNlKAAwABJcCglMZWFzZVVzZXMSJC5zaWduZXQubm9kZXRhc2sudjEuTGVhc2VVc2VzUmVxdWVzdBolLnNpZ25ldC5ub2RldGFzay52MS5MZWFzZVVzZXNSZXNwb25zZSgAMAASUwoGUmVwb3J0EiEuc2lnbmV0Lm5vZGV0YXNrLnYxLlJlcG9ydFJlcXVlc3QaIi5zaWduZXQubm9kZXRhc2sudjEuUmVwb3J0UmVzcG9uc2UoADAAYgZwcm90bzM="},
  {"name":"signet/oauth.proto","imports":["spire/localauthority.proto"],"services":["signet.oauth.v1.OAuthAuthority"],"messages":["signet.oauth.v1.GetOAuthAuthorityStateRequest","signet.oauth.v1.GetOAuthAuthorityStateResponse","signet.oauth.v1.PrepareOAuthAuthorityRequest","signet.oauth.v1.PrepareOAuthAuthorityResponse","signet.oauth.v1.ActivateOAuthAuthorityRequest","signet.oauth.v1.ActivateOAuthAuthorityResponse","signet.oauth.v1.TaintOAuthAuthorityRequest","signet.oauth.v1.TaintOAuthAuthorityResponse","signet.oauth.v1.RevokeOAuthAuthorityRequest","signet.oauth.v1.RevokeOAuthAuthorityResponse"],"descriptor":"ChJzaWduZXQvb2F1dGgucHJvdG8SD3NpZ25ldC5vYXV0aC52MRoac3BpcmUvbG9jYWxhdXRob3JpdHkucHJvdG8iHwodR2V0T0F1dGhBdXRob3JpdHlTdGF0ZVJlcXVlc3QiggIKHkdldE9BdXRoQXV0aG9yaXR5U3RhdGVSZXNwb25zZRJKCgZhY3RpdmUYASABKAsyMi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkF1dGhvcml0eVN0YXRlUgZhY3RpdmUSTgoIcHJlcGFyZWQYAiABKAsyMi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkF1dGhvcml0eVN0YXRlUghwcmVwYXJlZBJECgNvbGQYAyABKAsyMi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkF1dGhvcml0eVN0YXRlUgNvbGQiHgocUHJlcGFyZU9BdXRoQXV0aG9yaXR5UmVxdWVzdCKCAQodUHJlcGFyZU9BdXRoQXV0aG9yaXR5UmVzcG9uc2USYQoScHJlcGFyZWRfYXV0aG9yaXR5GAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIRcHJlcGFyZWRBdXRob3JpdHkiQgodQWN0aXZhdGVPQXV0aEF1dGhvcml0eVJlcXVlc3QSIQoMYXV0aG9yaXR5X2lkGAEgASgJUgthdXRob3JpdHlJZCKFAQoeQWN0aXZhdGVPQXV0aEF1dGhvcml0eVJlc3BvbnNlEmMKE2FjdGl2YXRlZF9hdXRob3JpdHkYASABKAsyMi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkF1dGhvcml0eVN0YXRlUhJhY3RpdmF0ZWRBdXRob3JpdHkiPwoaVGFpbnRPQXV0aEF1dGhvcml0eVJlcXVlc3QSIQoMYXV0aG9yaXR5X2lkGAEgASgJUgthdXRob3JpdHlJZCJ+ChtUYWludE9BdXRoQXV0aG9yaXR5UmVzcG9uc2USXwoRdGFpbnRlZF9hdXRob3JpdHkYASABKAsyMi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkF1dGhvcml0eVN0YXRlUhB0YWludGVkQXV0aG9yaXR5IkAKG1Jldm9rZU9BdXRoQXV0aG9yaXR5UmVxdWVzdBIhCgxhdXRob3JpdHlfaWQYASABKAlSC2F1dGhvcml0eUlkIn8KHFJldm9rZU9BdXRoQXV0aG9yaXR5UmVzcG9uc2USXwoRcmV2b2tlZF9hdXRob3JpdHkYASABKAsyMi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkF1dGhvcml0eVN0YXRlUhByZXZva2VkQXV0aG9yaXR5MvkECg5PQXV0aEF1dGhvcml0eRJ9ChZHZXRPQXV0aEF1dGhvcml0eVN0YXRlEi4uc2lnbmV0Lm9hdXRoLnYxLkdldE9BdXRoQXV0aG9yaXR5U3RhdGVSZXF1ZXN0Gi8uc2lnbmV0Lm9hdXRoLnYxLkdldE9BdXRoQXV0aG9yaXR5U3RhdGVSZXNwb25zZSgAMAASegoVUHJlcGFyZU9BdXRoQXV0aG9yaXR5Ei0uc2lnbmV0Lm9hdXRoLnYxLlByZXBhcmVPQXV0aEF1dGhvcml0eVJlcXVlc3QaLi5zaWduZXQub2F1dGgudjEuUHJlcGFyZU9BdXRoQXV0aG9yaXR5UmVzcG9uc2UoADAAEn0KFkFjdGl2YXRlT0F1dGhBdXRob3JpdHkSLi5zaWduZXQub2F1dGgudjEuQWN0aXZhdGVPQXV0aEF1dGhvcml0eVJlcXVlc3QaLy5zaWduZXQub2F1dGgudjEuQWN0aXZhdGVPQXV0aEF1dGhvcml0eVJlc3BvbnNlKAAwABJ0ChNUYWludE9BdXRoQXV0aG9yaXR5Eisuc2lnbmV0Lm9hdXRoLnYxLlRhaW50T0F1dGhBdXRob3JpdHlSZXF1ZXN0Giwuc2lnbmV0Lm9hdXRoLnYxLlRhaW50T0F1dGhBdXRob3JpdHlSZXNwb25zZSgAMAASdwoUUmV2b2tlT0F1dGhBdXRob3JpdHkSLC5zaWduZXQub2F1dGgudjEuUmV2b2tlT0F1dGhBdXRob3JpdHlSZXF1ZXN0Gi0uc2lnbmV0Lm9hdXRoLnYxLlJldm9rZU9BdXRoQXV0aG9yaXR5UmVzcG9uc2UoADAAYgZwcm90bzM="},
  {"name":"signet/registry.proto","imports":["signet/mandate.proto","spire/types.proto"],"services":["signet.registry.v1.Registry"],"messages":["signet.registry.v1.AiAgent","signet.registry.v1.CreateAiAgentRequest","signet.registry.v1.UpdateAiAgentRequest","signet.registry.v1.AiAgentResponse","signet.registry.v1.GetAiAgentRequest","signet.registry.v1.ListAiAgentsRequest","signet.registry.v1.ListAiAgentsResponse","signet.registry.v1.AiAgentAction","signet.registry.v1.TaskClass","signet.registry.v1.SetTaskClassRequest","signet.registry.v1.TaskClassResponse","signet.registry.v1.GetTaskClassRequest","signet.registry.v1.ListTaskClassesRequest","signet.registry.v1.ListTaskClassesResponse","signet.registry.v1.DeleteTaskClassRequest","signet.registry.v1.ApplyRequest","signet.registry.v1.ApplyOptions","signet.registry.v1.DeclaredEntry","signet.registry.v1.ApplyResponse","signet.registry.v1.ApplySummary","signet.registry.v1.ApplyProblem","signet.registry.v1.AppliedChange","signet.registry.v1.FieldChange","signet.registry.v1.ListEntryOwnersRequest","signet.registry.v1.ListEntryOwnersResponse","signet.registry.v1.EntryOwner"],"descriptor":"ChVzaWduZXQvcmVnaXN0cnkucHJvdG8SEnNpZ25ldC5yZWdpc3RyeS52MRoUc2lnbmV0L21hbmRhdGUucHJvdG8aEXNwaXJlL3R5cGVzLnByb3RvIqcGCgdBaUFnZW50EhsKCXNwaWZmZV9pZBgBIAEoCVIIc3BpZmZlSWQSFAoFb3duZXIYAiABKAlSBW93bmVyEhgKB3B1cnBvc2UYAyABKAlSB3B1cnBvc2USIAoLZW52aXJvbm1lbnQYBCABKAlSC2Vudmlyb25tZW50Eh8KC3ZhbGlkX3VudGlsGAUgASgDUgp2YWxpZFVudGlsEjQKB2NlaWxpbmcYBiABKAsyGi5zaWduZXQubWFuZGF0ZS52MS5NYW5kYXRlUgdjZWlsaW5nEiEKDHRhc2tfY2xhc3NlcxgHIAMoCVILdGFza0NsYXNzZXMSIwoNbWFuaWZlc3RfaGFzaBgIIAEoCVIMbWFuaWZlc3RIYXNoEhkKCG1vZGVsX2lkGAkgASgJUgdtb2RlbElkEj8KBmxhYmVscxgKIAMoCzInLnNpZ25ldC5yZWdpc3RyeS52MS5BaUFnZW50LkxhYmVsc0VudHJ5UgZsYWJlbHMSJAoObWF4X29wZW5fdGFza3MYCyABKA1SDG1heE9wZW5UYXNrcxIaCghkaXNhYmxlZBgMIAEoCFIIZGlzYWJsZWQSJwoPZGlzYWJsZWRfcmVhc29uGA0gASgJUg5kaXNhYmxlZFJlYXNvbhIdCgpjcmVhdGVkX2F0GA4gASgDUgljcmVhdGVkQXQSHQoKdXBkYXRlZF9hdBgPIAEoA1IJdXBkYXRlZEF0Eh0KCm9wZW5fdGFza3MYECABKA1SCW9wZW5UYXNrcxIdCgptYW5hZ2VkX2J5GBEgASgJUgltYW5hZ2VkQnkSGAoHdmVyc2lvbhgSIAEoBFIHdmVyc2lvbhIbCgllbnRyeV9pZHMYEyADKAlSCGVudHJ5SWRzEhkKCG1heV9ob3N0GBQgAygJUgdtYXlIb3N0EhsKCWhvc3RlZF9ieRgVIAMoCVIIaG9zdGVkQnkSIQoMaG9zdGVkX3Rhc2tzGBYgASgNUgtob3N0ZWRUYXNrcxo5CgtMYWJlbHNFbnRyeRIQCgNrZXkYASABKAlSA2tleRIUCgV2YWx1ZRgCIAEoCVIFdmFsdWU6AjgBInwKFENyZWF0ZUFpQWdlbnRSZXF1ZXN0EjYKCGFpX2FnZW50GAEgASgLMhsuc2lnbmV0LnJlZ2lzdHJ5LnYxLkFpQWdlbnRSB2FpQWdlbnQSLAoFZW50cnkYAiABKAsyFi5zcGlyZS5hcGkudHlwZXMuRW50cnlSBWVudHJ5InkKFFVwZGF0ZUFpQWdlbnRSZXF1ZXN0EjYKCGFpX2FnZW50GAEgASgLMhsuc2lnbmV0LnJlZ2lzdHJ5LnYxLkFpQWdlbnRSB2FpQWdlbnQSKQoQZXhwZWN0ZWRfdmVyc2lvbhgCIAEoBFIPZXhwZWN0ZWRWZXJzaW9uIkkKD0FpQWdlbnRSZXNwb25zZRI2CghhaV9hZ2VudBgBIAEoCzIbLnNpZ25ldC5yZWdpc3RyeS52MS5BaUFnZW50UgdhaUFnZW50IjAKEUdldEFpQWdlbnRSZXF1ZXN0EhsKCXNwaWZmZV9pZBgBIAEoCVIIc3BpZmZlSWQi7wEKE0xpc3RBaUFnZW50c1JlcXVlc3QSFAoFb3duZXIYASABKAlSBW93bmVyEksKBmxhYmVscxgCIAMoCzIzLnNpZ25ldC5yZWdpc3RyeS52MS5MaXN0QWlBZ2VudHNSZXF1ZXN0LkxhYmVsc0VudHJ5UgZsYWJlbHMSGwoJcGFnZV9zaXplGAMgASgFUghwYWdlU2l6ZRIdCgpwYWdlX3Rva2VuGAQgASgJUglwYWdlVG9rZW4aOQoLTGFiZWxzRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSFAoFdmFsdWUYAiABKAlSBXZhbHVlOgI4ASJ4ChRMaXN0QWlBZ2VudHNSZXNwb25zZRI4CglhaV9hZ2VudHMYASADKAsyGy5zaWduZXQucmVnaXN0cnkudjEuQWlBZ2VudFIIYWlBZ2VudHMSJgoPbmV4dF9wYWdlX3Rva2VuGAIgASgJUg1uZXh0UGFnZVRva2VuImcKDUFpQWdlbnRBY3Rpb24SGwoJc3BpZmZlX2lkGAEgASgJUghzcGlmZmVJZBIWCgZyZWFzb24YAiABKAlSBnJlYXNvbhIhCgx3aXRoX2VudHJpZXMYAyABKAhSC3dpdGhFbnRyaWVzIoEICglUYXNrQ2xhc3MSEgoEbmFtZRgBIAEoCVIEbmFtZRIgCgtkZXNjcmlwdGlvbhgCIAEoCVILZGVzY3JpcHRpb24SNAoHbWF4aW11bRgDIAEoCzIaLnNpZ25ldC5tYW5kYXRlLnYxLk1hbmRhdGVSB21heGltdW0SLgoTZGVmYXVsdF90dGxfc2Vjb25kcxgEIAEoDVIRZGVmYXVsdFR0bFNlY29uZHMSJgoPbWF4X3R0bF9zZWNvbmRzGAUgASgNUg1tYXhUdGxTZWNvbmRzEjAKFGlkbGVfdGltZW91dF9zZWNvbmRzGAYgASgNUhJpZGxlVGltZW91dFNlY29uZHMSMQoVeDUwOV9zdmlkX3R0bF9zZWNvbmRzGAcgASgNUhJ4NTA5U3ZpZFR0bFNlY29uZHMSLwoUand0X3N2aWRfdHRsX3NlY29uZHMYCCABKA1SEWp3dFN2aWRUdGxTZWNvbmRzEjcKGGFjY2Vzc190b2tlbl90dGxfc2Vjb25kcxgJIAEoDVIVYWNjZXNzVG9rZW5UdGxTZWNvbmRzEhsKCW1heF9kZXB0aBgKIAEoDVIIbWF4RGVwdGgSHwoLcmVxdWlyZV9wb3AYCyABKAhSCnJlcXVpcmVQb3ASGwoJZmFpbF9tb2RlGAwgASgJUghmYWlsTW9kZRIaCghpZGVudGl0eRgNIAEoCVIIaWRlbnRpdHkSEgoEYmluZBgOIAEoCVIEYmluZBIdCgphbGxvd19jbGlwGA8gASgIUglhbGxvd0NsaXASGwoJb3BlbmVkX2J5GBAgASgJUghvcGVuZWRCeRJKCglyZWFjdGlvbnMYESADKAsyLC5zaWduZXQucmVnaXN0cnkudjEuVGFza0NsYXNzLlJlYWN0aW9uc0VudHJ5UglyZWFjdGlvbnMSGAoHc2hpcHBlZBgSIAEoCFIHc2hpcHBlZBIYCgd2ZXJzaW9uGBMgASgEUgd2ZXJzaW9uEh0KCm1hbmFnZWRfYnkYFCABKAlSCW1hbmFnZWRCeRJBCgZsYWJlbHMYFSADKAsyKS5zaWduZXQucmVnaXN0cnkudjEuVGFza0NsYXNzLkxhYmVsc0VudHJ5UgZsYWJlbHMSFAoFb3duZXIYFiABKAlSBW93bmVyEikKEHJlcXVpcmVfYXR0ZXN0ZWQYFyABKAhSD3JlcXVpcmVBdHRlc3RlZBo8Cg5SZWFjdGlvbnNFbnRyeRIQCgNrZXkYASABKAlSA2tleRIUCgV2YWx1ZRgCIAEoCVIFdmFsdWU6AjgBGjkKC0xhYmVsc0VudHJ5EhAKA2tleRgBIAEoCVIDa2V5EhQKBXZhbHVlGAIgASgJUgV2YWx1ZToCOAEifgoTU2V0VGFza0NsYXNzUmVxdWVzdBI8Cgp0YXNrX2NsYXNzGAEgASgLMh0uc2lnbmV0LnJlZ2lzdHJ5LnYxLlRhc2tDbGFzc1IJdGFza0NsYXNzEikKEGV4cGVjdGVkX3ZlcnNpb24YAiABKARSD2V4cGVjdGVkVmVyc2lvbiJRChFUYXNrQ2xhc3NSZXNwb25zZRI8Cgp0YXNrX2NsYXNzGAEgASgLMh0uc2lnbmV0LnJlZ2lzdHJ5LnYxLlRhc2tDbGFzc1IJdGFza0NsYXNzIikKE0dldFRhc2tDbGFzc1JlcXVlc3QSEgoEbmFtZRgBIAEoCVIEbmFtZSIYChZMaXN0VGFza0NsYXNzZXNSZXF1ZXN0IlsKF0xpc3RUYXNrQ2xhc3Nlc1Jlc3BvbnNlEkAKDHRhc2tfY2xhc3NlcxgBIAMoCzIdLnNpZ25ldC5yZWdpc3RyeS52MS5UYXNrQ2xhc3NSC3Rhc2tDbGFzc2VzIiwKFkRlbGV0ZVRhc2tDbGFzc1JlcXVlc3QSEgoEbmFtZRgBIAEoCVIEbmFtZSKDAgoMQXBwbHlSZXF1ZXN0EjoKB29wdGlvbnMYASABKAsyIC5zaWduZXQucmVnaXN0cnkudjEuQXBwbHlPcHRpb25zUgdvcHRpb25zEjsKB2VudHJpZXMYAiADKAsyIS5zaWduZXQucmVnaXN0cnkudjEuRGVjbGFyZWRFbnRyeVIHZW50cmllcxI4CglhaV9hZ2VudHMYAyADKAsyGy5zaWduZXQucmVnaXN0cnkudjEuQWlBZ2VudFIIYWlBZ2VudHMSQAoMdGFza19jbGFzc2VzGAQgAygLMh0uc2lnbmV0LnJlZ2lzdHJ5LnYxLlRhc2tDbGFzc1ILdGFza0NsYXNzZXMiigEKDEFwcGx5T3B0aW9ucxIQCgNzZXQYASABKAlSA3NldBIXCgdkcnlfcnVuGAIgASgIUgZkcnlSdW4SFAoFcHJ1bmUYAyABKAhSBXBydW5lEhQKBWFkb3B0GAQgASgIUgVhZG9wdBIjCg1leHBlY3RlZF9wbGFuGAUgASgJUgxleHBlY3RlZFBsYW4i1QEKDURlY2xhcmVkRW50cnkSLAoFZW50cnkYASABKAsyFi5zcGlyZS5hcGkudHlwZXMuRW50cnlSBWVudHJ5EhQKBW93bmVyGAIgASgJUgVvd25lchJFCgZsYWJlbHMYAyADKAsyLS5zaWduZXQucmVnaXN0cnkudjEuRGVjbGFyZWRFbnRyeS5MYWJlbHNFbnRyeVIGbGFiZWxzGjkKC0xhYmVsc0VudHJ5EhAKA2tleRgBIAEoCVIDa2V5EhQKBXZhbHVlGAIgASgJUgV2YWx1ZToCOAEixgEKDUFwcGx5UmVzcG9uc2USOwoHY2hhbmdlcxgBIAMoCzIhLnNpZ25ldC5yZWdpc3RyeS52MS5BcHBsaWVkQ2hhbmdlUgdjaGFuZ2VzEjwKCHByb2JsZW1zGAIgAygLMiAuc2lnbmV0LnJlZ2lzdHJ5LnYxLkFwcGx5UHJvYmxlbVIIcHJvYmxlbXMSOgoHc3VtbWFyeRgDIAEoCzIgLnNpZ25ldC5yZWdpc3RyeS52MS5BcHBseVN1bW1hcnlSB3N1bW1hcnkiuQEKDEFwcGx5U3VtbWFyeRIQCgNzZXQYASABKAlSA3NldBIXCgdkcnlfcnVuGAIgASgIUgZkcnlSdW4SGAoHY3JlYXRlZBgDIAEoDVIHY3JlYXRlZBIYCgd1cGRhdGVkGAQgASgNUgd1cGRhdGVkEhgKB2RlbGV0ZWQYBSABKA1SB2RlbGV0ZWQSHAoJdW5jaGFuZ2VkGAYgASgNUgl1bmNoYW5nZWQSEgoEcGxhbhgHIAEoCVIEcGxhbiJ+CgxBcHBseVByb2JsZW0SEgoEa2luZBgBIAEoCVIEa2luZBIUCgVpbmRleBgCIAEoDVIFaW5kZXgSFgoGcmVhc29uGAMgASgJUgZyZWFzb24SGAoHbWVzc2FnZRgEIAEoCVIHbWVzc2FnZRISCgRoaW50GAUgASgJUgRoaW50IqMBCg1BcHBsaWVkQ2hhbmdlEhIKBGtpbmQYASABKAlSBGtpbmQSEgoEbmFtZRgCIAEoCVIEbmFtZRIWCgZhY3Rpb24YAyABKAlSBmFjdGlvbhI3CgZmaWVsZHMYBCADKAsyHy5zaWduZXQucmVnaXN0cnkudjEuRmllbGRDaGFuZ2VSBmZpZWxkcxIZCghlbnRyeV9pZBgFIAEoCVIHZW50cnlJZCJRCgtGaWVsZENoYW5nZRIUCgVmaWVsZBgBIAEoCVIFZmllbGQSFgoGYmVmb3JlGAIgASgJUgZiZWZvcmUSFAoFYWZ0ZXIYAyABKAlSBWFmdGVyImYKFkxpc3RFbnRyeU93bmVyc1JlcXVlc3QSEAoDc2V0GAEgASgJUgNzZXQSGwoJcGFnZV9zaXplGAIgASgFUghwYWdlU2l6ZRIdCgpwYWdlX3Rva2VuGAMgASgJUglwYWdlVG9rZW4ieQoXTGlzdEVudHJ5T3duZXJzUmVzcG9uc2USNgoGb3duZXJzGAEgAygLMh4uc2lnbmV0LnJlZ2lzdHJ5LnYxLkVudHJ5T3duZXJSBm93bmVycxImCg9uZXh0X3BhZ2VfdG9rZW4YAiABKAlSDW5leHRQYWdlVG9rZW4i2wEKCkVudHJ5T3duZXISGQoIZW50cnlfaWQYASABKAlSB2VudHJ5SWQSFAoFb3duZXIYAiABKAlSBW93bmVyEkIKBmxhYmVscxgDIAMoCzIqLnNpZ25ldC5yZWdpc3RyeS52MS5FbnRyeU93bmVyLkxhYmVsc0VudHJ5UgZsYWJlbHMSHQoKbWFuYWdlZF9ieRgEIAEoCVIJbWFuYWdlZEJ5GjkKC0xhYmVsc0VudHJ5EhAKA2tleRgBIAEoCVIDa2V5EhQKBXZhbHVlGAIgASgJUgV2YWx1ZToCOAEykwoKCFJlZ2lzdHJ5EmIKDUNyZWF0ZUFpQWdlbnQSKC5zaWduZXQucmVnaXN0cnkudjEuQ3JlYXRlQWlBZ2VudFJlcXVlc3QaIy5zaWduZXQucmVnaXN0cnkudjEuQWlBZ2VudFJlc3BvbnNlKAAwABJiCg1VcGRhdGVBaUFnZW50Eiguc2lnbmV0LnJlZ2lzdHJ5LnYxLlVwZGF0ZUFpQWdlbnRSZXF1ZXN0GiMuc2lnbmV0LnJlZ2lzdHJ5LnYxLkFpQWdlbnRSZXNwb25zZSgAMAASXAoKR2V0QWlBZ2VudBIlLnNpZ25ldC5yZWdpc3RyeS52MS5HZXRBaUFnZW50UmVxdWVzdBojLnNpZ25ldC5yZWdpc3RyeS52MS5BaUFnZW50UmVzcG9uc2UoADAAEmUKDExpc3RBaUFnZW50cxInLnNpZ25ldC5yZWdpc3RyeS52MS5MaXN0QWlBZ2VudHNSZXF1ZXN0Giguc2lnbmV0LnJlZ2lzdHJ5LnYxLkxpc3RBaUFnZW50c1Jlc3BvbnNlKAAwABJcCg5EaXNhYmxlQWlBZ2VudBIhLnNpZ25ldC5yZWdpc3RyeS52MS5BaUFnZW50QWN0aW9uGiMuc2lnbmV0LnJlZ2lzdHJ5LnYxLkFpQWdlbnRSZXNwb25zZSgAMAASWwoNRW5hYmxlQWlBZ2VudBIhLnNpZ25ldC5yZWdpc3RyeS52MS5BaUFnZW50QWN0aW9uGiMuc2lnbmV0LnJlZ2lzdHJ5LnYxLkFpQWdlbnRSZXNwb25zZSgAMAASWwoNRGVsZXRlQWlBZ2VudBIhLnNpZ25ldC5yZWdpc3RyeS52MS5BaUFnZW50QWN0aW9uGiMuc2lnbmV0LnJlZ2lzdHJ5LnYxLkFpQWdlbnRSZXNwb25zZSgAMAASYgoMU2V0VGFza0NsYXNzEicuc2lnbmV0LnJlZ2lzdHJ5LnYxLlNldFRhc2tDbGFzc1JlcXVlc3QaJS5zaWduZXQucmVnaXN0cnkudjEuVGFza0NsYXNzUmVzcG9uc2UoADAAEmIKDEdldFRhc2tDbGFzcxInLnNpZ25ldC5yZWdpc3RyeS52MS5HZXRUYXNrQ2xhc3NSZXF1ZXN0GiUuc2lnbmV0LnJlZ2lzdHJ5LnYxLlRhc2tDbGFzc1Jlc3BvbnNlKAAwABJuCg9MaXN0VGFza0NsYXNzZXMSKi5zaWduZXQucmVnaXN0cnkudjEuTGlzdFRhc2tDbGFzc2VzUmVxdWVzdBorLnNpZ25ldC5yZWdpc3RyeS52MS5MaXN0VGFza0NsYXNzZXNSZXNwb25zZSgAMAASaAoPRGVsZXRlVGFza0NsYXNzEiouc2lnbmV0LnJlZ2lzdHJ5LnYxLkRlbGV0ZVRhc2tDbGFzc1JlcXVlc3QaJS5zaWduZXQucmVnaXN0cnkudjEuVGFza0NsYXNzUmVzcG9uc2UoADAAElAKBUFwcGx5EiAuc2lnbmV0LnJlZ2lzdHJ5LnYxLkFwcGx5UmVxdWVzdBohLnNpZ25ldC5yZWdpc3RyeS52MS5BcHBseVJlc3BvbnNlKAEwARJuCg9MaXN0RW50cnlPd25lcnMSKi5zaWduZXQucmVnaXN0cnkudjEuTGlzdEVudHJ5T3duZXJzUmVxdWVzdBorLnNpZ25ldC5yZWdpc3RyeS52MS5MaXN0RW50cnlPd25lcnNSZXNwb25zZSgAMABiBnByb3RvMw=="},
  {"name":"signet/revocation.proto","imports":["spire/types.proto"],"services":["signet.revocation.v1.Revocation"],"messages":["signet.revocation.v1.RevokeSVIDRequest","signet.revocation.v1.RevokeSVIDResponse","signet.revocation.v1.ListRevocationsRequest","signet.revocation.v1.ListRevocationsResponse","signet.revocation.v1.ReleaseHoldRequest","signet.revocation.v1.ReleaseHoldResponse","signet.revocation.v1.RevocationRecord","signet.revocation.v1.Hold"],"descriptor":"ChdzaWduZXQvcmV2b2NhdGlvbi5wcm90bxIUc2lnbmV0LnJldm9jYXRpb24udjEaEXNwaXJlL3R5cGVzLnByb3RvIusBChFSZXZva2VTVklEUmVxdWVzdBIYCgZzZXJpYWwYASABKAlIAFIGc2VyaWFsEhIKA2p0aRgCIAEoCUgAUgNqdGkSOAoJc3BpZmZlX2lkGAMgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlNQSUZGRUlESABSCHNwaWZmZUlkEjQKBnJlYXNvbhgEIAEoDjIcLnNpZ25ldC5yZXZvY2F0aW9uLnYxLlJlYXNvblIGcmVhc29uEhgKB3JlcGxhY2UYBSABKAhSB3JlcGxhY2USFAoFZm9yY2UYBiABKAhSBWZvcmNlQggKBnRhcmdldCJ9ChJSZXZva2VTVklEUmVzcG9uc2USRgoKcmV2b2NhdGlvbhgBIAEoCzImLnNpZ25ldC5yZXZvY2F0aW9uLnYxLlJldm9jYXRpb25SZWNvcmRSCnJldm9jYXRpb24SHwoLdGFza3NfZW5kZWQYAiABKA1SCnRhc2tzRW5kZWQicQoWTGlzdFJldm9jYXRpb25zUmVxdWVzdBIbCgloZWxkX29ubHkYASABKAhSCGhlbGRPbmx5EhsKCXBhZ2Vfc2l6ZRgCIAEoBVIIcGFnZVNpemUSHQoKcGFnZV90b2tlbhgDIAEoCVIJcGFnZVRva2VuIosBChdMaXN0UmV2b2NhdGlvbnNSZXNwb25zZRJICgtyZXZvY2F0aW9ucxgBIAMoCzImLnNpZ25ldC5yZXZvY2F0aW9uLnYxLlJldm9jYXRpb25SZWNvcmRSC3Jldm9jYXRpb25zEiYKD25leHRfcGFnZV90b2tlbhgCIAEoCVINbmV4dFBhZ2VUb2tlbiIkChJSZWxlYXNlSG9sZFJlcXVlc3QSDgoCaWQYASABKAlSAmlkIl0KE1JlbGVhc2VIb2xkUmVzcG9uc2USRgoKcmV2b2NhdGlvbhgBIAEoCzImLnNpZ25ldC5yZXZvY2F0aW9uLnYxLlJldm9jYXRpb25SZWNvcmRSCnJldm9jYXRpb24ixgMKEFJldm9jYXRpb25SZWNvcmQSDgoCaWQYASABKAlSAmlkEhgKBnNlcmlhbBgCIAEoCUgAUgZzZXJpYWwSEgoDanRpGAMgASgJSABSA2p0aRI4CglzcGlmZmVfaWQYBCABKAsyGS5zcGlyZS5hcGkudHlwZXMuU1BJRkZFSURIAFIIc3BpZmZlSWQSNgoIYWdlbnRfaWQYBSABKAsyGS5zcGlyZS5hcGkudHlwZXMuU1BJRkZFSURIAFIHYWdlbnRJZBI0CgZyZWFzb24YBiABKA4yHC5zaWduZXQucmV2b2NhdGlvbi52MS5SZWFzb25SBnJlYXNvbhIdCgpyZXZva2VkX2F0GAcgASgDUglyZXZva2VkQXQSHQoKcmV2b2tlZF9ieRgIIAEoCVIJcmV2b2tlZEJ5Ei4KBGhvbGQYCSABKAsyGi5zaWduZXQucmV2b2NhdGlvbi52MS5Ib2xkUgRob2xkEh0KCng1MDlfc3ZpZHMYCiABKA1SCXg1MDlTdmlkcxIWCgZ0b2tlbnMYCyABKA1SBnRva2VucxIdCgpleHBpcmVzX2F0GAwgASgDUglleHBpcmVzQXRCCAoGdGFyZ2V0IrYBCgRIb2xkEjYKCXNwaWZmZV9pZBgBIAEoCzIZLnNwaXJlLmFwaS50eXBlcy5TUElGRkVJRFIIc3BpZmZlSWQSNAoIYWdlbnRfaWQYAiABKAsyGS5zcGlyZS5hcGkudHlwZXMuU1BJRkZFSURSB2FnZW50SWQSHwoLcmVsZWFzZWRfYXQYAyABKANSCnJlbGVhc2VkQXQSHwoLcmVsZWFzZWRfYnkYBCABKAlSCnJlbGVhc2VkQnkqiwEKBlJlYXNvbhIPCgtVTlNQRUNJRklFRBAAEhIKDktFWV9DT01QUk9NSVNFEAESFwoTQUZGSUxJQVRJT05fQ0hBTkdFRBADEg4KClNVUEVSU0VERUQQBBIaChZDRVNTQVRJT05fT0ZfT1BFUkFUSU9OEAUSFwoTUFJJVklMRUdFX1dJVEhEUkFXThAJMs0CCgpSZXZvY2F0aW9uEmMKClJldm9rZVNWSUQSJy5zaWduZXQucmV2b2NhdGlvbi52MS5SZXZva2VTVklEUmVxdWVzdBooLnNpZ25ldC5yZXZvY2F0aW9uLnYxLlJldm9rZVNWSURSZXNwb25zZSgAMAAScgoPTGlzdFJldm9jYXRpb25zEiwuc2lnbmV0LnJldm9jYXRpb24udjEuTGlzdFJldm9jYXRpb25zUmVxdWVzdBotLnNpZ25ldC5yZXZvY2F0aW9uLnYxLkxpc3RSZXZvY2F0aW9uc1Jlc3BvbnNlKAAwABJmCgtSZWxlYXNlSG9sZBIoLnNpZ25ldC5yZXZvY2F0aW9uLnYxLlJlbGVhc2VIb2xkUmVxdWVzdBopLnNpZ25ldC5yZXZvY2F0aW9uLnYxLlJlbGVhc2VIb2xkUmVzcG9uc2UoADAAYgZwcm90bzM="},
  {"name":"signet/task.proto","imports":["signet/mandate.proto"],"services":["signet.task.v1.TaskAPI","signet.task.v1.TaskControl"],"messages":["signet.task.v1.Task","signet.task.v1.StatusReference","signet.task.v1.TaskBinding","signet.task.v1.OpenTaskRequest","signet.task.v1.OpenTaskResponse","signet.task.v1.TaskX509SVID","signet.task.v1.RunTaskRequest","signet.task.v1.AttachStep","signet.task.v1.StartedStep","signet.task.v1.FinishedStep","signet.task.v1.RunTaskResponse","signet.task.v1.ReadyStep","signet.task.v1.AdmittedStep","signet.task.v1.TaskProof","signet.task.v1.WatchTaskRequest","signet.task.v1.TaskEvent","signet.task.v1.FetchTaskJWTSVIDRequest","signet.task.v1.FetchTaskJWTSVIDResponse","signet.task.v1.FetchTaskWITSVIDRequest","signet.task.v1.FetchTaskWITSVIDResponse","signet.task.v1.IssueTokenRequest","signet.task.v1.IssueTokenResponse","signet.task.v1.NarrowRequest","signet.task.v1.TaskRequest","signet.task.v1.ResumeRequest","signet.task.v1.CompleteRequest","signet.task.v1.TaskResponse","signet.task.v1.CreateTaskRequest","signet.task.v1.GetTaskRequest","signet.task.v1.ListTasksRequest","signet.task.v1.ListTasksResponse","signet.task.v1.TaskAction","signet.task.v1.RevokeTaskResponse","signet.task.v1.CompleteTaskRequest"],"descriptor":"ChFzaWduZXQvdGFzay5wcm90bxIOc2lnbmV0LnRhc2sudjEaFHNpZ25ldC9tYW5kYXRlLnByb3RvIr0JCgRUYXNrEg4KAmlkGAEgASgJUgJpZBIbCglzcGlmZmVfaWQYAiABKAlSCHNwaWZmZUlkEhkKCGFpX2FnZW50GAMgASgJUgdhaUFnZW50Eh0KCnRhc2tfY2xhc3MYBCABKAlSCXRhc2tDbGFzcxIYCgdwdXJwb3NlGAUgASgJUgdwdXJwb3NlEhYKBmludGVudBgGIAEoCVIGaW50ZW50EjQKB21hbmRhdGUYByABKAsyGi5zaWduZXQubWFuZGF0ZS52MS5NYW5kYXRlUgdtYW5kYXRlEhwKCXByaW5jaXBhbBgIIAEoCVIJcHJpbmNpcGFsEhYKBnBhcmVudBgJIAEoCVIGcGFyZW50EhIKBHJvb3QYCiABKAlSBHJvb3QSFAoFZGVwdGgYCyABKA1SBWRlcHRoEhQKBW93bmVyGAwgASgJUgVvd25lchIgCgxvcGVuZWRfYXRfbXMYDSABKANSCm9wZW5lZEF0TXMSIgoNZXhwaXJlc19hdF9tcxgOIAEoA1ILZXhwaXJlc0F0TXMSMAoUaWRsZV90aW1lb3V0X3NlY29uZHMYDyABKA1SEmlkbGVUaW1lb3V0U2Vjb25kcxIvCgVzdGF0ZRgQIAEoDjIZLnNpZ25ldC50YXNrLnYxLlRhc2tTdGF0ZVIFc3RhdGUSIQoMc3RhdGVfcmVhc29uGBEgASgJUgtzdGF0ZVJlYXNvbhIeCgtlbmRlZF9hdF9tcxgSIAEoA1IJZW5kZWRBdE1zEhsKCW9wZW5lZF9ieRgTIAEoCVIIb3BlbmVkQnkSHQoKbm9kZV9hZ2VudBgUIAEoCVIJbm9kZUFnZW50EksKDWV4dGVybmFsX3JlZnMYFSADKAsyJi5zaWduZXQudGFzay52MS5UYXNrLkV4dGVybmFsUmVmc0VudHJ5UgxleHRlcm5hbFJlZnMSOAoGbGFiZWxzGBYgAygLMiAuc2lnbmV0LnRhc2sudjEuVGFzay5MYWJlbHNFbnRyeVIGbGFiZWxzEhwKCWFzc3VyYW5jZRgXIAEoCVIJYXNzdXJhbmNlEh0KCnVzZXNfdGFrZW4YGCABKARSCXVzZXNUYWtlbhIdCgpncmFudF9oYXNoGBkgASgJUglncmFudEhhc2gSJQoOa2V5X3RodW1icHJpbnQYGiABKAlSDWtleVRodW1icHJpbnQSGAoHdmVyc2lvbhgbIAEoBFIHdmVyc2lvbhIkCg5sYXN0X2FjdGl2ZV9tcxgcIAEoA1IMbGFzdEFjdGl2ZU1zEjUKB2JpbmRpbmcYHSABKAsyGy5zaWduZXQudGFzay52MS5UYXNrQmluZGluZ1IHYmluZGluZxI3CgZzdGF0dXMYHiABKAsyHy5zaWduZXQudGFzay52MS5TdGF0dXNSZWZlcmVuY2VSBnN0YXR1cxISCgRob3N0GB8gASgJUgRob3N0Gj8KEUV4dGVybmFsUmVmc0VudHJ5EhAKA2tleRgBIAEoCVIDa2V5EhQKBXZhbHVlGAIgASgJUgV2YWx1ZToCOAEaOQoLTGFiZWxzRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSFAoFdmFsdWUYAiABKAlSBXZhbHVlOgI4ASI7Cg9TdGF0dXNSZWZlcmVuY2USEgoEbGlzdBgBIAEoCVIEbGlzdBIUCgVpbmRleBgCIAEoDVIFaW5kZXgiaQoLVGFza0JpbmRpbmcSEAoDcGlkGAEgASgFUgNwaWQSEAoDdWlkGAIgASgNUgN1aWQSHQoKc3RhcnRfdGltZRgDIAEoA1IJc3RhcnRUaW1lEhcKB2Jvb3RfaWQYBCABKAlSBmJvb3RJZCK7BQoPT3BlblRhc2tSZXF1ZXN0Eh0KCnRhc2tfY2xhc3MYASABKAlSCXRhc2tDbGFzcxIYCgdwdXJwb3NlGAIgASgJUgdwdXJwb3NlEhYKBmludGVudBgDIAEoCVIGaW50ZW50EjQKB21hbmRhdGUYBCABKAsyGi5zaWduZXQubWFuZGF0ZS52MS5NYW5kYXRlUgdtYW5kYXRlEh8KC3R0bF9zZWNvbmRzGAUgASgNUgp0dGxTZWNvbmRzEhAKA2NzchgGIAEoDFIDY3NyEhkKCGFpX2FnZW50GAcgASgJUgdhaUFnZW50EiIKDWNsYWltX3Rhc2tfaWQYCCABKAlSC2NsYWltVGFza0lkEicKD2lkZW1wb3RlbmN5X2tleRgJIAEoCVIOaWRlbXBvdGVuY3lLZXkSVgoNZXh0ZXJuYWxfcmVmcxgKIAMoCzIxLnNpZ25ldC50YXNrLnYxLk9wZW5UYXNrUmVxdWVzdC5FeHRlcm5hbFJlZnNFbnRyeVIMZXh0ZXJuYWxSZWZzEkMKBmxhYmVscxgLIAMoCzIrLnNpZ25ldC50YXNrLnYxLk9wZW5UYXNrUmVxdWVzdC5MYWJlbHNFbnRyeVIGbGFiZWxzEh0KCmFsbG93X2NsaXAYDCABKAhSCWFsbG93Q2xpcBIcCglwcmluY2lwYWwYDSABKAlSCXByaW5jaXBhbBIwChRpZGxlX3RpbWVvdXRfc2Vjb25kcxgOIAEoDVISaWRsZVRpbWVvdXRTZWNvbmRzGj8KEUV4dGVybmFsUmVmc0VudHJ5EhAKA2tleRgBIAEoCVIDa2V5EhQKBXZhbHVlGAIgASgJUgV2YWx1ZToCOAEaOQoLTGFiZWxzRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSFAoFdmFsdWUYAiABKAlSBXZhbHVlOgI4ASJuChBPcGVuVGFza1Jlc3BvbnNlEigKBHRhc2sYASABKAsyFC5zaWduZXQudGFzay52MS5UYXNrUgR0YXNrEjAKBHN2aWQYAiABKAsyHC5zaWduZXQudGFzay52MS5UYXNrWDUwOVNWSURSBHN2aWQiYgoMVGFza1g1MDlTVklEEhsKCXg1MDlfc3ZpZBgBIAEoDFIIeDUwOVN2aWQSFgoGYnVuZGxlGAIgASgMUgZidW5kbGUSHQoKZXhwaXJlc19hdBgDIAEoA1IJZXhwaXJlc0F0IpsCCg5SdW5UYXNrUmVxdWVzdBI1CgRvcGVuGAEgASgLMh8uc2lnbmV0LnRhc2sudjEuT3BlblRhc2tSZXF1ZXN0SABSBG9wZW4SNAoGYXR0YWNoGAIgASgLMhouc2lnbmV0LnRhc2sudjEuQXR0YWNoU3RlcEgAUgZhdHRhY2gSNwoHc3RhcnRlZBgDIAEoCzIbLnNpZ25ldC50YXNrLnYxLlN0YXJ0ZWRTdGVwSABSB3N0YXJ0ZWQSOgoIZmluaXNoZWQYBCABKAsyHC5zaWduZXQudGFzay52MS5GaW5pc2hlZFN0ZXBIAFIIZmluaXNoZWQSHwoLbGF1bmNoX25hbWUYBSABKAlSCmxhdW5jaE5hbWVCBgoEc3RlcCJPCgpBdHRhY2hTdGVwEi8KBXByb29mGAEgASgLMhkuc2lnbmV0LnRhc2sudjEuVGFza1Byb29mUgVwcm9vZhIQCgNwaWQYAiABKAVSA3BpZCIfCgtTdGFydGVkU3RlcBIQCgNwaWQYASABKAVSA3BpZCJECgxGaW5pc2hlZFN0ZXASHAoJc3VjY2VlZGVkGAEgASgIUglzdWNjZWVkZWQSFgoGZGV0YWlsGAIgASgJUgZkZXRhaWwiugEKD1J1blRhc2tSZXNwb25zZRIxCgVyZWFkeRgBIAEoCzIZLnNpZ25ldC50YXNrLnYxLlJlYWR5U3RlcEgAUgVyZWFkeRI6CghhZG1pdHRlZBgCIAEoCzIcLnNpZ25ldC50YXNrLnYxLkFkbWl0dGVkU3RlcEgAUghhZG1pdHRlZBIwCgdjaGFuZ2VkGAMgASgLMhQuc2lnbmV0LnRhc2sudjEuVGFza0gAUgdjaGFuZ2VkQgYKBHN0ZXAiVgoJUmVhZHlTdGVwEigKBHRhc2sYASABKAsyFC5zaWduZXQudGFzay52MS5UYXNrUgR0YXNrEh8KC3NvY2tldF9wYXRoGAIgASgJUgpzb2NrZXRQYXRoIg4KDEFkbWl0dGVkU3RlcCI2CglUYXNrUHJvb2YSFwoHdGFza19pZBgBIAEoCVIGdGFza0lkEhAKA2p3cxgCIAEoCVIDandzIlUKEFdhdGNoVGFza1JlcXVlc3QSLwoFcHJvb2YYASABKAsyGS5zaWduZXQudGFzay52MS5UYXNrUHJvb2ZSBXByb29mEhAKA2NzchgCIAEoDFIDY3NyImcKCVRhc2tFdmVudBIoCgR0YXNrGAEgASgLMhQuc2lnbmV0LnRhc2sudjEuVGFza1IEdGFzaxIwCgRzdmlkGAIgASgLMhwuc2lnbmV0LnRhc2sudjEuVGFza1g1MDlTVklEUgRzdmlkImYKF0ZldGNoVGFza0pXVFNWSURSZXF1ZXN0Ei8KBXByb29mGAEgASgLMhkuc2lnbmV0LnRhc2sudjEuVGFza1Byb29mUgVwcm9vZhIaCghhdWRpZW5jZRgCIAEoCVIIYXVkaWVuY2UiTwoYRmV0Y2hUYXNrSldUU1ZJRFJlc3BvbnNlEhQKBXRva2VuGAEgASgJUgV0b2tlbhIdCgpleHBpcmVzX2F0GAIgASgDUglleHBpcmVzQXQiSgoXRmV0Y2hUYXNrV0lUU1ZJRFJlcXVlc3QSLwoFcHJvb2YYASABKAsyGS5zaWduZXQudGFzay52MS5UYXNrUHJvb2ZSBXByb29mIk8KGEZldGNoVGFza1dJVFNWSURSZXNwb25zZRIUCgV0b2tlbhgBIAEoCVIFdG9rZW4SHQoKZXhwaXJlc19hdBgCIAEoA1IJZXhwaXJlc0F0ItsBChFJc3N1ZVRva2VuUmVxdWVzdBIvCgVwcm9vZhgBIAEoCzIZLnNpZ25ldC50YXNrLnYxLlRhc2tQcm9vZlIFcHJvb2YSGgoIcmVzb3VyY2UYAiABKAlSCHJlc291cmNlEjQKB21hbmRhdGUYAyABKAsyGi5zaWduZXQubWFuZGF0ZS52MS5NYW5kYXRlUgdtYW5kYXRlEikKEGNvbmZpcm1hdGlvbl9qa3QYBCABKAlSD2NvbmZpcm1hdGlvbkprdBIYCgd1bmJvdW5kGAUgASgIUgd1bmJvdW5kInUKEklzc3VlVG9rZW5SZXNwb25zZRIhCgxhY2Nlc3NfdG9rZW4YASABKAlSC2FjY2Vzc1Rva2VuEh0KCmV4cGlyZXNfYXQYAiABKANSCWV4cGlyZXNBdBIdCgp0b2tlbl90eXBlGAMgASgJUgl0b2tlblR5cGUidgoNTmFycm93UmVxdWVzdBIvCgVwcm9vZhgBIAEoCzIZLnNpZ25ldC50YXNrLnYxLlRhc2tQcm9vZlIFcHJvb2YSNAoHbWFuZGF0ZRgCIAEoCzIaLnNpZ25ldC5tYW5kYXRlLnYxLk1hbmRhdGVSB21hbmRhdGUiPgoLVGFza1JlcXVlc3QSLwoFcHJvb2YYASABKAsyGS5zaWduZXQudGFzay52MS5UYXNrUHJvb2ZSBXByb29mIogBCg1SZXN1bWVSZXF1ZXN0Ei8KBXByb29mGAEgASgLMhkuc2lnbmV0LnRhc2sudjEuVGFza1Byb29mUgVwcm9vZhI0CgdtYW5kYXRlGAIgASgLMhouc2lnbmV0Lm1hbmRhdGUudjEuTWFuZGF0ZVIHbWFuZGF0ZRIQCgNjc3IYAyABKAxSA2NzciK2AQoPQ29tcGxldGVSZXF1ZXN0Ei8KBXByb29mGAEgASgLMhkuc2lnbmV0LnRhc2sudjEuVGFza1Byb29mUgVwcm9vZhIzCgdvdXRjb21lGAIgASgOMhkuc2lnbmV0LnRhc2sudjEuVGFza1N0YXRlUgdvdXRjb21lEiUKDnN1bW1hcnlfZGlnZXN0GAMgASgJUg1zdW1tYXJ5RGlnZXN0EhYKBmRldGFpbBgEIAEoCVIGZGV0YWlsIjgKDFRhc2tSZXNwb25zZRIoCgR0YXNrGAEgASgLMhQuc2lnbmV0LnRhc2sudjEuVGFza1IEdGFzayJjChFDcmVhdGVUYXNrUmVxdWVzdBIZCghhaV9hZ2VudBgBIAEoCVIHYWlBZ2VudBIzCgR0YXNrGAIgASgLMh8uc2lnbmV0LnRhc2sudjEuT3BlblRhc2tSZXF1ZXN0UgR0YXNrIiAKDkdldFRhc2tSZXF1ZXN0Eg4KAmlkGAEgASgJUgJpZCKZAwoQTGlzdFRhc2tzUmVxdWVzdBIZCghhaV9hZ2VudBgBIAEoCVIHYWlBZ2VudBIdCgp0YXNrX2NsYXNzGAIgASgJUgl0YXNrQ2xhc3MSMQoGc3RhdGVzGAMgAygOMhkuc2lnbmV0LnRhc2sudjEuVGFza1N0YXRlUgZzdGF0ZXMSHQoKbm9kZV9hZ2VudBgEIAEoCVIJbm9kZUFnZW50EhIKBHJvb3QYBSABKAlSBHJvb3QSRAoGbGFiZWxzGAYgAygLMiwuc2lnbmV0LnRhc2sudjEuTGlzdFRhc2tzUmVxdWVzdC5MYWJlbHNFbnRyeVIGbGFiZWxzEhsKCXBhZ2Vfc2l6ZRgHIAEoBVIIcGFnZVNpemUSHQoKcGFnZV90b2tlbhgIIAEoCVIJcGFnZVRva2VuEhQKBW93bmVyGAkgASgJUgVvd25lchISCgRob3N0GAogASgJUgRob3N0GjkKC0xhYmVsc0VudHJ5EhAKA2tleRgBIAEoCVIDa2V5EhQKBXZhbHVlGAIgASgJUgV2YWx1ZToCOAEiZwoRTGlzdFRhc2tzUmVzcG9uc2USKgoFdGFza3MYASADKAsyFC5zaWduZXQudGFzay52MS5UYXNrUgV0YXNrcxImCg9uZXh0X3BhZ2VfdG9rZW4YAiABKAlSDW5leHRQYWdlVG9rZW4iNAoKVGFza0FjdGlvbhIOCgJpZBgBIAEoCVICaWQSFgoGcmVhc29uGAIgASgJUgZyZWFzb24iQAoSUmV2b2tlVGFza1Jlc3BvbnNlEioKBWVuZGVkGAEgAygLMhQuc2lnbmV0LnRhc2sudjEuVGFza1IFZW5kZWQicgoTQ29tcGxldGVUYXNrUmVxdWVzdBIOCgJpZBgBIAEoCVICaWQSMwoHb3V0Y29tZRgCIAEoDjIZLnNpZ25ldC50YXNrLnYxLlRhc2tTdGF0ZVIHb3V0Y29tZRIWCgZyZWFzb24YAyABKAlSBnJlYXNvbiqfAQoJVGFza1N0YXRlEhoKFlRBU0tfU1RBVEVfVU5TUEVDSUZJRUQQABILCgdQRU5ESU5HEAESCgoGQUNUSVZFEAISCgoGUEFSS0VEEAMSDQoJU1VTUEVOREVEEAQSDQoJQ09NUExFVEVEEAUSCgoGRkFJTEVEEAYSDQoJQUJBTkRPTkVEEAcSCwoHUkVWT0tFRBAIEgsKB0VYUElSRUQQCTLZBgoHVGFza0FQSRJRCghPcGVuVGFzaxIfLnNpZ25ldC50YXNrLnYxLk9wZW5UYXNrUmVxdWVzdBogLnNpZ25ldC50YXNrLnYxLk9wZW5UYXNrUmVzcG9uc2UoADAAEk4KB1J1blRhc2sSHi5zaWduZXQudGFzay52MS5SdW5UYXNrUmVxdWVzdBofLnNpZ25ldC50YXNrLnYxLlJ1blRhc2tSZXNwb25zZSgBMAESTAoJV2F0Y2hUYXNrEiAuc2lnbmV0LnRhc2sudjEuV2F0Y2hUYXNrUmVxdWVzdBoZLnNpZ25ldC50YXNrLnYxLlRhc2tFdmVudCgAMAESaQoQRmV0Y2hUYXNrSldUU1ZJRBInLnNpZ25ldC50YXNrLnYxLkZldGNoVGFza0pXVFNWSURSZXF1ZXN0Giguc2lnbmV0LnRhc2sudjEuRmV0Y2hUYXNrSldUU1ZJRFJlc3BvbnNlKAAwABJpChBGZXRjaFRhc2tXSVRTVklEEicuc2lnbmV0LnRhc2sudjEuRmV0Y2hUYXNrV0lUU1ZJRFJlcXVlc3QaKC5zaWduZXQudGFzay52MS5GZXRjaFRhc2tXSVRTVklEUmVzcG9uc2UoADAAElcKCklzc3VlVG9rZW4SIS5zaWduZXQudGFzay52MS5Jc3N1ZVRva2VuUmVxdWVzdBoiLnNpZ25ldC50YXNrLnYxLklzc3VlVG9rZW5SZXNwb25zZSgAMAASSQoGTmFycm93Eh0uc2lnbmV0LnRhc2sudjEuTmFycm93UmVxdWVzdBocLnNpZ25ldC50YXNrLnYxLlRhc2tSZXNwb25zZSgAMAASRQoEUGFyaxIbLnNpZ25ldC50YXNrLnYxLlRhc2tSZXF1ZXN0Ghwuc2lnbmV0LnRhc2sudjEuVGFza1Jlc3BvbnNlKAAwABJNCgZSZXN1bWUSHS5zaWduZXQudGFzay52MS5SZXN1bWVSZXF1ZXN0GiAuc2lnbmV0LnRhc2sudjEuT3BlblRhc2tSZXNwb25zZSgAMAASTQoIQ29tcGxldGUSHy5zaWduZXQudGFzay52MS5Db21wbGV0ZVJlcXVlc3QaHC5zaWduZXQudGFzay52MS5UYXNrUmVzcG9uc2UoADAAMsgECgtUYXNrQ29udHJvbBJRCgpDcmVhdGVUYXNrEiEuc2lnbmV0LnRhc2sudjEuQ3JlYXRlVGFza1JlcXVlc3QaHC5zaWduZXQudGFzay52MS5UYXNrUmVzcG9uc2UoADAAEksKB0dldFRhc2sSHi5zaWduZXQudGFzay52MS5HZXRUYXNrUmVxdWVzdBocLnNpZ25ldC50YXNrLnYxLlRhc2tSZXNwb25zZSgAMAASVAoJTGlzdFRhc2tzEiAuc2lnbmV0LnRhc2sudjEuTGlzdFRhc2tzUmVxdWVzdBohLnNpZ25ldC50YXNrLnYxLkxpc3RUYXNrc1Jlc3BvbnNlKAAwABJLCgtTdXNwZW5kVGFzaxIaLnNpZ25ldC50YXNrLnYxLlRhc2tBY3Rpb24aHC5zaWduZXQudGFzay52MS5UYXNrUmVzcG9uc2UoADAAEk0KDVVuc3VzcGVuZFRhc2sSGi5zaWduZXQudGFzay52MS5UYXNrQWN0aW9uGhwuc2lnbmV0LnRhc2sudjEuVGFza1Jlc3BvbnNlKAAwABJQCgpSZXZva2VUYXNrEhouc2lnbmV0LnRhc2sudjEuVGFza0FjdGlvbhoiLnNpZ25ldC50YXNrLnYxLlJldm9rZVRhc2tSZXNwb25zZSgAMAASVQoMQ29tcGxldGVUYXNrEiMuc2lnbmV0LnRhc2sudjEuQ29tcGxldGVUYXNrUmVxdWVzdBocLnNpZ25ldC50YXNrLnYxLlRhc2tSZXNwb25zZSgAMABiBnByb3RvMw=="},
  {"name":"spiffe/workload.proto","imports":["google/struct.proto"],"services":["SpiffeWorkloadAPI"],"messages":["X509SVIDRequest","X509SVIDResponse","X509SVID","X509BundlesRequest","X509BundlesResponse","JWTSVIDRequest","JWTSVIDResponse","JWTSVID","JWTBundlesRequest","JWTBundlesResponse","ValidateJWTSVIDRequest","ValidateJWTSVIDResponse","WITSVIDRequest","WITSVIDResponse","WITSVID","WITBundlesRequest","WITBundlesResponse"],"descriptor":"ChVzcGlmZmUvd29ya2xvYWQucHJvdG8SABoTZ29vZ2xlL3N0cnVjdC5wcm90byIRCg9YNTA5U1ZJRFJlcXVlc3Qi4AEKEFg1MDlTVklEUmVzcG9uc2USHwoFc3ZpZHMYASADKAsyCS5YNTA5U1ZJRFIFc3ZpZHMSEAoDY3JsGAIgAygMUgNjcmwSVAoRZmVkZXJhdGVkX2J1bmRsZXMYAyADKAsyJy5YNTA5U1ZJRFJlc3BvbnNlLkZlZGVyYXRlZEJ1bmRsZXNFbnRyeVIQZmVkZXJhdGVkQnVuZGxlcxpDChVGZWRlcmF0ZWRCdW5kbGVzRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSFAoFdmFsdWUYAiABKAxSBXZhbHVlOgI4ASKUAQoIWDUwOVNWSUQSGwoJc3BpZmZlX2lkGAEgASgJUghzcGlmZmVJZBIbCgl4NTA5X3N2aWQYAiABKAxSCHg1MDlTdmlkEiIKDXg1MDlfc3ZpZF9rZXkYAyABKAxSC3g1MDlTdmlkS2V5EhYKBmJ1bmRsZRgEIAEoDFIGYnVuZGxlEhIKBGhpbnQYBSABKAlSBGhpbnQiFAoSWDUwOUJ1bmRsZXNSZXF1ZXN0IqABChNYNTA5QnVuZGxlc1Jlc3BvbnNlEhAKA2NybBgBIAMoDFIDY3JsEjsKB2J1bmRsZXMYAiADKAsyIS5YNTA5QnVuZGxlc1Jlc3BvbnNlLkJ1bmRsZXNFbnRyeVIHYnVuZGxlcxo6CgxCdW5kbGVzRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSFAoFdmFsdWUYAiABKAxSBXZhbHVlOgI4ASJJCg5KV1RTVklEUmVxdWVzdBIaCghhdWRpZW5jZRgBIAMoCVIIYXVkaWVuY2USGwoJc3BpZmZlX2lkGAIgASgJUghzcGlmZmVJZCIxCg9KV1RTVklEUmVzcG9uc2USHgoFc3ZpZHMYASADKAsyCC5KV1RTVklEUgVzdmlkcyJOCgdKV1RTVklEEhsKCXNwaWZmZV9pZBgBIAEoCVIIc3BpZmZlSWQSEgoEc3ZpZBgCIAEoCVIEc3ZpZBISCgRoaW50GAMgASgJUgRoaW50IhMKEUpXVEJ1bmRsZXNSZXF1ZXN0IowBChJKV1RCdW5kbGVzUmVzcG9uc2USOgoHYnVuZGxlcxgBIAMoCzIgLkpXVEJ1bmRsZXNSZXNwb25zZS5CdW5kbGVzRW50cnlSB2J1bmRsZXMaOgoMQnVuZGxlc0VudHJ5EhAKA2tleRgBIAEoCVIDa2V5EhQKBXZhbHVlGAIgASgMUgV2YWx1ZToCOAEiSAoWVmFsaWRhdGVKV1RTVklEUmVxdWVzdBIaCghhdWRpZW5jZRgBIAEoCVIIYXVkaWVuY2USEgoEc3ZpZBgCIAEoCVIEc3ZpZCJnChdWYWxpZGF0ZUpXVFNWSURSZXNwb25zZRIbCglzcGlmZmVfaWQYASABKAlSCHNwaWZmZUlkEi8KBmNsYWltcxgCIAEoCzIXLmdvb2dsZS5wcm90b2J1Zi5TdHJ1Y3RSBmNsYWltcyItCg5XSVRTVklEUmVxdWVzdBIbCglzcGlmZmVfaWQYASABKAlSCHNwaWZmZUlkIjEKD1dJVFNWSURSZXNwb25zZRIeCgVzdmlkcxgBIAMoCzIILldJVFNWSURSBXN2aWRzIncKB1dJVFNWSUQSGwoJc3BpZmZlX2lkGAEgASgJUghzcGlmZmVJZBIZCgh3aXRfc3ZpZBgCIAEoCVIHd2l0U3ZpZBIgCgx3aXRfc3ZpZF9rZXkYAyABKAlSCndpdFN2aWRLZXkSEgoEaGludBgEIAEoCVIEaGludCITChFXSVRCdW5kbGVzUmVxdWVzdCKMAQoSV0lUQnVuZGxlc1Jlc3BvbnNlEjoKB2J1bmRsZXMYASADKAsyIC5XSVRCdW5kbGVzUmVzcG9uc2UuQnVuZGxlc0VudHJ5UgdidW5kbGVzGjoKDEJ1bmRsZXNFbnRyeRIQCgNrZXkYASABKAlSA2tleRIUCgV2YWx1ZRgCIAEoCVIFdmFsdWU6AjgBMsgDChFTcGlmZmVXb3JrbG9hZEFQSRI4Cg1GZXRjaFg1MDlTVklEEhAuWDUwOVNWSURSZXF1ZXN0GhEuWDUwOVNWSURSZXNwb25zZSgAMAESQQoQRmV0Y2hYNTA5QnVuZGxlcxITLlg1MDlCdW5kbGVzUmVxdWVzdBoULlg1MDlCdW5kbGVzUmVzcG9uc2UoADABEjUKDEZldGNoSldUU1ZJRBIPLkpXVFNWSURSZXF1ZXN0GhAuSldUU1ZJRFJlc3BvbnNlKAAwABI+Cg9GZXRjaEpXVEJ1bmRsZXMSEi5KV1RCdW5kbGVzUmVxdWVzdBoTLkpXVEJ1bmRsZXNSZXNwb25zZSgAMAESSAoPVmFsaWRhdGVKV1RTVklEEhcuVmFsaWRhdGVKV1RTVklEUmVxdWVzdBoYLlZhbGlkYXRlSldUU1ZJRFJlc3BvbnNlKAAwABI1CgxGZXRjaFdJVFNWSUQSDy5XSVRTVklEUmVxdWVzdBoQLldJVFNWSURSZXNwb25zZSgAMAESPgoPRmV0Y2hXSVRCdW5kbGVzEhIuV0lUQnVuZGxlc1JlcXVlc3QaEy5XSVRCdW5kbGVzUmVzcG9uc2UoADABYgZwcm90bzM="},
  {"name":"spire/agent.proto","imports":["google/wrappers.proto","spire/types.proto"],"services":["spire.api.server.agent.v1.Agent"],"messages":["spire.api.server.agent.v1.CountAgentsRequest","spire.api.server.agent.v1.CountAgentsResponse","spire.api.server.agent.v1.ListAgentsRequest","spire.api.server.agent.v1.ListAgentsResponse","spire.api.server.agent.v1.GetAgentRequest","spire.api.server.agent.v1.DeleteAgentRequest","spire.api.server.agent.v1.BanAgentRequest","spire.api.server.agent.v1.AttestAgentRequest","spire.api.server.agent.v1.AttestAgentResponse","spire.api.server.agent.v1.AgentX509SVIDParams","spire.api.server.agent.v1.RenewAgentRequest","spire.api.server.agent.v1.RenewAgentResponse","spire.api.server.agent.v1.CreateJoinTokenRequest","spire.api.server.agent.v1.PostStatusRequest","spire.api.server.agent.v1.PostStatusResponse"],"descriptor":"ChFzcGlyZS9hZ2VudC5wcm90bxIZc3BpcmUuYXBpLnNlcnZlci5hZ2VudC52MRoVZ29vZ2xlL3dyYXBwZXJzLnByb3RvGhFzcGlyZS90eXBlcy5wcm90byKSAwoSQ291bnRBZ2VudHNSZXF1ZXN0EkwKBmZpbHRlchgBIAEoCzI0LnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuQ291bnRBZ2VudHNSZXF1ZXN0LkZpbHRlclIGZmlsdGVyGq0CCgZGaWx0ZXISLgoTYnlfYXR0ZXN0YXRpb25fdHlwZRgBIAEoCVIRYnlBdHRlc3RhdGlvblR5cGUSSgoRYnlfc2VsZWN0b3JfbWF0Y2gYAiABKAsyHi5zcGlyZS5hcGkudHlwZXMuU2VsZWN0b3JNYXRjaFIPYnlTZWxlY3Rvck1hdGNoEjcKCWJ5X2Jhbm5lZBgDIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5Cb29sVmFsdWVSCGJ5QmFubmVkEkIKD2J5X2Nhbl9yZWF0dGVzdBgEIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5Cb29sVmFsdWVSDWJ5Q2FuUmVhdHRlc3QSKgoRYnlfZXhwaXJlc19iZWZvcmUYBSABKAlSD2J5RXhwaXJlc0JlZm9yZSIrChNDb3VudEFnZW50c1Jlc3BvbnNlEhQKBWNvdW50GAEgASgFUgVjb3VudCKJBAoRTGlzdEFnZW50c1JlcXVlc3QSSwoGZmlsdGVyGAEgASgLMjMuc3BpcmUuYXBpLnNlcnZlci5hZ2VudC52MS5MaXN0QWdlbnRzUmVxdWVzdC5GaWx0ZXJSBmZpbHRlchI7CgtvdXRwdXRfbWFzaxgCIAEoCzIaLnNwaXJlLmFwaS50eXBlcy5BZ2VudE1hc2tSCm91dHB1dE1hc2sSGwoJcGFnZV9zaXplGAMgASgFUghwYWdlU2l6ZRIdCgpwYWdlX3Rva2VuGAQgASgJUglwYWdlVG9rZW4arQIKBkZpbHRlchIuChNieV9hdHRlc3RhdGlvbl90eXBlGAEgASgJUhFieUF0dGVzdGF0aW9uVHlwZRJKChFieV9zZWxlY3Rvcl9tYXRjaBgCIAEoCzIeLnNwaXJlLmFwaS50eXBlcy5TZWxlY3Rvck1hdGNoUg9ieVNlbGVjdG9yTWF0Y2gSNwoJYnlfYmFubmVkGAMgASgLMhouZ29vZ2xlLnByb3RvYnVmLkJvb2xWYWx1ZVIIYnlCYW5uZWQSQgoPYnlfY2FuX3JlYXR0ZXN0GAQgASgLMhouZ29vZ2xlLnByb3RvYnVmLkJvb2xWYWx1ZVINYnlDYW5SZWF0dGVzdBIqChFieV9leHBpcmVzX2JlZm9yZRgFIAEoCVIPYnlFeHBpcmVzQmVmb3JlImwKEkxpc3RBZ2VudHNSZXNwb25zZRIuCgZhZ2VudHMYASADKAsyFi5zcGlyZS5hcGkudHlwZXMuQWdlbnRSBmFnZW50cxImCg9uZXh0X3BhZ2VfdG9rZW4YAiABKAlSDW5leHRQYWdlVG9rZW4ieQoPR2V0QWdlbnRSZXF1ZXN0EikKAmlkGAEgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlNQSUZGRUlEUgJpZBI7CgtvdXRwdXRfbWFzaxgCIAEoCzIaLnNwaXJlLmFwaS50eXBlcy5BZ2VudE1hc2tSCm91dHB1dE1hc2siPwoSRGVsZXRlQWdlbnRSZXF1ZXN0EikKAmlkGAEgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlNQSUZGRUlEUgJpZCI8Cg9CYW5BZ2VudFJlcXVlc3QSKQoCaWQYASABKAsyGS5zcGlyZS5hcGkudHlwZXMuU1BJRkZFSURSAmlkIqYCChJBdHRlc3RBZ2VudFJlcXVlc3QSTgoGcGFyYW1zGAEgASgLMjQuc3BpcmUuYXBpLnNlcnZlci5hZ2VudC52MS5BdHRlc3RBZ2VudFJlcXVlc3QuUGFyYW1zSABSBnBhcmFtcxIvChJjaGFsbGVuZ2VfcmVzcG9uc2UYAiABKAxIAFIRY2hhbGxlbmdlUmVzcG9uc2UahgEKBlBhcmFtcxI0CgRkYXRhGAEgASgLMiAuc3BpcmUuYXBpLnR5cGVzLkF0dGVzdGF0aW9uRGF0YVIEZGF0YRJGCgZwYXJhbXMYAiABKAsyLi5zcGlyZS5hcGkuc2VydmVyLmFnZW50LnYxLkFnZW50WDUwOVNWSURQYXJhbXNSBnBhcmFtc0IGCgRzdGVwIusBChNBdHRlc3RBZ2VudFJlc3BvbnNlEk8KBnJlc3VsdBgBIAEoCzI1LnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuQXR0ZXN0QWdlbnRSZXNwb25zZS5SZXN1bHRIAFIGcmVzdWx0Eh4KCWNoYWxsZW5nZRgCIAEoDEgAUgljaGFsbGVuZ2UaWwoGUmVzdWx0Ei0KBHN2aWQYASABKAsyGS5zcGlyZS5hcGkudHlwZXMuWDUwOVNWSURSBHN2aWQSIgoMcmVhdHRlc3RhYmxlGAIgASgIUgxyZWF0dGVzdGFibGVCBgoEc3RlcCInChNBZ2VudFg1MDlTVklEUGFyYW1zEhAKA2NzchgBIAEoDFIDY3NyIlsKEVJlbmV3QWdlbnRSZXF1ZXN0EkYKBnBhcmFtcxgBIAEoCzIuLnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuQWdlbnRYNTA5U1ZJRFBhcmFtc1IGcGFyYW1zIkMKElJlbmV3QWdlbnRSZXNwb25zZRItCgRzdmlkGAEgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlg1MDlTVklEUgRzdmlkInYKFkNyZWF0ZUpvaW5Ub2tlblJlcXVlc3QSEAoDdHRsGAEgASgFUgN0dGwSFAoFdG9rZW4YAiABKAlSBXRva2VuEjQKCGFnZW50X2lkGAMgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlNQSUZGRUlEUgdhZ2VudElkImwKEVBvc3RTdGF0dXNSZXF1ZXN0EjIKFWN1cnJlbnRfYnVuZGxlX3NlcmlhbBgBIAEoBFITY3VycmVudEJ1bmRsZVNlcmlhbBIjCg1hZ2VudF92ZXJzaW9uGAIgASgJUgxhZ2VudFZlcnNpb24iFAoSUG9zdFN0YXR1c1Jlc3BvbnNlMqAHCgVBZ2VudBJwCgtDb3VudEFnZW50cxItLnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuQ291bnRBZ2VudHNSZXF1ZXN0Gi4uc3BpcmUuYXBpLnNlcnZlci5hZ2VudC52MS5Db3VudEFnZW50c1Jlc3BvbnNlKAAwABJtCgpMaXN0QWdlbnRzEiwuc3BpcmUuYXBpLnNlcnZlci5hZ2VudC52MS5MaXN0QWdlbnRzUmVxdWVzdBotLnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuTGlzdEFnZW50c1Jlc3BvbnNlKAAwABJSCghHZXRBZ2VudBIqLnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuR2V0QWdlbnRSZXF1ZXN0GhYuc3BpcmUuYXBpLnR5cGVzLkFnZW50KAAwABJYCgtEZWxldGVBZ2VudBItLnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuRGVsZXRlQWdlbnRSZXF1ZXN0GhYuZ29vZ2xlLnByb3RvYnVmLkVtcHR5KAAwABJSCghCYW5BZ2VudBIqLnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuQmFuQWdlbnRSZXF1ZXN0GhYuZ29vZ2xlLnByb3RvYnVmLkVtcHR5KAAwABJwCgtBdHRlc3RBZ2VudBItLnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuQXR0ZXN0QWdlbnRSZXF1ZXN0Gi4uc3BpcmUuYXBpLnNlcnZlci5hZ2VudC52MS5BdHRlc3RBZ2VudFJlc3BvbnNlKAEwARJtCgpSZW5ld0FnZW50Eiwuc3BpcmUuYXBpLnNlcnZlci5hZ2VudC52MS5SZW5ld0FnZW50UmVxdWVzdBotLnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuUmVuZXdBZ2VudFJlc3BvbnNlKAAwABJkCg9DcmVhdGVKb2luVG9rZW4SMS5zcGlyZS5hcGkuc2VydmVyLmFnZW50LnYxLkNyZWF0ZUpvaW5Ub2tlblJlcXVlc3QaGi5zcGlyZS5hcGkudHlwZXMuSm9pblRva2VuKAAwABJtCgpQb3N0U3RhdHVzEiwuc3BpcmUuYXBpLnNlcnZlci5hZ2VudC52MS5Qb3N0U3RhdHVzUmVxdWVzdBotLnNwaXJlLmFwaS5zZXJ2ZXIuYWdlbnQudjEuUG9zdFN0YXR1c1Jlc3BvbnNlKAAwAGIGcHJvdG8z"},
  {"name":"spire/bundle.proto","imports":["spire/types.proto"],"services":["spire.api.server.bundle.v1.Bundle"],"messages":["spire.api.server.bundle.v1.CountBundlesRequest","spire.api.server.bundle.v1.CountBundlesResponse","spire.api.server.bundle.v1.GetBundleRequest","spire.api.server.bundle.v1.AppendBundleRequest","spire.api.server.bundle.v1.PublishJWTAuthorityRequest","spire.api.server.bundle.v1.PublishJWTAuthorityResponse","spire.api.server.bundle.v1.PublishWITAuthorityRequest","spire.api.server.bundle.v1.PublishWITAuthorityResponse","spire.api.server.bundle.v1.ListFederatedBundlesRequest","spire.api.server.bundle.v1.ListFederatedBundlesResponse","spire.api.server.bundle.v1.GetFederatedBundleRequest","spire.api.server.bundle.v1.BatchCreateFederatedBundleRequest","spire.api.server.bundle.v1.BatchCreateFederatedBundleResponse","spire.api.server.bundle.v1.BatchUpdateFederatedBundleRequest","spire.api.server.bundle.v1.BatchUpdateFederatedBundleResponse","spire.api.server.bundle.v1.BatchSetFederatedBundleRequest","spire.api.server.bundle.v1.BatchSetFederatedBundleResponse","spire.api.server.bundle.v1.BatchDeleteFederatedBundleRequest","spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse"],"descriptor":"ChJzcGlyZS9idW5kbGUucHJvdG8SGnNwaXJlLmFwaS5zZXJ2ZXIuYnVuZGxlLnYxGhFzcGlyZS90eXBlcy5wcm90byIVChNDb3VudEJ1bmRsZXNSZXF1ZXN0IiwKFENvdW50QnVuZGxlc1Jlc3BvbnNlEhQKBWNvdW50GAEgASgFUgVjb3VudCJQChBHZXRCdW5kbGVSZXF1ZXN0EjwKC291dHB1dF9tYXNrGAEgASgLMhsuc3BpcmUuYXBpLnR5cGVzLkJ1bmRsZU1hc2tSCm91dHB1dE1hc2sipAIKE0FwcGVuZEJ1bmRsZVJlcXVlc3QSSwoQeDUwOV9hdXRob3JpdGllcxgBIAMoCzIgLnNwaXJlLmFwaS50eXBlcy5YNTA5Q2VydGlmaWNhdGVSD3g1MDlBdXRob3JpdGllcxJACg9qd3RfYXV0aG9yaXRpZXMYAiADKAsyFy5zcGlyZS5hcGkudHlwZXMuSldUS2V5Ug5qd3RBdXRob3JpdGllcxI8CgtvdXRwdXRfbWFzaxgDIAEoCzIbLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVNYXNrUgpvdXRwdXRNYXNrEkAKD3dpdF9hdXRob3JpdGllcxgEIAMoCzIXLnNwaXJlLmFwaS50eXBlcy5XSVRLZXlSDndpdEF1dGhvcml0aWVzIloKGlB1Ymxpc2hKV1RBdXRob3JpdHlSZXF1ZXN0EjwKDWp3dF9hdXRob3JpdHkYASABKAsyFy5zcGlyZS5hcGkudHlwZXMuSldUS2V5Ugxqd3RBdXRob3JpdHkiXwobUHVibGlzaEpXVEF1dGhvcml0eVJlc3BvbnNlEkAKD2p3dF9hdXRob3JpdGllcxgBIAMoCzIXLnNwaXJlLmFwaS50eXBlcy5KV1RLZXlSDmp3dEF1dGhvcml0aWVzIloKGlB1Ymxpc2hXSVRBdXRob3JpdHlSZXF1ZXN0EjwKDXdpdF9hdXRob3JpdHkYASABKAsyFy5zcGlyZS5hcGkudHlwZXMuV0lUS2V5Ugx3aXRBdXRob3JpdHkiXwobUHVibGlzaFdJVEF1dGhvcml0eVJlc3BvbnNlEkAKD3dpdF9hdXRob3JpdGllcxgBIAMoCzIXLnNwaXJlLmFwaS50eXBlcy5XSVRLZXlSDndpdEF1dGhvcml0aWVzIpcBChtMaXN0RmVkZXJhdGVkQnVuZGxlc1JlcXVlc3QSPAoLb3V0cHV0X21hc2sYASABKAsyGy5zcGlyZS5hcGkudHlwZXMuQnVuZGxlTWFza1IKb3V0cHV0TWFzaxIbCglwYWdlX3NpemUYAiABKAVSCHBhZ2VTaXplEh0KCnBhZ2VfdG9rZW4YAyABKAlSCXBhZ2VUb2tlbiJ5ChxMaXN0RmVkZXJhdGVkQnVuZGxlc1Jlc3BvbnNlEjEKB2J1bmRsZXMYASADKAsyFy5zcGlyZS5hcGkudHlwZXMuQnVuZGxlUgdidW5kbGVzEiYKD25leHRfcGFnZV90b2tlbhgCIAEoCVINbmV4dFBhZ2VUb2tlbiJ8ChlHZXRGZWRlcmF0ZWRCdW5kbGVSZXF1ZXN0EiEKDHRydXN0X2RvbWFpbhgBIAEoCVILdHJ1c3REb21haW4SPAoLb3V0cHV0X21hc2sYAiABKAsyGy5zcGlyZS5hcGkudHlwZXMuQnVuZGxlTWFza1IKb3V0cHV0TWFzayKSAQohQmF0Y2hDcmVhdGVGZWRlcmF0ZWRCdW5kbGVSZXF1ZXN0Ei8KBmJ1bmRsZRgBIAMoCzIXLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVSBmJ1bmRsZRI8CgtvdXRwdXRfbWFzaxgCIAEoCzIbLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVNYXNrUgpvdXRwdXRNYXNrIvEBCiJCYXRjaENyZWF0ZUZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlEl8KB3Jlc3VsdHMYASADKAsyRS5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaENyZWF0ZUZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlLlJlc3VsdFIHcmVzdWx0cxpqCgZSZXN1bHQSLwoGc3RhdHVzGAEgASgLMhcuc3BpcmUuYXBpLnR5cGVzLlN0YXR1c1IGc3RhdHVzEi8KBmJ1bmRsZRgCIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVSBmJ1bmRsZSLOAQohQmF0Y2hVcGRhdGVGZWRlcmF0ZWRCdW5kbGVSZXF1ZXN0Ei8KBmJ1bmRsZRgBIAMoCzIXLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVSBmJ1bmRsZRI6CgppbnB1dF9tYXNrGAIgASgLMhsuc3BpcmUuYXBpLnR5cGVzLkJ1bmRsZU1hc2tSCWlucHV0TWFzaxI8CgtvdXRwdXRfbWFzaxgDIAEoCzIbLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVNYXNrUgpvdXRwdXRNYXNrIvEBCiJCYXRjaFVwZGF0ZUZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlEl8KB3Jlc3VsdHMYASADKAsyRS5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaFVwZGF0ZUZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlLlJlc3VsdFIHcmVzdWx0cxpqCgZSZXN1bHQSLwoGc3RhdHVzGAEgASgLMhcuc3BpcmUuYXBpLnR5cGVzLlN0YXR1c1IGc3RhdHVzEi8KBmJ1bmRsZRgCIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVSBmJ1bmRsZSKPAQoeQmF0Y2hTZXRGZWRlcmF0ZWRCdW5kbGVSZXF1ZXN0Ei8KBmJ1bmRsZRgBIAMoCzIXLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVSBmJ1bmRsZRI8CgtvdXRwdXRfbWFzaxgCIAEoCzIbLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVNYXNrUgpvdXRwdXRNYXNrIusBCh9CYXRjaFNldEZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlElwKB3Jlc3VsdHMYASADKAsyQi5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaFNldEZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlLlJlc3VsdFIHcmVzdWx0cxpqCgZSZXN1bHQSLwoGc3RhdHVzGAEgASgLMhcuc3BpcmUuYXBpLnR5cGVzLlN0YXR1c1IGc3RhdHVzEi8KBmJ1bmRsZRgCIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVSBmJ1bmRsZSLSAQohQmF0Y2hEZWxldGVGZWRlcmF0ZWRCdW5kbGVSZXF1ZXN0EiMKDXRydXN0X2RvbWFpbnMYASADKAlSDHRydXN0RG9tYWlucxJWCgRtb2RlGAIgASgOMkIuc3BpcmUuYXBpLnNlcnZlci5idW5kbGUudjEuQmF0Y2hEZWxldGVGZWRlcmF0ZWRCdW5kbGVSZXF1ZXN0Lk1vZGVSBG1vZGUiMAoETW9kZRIMCghSRVNUUklDVBAAEgoKBkRFTEVURRABEg4KCkRJU1NPQ0lBVEUQAiLjAQoiQmF0Y2hEZWxldGVGZWRlcmF0ZWRCdW5kbGVSZXNwb25zZRJfCgdyZXN1bHRzGAEgAygLMkUuc3BpcmUuYXBpLnNlcnZlci5idW5kbGUudjEuQmF0Y2hEZWxldGVGZWRlcmF0ZWRCdW5kbGVSZXNwb25zZS5SZXN1bHRSB3Jlc3VsdHMaXAoGUmVzdWx0Ei8KBnN0YXR1cxgBIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5TdGF0dXNSBnN0YXR1cxIhCgx0cnVzdF9kb21haW4YAiABKAlSC3RydXN0RG9tYWluMsgLCgZCdW5kbGUSdQoMQ291bnRCdW5kbGVzEi8uc3BpcmUuYXBpLnNlcnZlci5idW5kbGUudjEuQ291bnRCdW5kbGVzUmVxdWVzdBowLnNwaXJlLmFwaS5zZXJ2ZXIuYnVuZGxlLnYxLkNvdW50QnVuZGxlc1Jlc3BvbnNlKAAwABJWCglHZXRCdW5kbGUSLC5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5HZXRCdW5kbGVSZXF1ZXN0Ghcuc3BpcmUuYXBpLnR5cGVzLkJ1bmRsZSgAMAASXAoMQXBwZW5kQnVuZGxlEi8uc3BpcmUuYXBpLnNlcnZlci5idW5kbGUudjEuQXBwZW5kQnVuZGxlUmVxdWVzdBoXLnNwaXJlLmFwaS50eXBlcy5CdW5kbGUoADAAEooBChNQdWJsaXNoSldUQXV0aG9yaXR5EjYuc3BpcmUuYXBpLnNlcnZlci5idW5kbGUudjEuUHVibGlzaEpXVEF1dGhvcml0eVJlcXVlc3QaNy5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5QdWJsaXNoSldUQXV0aG9yaXR5UmVzcG9uc2UoADAAEooBChNQdWJsaXNoV0lUQXV0aG9yaXR5EjYuc3BpcmUuYXBpLnNlcnZlci5idW5kbGUudjEuUHVibGlzaFdJVEF1dGhvcml0eVJlcXVlc3QaNy5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5QdWJsaXNoV0lUQXV0aG9yaXR5UmVzcG9uc2UoADAAEo0BChRMaXN0RmVkZXJhdGVkQnVuZGxlcxI3LnNwaXJlLmFwaS5zZXJ2ZXIuYnVuZGxlLnYxLkxpc3RGZWRlcmF0ZWRCdW5kbGVzUmVxdWVzdBo4LnNwaXJlLmFwaS5zZXJ2ZXIuYnVuZGxlLnYxLkxpc3RGZWRlcmF0ZWRCdW5kbGVzUmVzcG9uc2UoADAAEmgKEkdldEZlZGVyYXRlZEJ1bmRsZRI1LnNwaXJlLmFwaS5zZXJ2ZXIuYnVuZGxlLnYxLkdldEZlZGVyYXRlZEJ1bmRsZVJlcXVlc3QaFy5zcGlyZS5hcGkudHlwZXMuQnVuZGxlKAAwABKfAQoaQmF0Y2hDcmVhdGVGZWRlcmF0ZWRCdW5kbGUSPS5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaENyZWF0ZUZlZGVyYXRlZEJ1bmRsZVJlcXVlc3QaPi5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaENyZWF0ZUZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlKAAwABKfAQoaQmF0Y2hVcGRhdGVGZWRlcmF0ZWRCdW5kbGUSPS5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaFVwZGF0ZUZlZGVyYXRlZEJ1bmRsZVJlcXVlc3QaPi5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaFVwZGF0ZUZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlKAAwABKWAQoXQmF0Y2hTZXRGZWRlcmF0ZWRCdW5kbGUSOi5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaFNldEZlZGVyYXRlZEJ1bmRsZVJlcXVlc3QaOy5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaFNldEZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlKAAwABKfAQoaQmF0Y2hEZWxldGVGZWRlcmF0ZWRCdW5kbGUSPS5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaERlbGV0ZUZlZGVyYXRlZEJ1bmRsZVJlcXVlc3QaPi5zcGlyZS5hcGkuc2VydmVyLmJ1bmRsZS52MS5CYXRjaERlbGV0ZUZlZGVyYXRlZEJ1bmRsZVJlc3BvbnNlKAAwAGIGcHJvdG8z"},
  {"name":"spire/debug.proto","imports":["spire/types.proto"],"services":["spire.api.server.debug.v1.Debug"],"messages":["spire.api.server.debug.v1.GetInfoRequest","spire.api.server.debug.v1.GetInfoResponse"],"descriptor":"ChFzcGlyZS9kZWJ1Zy5wcm90bxIZc3BpcmUuYXBpLnNlcnZlci5kZWJ1Zy52MRoRc3BpcmUvdHlwZXMucHJvdG8iEAoOR2V0SW5mb1JlcXVlc3Qi5QIKD0dldEluZm9SZXNwb25zZRJOCgpzdmlkX2NoYWluGAEgAygLMi8uc3BpcmUuYXBpLnNlcnZlci5kZWJ1Zy52MS5HZXRJbmZvUmVzcG9uc2UuQ2VydFIJc3ZpZENoYWluEhYKBnVwdGltZRgCIAEoBVIGdXB0aW1lEiEKDGFnZW50c19jb3VudBgDIAEoBVILYWdlbnRzQ291bnQSNgoXZmVkZXJhdGVkX2J1bmRsZXNfY291bnQYBCABKAVSFWZlZGVyYXRlZEJ1bmRsZXNDb3VudBIjCg1lbnRyaWVzX2NvdW50GAUgASgFUgxlbnRyaWVzQ291bnQaagoEQ2VydBIpCgJpZBgBIAEoCzIZLnNwaXJlLmFwaS50eXBlcy5TUElGRkVJRFICaWQSHQoKZXhwaXJlc19hdBgCIAEoA1IJZXhwaXJlc0F0EhgKB3N1YmplY3QYAyABKAlSB3N1YmplY3QybQoFRGVidWcSZAoHR2V0SW5mbxIpLnNwaXJlLmFwaS5zZXJ2ZXIuZGVidWcudjEuR2V0SW5mb1JlcXVlc3QaKi5zcGlyZS5hcGkuc2VydmVyLmRlYnVnLnYxLkdldEluZm9SZXNwb25zZSgAMABiBnByb3RvMw=="},
  {"name":"spire/entry.proto","imports":["google/wrappers.proto","spire/types.proto"],"services":["spire.api.server.entry.v1.Entry"],"messages":["spire.api.server.entry.v1.CountEntriesRequest","spire.api.server.entry.v1.CountEntriesResponse","spire.api.server.entry.v1.ListEntriesRequest","spire.api.server.entry.v1.ListEntriesResponse","spire.api.server.entry.v1.GetEntryRequest","spire.api.server.entry.v1.BatchCreateEntryRequest","spire.api.server.entry.v1.BatchCreateEntryResponse","spire.api.server.entry.v1.BatchUpdateEntryRequest","spire.api.server.entry.v1.BatchUpdateEntryResponse","spire.api.server.entry.v1.BatchDeleteEntryRequest","spire.api.server.entry.v1.BatchDeleteEntryResponse","spire.api.server.entry.v1.GetAuthorizedEntriesRequest","spire.api.server.entry.v1.GetAuthorizedEntriesResponse","spire.api.server.entry.v1.SyncAuthorizedEntriesRequest","spire.api.server.entry.v1.SyncAuthorizedEntriesResponse","spire.api.server.entry.v1.EntryRevision"],"descriptor":"ChFzcGlyZS9lbnRyeS5wcm90bxIZc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MRoVZ29vZ2xlL3dyYXBwZXJzLnByb3RvGhFzcGlyZS90eXBlcy5wcm90byL1AwoTQ291bnRFbnRyaWVzUmVxdWVzdBJNCgZmaWx0ZXIYASABKAsyNS5zcGlyZS5hcGkuc2VydmVyLmVudHJ5LnYxLkNvdW50RW50cmllc1JlcXVlc3QuRmlsdGVyUgZmaWx0ZXIajgMKBkZpbHRlchI7CgxieV9zcGlmZmVfaWQYASABKAsyGS5zcGlyZS5hcGkudHlwZXMuU1BJRkZFSURSCmJ5U3BpZmZlSWQSOwoMYnlfcGFyZW50X2lkGAIgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlNQSUZGRUlEUgpieVBhcmVudElkEkEKDGJ5X3NlbGVjdG9ycxgDIAEoCzIeLnNwaXJlLmFwaS50eXBlcy5TZWxlY3Rvck1hdGNoUgtieVNlbGVjdG9ycxJPChFieV9mZWRlcmF0ZXNfd2l0aBgEIAEoCzIjLnNwaXJlLmFwaS50eXBlcy5GZWRlcmF0ZXNXaXRoTWF0Y2hSD2J5RmVkZXJhdGVzV2l0aBI1CgdieV9oaW50GAUgASgLMhwuZ29vZ2xlLnByb3RvYnVmLlN0cmluZ1ZhbHVlUgZieUhpbnQSPwoNYnlfZG93bnN0cmVhbRgGIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5Cb29sVmFsdWVSDGJ5RG93bnN0cmVhbSIsChRDb3VudEVudHJpZXNSZXNwb25zZRIUCgVjb3VudBgBIAEoBVIFY291bnQi7AQKEkxpc3RFbnRyaWVzUmVxdWVzdBJMCgZmaWx0ZXIYASABKAsyNC5zcGlyZS5hcGkuc2VydmVyLmVudHJ5LnYxLkxpc3RFbnRyaWVzUmVxdWVzdC5GaWx0ZXJSBmZpbHRlchI7CgtvdXRwdXRfbWFzaxgCIAEoCzIaLnNwaXJlLmFwaS50eXBlcy5FbnRyeU1hc2tSCm91dHB1dE1hc2sSGwoJcGFnZV9zaXplGAMgASgFUghwYWdlU2l6ZRIdCgpwYWdlX3Rva2VuGAQgASgJUglwYWdlVG9rZW4ajgMKBkZpbHRlchI7CgxieV9zcGlmZmVfaWQYASABKAsyGS5zcGlyZS5hcGkudHlwZXMuU1BJRkZFSURSCmJ5U3BpZmZlSWQSOwoMYnlfcGFyZW50X2lkGAIgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlNQSUZGRUlEUgpieVBhcmVudElkEkEKDGJ5X3NlbGVjdG9ycxgDIAEoCzIeLnNwaXJlLmFwaS50eXBlcy5TZWxlY3Rvck1hdGNoUgtieVNlbGVjdG9ycxJPChFieV9mZWRlcmF0ZXNfd2l0aBgEIAEoCzIjLnNwaXJlLmFwaS50eXBlcy5GZWRlcmF0ZXNXaXRoTWF0Y2hSD2J5RmVkZXJhdGVzV2l0aBI1CgdieV9oaW50GAUgASgLMhwuZ29vZ2xlLnByb3RvYnVmLlN0cmluZ1ZhbHVlUgZieUhpbnQSPwoNYnlfZG93bnN0cmVhbRgGIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5Cb29sVmFsdWVSDGJ5RG93bnN0cmVhbSJvChNMaXN0RW50cmllc1Jlc3BvbnNlEjAKB2VudHJpZXMYASADKAsyFi5zcGlyZS5hcGkudHlwZXMuRW50cnlSB2VudHJpZXMSJgoPbmV4dF9wYWdlX3Rva2VuGAIgASgJUg1uZXh0UGFnZVRva2VuIl4KD0dldEVudHJ5UmVxdWVzdBIOCgJpZBgBIAEoCVICaWQSOwoLb3V0cHV0X21hc2sYAiABKAsyGi5zcGlyZS5hcGkudHlwZXMuRW50cnlNYXNrUgpvdXRwdXRNYXNrIogBChdCYXRjaENyZWF0ZUVudHJ5UmVxdWVzdBIwCgdlbnRyaWVzGAEgAygLMhYuc3BpcmUuYXBpLnR5cGVzLkVudHJ5UgdlbnRyaWVzEjsKC291dHB1dF9tYXNrGAIgASgLMhouc3BpcmUuYXBpLnR5cGVzLkVudHJ5TWFza1IKb3V0cHV0TWFzayLZAQoYQmF0Y2hDcmVhdGVFbnRyeVJlc3BvbnNlElQKB3Jlc3VsdHMYASADKAsyOi5zcGlyZS5hcGkuc2VydmVyLmVudHJ5LnYxLkJhdGNoQ3JlYXRlRW50cnlSZXNwb25zZS5SZXN1bHRSB3Jlc3VsdHMaZwoGUmVzdWx0Ei8KBnN0YXR1cxgBIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5TdGF0dXNSBnN0YXR1cxIsCgVlbnRyeRgCIAEoCzIWLnNwaXJlLmFwaS50eXBlcy5FbnRyeVIFZW50cnkiwwEKF0JhdGNoVXBkYXRlRW50cnlSZXF1ZXN0EjAKB2VudHJpZXMYASADKAsyFi5zcGlyZS5hcGkudHlwZXMuRW50cnlSB2VudHJpZXMSOQoKaW5wdXRfbWFzaxgCIAEoCzIaLnNwaXJlLmFwaS50eXBlcy5FbnRyeU1hc2tSCWlucHV0TWFzaxI7CgtvdXRwdXRfbWFzaxgDIAEoCzIaLnNwaXJlLmFwaS50eXBlcy5FbnRyeU1hc2tSCm91dHB1dE1hc2si2QEKGEJhdGNoVXBkYXRlRW50cnlSZXNwb25zZRJUCgdyZXN1bHRzGAEgAygLMjouc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5CYXRjaFVwZGF0ZUVudHJ5UmVzcG9uc2UuUmVzdWx0UgdyZXN1bHRzGmcKBlJlc3VsdBIvCgZzdGF0dXMYASABKAsyFy5zcGlyZS5hcGkudHlwZXMuU3RhdHVzUgZzdGF0dXMSLAoFZW50cnkYAiABKAsyFi5zcGlyZS5hcGkudHlwZXMuRW50cnlSBWVudHJ5IisKF0JhdGNoRGVsZXRlRW50cnlSZXF1ZXN0EhAKA2lkcxgBIAMoCVIDaWRzIrsBChhCYXRjaERlbGV0ZUVudHJ5UmVzcG9uc2USVAoHcmVzdWx0cxgBIAMoCzI6LnNwaXJlLmFwaS5zZXJ2ZXIuZW50cnkudjEuQmF0Y2hEZWxldGVFbnRyeVJlc3BvbnNlLlJlc3VsdFIHcmVzdWx0cxpJCgZSZXN1bHQSLwoGc3RhdHVzGAEgASgLMhcuc3BpcmUuYXBpLnR5cGVzLlN0YXR1c1IGc3RhdHVzEg4KAmlkGAIgASgJUgJpZCJaChtHZXRBdXRob3JpemVkRW50cmllc1JlcXVlc3QSOwoLb3V0cHV0X21hc2sYASABKAsyGi5zcGlyZS5hcGkudHlwZXMuRW50cnlNYXNrUgpvdXRwdXRNYXNrIlAKHEdldEF1dGhvcml6ZWRFbnRyaWVzUmVzcG9uc2USMAoHZW50cmllcxgBIAMoCzIWLnNwaXJlLmFwaS50eXBlcy5FbnRyeVIHZW50cmllcyJtChxTeW5jQXV0aG9yaXplZEVudHJpZXNSZXF1ZXN0EjsKC291dHB1dF9tYXNrGAEgASgLMhouc3BpcmUuYXBpLnR5cGVzLkVudHJ5TWFza1IKb3V0cHV0TWFzaxIQCgNpZHMYAiADKAlSA2lkcyK4AQodU3luY0F1dGhvcml6ZWRFbnRyaWVzUmVzcG9uc2USUQoPZW50cnlfcmV2aXNpb25zGAEgAygLMiguc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5FbnRyeVJldmlzaW9uUg5lbnRyeVJldmlzaW9ucxIwCgdlbnRyaWVzGAIgAygLMhYuc3BpcmUuYXBpLnR5cGVzLkVudHJ5UgdlbnRyaWVzEhIKBG1vcmUYAyABKAhSBG1vcmUiZwoNRW50cnlSZXZpc2lvbhIOCgJpZBgBIAEoCVICaWQSJwoPcmV2aXNpb25fbnVtYmVyGAIgASgDUg5yZXZpc2lvbk51bWJlchIdCgpjcmVhdGVkX2F0GAMgASgDUgljcmVhdGVkQXQy5AcKBUVudHJ5EnMKDENvdW50RW50cmllcxIuLnNwaXJlLmFwaS5zZXJ2ZXIuZW50cnkudjEuQ291bnRFbnRyaWVzUmVxdWVzdBovLnNwaXJlLmFwaS5zZXJ2ZXIuZW50cnkudjEuQ291bnRFbnRyaWVzUmVzcG9uc2UoADAAEnAKC0xpc3RFbnRyaWVzEi0uc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5MaXN0RW50cmllc1JlcXVlc3QaLi5zcGlyZS5hcGkuc2VydmVyLmVudHJ5LnYxLkxpc3RFbnRyaWVzUmVzcG9uc2UoADAAElIKCEdldEVudHJ5Eiouc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5HZXRFbnRyeVJlcXVlc3QaFi5zcGlyZS5hcGkudHlwZXMuRW50cnkoADAAEn8KEEJhdGNoQ3JlYXRlRW50cnkSMi5zcGlyZS5hcGkuc2VydmVyLmVudHJ5LnYxLkJhdGNoQ3JlYXRlRW50cnlSZXF1ZXN0GjMuc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5CYXRjaENyZWF0ZUVudHJ5UmVzcG9uc2UoADAAEn8KEEJhdGNoVXBkYXRlRW50cnkSMi5zcGlyZS5hcGkuc2VydmVyLmVudHJ5LnYxLkJhdGNoVXBkYXRlRW50cnlSZXF1ZXN0GjMuc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5CYXRjaFVwZGF0ZUVudHJ5UmVzcG9uc2UoADAAEn8KEEJhdGNoRGVsZXRlRW50cnkSMi5zcGlyZS5hcGkuc2VydmVyLmVudHJ5LnYxLkJhdGNoRGVsZXRlRW50cnlSZXF1ZXN0GjMuc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5CYXRjaERlbGV0ZUVudHJ5UmVzcG9uc2UoADAAEosBChRHZXRBdXRob3JpemVkRW50cmllcxI2LnNwaXJlLmFwaS5zZXJ2ZXIuZW50cnkudjEuR2V0QXV0aG9yaXplZEVudHJpZXNSZXF1ZXN0Gjcuc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5HZXRBdXRob3JpemVkRW50cmllc1Jlc3BvbnNlKAAwABKOAQoVU3luY0F1dGhvcml6ZWRFbnRyaWVzEjcuc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5TeW5jQXV0aG9yaXplZEVudHJpZXNSZXF1ZXN0Gjguc3BpcmUuYXBpLnNlcnZlci5lbnRyeS52MS5TeW5jQXV0aG9yaXplZEVudHJpZXNSZXNwb25zZSgBMAFiBnByb3RvMw=="},
  {"name":"spire/localauthority.proto","imports":[],"services":["spire.api.server.localauthority.v1.LocalAuthority"],"messages":["spire.api.server.localauthority.v1.AuthorityState","spire.api.server.localauthority.v1.GetJWTAuthorityStateRequest","spire.api.server.localauthority.v1.GetJWTAuthorityStateResponse","spire.api.server.localauthority.v1.PrepareJWTAuthorityRequest","spire.api.server.localauthority.v1.PrepareJWTAuthorityResponse","spire.api.server.localauthority.v1.ActivateJWTAuthorityRequest","spire.api.server.localauthority.v1.ActivateJWTAuthorityResponse","spire.api.server.localauthority.v1.TaintJWTAuthorityRequest","spire.api.server.localauthority.v1.TaintJWTAuthorityResponse","spire.api.server.localauthority.v1.RevokeJWTAuthorityRequest","spire.api.server.localauthority.v1.RevokeJWTAuthorityResponse","spire.api.server.localauthority.v1.GetX509AuthorityStateRequest","spire.api.server.localauthority.v1.GetX509AuthorityStateResponse","spire.api.server.localauthority.v1.PrepareX509AuthorityRequest","spire.api.server.localauthority.v1.PrepareX509AuthorityResponse","spire.api.server.localauthority.v1.ActivateX509AuthorityRequest","spire.api.server.localauthority.v1.ActivateX509AuthorityResponse","spire.api.server.localauthority.v1.TaintX509AuthorityRequest","spire.api.server.localauthority.v1.TaintX509AuthorityResponse","spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityRequest","spire.api.server.localauthority.v1.TaintX509UpstreamAuthorityResponse","spire.api.server.localauthority.v1.RevokeX509AuthorityRequest","spire.api.server.localauthority.v1.RevokeX509AuthorityResponse","spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityRequest","spire.api.server.localauthority.v1.RevokeX509UpstreamAuthorityResponse","spire.api.server.localauthority.v1.GetWITAuthorityStateRequest","spire.api.server.localauthority.v1.GetWITAuthorityStateResponse","spire.api.server.localauthority.v1.PrepareWITAuthorityRequest","spire.api.server.localauthority.v1.PrepareWITAuthorityResponse","spire.api.server.localauthority.v1.ActivateWITAuthorityRequest","spire.api.server.localauthority.v1.ActivateWITAuthorityResponse","spire.api.server.localauthority.v1.TaintWITAuthorityRequest","spire.api.server.localauthority.v1.TaintWITAuthorityResponse","spire.api.server.localauthority.v1.RevokeWITAuthorityRequest","spire.api.server.localauthority.v1.RevokeWITAuthorityResponse"],"descriptor":"ChpzcGlyZS9sb2NhbGF1dGhvcml0eS5wcm90bxIic3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MSKcAQoOQXV0aG9yaXR5U3RhdGUSIQoMYXV0aG9yaXR5X2lkGAEgASgJUgthdXRob3JpdHlJZBIdCgpleHBpcmVzX2F0GAIgASgDUglleHBpcmVzQXQSSAohdXBzdHJlYW1fYXV0aG9yaXR5X3N1YmplY3Rfa2V5X2lkGAMgASgJUh11cHN0cmVhbUF1dGhvcml0eVN1YmplY3RLZXlJZCIdChtHZXRKV1RBdXRob3JpdHlTdGF0ZVJlcXVlc3QigAIKHEdldEpXVEF1dGhvcml0eVN0YXRlUmVzcG9uc2USSgoGYWN0aXZlGAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIGYWN0aXZlEk4KCHByZXBhcmVkGAIgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIIcHJlcGFyZWQSRAoDb2xkGAMgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIDb2xkIhwKGlByZXBhcmVKV1RBdXRob3JpdHlSZXF1ZXN0IoABChtQcmVwYXJlSldUQXV0aG9yaXR5UmVzcG9uc2USYQoScHJlcGFyZWRfYXV0aG9yaXR5GAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIRcHJlcGFyZWRBdXRob3JpdHkiQAobQWN0aXZhdGVKV1RBdXRob3JpdHlSZXF1ZXN0EiEKDGF1dGhvcml0eV9pZBgBIAEoCVILYXV0aG9yaXR5SWQigwEKHEFjdGl2YXRlSldUQXV0aG9yaXR5UmVzcG9uc2USYwoTYWN0aXZhdGVkX2F1dGhvcml0eRgBIAEoCzIyLnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQXV0aG9yaXR5U3RhdGVSEmFjdGl2YXRlZEF1dGhvcml0eSI9ChhUYWludEpXVEF1dGhvcml0eVJlcXVlc3QSIQoMYXV0aG9yaXR5X2lkGAEgASgJUgthdXRob3JpdHlJZCJ8ChlUYWludEpXVEF1dGhvcml0eVJlc3BvbnNlEl8KEXRhaW50ZWRfYXV0aG9yaXR5GAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIQdGFpbnRlZEF1dGhvcml0eSI+ChlSZXZva2VKV1RBdXRob3JpdHlSZXF1ZXN0EiEKDGF1dGhvcml0eV9pZBgBIAEoCVILYXV0aG9yaXR5SWQifQoaUmV2b2tlSldUQXV0aG9yaXR5UmVzcG9uc2USXwoRcmV2b2tlZF9hdXRob3JpdHkYASABKAsyMi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkF1dGhvcml0eVN0YXRlUhByZXZva2VkQXV0aG9yaXR5Ih4KHEdldFg1MDlBdXRob3JpdHlTdGF0ZVJlcXVlc3QigQIKHUdldFg1MDlBdXRob3JpdHlTdGF0ZVJlc3BvbnNlEkoKBmFjdGl2ZRgBIAEoCzIyLnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQXV0aG9yaXR5U3RhdGVSBmFjdGl2ZRJOCghwcmVwYXJlZBgCIAEoCzIyLnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQXV0aG9yaXR5U3RhdGVSCHByZXBhcmVkEkQKA29sZBgDIAEoCzIyLnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQXV0aG9yaXR5U3RhdGVSA29sZCIdChtQcmVwYXJlWDUwOUF1dGhvcml0eVJlcXVlc3QigQEKHFByZXBhcmVYNTA5QXV0aG9yaXR5UmVzcG9uc2USYQoScHJlcGFyZWRfYXV0aG9yaXR5GAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIRcHJlcGFyZWRBdXRob3JpdHkiQQocQWN0aXZhdGVYNTA5QXV0aG9yaXR5UmVxdWVzdBIhCgxhdXRob3JpdHlfaWQYASABKAlSC2F1dGhvcml0eUlkIoQBCh1BY3RpdmF0ZVg1MDlBdXRob3JpdHlSZXNwb25zZRJjChNhY3RpdmF0ZWRfYXV0aG9yaXR5GAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVISYWN0aXZhdGVkQXV0aG9yaXR5Ij4KGVRhaW50WDUwOUF1dGhvcml0eVJlcXVlc3QSIQoMYXV0aG9yaXR5X2lkGAEgASgJUgthdXRob3JpdHlJZCJ9ChpUYWludFg1MDlBdXRob3JpdHlSZXNwb25zZRJfChF0YWludGVkX2F1dGhvcml0eRgBIAEoCzIyLnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQXV0aG9yaXR5U3RhdGVSEHRhaW50ZWRBdXRob3JpdHkiSQohVGFpbnRYNTA5VXBzdHJlYW1BdXRob3JpdHlSZXF1ZXN0EiQKDnN1YmplY3Rfa2V5X2lkGAEgASgJUgxzdWJqZWN0S2V5SWQibgoiVGFpbnRYNTA5VXBzdHJlYW1BdXRob3JpdHlSZXNwb25zZRJICiF1cHN0cmVhbV9hdXRob3JpdHlfc3ViamVjdF9rZXlfaWQYASABKAlSHXVwc3RyZWFtQXV0aG9yaXR5U3ViamVjdEtleUlkIj8KGlJldm9rZVg1MDlBdXRob3JpdHlSZXF1ZXN0EiEKDGF1dGhvcml0eV9pZBgBIAEoCVILYXV0aG9yaXR5SWQifgobUmV2b2tlWDUwOUF1dGhvcml0eVJlc3BvbnNlEl8KEXJldm9rZWRfYXV0aG9yaXR5GAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIQcmV2b2tlZEF1dGhvcml0eSJKCiJSZXZva2VYNTA5VXBzdHJlYW1BdXRob3JpdHlSZXF1ZXN0EiQKDnN1YmplY3Rfa2V5X2lkGAEgASgJUgxzdWJqZWN0S2V5SWQibwojUmV2b2tlWDUwOVVwc3RyZWFtQXV0aG9yaXR5UmVzcG9uc2USSAohdXBzdHJlYW1fYXV0aG9yaXR5X3N1YmplY3Rfa2V5X2lkGAEgASgJUh11cHN0cmVhbUF1dGhvcml0eVN1YmplY3RLZXlJZCIdChtHZXRXSVRBdXRob3JpdHlTdGF0ZVJlcXVlc3QigAIKHEdldFdJVEF1dGhvcml0eVN0YXRlUmVzcG9uc2USSgoGYWN0aXZlGAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIGYWN0aXZlEk4KCHByZXBhcmVkGAIgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIIcHJlcGFyZWQSRAoDb2xkGAMgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIDb2xkIhwKGlByZXBhcmVXSVRBdXRob3JpdHlSZXF1ZXN0IoABChtQcmVwYXJlV0lUQXV0aG9yaXR5UmVzcG9uc2USYQoScHJlcGFyZWRfYXV0aG9yaXR5GAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIRcHJlcGFyZWRBdXRob3JpdHkiQAobQWN0aXZhdGVXSVRBdXRob3JpdHlSZXF1ZXN0EiEKDGF1dGhvcml0eV9pZBgBIAEoCVILYXV0aG9yaXR5SWQigwEKHEFjdGl2YXRlV0lUQXV0aG9yaXR5UmVzcG9uc2USYwoTYWN0aXZhdGVkX2F1dGhvcml0eRgBIAEoCzIyLnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQXV0aG9yaXR5U3RhdGVSEmFjdGl2YXRlZEF1dGhvcml0eSI9ChhUYWludFdJVEF1dGhvcml0eVJlcXVlc3QSIQoMYXV0aG9yaXR5X2lkGAEgASgJUgthdXRob3JpdHlJZCJ8ChlUYWludFdJVEF1dGhvcml0eVJlc3BvbnNlEl8KEXRhaW50ZWRfYXV0aG9yaXR5GAEgASgLMjIuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BdXRob3JpdHlTdGF0ZVIQdGFpbnRlZEF1dGhvcml0eSI+ChlSZXZva2VXSVRBdXRob3JpdHlSZXF1ZXN0EiEKDGF1dGhvcml0eV9pZBgBIAEoCVILYXV0aG9yaXR5SWQifQoaUmV2b2tlV0lUQXV0aG9yaXR5UmVzcG9uc2USXwoRcmV2b2tlZF9hdXRob3JpdHkYASABKAsyMi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkF1dGhvcml0eVN0YXRlUhByZXZva2VkQXV0aG9yaXR5MrAVCg5Mb2NhbEF1dGhvcml0eRKdAQoUR2V0SldUQXV0aG9yaXR5U3RhdGUSPy5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkdldEpXVEF1dGhvcml0eVN0YXRlUmVxdWVzdBpALnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuR2V0SldUQXV0aG9yaXR5U3RhdGVSZXNwb25zZSgAMAASmgEKE1ByZXBhcmVKV1RBdXRob3JpdHkSPi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlByZXBhcmVKV1RBdXRob3JpdHlSZXF1ZXN0Gj8uc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5QcmVwYXJlSldUQXV0aG9yaXR5UmVzcG9uc2UoADAAEp0BChRBY3RpdmF0ZUpXVEF1dGhvcml0eRI/LnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQWN0aXZhdGVKV1RBdXRob3JpdHlSZXF1ZXN0GkAuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BY3RpdmF0ZUpXVEF1dGhvcml0eVJlc3BvbnNlKAAwABKUAQoRVGFpbnRKV1RBdXRob3JpdHkSPC5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlRhaW50SldUQXV0aG9yaXR5UmVxdWVzdBo9LnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuVGFpbnRKV1RBdXRob3JpdHlSZXNwb25zZSgAMAASlwEKElJldm9rZUpXVEF1dGhvcml0eRI9LnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuUmV2b2tlSldUQXV0aG9yaXR5UmVxdWVzdBo+LnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuUmV2b2tlSldUQXV0aG9yaXR5UmVzcG9uc2UoADAAEqABChVHZXRYNTA5QXV0aG9yaXR5U3RhdGUSQC5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkdldFg1MDlBdXRob3JpdHlTdGF0ZVJlcXVlc3QaQS5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkdldFg1MDlBdXRob3JpdHlTdGF0ZVJlc3BvbnNlKAAwABKdAQoUUHJlcGFyZVg1MDlBdXRob3JpdHkSPy5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlByZXBhcmVYNTA5QXV0aG9yaXR5UmVxdWVzdBpALnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuUHJlcGFyZVg1MDlBdXRob3JpdHlSZXNwb25zZSgAMAASoAEKFUFjdGl2YXRlWDUwOUF1dGhvcml0eRJALnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQWN0aXZhdGVYNTA5QXV0aG9yaXR5UmVxdWVzdBpBLnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQWN0aXZhdGVYNTA5QXV0aG9yaXR5UmVzcG9uc2UoADAAEpcBChJUYWludFg1MDlBdXRob3JpdHkSPS5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlRhaW50WDUwOUF1dGhvcml0eVJlcXVlc3QaPi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlRhaW50WDUwOUF1dGhvcml0eVJlc3BvbnNlKAAwABKvAQoaVGFpbnRYNTA5VXBzdHJlYW1BdXRob3JpdHkSRS5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlRhaW50WDUwOVVwc3RyZWFtQXV0aG9yaXR5UmVxdWVzdBpGLnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuVGFpbnRYNTA5VXBzdHJlYW1BdXRob3JpdHlSZXNwb25zZSgAMAASmgEKE1Jldm9rZVg1MDlBdXRob3JpdHkSPi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlJldm9rZVg1MDlBdXRob3JpdHlSZXF1ZXN0Gj8uc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5SZXZva2VYNTA5QXV0aG9yaXR5UmVzcG9uc2UoADAAErIBChtSZXZva2VYNTA5VXBzdHJlYW1BdXRob3JpdHkSRi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlJldm9rZVg1MDlVcHN0cmVhbUF1dGhvcml0eVJlcXVlc3QaRy5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlJldm9rZVg1MDlVcHN0cmVhbUF1dGhvcml0eVJlc3BvbnNlKAAwABKdAQoUR2V0V0lUQXV0aG9yaXR5U3RhdGUSPy5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLkdldFdJVEF1dGhvcml0eVN0YXRlUmVxdWVzdBpALnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuR2V0V0lUQXV0aG9yaXR5U3RhdGVSZXNwb25zZSgAMAASmgEKE1ByZXBhcmVXSVRBdXRob3JpdHkSPi5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlByZXBhcmVXSVRBdXRob3JpdHlSZXF1ZXN0Gj8uc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5QcmVwYXJlV0lUQXV0aG9yaXR5UmVzcG9uc2UoADAAEp0BChRBY3RpdmF0ZVdJVEF1dGhvcml0eRI/LnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuQWN0aXZhdGVXSVRBdXRob3JpdHlSZXF1ZXN0GkAuc3BpcmUuYXBpLnNlcnZlci5sb2NhbGF1dGhvcml0eS52MS5BY3RpdmF0ZVdJVEF1dGhvcml0eVJlc3BvbnNlKAAwABKUAQoRVGFpbnRXSVRBdXRob3JpdHkSPC5zcGlyZS5hcGkuc2VydmVyLmxvY2FsYXV0aG9yaXR5LnYxLlRhaW50V0lUQXV0aG9yaXR5UmVxdWVzdBo9LnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuVGFpbnRXSVRBdXRob3JpdHlSZXNwb25zZSgAMAASlwEKElJldm9rZVdJVEF1dGhvcml0eRI9LnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuUmV2b2tlV0lUQXV0aG9yaXR5UmVxdWVzdBo+LnNwaXJlLmFwaS5zZXJ2ZXIubG9jYWxhdXRob3JpdHkudjEuUmV2b2tlV0lUQXV0aG9yaXR5UmVzcG9uc2UoADAAYgZwcm90bzM="},
  {"name":"spire/logger.proto","imports":["spire/types.proto"],"services":["spire.api.server.logger.v1.Logger"],"messages":["spire.api.server.logger.v1.GetLoggerRequest","spire.api.server.logger.v1.SetLogLevelRequest","spire.api.server.logger.v1.ResetLogLevelRequest"],"descriptor":"ChJzcGlyZS9sb2dnZXIucHJvdG8SGnNwaXJlLmFwaS5zZXJ2ZXIubG9nZ2VyLnYxGhFzcGlyZS90eXBlcy5wcm90byISChBHZXRMb2dnZXJSZXF1ZXN0IkwKElNldExvZ0xldmVsUmVxdWVzdBI2CgluZXdfbGV2ZWwYASABKA4yGS5zcGlyZS5hcGkudHlwZXMuTG9nTGV2ZWxSCG5ld0xldmVsIhYKFFJlc2V0TG9nTGV2ZWxSZXF1ZXN0MpwCCgZMb2dnZXISVgoJR2V0TG9nZ2VyEiwuc3BpcmUuYXBpLnNlcnZlci5sb2dnZXIudjEuR2V0TG9nZ2VyUmVxdWVzdBoXLnNwaXJlLmFwaS50eXBlcy5Mb2dnZXIoADAAEloKC1NldExvZ0xldmVsEi4uc3BpcmUuYXBpLnNlcnZlci5sb2dnZXIudjEuU2V0TG9nTGV2ZWxSZXF1ZXN0Ghcuc3BpcmUuYXBpLnR5cGVzLkxvZ2dlcigAMAASXgoNUmVzZXRMb2dMZXZlbBIwLnNwaXJlLmFwaS5zZXJ2ZXIubG9nZ2VyLnYxLlJlc2V0TG9nTGV2ZWxSZXF1ZXN0Ghcuc3BpcmUuYXBpLnR5cGVzLkxvZ2dlcigAMABiBnByb3RvMw=="},
  {"name":"spire/svid.proto","imports":["spire/types.proto"],"services":["spire.api.server.svid.v1.SVID"],"messages":["spire.api.server.svid.v1.MintX509SVIDRequest","spire.api.server.svid.v1.MintX509SVIDResponse","spire.api.server.svid.v1.MintJWTSVIDRequest","spire.api.server.svid.v1.MintJWTSVIDResponse","spire.api.server.svid.v1.MintWITSVIDRequest","spire.api.server.svid.v1.MintWITSVIDResponse","spire.api.server.svid.v1.NewX509SVIDParams","spire.api.server.svid.v1.BatchNewX509SVIDRequest","spire.api.server.svid.v1.BatchNewX509SVIDResponse","spire.api.server.svid.v1.NewJWTSVIDRequest","spire.api.server.svid.v1.NewJWTSVIDResponse","spire.api.server.svid.v1.NewWITSVIDParams","spire.api.server.svid.v1.BatchNewWITSVIDRequest","spire.api.server.svid.v1.BatchNewWITSVIDResponse","spire.api.server.svid.v1.NewDownstreamX509CARequest","spire.api.server.svid.v1.NewDownstreamX509CAResponse"],"descriptor":"ChBzcGlyZS9zdmlkLnByb3RvEhhzcGlyZS5hcGkuc2VydmVyLnN2aWQudjEaEXNwaXJlL3R5cGVzLnByb3RvIjkKE01pbnRYNTA5U1ZJRFJlcXVlc3QSEAoDY3NyGAEgASgMUgNjc3ISEAoDdHRsGAIgASgFUgN0dGwiRQoUTWludFg1MDlTVklEUmVzcG9uc2USLQoEc3ZpZBgBIAEoCzIZLnNwaXJlLmFwaS50eXBlcy5YNTA5U1ZJRFIEc3ZpZCJtChJNaW50SldUU1ZJRFJlcXVlc3QSKQoCaWQYASABKAsyGS5zcGlyZS5hcGkudHlwZXMuU1BJRkZFSURSAmlkEhoKCGF1ZGllbmNlGAIgAygJUghhdWRpZW5jZRIQCgN0dGwYAyABKAVSA3R0bCJDChNNaW50SldUU1ZJRFJlc3BvbnNlEiwKBHN2aWQYASABKAsyGC5zcGlyZS5hcGkudHlwZXMuSldUU1ZJRFIEc3ZpZCKdAQoSTWludFdJVFNWSURSZXF1ZXN0EikKAmlkGAEgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlNQSUZGRUlEUgJpZBIdCgpwdWJsaWNfa2V5GAIgASgMUglwdWJsaWNLZXkSEAoDdHRsGAMgASgFUgN0dGwSKwoRc2lnbmluZ19hbGdvcml0aG0YBCABKAlSEHNpZ25pbmdBbGdvcml0aG0iQwoTTWludFdJVFNWSURSZXNwb25zZRIsCgRzdmlkGAEgASgLMhguc3BpcmUuYXBpLnR5cGVzLldJVFNWSURSBHN2aWQiQAoRTmV3WDUwOVNWSURQYXJhbXMSGQoIZW50cnlfaWQYASABKAlSB2VudHJ5SWQSEAoDY3NyGAIgASgMUgNjc3IiXgoXQmF0Y2hOZXdYNTA5U1ZJRFJlcXVlc3QSQwoGcGFyYW1zGAEgAygLMisuc3BpcmUuYXBpLnNlcnZlci5zdmlkLnYxLk5ld1g1MDlTVklEUGFyYW1zUgZwYXJhbXMi2QEKGEJhdGNoTmV3WDUwOVNWSURSZXNwb25zZRJTCgdyZXN1bHRzGAEgAygLMjkuc3BpcmUuYXBpLnNlcnZlci5zdmlkLnYxLkJhdGNoTmV3WDUwOVNWSURSZXNwb25zZS5SZXN1bHRSB3Jlc3VsdHMaaAoGUmVzdWx0Ei8KBnN0YXR1cxgBIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5TdGF0dXNSBnN0YXR1cxItCgRzdmlkGAIgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlg1MDlTVklEUgRzdmlkIkoKEU5ld0pXVFNWSURSZXF1ZXN0EhkKCGVudHJ5X2lkGAEgASgJUgdlbnRyeUlkEhoKCGF1ZGllbmNlGAIgAygJUghhdWRpZW5jZSJCChJOZXdKV1RTVklEUmVzcG9uc2USLAoEc3ZpZBgBIAEoCzIYLnNwaXJlLmFwaS50eXBlcy5KV1RTVklEUgRzdmlkInkKEE5ld1dJVFNWSURQYXJhbXMSGQoIZW50cnlfaWQYASABKAlSB2VudHJ5SWQSHQoKcHVibGljX2tleRgCIAEoDFIJcHVibGljS2V5EisKEXNpZ25pbmdfYWxnb3JpdGhtGAMgASgJUhBzaWduaW5nQWxnb3JpdGhtIlwKFkJhdGNoTmV3V0lUU1ZJRFJlcXVlc3QSQgoGcGFyYW1zGAEgAygLMiouc3BpcmUuYXBpLnNlcnZlci5zdmlkLnYxLk5ld1dJVFNWSURQYXJhbXNSBnBhcmFtcyLWAQoXQmF0Y2hOZXdXSVRTVklEUmVzcG9uc2USUgoHcmVzdWx0cxgBIAMoCzI4LnNwaXJlLmFwaS5zZXJ2ZXIuc3ZpZC52MS5CYXRjaE5ld1dJVFNWSURSZXNwb25zZS5SZXN1bHRSB3Jlc3VsdHMaZwoGUmVzdWx0Ei8KBnN0YXR1cxgBIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5TdGF0dXNSBnN0YXR1cxIsCgRzdmlkGAIgASgLMhguc3BpcmUuYXBpLnR5cGVzLldJVFNWSURSBHN2aWQiUwoaTmV3RG93bnN0cmVhbVg1MDlDQVJlcXVlc3QSEAoDY3NyGAEgASgMUgNjc3ISIwoNcHJlZmVycmVkX3R0bBgCIAEoBVIMcHJlZmVycmVkVHRsImwKG05ld0Rvd25zdHJlYW1YNTA5Q0FSZXNwb25zZRIiCg1jYV9jZXJ0X2NoYWluGAEgAygMUgtjYUNlcnRDaGFpbhIpChB4NTA5X2F1dGhvcml0aWVzGAIgAygMUg94NTA5QXV0aG9yaXRpZXMyygYKBFNWSUQScQoMTWludFg1MDlTVklEEi0uc3BpcmUuYXBpLnNlcnZlci5zdmlkLnYxLk1pbnRYNTA5U1ZJRFJlcXVlc3QaLi5zcGlyZS5hcGkuc2VydmVyLnN2aWQudjEuTWludFg1MDlTVklEUmVzcG9uc2UoADAAEm4KC01pbnRKV1RTVklEEiwuc3BpcmUuYXBpLnNlcnZlci5zdmlkLnYxLk1pbnRKV1RTVklEUmVxdWVzdBotLnNwaXJlLmFwaS5zZXJ2ZXIuc3ZpZC52MS5NaW50SldUU1ZJRFJlc3BvbnNlKAAwABJuCgtNaW50V0lUU1ZJRBIsLnNwaXJlLmFwaS5zZXJ2ZXIuc3ZpZC52MS5NaW50V0lUU1ZJRFJlcXVlc3QaLS5zcGlyZS5hcGkuc2VydmVyLnN2aWQudjEuTWludFdJVFNWSURSZXNwb25zZSgAMAASfQoQQmF0Y2hOZXdYNTA5U1ZJRBIxLnNwaXJlLmFwaS5zZXJ2ZXIuc3ZpZC52MS5CYXRjaE5ld1g1MDlTVklEUmVxdWVzdBoyLnNwaXJlLmFwaS5zZXJ2ZXIuc3ZpZC52MS5CYXRjaE5ld1g1MDlTVklEUmVzcG9uc2UoADAAEmsKCk5ld0pXVFNWSUQSKy5zcGlyZS5hcGkuc2VydmVyLnN2aWQudjEuTmV3SldUU1ZJRFJlcXVlc3QaLC5zcGlyZS5hcGkuc2VydmVyLnN2aWQudjEuTmV3SldUU1ZJRFJlc3BvbnNlKAAwABJ6Cg9CYXRjaE5ld1dJVFNWSUQSMC5zcGlyZS5hcGkuc2VydmVyLnN2aWQudjEuQmF0Y2hOZXdXSVRTVklEUmVxdWVzdBoxLnNwaXJlLmFwaS5zZXJ2ZXIuc3ZpZC52MS5CYXRjaE5ld1dJVFNWSURSZXNwb25zZSgAMAAShgEKE05ld0Rvd25zdHJlYW1YNTA5Q0ESNC5zcGlyZS5hcGkuc2VydmVyLnN2aWQudjEuTmV3RG93bnN0cmVhbVg1MDlDQVJlcXVlc3QaNS5zcGlyZS5hcGkuc2VydmVyLnN2aWQudjEuTmV3RG93bnN0cmVhbVg1MDlDQVJlc3BvbnNlKAAwAGIGcHJvdG8z"},
  {"name":"spire/trustdomain.proto","imports":["google/wrappers.proto","spire/types.proto"],"services":["spire.api.server.trustdomain.v1.TrustDomain"],"messages":["spire.api.server.trustdomain.v1.ListFederationRelationshipsRequest","spire.api.server.trustdomain.v1.ListFederationRelationshipsResponse","spire.api.server.trustdomain.v1.GetFederationRelationshipRequest","spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipRequest","spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse","spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipRequest","spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse","spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipRequest","spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse","spire.api.server.trustdomain.v1.RefreshBundleRequest"],"descriptor":"ChdzcGlyZS90cnVzdGRvbWFpbi5wcm90bxIfc3BpcmUuYXBpLnNlcnZlci50cnVzdGRvbWFpbi52MRoVZ29vZ2xlL3dyYXBwZXJzLnByb3RvGhFzcGlyZS90eXBlcy5wcm90byKuAQoiTGlzdEZlZGVyYXRpb25SZWxhdGlvbnNoaXBzUmVxdWVzdBJMCgtvdXRwdXRfbWFzaxgBIAEoCzIrLnNwaXJlLmFwaS50eXBlcy5GZWRlcmF0aW9uUmVsYXRpb25zaGlwTWFza1IKb3V0cHV0TWFzaxIbCglwYWdlX3NpemUYAiABKAVSCHBhZ2VTaXplEh0KCnBhZ2VfdG9rZW4YAyABKAlSCXBhZ2VUb2tlbiKxAQojTGlzdEZlZGVyYXRpb25SZWxhdGlvbnNoaXBzUmVzcG9uc2USYgoYZmVkZXJhdGlvbl9yZWxhdGlvbnNoaXBzGAEgAygLMicuc3BpcmUuYXBpLnR5cGVzLkZlZGVyYXRpb25SZWxhdGlvbnNoaXBSF2ZlZGVyYXRpb25SZWxhdGlvbnNoaXBzEiYKD25leHRfcGFnZV90b2tlbhgCIAEoCVINbmV4dFBhZ2VUb2tlbiKTAQogR2V0RmVkZXJhdGlvblJlbGF0aW9uc2hpcFJlcXVlc3QSIQoMdHJ1c3RfZG9tYWluGAEgASgJUgt0cnVzdERvbWFpbhJMCgtvdXRwdXRfbWFzaxgCIAEoCzIrLnNwaXJlLmFwaS50eXBlcy5GZWRlcmF0aW9uUmVsYXRpb25zaGlwTWFza1IKb3V0cHV0TWFzayLcAQooQmF0Y2hDcmVhdGVGZWRlcmF0aW9uUmVsYXRpb25zaGlwUmVxdWVzdBJiChhmZWRlcmF0aW9uX3JlbGF0aW9uc2hpcHMYASADKAsyJy5zcGlyZS5hcGkudHlwZXMuRmVkZXJhdGlvblJlbGF0aW9uc2hpcFIXZmVkZXJhdGlvblJlbGF0aW9uc2hpcHMSTAoLb3V0cHV0X21hc2sYAiABKAsyKy5zcGlyZS5hcGkudHlwZXMuRmVkZXJhdGlvblJlbGF0aW9uc2hpcE1hc2tSCm91dHB1dE1hc2sitgIKKUJhdGNoQ3JlYXRlRmVkZXJhdGlvblJlbGF0aW9uc2hpcFJlc3BvbnNlEmsKB3Jlc3VsdHMYASADKAsyUS5zcGlyZS5hcGkuc2VydmVyLnRydXN0ZG9tYWluLnYxLkJhdGNoQ3JlYXRlRmVkZXJhdGlvblJlbGF0aW9uc2hpcFJlc3BvbnNlLlJlc3VsdFIHcmVzdWx0cxqbAQoGUmVzdWx0Ei8KBnN0YXR1cxgBIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5TdGF0dXNSBnN0YXR1cxJgChdmZWRlcmF0aW9uX3JlbGF0aW9uc2hpcBgCIAEoCzInLnNwaXJlLmFwaS50eXBlcy5GZWRlcmF0aW9uUmVsYXRpb25zaGlwUhZmZWRlcmF0aW9uUmVsYXRpb25zaGlwIqgCCihCYXRjaFVwZGF0ZUZlZGVyYXRpb25SZWxhdGlvbnNoaXBSZXF1ZXN0EmIKGGZlZGVyYXRpb25fcmVsYXRpb25zaGlwcxgBIAMoCzInLnNwaXJlLmFwaS50eXBlcy5GZWRlcmF0aW9uUmVsYXRpb25zaGlwUhdmZWRlcmF0aW9uUmVsYXRpb25zaGlwcxJKCgppbnB1dF9tYXNrGAIgASgLMisuc3BpcmUuYXBpLnR5cGVzLkZlZGVyYXRpb25SZWxhdGlvbnNoaXBNYXNrUglpbnB1dE1hc2sSTAoLb3V0cHV0X21hc2sYAyABKAsyKy5zcGlyZS5hcGkudHlwZXMuRmVkZXJhdGlvblJlbGF0aW9uc2hpcE1hc2tSCm91dHB1dE1hc2sitgIKKUJhdGNoVXBkYXRlRmVkZXJhdGlvblJlbGF0aW9uc2hpcFJlc3BvbnNlEmsKB3Jlc3VsdHMYASADKAsyUS5zcGlyZS5hcGkuc2VydmVyLnRydXN0ZG9tYWluLnYxLkJhdGNoVXBkYXRlRmVkZXJhdGlvblJlbGF0aW9uc2hpcFJlc3BvbnNlLlJlc3VsdFIHcmVzdWx0cxqbAQoGUmVzdWx0Ei8KBnN0YXR1cxgBIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5TdGF0dXNSBnN0YXR1cxJgChdmZWRlcmF0aW9uX3JlbGF0aW9uc2hpcBgCIAEoCzInLnNwaXJlLmFwaS50eXBlcy5GZWRlcmF0aW9uUmVsYXRpb25zaGlwUhZmZWRlcmF0aW9uUmVsYXRpb25zaGlwIk8KKEJhdGNoRGVsZXRlRmVkZXJhdGlvblJlbGF0aW9uc2hpcFJlcXVlc3QSIwoNdHJ1c3RfZG9tYWlucxgBIAMoCVIMdHJ1c3REb21haW5zIvYBCilCYXRjaERlbGV0ZUZlZGVyYXRpb25SZWxhdGlvbnNoaXBSZXNwb25zZRJrCgdyZXN1bHRzGAEgAygLMlEuc3BpcmUuYXBpLnNlcnZlci50cnVzdGRvbWFpbi52MS5CYXRjaERlbGV0ZUZlZGVyYXRpb25SZWxhdGlvbnNoaXBSZXNwb25zZS5SZXN1bHRSB3Jlc3VsdHMaXAoGUmVzdWx0Ei8KBnN0YXR1cxgBIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5TdGF0dXNSBnN0YXR1cxIhCgx0cnVzdF9kb21haW4YAiABKAlSC3RydXN0RG9tYWluIjkKFFJlZnJlc2hCdW5kbGVSZXF1ZXN0EiEKDHRydXN0X2RvbWFpbhgBIAEoCVILdHJ1c3REb21haW4y8QcKC1RydXN0RG9tYWluEqwBChtMaXN0RmVkZXJhdGlvblJlbGF0aW9uc2hpcHMSQy5zcGlyZS5hcGkuc2VydmVyLnRydXN0ZG9tYWluLnYxLkxpc3RGZWRlcmF0aW9uUmVsYXRpb25zaGlwc1JlcXVlc3QaRC5zcGlyZS5hcGkuc2VydmVyLnRydXN0ZG9tYWluLnYxLkxpc3RGZWRlcmF0aW9uUmVsYXRpb25zaGlwc1Jlc3BvbnNlKAAwABKLAQoZR2V0RmVkZXJhdGlvblJlbGF0aW9uc2hpcBJBLnNwaXJlLmFwaS5zZXJ2ZXIudHJ1c3Rkb21haW4udjEuR2V0RmVkZXJhdGlvblJlbGF0aW9uc2hpcFJlcXVlc3QaJy5zcGlyZS5hcGkudHlwZXMuRmVkZXJhdGlvblJlbGF0aW9uc2hpcCgAMAASvgEKIUJhdGNoQ3JlYXRlRmVkZXJhdGlvblJlbGF0aW9uc2hpcBJJLnNwaXJlLmFwaS5zZXJ2ZXIudHJ1c3Rkb21haW4udjEuQmF0Y2hDcmVhdGVGZWRlcmF0aW9uUmVsYXRpb25zaGlwUmVxdWVzdBpKLnNwaXJlLmFwaS5zZXJ2ZXIudHJ1c3Rkb21haW4udjEuQmF0Y2hDcmVhdGVGZWRlcmF0aW9uUmVsYXRpb25zaGlwUmVzcG9uc2UoADAAEr4BCiFCYXRjaFVwZGF0ZUZlZGVyYXRpb25SZWxhdGlvbnNoaXASSS5zcGlyZS5hcGkuc2VydmVyLnRydXN0ZG9tYWluLnYxLkJhdGNoVXBkYXRlRmVkZXJhdGlvblJlbGF0aW9uc2hpcFJlcXVlc3QaSi5zcGlyZS5hcGkuc2VydmVyLnRydXN0ZG9tYWluLnYxLkJhdGNoVXBkYXRlRmVkZXJhdGlvblJlbGF0aW9uc2hpcFJlc3BvbnNlKAAwABK+AQohQmF0Y2hEZWxldGVGZWRlcmF0aW9uUmVsYXRpb25zaGlwEkkuc3BpcmUuYXBpLnNlcnZlci50cnVzdGRvbWFpbi52MS5CYXRjaERlbGV0ZUZlZGVyYXRpb25SZWxhdGlvbnNoaXBSZXF1ZXN0Gkouc3BpcmUuYXBpLnNlcnZlci50cnVzdGRvbWFpbi52MS5CYXRjaERlbGV0ZUZlZGVyYXRpb25SZWxhdGlvbnNoaXBSZXNwb25zZSgAMAASYgoNUmVmcmVzaEJ1bmRsZRI1LnNwaXJlLmFwaS5zZXJ2ZXIudHJ1c3Rkb21haW4udjEuUmVmcmVzaEJ1bmRsZVJlcXVlc3QaFi5nb29nbGUucHJvdG9idWYuRW1wdHkoADAAYgZwcm90bzM="},
  {"name":"spire/types.proto","imports":[],"services":[],"messages":["spire.api.types.SPIFFEID","spire.api.types.Status","spire.api.types.PermissionDeniedDetails","spire.api.types.Selector","spire.api.types.SelectorMatch","spire.api.types.FederatesWithMatch","spire.api.types.Entry","spire.api.types.EntryMask","spire.api.types.Bundle","spire.api.types.X509Certificate","spire.api.types.JWTKey","spire.api.types.WITKey","spire.api.types.BundleMask","spire.api.types.X509SVID","spire.api.types.JWTSVID","spire.api.types.WITSVID","spire.api.types.Agent","spire.api.types.AgentMask","spire.api.types.AttestationData","spire.api.types.JoinToken","spire.api.types.FederationRelationship","spire.api.types.HTTPSWebProfile","spire.api.types.HTTPSSPIFFEProfile","spire.api.types.FederationRelationshipMask","spire.api.types.Logger"],"descriptor":"ChFzcGlyZS90eXBlcy5wcm90bxIPc3BpcmUuYXBpLnR5cGVzIkEKCFNQSUZGRUlEEiEKDHRydXN0X2RvbWFpbhgBIAEoCVILdHJ1c3REb21haW4SEgoEcGF0aBgCIAEoCVIEcGF0aCI2CgZTdGF0dXMSEgoEY29kZRgBIAEoBVIEY29kZRIYCgdtZXNzYWdlGAIgASgJUgdtZXNzYWdlIuYBChdQZXJtaXNzaW9uRGVuaWVkRGV0YWlscxJHCgZyZWFzb24YASABKA4yLy5zcGlyZS5hcGkudHlwZXMuUGVybWlzc2lvbkRlbmllZERldGFpbHMuUmVhc29uUgZyZWFzb24igQEKBlJlYXNvbhILCgdVTktOT1dOEAASEQoNQUdFTlRfRVhQSVJFRBABEhYKEkFHRU5UX05PVF9BVFRFU1RFRBACEhQKEEFHRU5UX05PVF9BQ1RJVkUQAxIQCgxBR0VOVF9CQU5ORUQQBBIXChNBR0VOVF9NVVNUX1JFQVRURVNUEAUiNAoIU2VsZWN0b3ISEgoEdHlwZRgBIAEoCVIEdHlwZRIUCgV2YWx1ZRgCIAEoCVIFdmFsdWUi4wEKDVNlbGVjdG9yTWF0Y2gSNwoJc2VsZWN0b3JzGAEgAygLMhkuc3BpcmUuYXBpLnR5cGVzLlNlbGVjdG9yUglzZWxlY3RvcnMSQgoFbWF0Y2gYAiABKA4yLC5zcGlyZS5hcGkudHlwZXMuU2VsZWN0b3JNYXRjaC5NYXRjaEJlaGF2aW9yUgVtYXRjaCJVCg1NYXRjaEJlaGF2aW9yEg8KC01BVENIX0VYQUNUEAASEAoMTUFUQ0hfU1VCU0VUEAESEgoOTUFUQ0hfU1VQRVJTRVQQAhINCglNQVRDSF9BTlkQAyLZAQoSRmVkZXJhdGVzV2l0aE1hdGNoEiMKDXRydXN0X2RvbWFpbnMYASADKAlSDHRydXN0RG9tYWlucxJHCgVtYXRjaBgCIAEoDjIxLnNwaXJlLmFwaS50eXBlcy5GZWRlcmF0ZXNXaXRoTWF0Y2guTWF0Y2hCZWhhdmlvclIFbWF0Y2giVQoNTWF0Y2hCZWhhdmlvchIPCgtNQVRDSF9FWEFDVBAAEhAKDE1BVENIX1NVQlNFVBABEhIKDk1BVENIX1NVUEVSU0VUEAISDQoJTUFUQ0hfQU5ZEAMigwYKBUVudHJ5Eg4KAmlkGAEgASgJUgJpZBI2CglzcGlmZmVfaWQYAiABKAsyGS5zcGlyZS5hcGkudHlwZXMuU1BJRkZFSURSCHNwaWZmZUlkEjYKCXBhcmVudF9pZBgDIAEoCzIZLnNwaXJlLmFwaS50eXBlcy5TUElGRkVJRFIIcGFyZW50SWQSNwoJc2VsZWN0b3JzGAQgAygLMhkuc3BpcmUuYXBpLnR5cGVzLlNlbGVjdG9yUglzZWxlY3RvcnMSIgoNeDUwOV9zdmlkX3R0bBgFIAEoBVILeDUwOVN2aWRUdGwSJQoOZmVkZXJhdGVzX3dpdGgYBiADKAlSDWZlZGVyYXRlc1dpdGgSFAoFYWRtaW4YByABKAhSBWFkbWluEh4KCmRvd25zdHJlYW0YCCABKAhSCmRvd25zdHJlYW0SHQoKZXhwaXJlc19hdBgJIAEoA1IJZXhwaXJlc0F0EhsKCWRuc19uYW1lcxgKIAMoCVIIZG5zTmFtZXMSJwoPcmV2aXNpb25fbnVtYmVyGAsgASgDUg5yZXZpc2lvbk51bWJlchIdCgpzdG9yZV9zdmlkGAwgASgIUglzdG9yZVN2aWQSIAoMand0X3N2aWRfdHRsGA0gASgFUgpqd3RTdmlkVHRsEhIKBGhpbnQYDiABKAlSBGhpbnQSHQoKY3JlYXRlZF9hdBgPIAEoA1IJY3JlYXRlZEF0EmAKFWFkZGl0aW9uYWxfYXR0cmlidXRlcxgQIAEoCzIrLnNwaXJlLmFwaS50eXBlcy5FbnRyeS5BZGRpdGlvbmFsQXR0cmlidXRlc1IUYWRkaXRpb25hbEF0dHJpYnV0ZXMahAEKFEFkZGl0aW9uYWxBdHRyaWJ1dGVzEjsKGmRpc2FibGVfeDUwOV9zdmlkX3ByZWZldGNoGAEgASgIUhdkaXNhYmxlWDUwOVN2aWRQcmVmZXRjaBIvChRqd3Rfc3ZpZF9pbmNsdWRlX2p0aRgCIAEoCFIRand0U3ZpZEluY2x1ZGVKdGki8gMKCUVudHJ5TWFzaxIbCglzcGlmZmVfaWQYAiABKAhSCHNwaWZmZUlkEhsKCXBhcmVudF9pZBgDIAEoCFIIcGFyZW50SWQSHAoJc2VsZWN0b3JzGAQgASgIUglzZWxlY3RvcnMSIgoNeDUwOV9zdmlkX3R0bBgFIAEoCFILeDUwOVN2aWRUdGwSJQoOZmVkZXJhdGVzX3dpdGgYBiABKAhSDWZlZGVyYXRlc1dpdGgSFAoFYWRtaW4YByABKAhSBWFkbWluEh4KCmRvd25zdHJlYW0YCCABKAhSCmRvd25zdHJlYW0SHQoKZXhwaXJlc19hdBgJIAEoCFIJZXhwaXJlc0F0EhsKCWRuc19uYW1lcxgKIAEoCFIIZG5zTmFtZXMSJwoPcmV2aXNpb25fbnVtYmVyGAsgASgIUg5yZXZpc2lvbk51bWJlchIdCgpzdG9yZV9zdmlkGAwgASgIUglzdG9yZVN2aWQSIAoMand0X3N2aWRfdHRsGA0gASgIUgpqd3RTdmlkVHRsEhIKBGhpbnQYDiABKAhSBGhpbnQSHQoKY3JlYXRlZF9hdBgPIAEoCFIJY3JlYXRlZEF0EjMKFWFkZGl0aW9uYWxfYXR0cmlidXRlcxgQIAEoCFIUYWRkaXRpb25hbEF0dHJpYnV0ZXMiyAIKBkJ1bmRsZRIhCgx0cnVzdF9kb21haW4YASABKAlSC3RydXN0RG9tYWluEksKEHg1MDlfYXV0aG9yaXRpZXMYAiADKAsyIC5zcGlyZS5hcGkudHlwZXMuWDUwOUNlcnRpZmljYXRlUg94NTA5QXV0aG9yaXRpZXMSQAoPand0X2F1dGhvcml0aWVzGAMgAygLMhcuc3BpcmUuYXBpLnR5cGVzLkpXVEtleVIOand0QXV0aG9yaXRpZXMSIQoMcmVmcmVzaF9oaW50GAQgASgDUgtyZWZyZXNoSGludBInCg9zZXF1ZW5jZV9udW1iZXIYBSABKARSDnNlcXVlbmNlTnVtYmVyEkAKD3dpdF9hdXRob3JpdGllcxgGIAMoCzIXLnNwaXJlLmFwaS50eXBlcy5XSVRLZXlSDndpdEF1dGhvcml0aWVzIj8KD1g1MDlDZXJ0aWZpY2F0ZRISCgRhc24xGAEgASgMUgRhc24xEhgKB3RhaW50ZWQYAiABKAhSB3RhaW50ZWQidwoGSldUS2V5Eh0KCnB1YmxpY19rZXkYASABKAxSCXB1YmxpY0tleRIVCgZrZXlfaWQYAiABKAlSBWtleUlkEh0KCmV4cGlyZXNfYXQYAyABKANSCWV4cGlyZXNBdBIYCgd0YWludGVkGAQgASgIUgd0YWludGVkIncKBldJVEtleRIdCgpwdWJsaWNfa2V5GAEgASgMUglwdWJsaWNLZXkSFQoGa2V5X2lkGAIgASgJUgVrZXlJZBIdCgpleHBpcmVzX2F0GAMgASgDUglleHBpcmVzQXQSGAoHdGFpbnRlZBgEIAEoCFIHdGFpbnRlZCLVAQoKQnVuZGxlTWFzaxIpChB4NTA5X2F1dGhvcml0aWVzGAIgASgIUg94NTA5QXV0aG9yaXRpZXMSJwoPand0X2F1dGhvcml0aWVzGAMgASgIUg5qd3RBdXRob3JpdGllcxIhCgxyZWZyZXNoX2hpbnQYBCABKAhSC3JlZnJlc2hIaW50EicKD3NlcXVlbmNlX251bWJlchgFIAEoCFIOc2VxdWVuY2VOdW1iZXISJwoPd2l0X2F1dGhvcml0aWVzGAYgASgIUg53aXRBdXRob3JpdGllcyKHAQoIWDUwOVNWSUQSHQoKY2VydF9jaGFpbhgBIAMoDFIJY2VydENoYWluEikKAmlkGAIgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlNQSUZGRUlEUgJpZBIdCgpleHBpcmVzX2F0GAMgASgDUglleHBpcmVzQXQSEgoEaGludBgEIAEoCVIEaGludCKaAQoHSldUU1ZJRBIUCgV0b2tlbhgBIAEoCVIFdG9rZW4SKQoCaWQYAiABKAsyGS5zcGlyZS5hcGkudHlwZXMuU1BJRkZFSURSAmlkEh0KCmV4cGlyZXNfYXQYAyABKANSCWV4cGlyZXNBdBIbCglpc3N1ZWRfYXQYBCABKANSCGlzc3VlZEF0EhIKBGhpbnQYBSABKAlSBGhpbnQimgEKB1dJVFNWSUQSFAoFdG9rZW4YASABKAlSBXRva2VuEikKAmlkGAIgASgLMhkuc3BpcmUuYXBpLnR5cGVzLlNQSUZGRUlEUgJpZBIdCgpleHBpcmVzX2F0GAMgASgDUglleHBpcmVzQXQSGwoJaXNzdWVkX2F0GAQgASgDUghpc3N1ZWRBdBISCgRoaW50GAUgASgJUgRoaW50ItwCCgVBZ2VudBIpCgJpZBgBIAEoCzIZLnNwaXJlLmFwaS50eXBlcy5TUElGRkVJRFICaWQSKQoQYXR0ZXN0YXRpb25fdHlwZRgCIAEoCVIPYXR0ZXN0YXRpb25UeXBlEjQKFng1MDlzdmlkX3NlcmlhbF9udW1iZXIYAyABKAlSFHg1MDlzdmlkU2VyaWFsTnVtYmVyEi4KE3g1MDlzdmlkX2V4cGlyZXNfYXQYBCABKANSEXg1MDlzdmlkRXhwaXJlc0F0EjcKCXNlbGVjdG9ycxgFIAMoCzIZLnNwaXJlLmFwaS50eXBlcy5TZWxlY3RvclIJc2VsZWN0b3JzEhYKBmJhbm5lZBgGIAEoCFIGYmFubmVkEiEKDGNhbl9yZWF0dGVzdBgHIAEoCFILY2FuUmVhdHRlc3QSIwoNYWdlbnRfdmVyc2lvbhgIIAEoCVIMYWdlbnRWZXJzaW9uIpoCCglBZ2VudE1hc2sSKQoQYXR0ZXN0YXRpb25fdHlwZRgCIAEoCFIPYXR0ZXN0YXRpb25UeXBlEjQKFng1MDlzdmlkX3NlcmlhbF9udW1iZXIYAyABKAhSFHg1MDlzdmlkU2VyaWFsTnVtYmVyEi4KE3g1MDlzdmlkX2V4cGlyZXNfYXQYBCABKAhSEXg1MDlzdmlkRXhwaXJlc0F0EhwKCXNlbGVjdG9ycxgFIAEoCFIJc2VsZWN0b3JzEhYKBmJhbm5lZBgGIAEoCFIGYmFubmVkEiEKDGNhbl9yZWF0dGVzdBgHIAEoCFILY2FuUmVhdHRlc3QSIwoNYWdlbnRfdmVyc2lvbhgIIAEoCFIMYWdlbnRWZXJzaW9uIj8KD0F0dGVzdGF0aW9uRGF0YRISCgR0eXBlGAEgASgJUgR0eXBlEhgKB3BheWxvYWQYAiABKAxSB3BheWxvYWQiQAoJSm9pblRva2VuEhQKBXZhbHVlGAEgASgJUgV2YWx1ZRIdCgpleHBpcmVzX2F0GAIgASgDUglleHBpcmVzQXQi2AIKFkZlZGVyYXRpb25SZWxhdGlvbnNoaXASIQoMdHJ1c3RfZG9tYWluGAEgASgJUgt0cnVzdERvbWFpbhIuChNidW5kbGVfZW5kcG9pbnRfdXJsGAIgASgJUhFidW5kbGVFbmRwb2ludFVybBI/CglodHRwc193ZWIYAyABKAsyIC5zcGlyZS5hcGkudHlwZXMuSFRUUFNXZWJQcm9maWxlSABSCGh0dHBzV2ViEkgKDGh0dHBzX3NwaWZmZRgEIAEoCzIjLnNwaXJlLmFwaS50eXBlcy5IVFRQU1NQSUZGRVByb2ZpbGVIAFILaHR0cHNTcGlmZmUSRwoTdHJ1c3RfZG9tYWluX2J1bmRsZRgFIAEoCzIXLnNwaXJlLmFwaS50eXBlcy5CdW5kbGVSEXRydXN0RG9tYWluQnVuZGxlQhcKFWJ1bmRsZUVuZHBvaW50UHJvZmlsZSIRCg9IVFRQU1dlYlByb2ZpbGUiQgoSSFRUUFNTUElGRkVQcm9maWxlEiwKEmVuZHBvaW50X3NwaWZmZV9pZBgBIAEoCVIQZW5kcG9pbnRTcGlmZmVJZCK0AQoaRmVkZXJhdGlvblJlbGF0aW9uc2hpcE1hc2sSLgoTYnVuZGxlX2VuZHBvaW50X3VybBgBIAEoCFIRYnVuZGxlRW5kcG9pbnRVcmwSNgoXYnVuZGxlX2VuZHBvaW50X3Byb2ZpbGUYAiABKAhSFWJ1bmRsZUVuZHBvaW50UHJvZmlsZRIuChN0cnVzdF9kb21haW5fYnVuZGxlGAMgASgIUhF0cnVzdERvbWFpbkJ1bmRsZSKGAQoGTG9nZ2VyEj4KDWN1cnJlbnRfbGV2ZWwYASABKA4yGS5zcGlyZS5hcGkudHlwZXMuTG9nTGV2ZWxSDGN1cnJlbnRMZXZlbBI8CgxsYXVuY2hfbGV2ZWwYAiABKA4yGS5zcGlyZS5hcGkudHlwZXMuTG9nTGV2ZWxSC2xhdW5jaExldmVsKmYKCExvZ0xldmVsEg8KC1VOU1BFQ0lGSUVEEAASCQoFUEFOSUMQARIJCgVGQVRBTBACEgkKBUVSUk9SEAMSCAoEV0FSThAEEggKBElORk8QBRIJCgVERUJVRxAGEgkKBVRSQUNFEAdiBnByb3RvMw=="},
];
