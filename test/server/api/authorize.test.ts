// The table of who may call what: every method of every service, with every kind of caller.
import t from "tap";
import type { IdentityError } from "../../../pki/errors.ts";
import { SpiffeId, TrustDomain } from "../../../pki/spiffe-id.ts";
import type { Certificate } from "../../../pki/x509/certificate.ts";
import {
  AgentService,
  AuditLogService,
  BundleService,
  DebugService,
  EntryService,
  FederationService,
  HealthService,
  LinkService,
  LocalAuthorityService,
  LoggerService,
  NodeTasksService,
  OAuthAuthorityService,
  RegistryService,
  RevocationService,
  SvidService,
  TaskControlService,
  TrustDomainService,
} from "../../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../../proto/types/entry.ts";
import {
  type AgentRecord,
  Authorizer,
  type Caller,
  METHODS,
} from "../../../server/api/authorize.ts";
import { TestClock } from "../../support/clock.ts";

const ULID = "01JD0000000000000000000001";
const clock = new TestClock("2030-01-01T00:00:00Z");
const trustDomain = TrustDomain.parse("north.test");

function caller(
  path: string,
  { serial = "1", domain = "north.test", expired = false } = {},
): Caller {
  const notAfter = new Date(expired ? "2029-12-31T23:59:59Z" : "2030-01-01T01:00:00Z");
  const leaf = { serialDecimal: serial, notAfter } as Certificate;
  const id = SpiffeId.parse(`spiffe://${domain}${path}`);
  return { kind: "tls", id, leaf, remoteAddress: "192.0.2.1" };
}

const records = new Map<string, AgentRecord>([
  ["spiffe://north.test/spire/agent/x/active", { serial: "1", banned: false }],
  ["spiffe://north.test/spire/agent/x/renewed", { serial: "0", newSerial: "1", banned: false }],
  ["spiffe://north.test/spire/agent/x/older", { serial: "2", banned: false }],
  ["spiffe://north.test/spire/agent/x/banned", { serial: "", banned: true }],
]);
const entries = new Map<string, Partial<RegistrationEntry>[]>([
  ["spiffe://north.test/admin", [{ admin: true, expiresAtUnixSeconds: 0 }]],
  ["spiffe://north.test/ai/admin", [{ admin: true, expiresAtUnixSeconds: 0 }]],
  [`spiffe://north.test/ai/admin/task/${ULID}`, [{ admin: true, expiresAtUnixSeconds: 0 }]],
  ["spiffe://north.test/was-admin", [{ admin: true, expiresAtUnixSeconds: 1_893_455_999 }]],
  ["spiffe://north.test/below", [{ downstream: true, expiresAtUnixSeconds: 0 }]],
  ["spiffe://north.test/web", [{ admin: false, downstream: false, expiresAtUnixSeconds: 0 }]],
]);

function authorizer(promoted: string[] = []): Authorizer {
  return new Authorizer({
    trustDomain,
    clock,
    adminIds: new Set(["spiffe://south.test/ops"]),
    orchestratorIds: new Set([
      "spiffe://north.test/orchestrator",
      "spiffe://north.test/ai/orchestrator",
    ]),
    isAiAgent: ({ path }) => path.startsWith("/ai/"),
    onAiAgent: (id, method) => told.push(`${id} ${method}`),
    nodes: {
      get: (id) => records.get(id),
      promote: async (id, serial) => promoted.push(`${id} ${serial}`),
    },
    entries: { withSpiffeId: (id) => (entries.get(id) ?? []) as RegistrationEntry[] },
  });
}

const CALLERS: Readonly<Record<string, Caller>> = {
  local: { kind: "local" },
  anonymous: { kind: "tls", remoteAddress: "192.0.2.1" },
  agent: caller("/spire/agent/x/active"),
  admin: caller("/admin"),
  "configured admin": caller("/ops", { domain: "south.test" }),
  downstream: caller("/below"),
  workload: caller("/web"),
  "former admin": caller("/was-admin"),
  orchestrator: caller("/orchestrator"),
  "AI agent as admin": caller("/ai/admin"),
  "AI agent as orchestrator": caller("/ai/orchestrator"),
  task: caller(`/ai/admin/task/${ULID}`),
  "foreign agent": caller("/spire/agent/x/active", { domain: "south.test" }),
};

/** Told of AI agents and tasks that called what they must not. */
const told: string[] = [];
const ADMINS = ["local", "admin", "configured admin"];
const EVERYONE = Object.keys(CALLERS);

// Written out once more on purpose, from the behaviour that is to be matched and not from the table.
const EXPECTED: readonly [service: string, methods: readonly string[], who: readonly string[]][] = [
  [AgentService.name, ["AttestAgent"], EVERYONE],
  [AgentService.name, ["RenewAgent", "PostStatus"], ["agent"]],
  [
    AgentService.name,
    ["CountAgents", "ListAgents", "GetAgent", "DeleteAgent", "BanAgent", "CreateJoinToken"],
    ADMINS,
  ],
  [BundleService.name, ["GetBundle"], EVERYONE],
  [BundleService.name, ["GetFederatedBundle"], [...ADMINS, "agent"]],
  [BundleService.name, ["PublishJWTAuthority", "PublishWITAuthority"], ["downstream"]],
  [
    BundleService.name,
    [
      "AppendBundle",
      "CountBundles",
      "ListFederatedBundles",
      "BatchCreateFederatedBundle",
      "BatchUpdateFederatedBundle",
      "BatchSetFederatedBundle",
      "BatchDeleteFederatedBundle",
    ],
    ADMINS,
  ],
  [EntryService.name, ["GetAuthorizedEntries", "SyncAuthorizedEntries"], ["agent"]],
  [
    EntryService.name,
    [
      "CountEntries",
      "ListEntries",
      "GetEntry",
      "BatchCreateEntry",
      "BatchUpdateEntry",
      "BatchDeleteEntry",
    ],
    ADMINS,
  ],
  [SvidService.name, ["BatchNewX509SVID", "BatchNewWITSVID", "NewJWTSVID"], ["agent"]],
  [SvidService.name, ["NewDownstreamX509CA"], ["downstream"]],
  [SvidService.name, ["MintX509SVID", "MintJWTSVID", "MintWITSVID"], ADMINS],
  [TrustDomainService.name, methodsOf(TrustDomainService), ADMINS],
  [LocalAuthorityService.name, methodsOf(LocalAuthorityService), ADMINS],
  [OAuthAuthorityService.name, methodsOf(OAuthAuthorityService), ADMINS],
  [LoggerService.name, methodsOf(LoggerService), ["local"]],
  [DebugService.name, methodsOf(DebugService), ["local"]],
  [HealthService.name, methodsOf(HealthService), ["local"]],
  [LinkService.name, ["Watch"], ["agent"]],
  [FederationService.name, methodsOf(FederationService), ADMINS],
  [RevocationService.name, methodsOf(RevocationService), ADMINS],
  [AuditLogService.name, ["Append"], ["agent"]],
  [AuditLogService.name, ["Tail", "Checkpoint", "Prove"], ADMINS],
  [RegistryService.name, methodsOf(RegistryService), ADMINS],
  [AuditLogService.name, ["Append"], ["agent"]],
  [AuditLogService.name, ["Tail", "Checkpoint", "Prove"], ADMINS],
  [NodeTasksService.name, methodsOf(NodeTasksService), ["agent"]],
  [
    TaskControlService.name,
    ["CreateTask", "GetTask", "ListTasks", "RevokeTask", "CompleteTask"],
    [...ADMINS, "orchestrator"],
  ],
  [TaskControlService.name, ["SuspendTask", "UnsuspendTask"], ADMINS],
];

function methodsOf(service: { methods: Readonly<Record<string, { name: string }>> }): string[] {
  return Object.values(service.methods).map(({ name }) => name);
}

t.test("lets each kind of caller call what it may, and nothing else", async (t) => {
  const rows = new Map<string, readonly string[]>();
  for (const [service, methods, who] of EXPECTED) {
    for (const method of methods) rows.set(`/${service}/${method}`, who);
  }
  t.same([...rows.keys()].sort(), Object.keys(METHODS).sort(), "the table has just these methods");
  const services = [AgentService, BundleService, EntryService, SvidService, LinkService];
  for (const service of services) {
    for (const { path } of Object.values(service.methods)) t.ok(METHODS[path], `${path} has a row`);
  }
  const subject = authorizer();
  for (const [method, who] of rows) {
    const allowed: string[] = [];
    for (const [kind, peer] of Object.entries(CALLERS)) {
      const outcome = await subject.authorize(method, peer).then(
        () => "allowed",
        (error: IdentityError) => error.code,
      );
      if (outcome === "allowed") allowed.push(kind);
      else t.equal(outcome, 7, `${method} is denied to ${kind} with PERMISSION_DENIED`);
    }
    t.same(
      allowed,
      EVERYONE.filter((kind) => who.includes(kind)),
      method,
    );
  }
});

t.test("denies methods without a row to everyone", async (t) => {
  for (const method of ["/spire.api.server.agent.v1.Agent/Nope", "/a.b/C", "constructor", ""]) {
    for (const peer of Object.values(CALLERS)) {
      await t.rejects(authorizer().authorize(method, peer), {
        reason: "CALLER_NOT_AUTHORIZED",
        code: 7,
      });
    }
  }
});

const RENEW = "/spire.api.server.agent.v1.Agent/RenewAgent";

for (const { name, peer, reason } of [
  { name: "never attested", peer: caller("/spire/agent/x/none"), reason: "AGENT_NOT_ATTESTED" },
  { name: "banned", peer: caller("/spire/agent/x/banned"), reason: "AGENT_BANNED" },
  { name: "an older SVID", peer: caller("/spire/agent/x/older"), reason: "AGENT_SVID_NOT_ACTIVE" },
  {
    name: "an expired SVID",
    peer: caller("/spire/agent/x/active", { expired: true }),
    reason: "AGENT_SVID_EXPIRED",
  },
]) {
  t.test(`tells an agent with ${name} why it is denied`, async (t) => {
    await t.rejects(authorizer().authorize(RENEW, peer), { reason, code: 7 });
  });
}

t.test("promotes the SVID of a renewal on its first use", async (t) => {
  const promoted: string[] = [];
  await authorizer(promoted).authorize(RENEW, caller("/spire/agent/x/renewed"));
  t.same(promoted, ["spiffe://north.test/spire/agent/x/renewed 1"]);
});

t.test("checks nothing of callers of methods that are open to anyone", async (t) => {
  const promoted: string[] = [];
  const subject = authorizer(promoted);
  const open = "/spire.api.server.bundle.v1.Bundle/GetBundle";
  await subject.authorize(open, caller("/spire/agent/x/banned"));
  await subject.authorize(open, caller("/spire/agent/x/renewed"));
  t.same(promoted, [], "a call that anyone may make is no use of an SVID");
});

t.test("AI agents and tasks do not administrate, and it is told when they try", async (t) => {
  const subject = authorizer();
  told.length = 0;
  const id = `spiffe://north.test/ai/admin/task/${ULID}`;
  for (const kind of ["AI agent as admin", "AI agent as orchestrator", "task"]) {
    const peer = CALLERS[kind] as Caller;
    await t.rejects(subject.authorize("/signet.task.v1.TaskControl/GetTask", peer), {
      reason: "CALLER_NOT_AUTHORIZED",
      code: 7,
    });
  }
  t.same(told, [
    "spiffe://north.test/ai/admin /signet.task.v1.TaskControl/GetTask",
    "spiffe://north.test/ai/orchestrator /signet.task.v1.TaskControl/GetTask",
    `${id} /signet.task.v1.TaskControl/GetTask`,
  ]);
  t.equal(subject.isAdmin(SpiffeId.parse("spiffe://north.test/admin")), true);
  t.equal(subject.isAdmin(SpiffeId.parse("spiffe://north.test/orchestrator")), false);
  t.equal(subject.isAdmin(SpiffeId.parse("spiffe://north.test/ai/admin")), false);
});
